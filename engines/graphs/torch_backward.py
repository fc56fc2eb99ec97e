"""The functions that go backward, and one of them made visible to function modes.

`loss.backward()` and `torch.autograd.grad()` ask the function mode that is on, which is how a
recorder learns of them. `torch.autograd.backward()` asks none. Here it is told to.

Source: the documentation page "Extending PyTorch", on `torch.overrides`.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

import torch
from torch.overrides import handle_torch_function

_plain = torch.autograd.backward
BACKWARD = (torch.Tensor.backward, torch.autograd.grad, _plain)


@wraps(_plain)
def _visible(tensors: Any, *more: Any, **options: Any) -> None:
    # Where `loss.backward()` ends in it, the mode that was asked is off.
    if torch._C._is_torch_function_mode_enabled():
        handle_torch_function(_plain, (), tensors, *more, **options)
    else:
        _plain(tensors, *more, **options)


torch.autograd.backward = _visible
