"""Watches PyTorch's operations in one thread, and keeps copies of the graph that they build.

Three things are watched, and none of them is global. A TorchFunctionMode, which belongs to its
thread, sees each operation of the listing. From the result a walk along `grad_fn` and
`next_functions` finds the nodes that the operation made. Hooks on these nodes, there only while
backward() runs, see in which order the engine runs them and which gradients arrive and leave.
The nodes are never kept, or they would never be freed: only copies of what they hold.

Source: the documentation pages "Autograd mechanics" and "torch.autograd.graph.Node".
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import count, takewhile
from traceback import walk_tb
from types import CodeType, FrameType
from typing import Any, NamedTuple
from weakref import ReferenceType, WeakSet, ref

import torch
from torch._C._dynamo.eval_frame import set_eval_frame
from torch.overrides import TorchFunctionMode

from engines.graphs.autograd import Edge, Event, Kind, Node, Output, StepBuilder
from engines.graphs.torch_backward import BACKWARD
from engines.graphs.torch_names import Variables, name_of, parameter_of, variables_of
from engines.graphs.torch_nodes import behind, function_caller, kept, tensors, with_output
from engines.graphs.torch_tensors import (
    Copy,
    copied,
    is_hidden,
    is_lost,
    length,
    may_renew,
    version,
)
from engines.listing import Listing, Place, Script, outward

WAIT_FOR_NAMES = 16  # results, the latest: one is given its name soon or never


@dataclass(eq=False)
class _Life:
    """Put into a node's metadata and held by nothing else: it lives as long as the node does."""

    number: int
    node: Node | None = None
    edges: tuple[Edge, ...] = ()


class _Seen(NamedTuple):
    """An operation that was seen, and which event of the step records it, if one does.

    sequence: the number that the next node will have, before it ran. function: where the listing
    called the custom Function within which it ran, None for none. spot: where the listing was.
    """

    sequence: int
    function: Any
    spot: Any
    event: int | None


class _Result(NamedTuple):
    """A result that had no name when it was made, and the code of the function that made it.

    Both tensor and life are weak references, as nothing may live longer for being looked for.
    """

    tensor: ReferenceType[Any]
    life: ReferenceType[_Life]
    output: int
    code: CodeType


class _Scene(NamedTuple):
    """What surrounds an operation: where the listing is, in which of its functions and modules.

    variables: the names that this function has for tensors.
    """

    spot: Any
    variables: Variables
    module: str
    code: CodeType


class Recorder(TorchFunctionMode):  # type: ignore[misc]
    """While it is entered, torch hands it every operation instead of running it."""

    def __init__(self, listing: Listing | Script, copy: Copy = copied) -> None:
        """copy: how the numbers of a tensor are kept."""
        super().__init__()
        self._listing: Any = listing  # each knows what its own spots are
        self._copied = copy
        self._complete: list[StepBuilder] = []
        self._place = Place()
        self._nameless: deque[_Result] = deque(maxlen=WAIT_FOR_NAMES)
        self._lives: WeakSet[_Life] = WeakSet()
        self._numbers = count(1)
        self._raised: Exception | None = None  # by an operation of the listing
        self._key = object()  # of this recorder in the metadata of nodes
        self._begin(0)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation, as torch asks, and write down what it was and what it made."""
        compiler = set_eval_frame(None)
        try:
            return self._watched(func, args, kwargs or {}, sys._getframe(1))
        finally:
            set_eval_frame(compiler)

    # ---- What a recorder of another kind of listing may override

    def _variables(self, frame: FrameType) -> Variables:
        """The tensors that the listing has names for, in this frame of its own."""
        return variables_of(frame)

    def _name_of(self, tensor: Any, variables: Variables) -> str:
        return name_of(tensor, variables)

    def _parameter_of(self, tensor: Any, variables: Variables) -> str:
        return parameter_of(tensor, variables)

    def _module(self, caller: FrameType) -> str:
        """The module that runs the operation which is asked for in this frame; "" for none."""
        return ""

    def _move_to(self, spot: Any) -> None:
        """The listing is here now."""
        self._place = self._listing.place(spot)

    # ---- One operation

    def _watched(self, func: Any, args: Any, kwargs: Any, caller: FrameType) -> Any:
        sequence = torch._C._autograd._get_sequence_nr()
        frame = self._listing.frame(caller)
        within = function_caller(caller)
        function = None if within is None else self._listing.spot(self._listing.frame(within))
        scene = self._scene(frame, caller)
        arguments = list(tensors([args, kwargs]))
        self._look_back(frame, scene)
        self._move_to(scene.spot)
        unasked = is_lost if func in BACKWARD else may_renew  # backward() begins by asking all
        self._meet_late([one for one in arguments if not unasked(one)], scene)
        told = len(self._step.events)
        try:
            return self._operation(func, args, kwargs, arguments, scene)
        finally:
            event = told if len(self._step.events) > told else None
            self._seen.append(_Seen(sequence, function, scene.spot, event))

    def _scene(self, frame: FrameType, caller: FrameType) -> _Scene:
        spot, variables = self._listing.spot(frame), self._variables(frame)
        return _Scene(spot, variables, self._module(caller), frame.f_code)

    def _operation(
        self, func: Any, args: Any, kwargs: Any, arguments: list[Any], scene: _Scene
    ) -> Any:
        if func in BACKWARD:
            with self._hooks(list(tensors(args[0]))) as nodes:
                result = self._run(func, args, kwargs)
            leaves = (node.variable for node in nodes if hasattr(node, "variable"))
            gradients = [*tensors(result), *tensors([leaf.grad for leaf in leaves])]
            self._meet_late(gradients, scene, made_here=True)  # what create_graph made
            return result

        versions = [version(tensor) for tensor in arguments]
        result = self._run(func, args, kwargs)
        changed = [t for t, old in zip(arguments, versions, strict=True) if version(t) != old]
        results = [*tensors(result), *changed]
        if func == torch.Tensor.grad.__set__:
            kind: Kind = "zero" if args[1] is None else "update"
            self._event(kind, name=f"{self._name_of(args[0], scene.variables)}.grad", value=args[1])
        elif func != torch.Tensor.grad.__get__ and results:
            names = [self._parameter_of(tensor, scene.variables) for tensor in changed]
            unchanged = [one for one in arguments if all(one is not other for other in changed)]
            told = [one for one in results if self._is_told(one, unchanged)]
            if new := self._meet(told, scene, lambda _: self._place):
                made = [node.metadata[self._key].number for node in new]
                self._event("forward", *made, value=results[0])
            elif any(names):
                for name, tensor in zip(names, changed, strict=True):
                    empty = name.endswith(".grad") and not tensor.any()
                    self._event("zero" if empty else "update", name=name, value=tensor)
            else:
                self._event("plain", value=results[0])
        return result

    @staticmethod
    def _is_told(result: Any, unchanged: list[Any]) -> bool:
        """Whether PyTorch has just said where it comes from, or says the same at any time."""
        made = torch.is_grad_enabled() and all(result is not one for one in unchanged)
        return made or not may_renew(result)

    def _run(self, func: Any, args: Any, kwargs: Any) -> Any:
        try:
            return func(*args, **kwargs)
        except Exception as error:
            self._raised = error
            raise

    def is_own(self, error: BaseException) -> bool:
        """Whether the recorder itself has failed, and not the listing that it watches."""
        codes = [frame.f_code for frame, _ in walk_tb(error.__traceback__)]
        return Recorder.__torch_function__.__code__ in codes and error is not self._raised

    def _turn(self) -> None:
        self._complete.append(self._step)
        self._begin(self._step.number + 1)

    def _begin(self, number: int) -> None:
        """What comes now is of the step of that number."""
        self._step = StepBuilder(number)
        self._seen: list[_Seen] = []  # in this step
        self._begun = torch._C._autograd._get_sequence_nr()  # that its first node will have

    def _event(self, kind: Kind, *nodes: int, value: Any = None, **told: Any) -> None:
        line, text = told.pop("place", self._place)
        told.setdefault("live", len(self._lives))
        event = Event(kind, line, text, nodes, value=self._copied(value), **told)
        self._step.events.append(event)

    # ---- What the listing has made of results since

    def _look_back(self, frame: FrameType, scene: _Scene) -> None:
        """Learn the names that results have by now, and meet what is held but was not seen made.

        A result is named as in the function that made it, or else in the outermost that has it.
        """
        frames = [one for one in outward(frame) if self._listing.is_own(one)]
        variables = {frame: scene.variables}
        waiting, self._nameless = self._nameless, deque(maxlen=WAIT_FOR_NAMES)
        for result in waiting:
            if (tensor := result.tensor()) is None:
                continue
            makers = [one for one in frames if one.f_code is result.code]
            for one in (*makers, *reversed(frames)):
                if one not in variables:
                    variables[one] = self._variables(one)
                if name := name_of(tensor, variables[one]):
                    self._name_output(result, name)
                    break
            else:
                self._nameless.append(result)
        unseen = [tensor for _, tensor in scene.variables if self._is_unseen(tensor)]
        self._meet_late(unseen, scene)

    def _name_output(self, result: _Result, name: str) -> None:
        """Where its node is told: in the step and, if it still exists, for the next ones."""
        if (life := result.life()) is None or life.node is None:
            return
        value = life.node.outputs[result.output].value
        life.node = with_output(life.node, result.output, name, value)
        if life.number in self._step.nodes:
            told = self._step.nodes[life.number]
            self._step.nodes[life.number] = with_output(told, result.output, name, value)

    def _is_unseen(self, tensor: Any) -> bool:
        """Whether no operation of this step was seen to make what made this.

        A view does not say: where its base has changed, asking it makes a node.
        """
        if is_hidden(tensor) or tensor._is_view() or tensor.is_leaf:
            return False
        node = tensor.grad_fn
        return self._key not in node.metadata and node._sequence_nr() >= self._begun

    # ---- The nodes that it made

    def _meet(self, found: list[Any], scene: _Scene, origin: Callable[[Any], Place]) -> list[Any]:
        """Take what these tensors came from into the step. Returns the nodes that are new.

        origin: where the listing was when a new node was made.
        """
        step, key = self._step, self._key
        found = [one for one in found if one.grad_fn is not None]
        met = behind([tensor.grad_fn for tensor in found], key, step.nodes)
        new = [node for node in met if key not in node.metadata]
        for node in new:
            self._lives.add(node.metadata.setdefault(key, _Life(next(self._numbers))))
        for node in met:
            life = node.metadata[key]
            if life.node is None or hasattr(node, "variable"):  # a parameter has changed since
                self._read(node, scene, origin)
            step.nodes[life.number] = replace(life.node, forward=len(step.events))
            step.edges[life.number] = life.edges
        for tensor in found:
            life, name = tensor.grad_fn.metadata[key], self._name_of(tensor, scene.variables)
            life.node = self._with_output(life.node, tensor, name)
            step.nodes[life.number] = self._with_output(step.nodes[life.number], tensor, name)
            if not life.node.outputs[tensor.output_nr].name:
                waiting = _Result(ref(tensor), ref(life), tensor.output_nr, scene.code)
                self._nameless.append(waiting)
        return new

    def _meet_late(self, found: list[Any], scene: _Scene, *, made_here: bool = False) -> None:
        """Take into the step what no operation was seen to make, such as a custom Function's node.

        It is met where its result is used: in this scene. What ran within the Function has told of
        it, else it gets an event of its own. made_here: that it is known to be made in this scene.
        """

        def origin(node: Any) -> tuple[Place, int | None]:
            return (self._place, None) if made_here else self._origin(node, scene.spot)

        lived = len(self._lives)
        new = self._meet(found, scene, lambda node: origin(node)[0])
        event: int | None = None
        for node in reversed(new):  # leaves are the first, and go with what needs them
            number = node.metadata[self._key].number
            if not hasattr(node, "variable"):
                place, event = origin(node)
                if event is None:
                    event = len(self._step.events)
                    self._event("forward", place=place, live=lived)
            if event is not None:
                self._step.made_by(number, event)

    def _origin(self, node: Any, spot: Any) -> tuple[Place, int | None]:
        """Where a node was made that is met at this spot, and by which event, if by any.

        Nodes have numbers as they are made, so it is known between which operations it was.
        """
        before = [one for one in self._seen if one.sequence <= node._sequence_nr()]
        after = self._seen[len(before) :]
        if after and (function := after[0].function) is not None:
            within = takewhile(lambda one: one[:2] == after[0][:2], after)
            told = [one.event for one in within if one.event is not None]
            return self._listing.place(function), told[-1] if told else None
        first = before[-1].spot if before else None
        last = after[0].spot if after else spot
        return self._listing.call_between(first, last), None

    def _read(self, node: Any, scene: _Scene, origin: Callable[[Any], Place]) -> None:
        """Write down what a node tells by itself, which is not the value of an operation."""
        life, kind = node.metadata[self._key], node.name().split("::")[-1]
        shapes = [tuple(map(length, output.shape)) for output in node._input_metadata]
        outputs = tuple(Output("", shape, None, None) for shape in shapes)
        if (leaf := getattr(node, "variable", None)) is None:
            place = origin(node)
            again = self._step.repetition(place, kind)
            held = kept(node, self._copied)
            life.node = Node(life.number, kind, *place, again, outputs, *held, module=scene.module)
        else:
            read = Node(life.number, kind, *Place(), 0, outputs, {}, {})
            life.node = self._with_output(read, leaf, self._name_of(leaf, scene.variables))
        life.edges = tuple(
            Edge(origin.metadata[self._key].number, life.number, output, argument, None)
            for argument, (origin, output) in enumerate(node.next_functions)
            if origin is not None
        )

    def _with_output(self, node: Node, tensor: Any, name: str) -> Node:
        """The node, with what is now known of the output that this tensor is."""
        output = node.outputs[tensor.output_nr]
        if output.value is not None and (output.name or not name):
            return node
        value = self._copied(tensor) if output.value is None else output.value
        return with_output(node, tensor.output_nr, name, value)

    # ---- Backward

    @contextmanager
    def _hooks(self, outputs: list[Any]) -> Iterator[list[Any]]:
        """Watch every node behind these, which it yields, while backward() runs."""
        nodes = behind([one.grad_fn for one in outputs if not is_lost(one)], self._key, {})
        with ExitStack() as hooks:
            for node in nodes:
                for hook in self._watch(node):
                    hooks.callback(hook.remove)
            yield nodes

    def _watch(self, node: Any) -> tuple[Any, Any]:
        step, number = self._step, node.metadata[self._key].number
        leaf = getattr(node, "variable", None)

        def arrive(gradients: tuple[Any, ...]) -> None:
            step.arrived(number, [self._copied(gradient) for gradient in gradients])
            self._event("backward", number)

        def leave(gradients: tuple[Any, ...], _: Any) -> None:
            step.left(number, [self._copied(gradient) for gradient in gradients])
            if leaf is not None:
                name = f"{step.nodes[number].name}.grad"
                told = step.events[-1]
                step.events[-1] = replace(told, name=name, value=self._copied(leaf.grad))

        return node.register_prehook(arrive), node.register_hook(leave)


# A compiled function then leaves each operation to the recorder, as to any function that it cannot
# compile, and does not compile the recorder with it.
vars(Recorder.__torch_function__)["_torchdynamo_disable"] = True
