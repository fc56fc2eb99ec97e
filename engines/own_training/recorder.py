"""Records a program's training: losses and sizes of every step, and the graphs of some.

The program runs as it stands, in this thread. Only the loop that trains says where its passes begin
(`engines.own_training.loops`). Some steps are inspected object by object, which slows them down ten
to thirty times; of the others only backward() is watched.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch.utils.weak import WeakTensorKeyDictionary

from engines.graphs.autograd import StepGraph
from engines.graphs.torch_backward import BACKWARD
from engines.graphs.torch_names import Variables, held_by, inside, name_of, tensors_of, variables_of
from engines.graphs.torch_nodes import behind, tensors
from engines.graphs.torch_recorder import Recorder
from engines.graphs.torch_tensors import is_hidden, is_leaf, memory, sampled
from engines.listing import Place, Script, Spot, outward
from engines.own_training.recording import Pass

SAMPLED = 64  # numbers that are kept of an array
MOST_NODES = 12_000  # in the graph of a step that is kept
ALL_NODES = 40_000  # in those of all steps
CALL = torch.nn.Module._call_impl.__code__
WITHOUT_LOOP = 50  # times that what is one step alone may go backward
FIRST = 3  # steps that are all inspected; then ever fewer


class EnoughError(BaseException):
    """Ends the program, past any `except Exception`: it has taken as many steps as asked for."""


class TrainingRecorder(Recorder):
    """Entered while the program runs; `passed` and `over` are called by its loop."""

    def __init__(self, script: Script, *, most: int, told: Callable[[int, Pass], None]) -> None:
        """most: so many steps end the program. told: called after each step with its number."""
        super().__init__(script, copy=lambda tensor: sampled(tensor, SAMPLED))
        self.file = script.file
        self._most, self._told = most, told
        self._now: Pass | None = None  # of the step that the program is in, if it is in one
        self._inspects = False
        self._memories: dict[int | None, str] | None = None  # whose they are; None if not known
        self._names: Any = WeakTensorKeyDictionary()  # of the leaves that were met
        self._paths: WeakKeyDictionary[torch.nn.Module, str] = WeakKeyDictionary()
        self.passes: list[Pass] = []
        self.graphs: list[StepGraph] = []
        self.modules: dict[str, str] = {}
        self.calls: dict[str, Place] = {}
        self.too_many = 0
        self.backward = 0  # how often it was called, in a step or not
        self.alone = False  # whether all that runs is one step
        self.went_back = ""  # where it did so first: a file, and a line of it
        self.died: int | None = None  # the step in which the program failed, if it was in one

    # ---- Steps

    def passed(self) -> None:
        """A pass of the loop that trains begins."""
        self.over()
        if len(self.passes) == self._most:
            raise EnoughError
        self._now = Pass()
        self._begin(len(self.passes))
        self._inspects = self._is_wanted(len(self.passes))

    def over(self) -> None:
        """The loop has ended, or the pass before has: what comes next is no part of this step."""
        if self._now is None:
            return
        number, self._memories = len(self.passes), None
        self.passes.append(self._now)
        if self._inspects:
            self._look_back_from(sys._getframe())
            self._keep()
        self._begin(number + 1)
        self._told(number, self._now)
        self._now, self._inspects = None, False

    def failed(self, error: BaseException, spot: Spot | None) -> None:
        """The program has ended in this error, there, within the step that it was in."""
        if self._now is not None:
            self._place = self._listing.place(spot) if spot else Place()
            self._event("error", message=f"{type(error).__name__}: {error}")
            self.died = len(self.passes)
            self.over()

    def _is_wanted(self, number: int) -> bool:
        """Whether a step is inspected: the first ones, then those of the Fibonacci numbers."""
        a, b = 1, 2
        while b < number:
            a, b = b, a + b
        held = sum(len(step.graph.nodes) for step in self.graphs)
        return held < ALL_NODES and (number < FIRST or number in (b, self._most - 1))

    def _look_back_from(self, frame: FrameType) -> None:
        """Learn what the last operations of a step were for, where the program is still there."""
        if frames := self._files(frame):
            with torch._C.DisableTorchFunction():
                self._look_back(frames[0], self._scene(frames[0], frames[0]))

    def _keep(self) -> None:
        step = self._step.finish()
        if step.graph.nodes:
            self.graphs.append(step)

    # ---- Operations

    def _watched(self, func: Any, args: Any, kwargs: Any, caller: FrameType) -> Any:
        goes_back = func in BACKWARD
        self.backward += goes_back
        if goes_back and not self.went_back:
            where = next(one for one in outward(caller) if not _is_of_torch(one))
            self.went_back = f"line {where.f_lineno} of {where.f_code.co_filename}"
        if self.alone and self.backward > WITHOUT_LOOP:
            raise EnoughError
        within = self._now is not None and (self._inspects or goes_back)
        if not within or not self._files(caller):
            return self._run(func, args, kwargs)
        if self._inspects and len(self._step.nodes) > MOST_NODES:
            self.too_many = MOST_NODES
            self._inspects = False
            self._begin(len(self.passes))
        if self._inspects:
            self._module(caller)
            for tensor in tensors([args, kwargs]):
                if is_leaf(tensor):
                    self._name(tensor, caller)
            result = super()._watched(func, args, kwargs, caller)
        else:
            result = self._run(func, args, kwargs)
        if goes_back or func == torch.Tensor.grad.__set__:
            self._memories = None
        if goes_back:
            self._measure(func, [*args, *kwargs.values()], result, caller)
        return result

    def _measure(self, func: Any, given: list[Any], result: Any, caller: FrameType) -> None:
        """Write down what backward() was called on, and what it left."""
        assert self._now
        roots = list(tensors(given[0]))
        for root in roots:
            name = name_of(root, tensors_of(self._listing.frame(caller)))
            if not name and func is not torch.autograd.grad:
                name = "loss"
            if name and root.numel() == 1 and not is_hidden(root):
                self._now.losses[name] = float(root.detach())
                self._now.backward.append(name)
        if func is torch.autograd.grad:
            found = zip(tensors(given[1]), result, strict=True)
        else:
            nodes = behind([root.grad_fn for root in roots], self._key, {})
            leaves = [node.variable for node in reversed(nodes) if hasattr(node, "variable")]
            found = zip(leaves, [leaf.grad for leaf in leaves], strict=True)
        for leaf, gradient in found:
            if gradient is not None and leaf.is_leaf and not is_hidden(gradient):
                name = self._name(leaf, caller)
                self._now.gradients[name] = _norm(gradient)
                self._now.parameters[name] = _norm(leaf)

    # ---- Names

    def _variables(self, frame: FrameType) -> Variables:
        return tensors_of(frame)

    def _name_of(self, tensor: Any, variables: Variables) -> str:
        return self._names.get(tensor) or name_of(tensor, variables)

    def _parameter_of(self, tensor: Any, variables: Variables) -> str:
        """As in `torch_names`, for any number of parameters."""
        if tensor in self._names:
            return str(self._names[tensor])
        if self._memories is None:
            self._memories = {}
            for leaf, name in [*self._names.items()]:
                self._memories[memory(leaf)] = name
                if leaf.grad is not None:
                    self._memories[memory(leaf.grad)] = f"{name}.grad"
            self._memories.pop(None, None)
        return self._memories.get(memory(tensor), "")

    def _name(self, leaf: Any, caller: FrameType) -> str:
        """The name of a leaf, as the outermost function that knows it reaches it."""
        if leaf not in self._names:
            for frame in reversed(self._files(caller)):
                for name, tensor in variables_of(frame):
                    if is_leaf(tensor):
                        self._names.setdefault(tensor, name)
            self._names.setdefault(leaf, f"a tensor of shape {tuple(leaf.shape)}")
            self._memories = None
        return str(self._names[leaf])

    def _files(self, caller: FrameType) -> list[FrameType]:
        """The frames of the program itself, the innermost first."""
        return [one for one in outward(caller) if self._listing.is_own(one)]

    # ---- Modules

    def _module(self, caller: FrameType) -> str:
        calls = [frame for frame in outward(caller) if frame.f_code is CALL]
        running = [held_by(frame)["self"] for frame in calls]
        if running and running[0] not in self._paths:
            self._name_modules(running[-1], caller)
        for frame, module in zip(calls, running, strict=True):
            path = self._paths.get(module, "")
            if path not in self.calls:
                self.calls[path] = self._listing.place(self._listing.spot(self._files(frame)[0]))
        return self._paths.get(running[0], "") if running else ""

    def _name_modules(self, root: torch.nn.Module, caller: FrameType) -> None:
        """Name a module as the program reaches it, and all of its parts by their places in it."""
        base = next(
            (name for frame in reversed(self._files(caller)) for name in _to(root, frame)),
            type(root).__name__,
        )
        named = set[int]()  # one that is shared has the first of its names
        for inner, module in root.named_modules():
            path = f"{base}.{inner}" if inner else base
            self._paths[module] = path
            self.modules[path] = type(module).__name__
            for name, parameter in module.named_parameters(recurse=False):
                if id(parameter) not in named:
                    named.add(id(parameter))
                    self._names[parameter] = f"{path}.{name}"
        self._memories = None


def _is_of_torch(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).partition(".")[0] == "torch"


def _to(module: torch.nn.Module, frame: FrameType) -> Iterator[str]:
    """The names by which a frame reaches a module: model, self.model, models[0], lit.model."""
    for name, value in held_by(frame).items():
        if value is module:
            yield name
        elif isinstance(value, torch.nn.Module):
            yield from (f"{name}.{inner}" for inner, one in value.named_modules() if one is module)
        else:
            yield from (name + inner for inner, one in inside(value) if one is module)


def _norm(tensor: Any) -> float:
    wide = torch.complex128 if tensor.is_complex() else torch.float64
    return float(torch.linalg.vector_norm(tensor.detach().to_dense().to(wide)))
