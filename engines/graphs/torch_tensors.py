"""What can be seen of a tensor: its numbers as NumPy's, where they lie, and its shape."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch._subclasses.fake_tensor import FakeTensor

NUMPY_HAS = {
    *(torch.bool, torch.uint8, torch.uint16, torch.uint32, torch.uint64),
    *(torch.int8, torch.int16, torch.int32, torch.int64),
    *(torch.float16, torch.float32, torch.float64, torch.complex64, torch.complex128),
}


Copy = Callable[[Any], Any]


def copied(tensor: Any) -> Any:
    """The numbers of a tensor as an array of its own. None where there are none to be seen."""
    if tensor is None or is_hidden(tensor):
        return None
    numbers = tensor.detach()
    if numbers.is_quantized:
        numbers = numbers.dequantize()
    if numbers.layout != torch.strided:  # sparse, of any kind
        numbers = numbers.to_dense()
    if numbers.dtype not in NUMPY_HAS:
        if numbers.dtype == torch.complex32:
            numbers = numbers.to(torch.complex64)
        elif numbers.dtype.is_floating_point:  # in 16 bits or 8
            numbers = numbers.float()
        else:
            return None
    return numbers.numpy(force=True).copy()


def sampled(tensor: Any, most: int) -> Any:
    """As `copied`; of more numbers than `most` the smallest, the largest, and others between.

    They are then in one row: those that are evenly spread, from its second on, in their order.
    """
    if tensor is None or is_hidden(tensor) or tensor.numel() <= most:
        return copied(tensor)
    spread = _spread(tensor.numel(), most - 2)
    if tensor.layout == torch.strided and tensor.dtype in (torch.float32, torch.float64):
        flat = tensor.detach().reshape(-1)
        ends = copied(torch.stack([flat.min(), flat.max()]))
        between = copied(flat[torch.from_numpy(spread).to(flat.device)])
    elif (numbers := copied(tensor)) is None:
        return None
    else:
        ends = np.array([numbers.min(), numbers.max()])
        between = numbers.reshape(-1)[spread]
    return np.concatenate([ends[:1], between, ends[1:]])


@lru_cache(maxsize=256)
def _spread(length: int, count: int) -> Any:
    return np.linspace(0, length - 1, count).astype(int)


def version(tensor: Any) -> int:
    """How often a tensor has been changed in place, or what it is a view of."""
    return 0 if tensor.is_inference() else int(tensor._version)


def may_renew(tensor: Any) -> bool:
    """Whether PyTorch may make a node when it is asked where this tensor comes from.

    It does for a view of what has changed in place since, or refuses (`is_lost`). Nodes go backward
    by the order in which they were made, and gradients are summed in it. So whoever asks before
    PyTorch itself does may change the run.
    """
    return bool(tensor._is_view() and tensor._base.requires_grad and version(tensor) > 0)


def is_lost(tensor: Any) -> bool:
    """Whether PyTorch refuses to say where it comes from, once it is asked.

    It does for one of several views from one call, such as split's, once their base has changed in
    place; and it will not compute with that one any more.
    """
    try:
        tensor.grad_fn  # noqa: B018
    except RuntimeError:
        return True
    return False


def is_leaf(tensor: Any) -> bool:
    """Whether backward() leaves a gradient in it."""
    return bool(tensor.requires_grad and not may_renew(tensor) and tensor.is_leaf)


def memory(tensor: Any) -> int | None:
    """Where the numbers of a tensor begin; None where they do not lie in one piece of memory."""
    if tensor.layout != torch.strided or is_hidden(tensor):
        return None
    return tensor.data_ptr() or None


def length(size: Any) -> int:
    """A length of a shape; -1 where it is another one in each row, as in a nested tensor."""
    ragged = isinstance(size, torch.SymInt) and size.node.is_nested_int()
    return -1 if ragged else int(size)


def is_hidden(tensor: Any) -> bool:
    """Whether nobody can see its numbers: it has none, or stands for many inside a transform."""
    wrapped = torch._C._functorch.is_functorch_wrapped_tensor(tensor)
    return bool(tensor.is_meta or tensor.is_nested or wrapped or isinstance(tensor, FakeTensor))
