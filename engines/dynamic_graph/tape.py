"""What a gradient tape records, and what happens when it is asked in other ways.

The same listings for PyTorch's graph: torch_listings.py.

Source: experiment E5 and the documentation page "Introduction to gradients and automatic
differentiation".
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf
from tensorflow.python.eager import context

from engines.graphs.autograd import Edge, Event, Kind, Node, Output, StepBuilder, StepGraph
from engines.listing import Listing, Place, run_each, source_of


def two_and_four() -> Any:
    """Add two numbers, and have the sum at once."""
    return tf.constant(2) + tf.constant(4)


def derivative(*, a: float = 1, b: float = 2, c: float = 3, w: float = 4) -> tuple[float, float]:
    """The value of y = a*w**2 + b*w + c and its derivative dy/dw = 2*a*w + b, from a tape."""
    point = tf.constant(w, dtype=tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(point)  # a constant is not watched by itself, as a variable is
        y = a * point**2 + b * point + c
    return float(y), float(tape.gradient(y, point))


def parabola(a: float, b: float, c: float, w: Any) -> Any:
    """A tape that can be asked about every value on the way to y."""
    a, b, c, w = map(tf.constant, (a, b, c, w))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(w)
        aside = a * b  # w has no part in this
        y = a * w**2 + b * w + c
    return tape, w, y, aside


def not_watched(a: float, b: float, c: float, w: Any) -> Any:
    """Ask for the slope at a constant that is not watched."""
    w = tf.constant(w)
    with tf.GradientTape() as tape:
        y = a * w**2 + b * w + c
    return tape.gradient(y, w)


def variable(a: float, b: float, c: float, w: Any) -> Any:
    """Ask for the slope at a variable, which is watched by itself."""
    w = tf.Variable(w)
    with tf.GradientTape() as tape:
        y = a * w**2 + b * w + c
    return tape.gradient(y, w)


def asked_again(a: float, b: float, c: float, w: Any) -> Any:
    """Ask the same tape a second time."""
    w = tf.Variable(w)
    with tf.GradientTape() as tape:
        y = a * w**2 + b * w + c
    first = tape.gradient(y, w)
    return first, tape.gradient(y, w)


def persistent(a: float, b: float, c: float, w: Any) -> Any:
    """Ask a tape that keeps its record a second time."""
    w = tf.Variable(w)
    with tf.GradientTape(persistent=True) as tape:
        y = a * w**2 + b * w + c
    first = tape.gradient(y, w)
    return first, tape.gradient(y, w)


def run_all(a: float, b: float, c: float, w: float) -> dict[str, tuple[str, str]]:
    """Run every listing of this file, and E5's. Returns its source and what it said, by its name.

    That is what it returned, as `print` shows it, one thing on each line; or the error.
    """
    asked = run_each(
        (derivative, not_watched, variable, asked_again, persistent), a=a, b=b, c=c, w=w
    )
    return asked | run_each([two_and_four]) | {"parabola": (source_of(parabola), "")}


def record(a: float, b: float, c: float, w: float) -> StepGraph:
    """Run `parabola` and return what ran, and of that what the tape recorded.

    An operation on the tape is a node and a forward event; one that is not is a plain event. The
    gradients are the tape's answers, one question each. The tape does not tell in which order it
    goes back, so no node says when it ran in backward.
    """
    listing = Listing(parabola.__code__, None)
    ran: list[tuple[Place, str, Any, Any]] = []

    def see(operation: str, inputs: Any, outputs: Any) -> None:
        place = listing.place(listing.frame(sys._getframe(1)).f_lasti)
        ran.append((place, operation, inputs, outputs[0]))

    with _every_operation(see):
        tape, point, y, _ = parabola(a, b, c, w)

    step = StepBuilder(0)
    slope = _array(tape.gradient(y, point))
    step.nodes[1] = Node(1, "watch", *Place(), 0, (Output("w", (), point.numpy(), slope),), {}, {})
    step.edges[1] = ()
    numbers = {id(point): 1}  # of tensors, which all live until the end of this function
    for place, operation, inputs, result in ran:
        made: tuple[int, ...] = ()
        if tape.gradient(result, point) is not None:
            number = numbers[id(result)] = len(numbers) + 1
            name, gradient = "y" if result is y else "", _array(tape.gradient(y, result))
            outputs = (Output(name, tuple(result.shape), result.numpy(), gradient),)
            at = len(step.events)
            step.nodes[number] = Node(number, operation, *place, 0, outputs, {}, {}, forward=at)
            sources = [numbers[id(origin)] for origin in inputs if id(origin) in numbers]
            step.edges[number] = tuple(Edge(s, number, 0, i, None) for i, s in enumerate(sources))
            made = (number,)
        kind: Kind = "forward" if made else "plain"
        step.events.append(Event(kind, *place, made, len(numbers), value=result.numpy()))
    return step.finish()


@contextmanager
def _every_operation(see: Callable[[str, Any, Any], None]) -> Iterator[None]:
    """Call see(operation, inputs, outputs) after each operation that runs in this thread.

    TensorFlow's public interface has nothing for this. Its own op_callbacks.add_op_callback adds to
    the same list, which belongs to the thread, but also exchanges a function of the whole process,
    for the few operations whose arguments must first be converted. Those are not seen here.
    """

    def callback(operation: str, inputs: Any, attrs: Any, outputs: Any, *_: Any) -> None:
        see(operation, inputs, outputs)

    context.context().add_op_callback(callback)
    try:
        yield
    finally:
        context.context().remove_op_callback(callback)


def _array(tensor: Any) -> Any:
    return None if tensor is None else tensor.numpy()
