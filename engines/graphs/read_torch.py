"""Reads PyTorch's own autograd graph of a training listing, without a change to the listing.

Three things are watched, and none of them is global. A TorchFunctionMode, which belongs to its
thread, sees each operation of the listing. From the result a walk along `grad_fn` and
`next_functions` finds the nodes that the operation made. Hooks on these nodes, there only while
backward() runs, see in which order the engine runs them and which gradients arrive and leave.
The nodes are never kept, or they would never be freed: only copies of what they hold.

Source: the documentation pages "Autograd mechanics" and "torch.autograd.graph.Node".
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Container, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from itertools import count, takewhile
from traceback import walk_tb
from types import FrameType
from typing import Any, NamedTuple
from weakref import WeakSet

import torch
from torch._C._dynamo.eval_frame import set_eval_frame
from torch.overrides import TorchFunctionMode

from engines.graphs.autograd import Edge, Event, Kind, Node, Output, StepBuilder, StepGraph
from engines.graphs.passes import Passes
from engines.graphs.torch_names import Variables, name_of, parameter_of, variables_of
from engines.graphs.torch_tensors import copied, is_lost, length
from engines.listing import Listing, Place

BACKWARD = (torch.Tensor.backward, torch.autograd.grad)
SAVED = ("_saved_", "saved_tensors")  # attributes of nodes; the second is a custom Function's
APPLY = torch.autograd.Function.apply.__func__.__code__
FULL_GRAPH = (
    "A function that was compiled with fullgraph=True cannot be recorded, because the recorder has "
    "to see each of its operations. Call the function itself, or compile it without fullgraph."
)


def record(
    steps: Any, *, wanted: Container[int] | None = None, source: str | None = None
) -> Iterator[StepGraph]:
    """Run a training listing and yield its steps, each when it is complete.

    steps: a generator, such as an engine's `train` returns. It yields once in each pass of its
    loop; what it does between that and the next pass is still that step (`engines.graphs.passes`),
    and what it does after its last loop is still the last. It is closed in the end.
    wanted: the numbers of the steps to read, None for all. The others run at their usual speed.
    source: the whole text the listing was compiled from, where Python cannot find it by itself.

    A listing that calls `torch.autograd.backward` instead of `loss.backward()` or
    `torch.autograd.grad` goes backward unseen: that function asks no mode.
    Functions compiled by `torch.compile` run operation by operation; NotImplementedError is raised
    where one must not, because it was compiled with fullgraph=True.
    If the listing raises, the step it was in is the last, wanted or not, and its last event
    says so.
    """
    wanted = range(sys.maxsize) if wanted is None else wanted
    recorder = _Recorder(Listing(steps.gi_code, source))
    try:
        for passed in count():
            # The step before is needed too: its nodes are freed during this one. So is the pass
            # after, in which a step ends.
            watch = any(number in wanted for number in (passed - 1, passed, passed + 1))
            complete = recorder.advance(steps, passed, watch=watch)
            yield from (step for step in complete if step.step in wanted or step.error)
            if steps.gi_frame is None:
                return
    finally:
        steps.close()


@dataclass(eq=False)
class _Life:
    """Put into a node's metadata and held by nothing else: it lives as long as the node does."""

    number: int
    node: Node | None = None
    edges: tuple[Edge, ...] = ()


class _Seen(NamedTuple):
    """An operation that was seen, and which event of the step tells it, if one does.

    sequence: the number that the next node will have, before it ran. inside: whether it ran within
    a custom Function.
    """

    sequence: int
    instruction: int
    inside: bool
    event: int | None


class _Recorder(TorchFunctionMode):  # type: ignore[misc]
    """While it is entered, torch hands it every operation instead of running it."""

    def __init__(self, listing: Listing) -> None:
        super().__init__()
        self._listing = listing
        self._step = StepBuilder(0)
        self._complete: list[StepBuilder] = []
        self._passes = Passes(listing.code)
        self._yielded: int | None = None  # the instruction of the last yield, in this pass
        self._place = Place()
        self._seen: list[_Seen] = []  # in this step
        self._lives: WeakSet[_Life] = WeakSet()
        self._numbers = count(1)
        self._raised: Exception | None = None  # by an operation of the listing
        self._key = object()  # of this recorder in the metadata of nodes

    def advance(self, steps: Any, step: int, *, watch: bool) -> list[StepGraph]:
        """Let the listing run to the yield of this step. Returns the steps that became complete."""
        self._yielded = steps.gi_frame.f_lasti if step else None
        try:
            with self if watch else nullcontext():
                next(steps)
            if self._yielded is not None:  # the loop begins with its yield
                self._turn()
            if not watch:
                self._step = StepBuilder(step)
        except StopIteration:
            if self._complete:
                self._complete[-1].absorb(self._step)
            else:
                self._turn()
        except Exception as error:
            if self._is_own(error):
                raise
            if type(error).__module__ == "torch._dynamo.exc":
                raise NotImplementedError(FULL_GRAPH) from error
            self._fail(error)
        complete, self._complete = self._complete, []
        return [builder.finish() for builder in complete]

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation, as torch asks, and write down what it was and what it made."""
        compiler = set_eval_frame(None)
        try:
            return self._watched(func, args, kwargs or {}, sys._getframe(1))
        finally:
            set_eval_frame(compiler)

    def _watched(self, func: Any, args: Any, kwargs: Any, caller: FrameType) -> Any:
        sequence = torch._C._autograd._get_sequence_nr()
        frame = self._listing.frame(caller)
        inside = _in_function(caller, frame)
        variables = variables_of(frame)
        arguments = list(_tensors([args, kwargs]))
        self._move_to(frame.f_lasti)
        self._meet_late(arguments, variables, frame.f_lasti)
        told = len(self._step.events)
        try:
            return self._operation(func, args, kwargs, arguments, variables)
        finally:
            event = told if len(self._step.events) > told else None
            self._seen.append(_Seen(sequence, frame.f_lasti, inside, event))

    def _operation(
        self, func: Any, args: Any, kwargs: Any, arguments: list[Any], variables: Variables
    ) -> Any:
        if func in BACKWARD:
            with self._hooks(list(_tensors(args[0]))):
                return self._run(func, args, kwargs)

        versions = [_version(tensor) for tensor in arguments]
        result = self._run(func, args, kwargs)
        changed = [t for t, old in zip(arguments, versions, strict=True) if _version(t) != old]
        results = [*_tensors(result), *changed]
        if func == torch.Tensor.grad.__set__:
            kind: Kind = "zero" if args[1] is None else "update"
            self._event(kind, name=f"{name_of(args[0], variables)}.grad", value=args[1])
        elif func != torch.Tensor.grad.__get__ and results:
            parameters = [(parameter_of(tensor, variables), tensor) for tensor in changed]
            if new := self._meet(results, variables, lambda _: self._place):
                made = [node.metadata[self._key].number for node in new]
                self._event("forward", *made, value=results[0])
            elif any(name for name, _ in parameters):
                for name, tensor in parameters:
                    empty = name.endswith(".grad") and not tensor.any()
                    self._event("zero" if empty else "update", name=name, value=tensor)
            else:
                self._event("plain", value=results[0])
        return result

    def _run(self, func: Any, args: Any, kwargs: Any) -> Any:
        try:
            return func(*args, **kwargs)
        except Exception as error:
            self._raised = error
            raise

    def _is_own(self, error: Exception) -> bool:
        """Whether the recorder itself has failed, and not the listing that it watches."""
        codes = [frame.f_code for frame, _ in walk_tb(error.__traceback__)]
        return type(self).__torch_function__.__code__ in codes and error is not self._raised

    def _move_to(self, instruction: int) -> None:
        """The listing is here now; where that is in the next pass of its loop, a step ended."""
        self._place = self._listing.place(instruction)
        if self._yielded is not None and self._passes.ended(self._yielded, instruction):
            self._turn()

    def _turn(self) -> None:
        self._yielded, self._seen = None, []
        self._complete.append(self._step)
        self._step = StepBuilder(self._step.number + 1)

    def _fail(self, error: Exception) -> None:
        trace: Any = error.__traceback__  # from `advance`, so the listing's frame is the next
        self._move_to(trace.tb_next.tb_lasti)
        self._event("error", message=f"{type(error).__name__}: {error}")
        self._turn()

    def _event(self, kind: Kind, *nodes: int, value: Any = None, **told: Any) -> None:
        line, text = told.pop("place", self._place)
        told.setdefault("live", len(self._lives))
        event = Event(kind, line, text, nodes, value=copied(value), **told)
        self._step.events.append(event)

    def _meet(
        self, tensors: list[Any], variables: Variables, origin: Callable[[Any], Place]
    ) -> list[Any]:
        """Take what these tensors came from into the step. Returns the nodes that are new.

        origin: where the listing was when a new node was made.
        """
        step, key = self._step, self._key
        tensors = [one for one in tensors if not is_lost(one) and one.grad_fn is not None]
        met = _behind([tensor.grad_fn for tensor in tensors], key, step.nodes)
        new = [node for node in met if key not in node.metadata]
        for node in new:
            self._lives.add(node.metadata.setdefault(key, _Life(next(self._numbers))))
        for node in met:
            life = node.metadata[key]
            if life.node is None or hasattr(node, "variable"):  # a parameter has changed since
                self._read(node, variables, origin)
            step.nodes[life.number] = replace(life.node, forward=len(step.events))
            step.edges[life.number] = life.edges
        for tensor in tensors:
            life, name = tensor.grad_fn.metadata[key], name_of(tensor, variables)
            life.node = _with_output(life.node, tensor, name)
            step.nodes[life.number] = _with_output(step.nodes[life.number], tensor, name)
        return new

    def _meet_late(self, tensors: list[Any], variables: Variables, instruction: int) -> None:
        """Take into the step what no operation was seen to make, such as a custom Function's node.

        It is met where its result is used: at this instruction. What ran within the Function has
        told of it, else it gets an event of its own.
        """
        lived = len(self._lives)
        new = self._meet(tensors, variables, lambda node: self._origin(node, instruction)[0])
        event: int | None = None
        for node in reversed(new):  # leaves are the first, and go with what needs them
            number = node.metadata[self._key].number
            if not hasattr(node, "variable"):
                place, event = self._origin(node, instruction)
                if event is None:
                    event = len(self._step.events)
                    self._event("forward", place=place, live=lived)
            if event is not None:
                self._step.made_by(number, event)

    def _origin(self, node: Any, instruction: int) -> tuple[Place, int | None]:
        """Where a node was made that is met at this instruction, and by which event, if by any.

        Nodes have numbers as they are made, so it is known between which operations it was.
        """
        before = [one for one in self._seen if one.sequence <= node._sequence_nr()]
        after = self._seen[len(before) :]
        within = takewhile(lambda one: one.inside and one[:3] == after[0][:3], after)
        told = [one.event for one in within if one.event is not None]
        if told:
            return self._listing.place(after[0].instruction), told[-1]
        first = before[-1].instruction if before else 0
        last = after[0].instruction if after else instruction
        return self._listing.call_between(first, last), None

    def _read(self, node: Any, variables: Variables, origin: Callable[[Any], Place]) -> None:
        """Write down what a node tells by itself, which is not the value of an operation."""
        life, kind = node.metadata[self._key], node.name().split("::")[-1]
        shapes = [tuple(map(length, output.shape)) for output in node._input_metadata]
        outputs = tuple(Output("", shape, None, None) for shape in shapes)
        if (leaf := getattr(node, "variable", None)) is None:
            place = origin(node)
            again = self._step.repetition(place, kind)
            life.node = Node(life.number, kind, *place, again, outputs, *_kept(node))
        else:
            read = Node(life.number, kind, *Place(), 0, outputs, {}, {})
            life.node = _with_output(read, leaf, name_of(leaf, variables))
        life.edges = tuple(
            Edge(origin.metadata[self._key].number, life.number, output, argument, None)
            for argument, (origin, output) in enumerate(node.next_functions)
            if origin is not None
        )

    @contextmanager
    def _hooks(self, outputs: list[Any]) -> Iterator[None]:
        """Watch every node behind these while backward() runs."""
        nodes = _behind([tensor.grad_fn for tensor in outputs], self._key, {})
        with ExitStack() as hooks:
            for node in nodes:
                for hook in self._watch(node):
                    hooks.callback(hook.remove)
            yield
        for node in nodes:
            number = node.metadata[self._key].number
            gone = bool(self._step.nodes[number].saved) and not _kept(node)[0]
            self._step.nodes[number] = replace(self._step.nodes[number], released=gone)

    def _watch(self, node: Any) -> tuple[Any, Any]:
        step, number = self._step, node.metadata[self._key].number
        leaf = getattr(node, "variable", None)

        def arrive(gradients: tuple[Any, ...]) -> None:
            step.arrived(number, [copied(gradient) for gradient in gradients])
            self._event("backward", number)

        def leave(gradients: tuple[Any, ...], _: Any) -> None:
            step.left(number, [copied(gradient) for gradient in gradients])
            if leaf is not None:
                name = f"{step.nodes[number].name}.grad"
                step.events[-1] = replace(step.events[-1], name=name, value=copied(leaf.grad))

        return node.register_prehook(arrive), node.register_hook(leave)


# A compiled function then leaves each operation to the recorder, as to any function that it cannot
# compile, and does not compile the recorder with it.
vars(_Recorder.__torch_function__)["_torchdynamo_disable"] = True


def _behind(nodes: list[Any], key: object, known: Container[int]) -> list[Any]:
    """These nodes and those they came from, oldest first, but for known ones and those behind."""
    found: dict[Any, None] = {}
    for node in nodes:  # which grows
        seen = node is None or (key in node.metadata and node.metadata[key].number in known)
        if not seen and node not in found:
            found[node] = None
            nodes += [origin for origin, _ in node.next_functions]
    # An accumulator has no place in the sequence. It is made for the first node that needs it.
    return sorted(found, key=lambda node: (not hasattr(node, "variable"), node._sequence_nr()))


def _with_output(node: Node, tensor: Any, name: str) -> Node:
    """The node, with what is now known of the output that this tensor is."""
    output = node.outputs[tensor.output_nr]
    if output.value is not None and (output.name or not name):
        return node
    value = copied(tensor) if output.value is None else output.value
    outputs = list(node.outputs)
    outputs[tensor.output_nr] = replace(output, name=output.name or name, value=value)
    return replace(node, outputs=tuple(outputs))


def _kept(node: Any) -> tuple[dict[str, Any], dict[str, float]]:
    """What a node keeps for its backward and still has: tensors, and numbers."""
    tensors: dict[str, Any] = {}
    numbers: dict[str, float] = {}
    for attribute in [name for name in dir(node) if name.startswith(SAVED)]:
        try:
            value = getattr(node, attribute)
        except RuntimeError:  # freed, or changed in place
            continue
        name = attribute.removeprefix("_saved_")
        if isinstance(value, int | float) and not isinstance(value, bool):
            numbers[name] = value - 2**64 if value >= 2**63 else value  # the dimension -1
        for i, tensor in enumerate(_tensors(value)):
            tensors[name if tensor is value else f"{name}[{i}]"] = copied(tensor)
    return tensors, numbers


def _tensors(value: Any) -> Iterator[Any]:
    """Every tensor in nested lists, tuples and dictionaries."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, list | tuple | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _tensors(item)


def _version(tensor: Any) -> int:
    return 0 if tensor.is_inference() else int(tensor._version)  # counts changes in place


def _in_function(frame: FrameType, outside: FrameType) -> bool:
    """Whether a custom Function runs between this frame and the listing's own, outside."""
    within: FrameType | None = frame
    while within is not None and within is not outside:
        if within.f_code is APPLY:
            return True
        within = within.f_back
    return False
