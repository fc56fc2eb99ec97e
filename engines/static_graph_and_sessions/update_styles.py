"""Three ways to write the update into a static graph, on data that the graph draws itself.

The model is  y_pred = w * x + b.  The data are operations, too: each run draws eight new points.
They differ in what they hand out between the gradient and the update.

Source: experiment E8. One update on fixed data: tf_session.py. The stream in PyTorch: `stream` in
torch_autograd.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Mapping
from typing import Any, NamedTuple

import tensorflow as tf

from engines.graphs.autograd import brief
from engines.graphs.read_tensorflow import executed, written
from engines.graphs.static import Executed, Op, source_op
from engines.listing import waiting
from engines.problem import Problem
from engines.trace import Step

Between = Callable[[Any], Any]  # what becomes of a gradient before it is used
SIZE = 8  # points in a batch


def assign(loss: Any, w: Any, b: Any, learning_rate: float, between: Between) -> Any:
    """Ask for the gradients and assign by hand."""
    grad_w, grad_b = tf.gradients(loss, [w, b])
    new_w = w.assign(w - learning_rate * between(grad_w))
    new_b = b.assign(b - learning_rate * between(grad_b))
    return [grad_w, grad_b], tf.group(new_w, new_b)


def apply_gradients(loss: Any, w: Any, b: Any, learning_rate: float, between: Between) -> Any:
    """Let an optimiser compute the gradients, and hand them back to it."""
    optimizer = tf.compat.v1.train.GradientDescentOptimizer(learning_rate)
    (grad_w, _), (grad_b, _) = optimizer.compute_gradients(loss, [w, b])
    update = optimizer.apply_gradients([(between(grad_w), w), (between(grad_b), b)])
    return [grad_w, grad_b], update


def minimize(loss: Any, w: Any, b: Any, learning_rate: float, _: Between) -> Any:
    """Let an optimiser do both. Its gradients are in the graph, but nobody hands them out."""
    optimizer = tf.compat.v1.train.GradientDescentOptimizer(learning_rate)
    return [], optimizer.minimize(loss, var_list=[w, b])


STYLES = {"assign": assign, "apply_gradients": apply_gradients, "minimize": minimize}


def nothing(grad: Any) -> Any:
    """Use the gradient as it is."""
    return grad


def clip(grad: Any) -> Any:
    """Let no gradient be larger than 20: a batch of bad luck throws nobody far."""
    return tf.clip_by_value(grad, -20.0, 20.0)


def replace(grad: Any) -> Any:
    """Keep the direction only: every step has one length."""
    return tf.sign(grad)


BETWEEN: dict[str, Between] = {"nothing": nothing, "clip": clip, "replace": replace}


def draw(seed: int) -> Any:
    """Describe a batch: x from 0 to 20, y = 3x + 1 with noise of deviation 0.01, float32."""
    x = 20 * tf.random.uniform((SIZE,), seed=seed)
    return x, 3 * x + 1 + tf.random.normal((SIZE,), stddev=0.01, seed=seed + 1)


def train(
    problem: Problem,
    *,
    steps: int,
    learning_rate: float,
    style: str = "assign",
    between: str = "nothing",
    seed: int = 1000,
) -> Generator[Step, None, None]:
    """Yield step 0, 1, … steps: the state before each update, and the one after the last.

    problem: the start (w, b), in float32; the data are drawn. style: one of STYLES; "minimize"
    hands no gradients out, so its steps have none. between: one of BETWEEN. Raises KeyError for
    other names, ValueError where "minimize" is to have something in between.
    """
    if style == "minimize" and between != "nothing":
        raise ValueError("minimize leaves no room between the gradient and the update")

    graph = tf.Graph()
    with graph.as_default():
        x, y = draw(seed)
        w = tf.Variable(problem.w, name="w")
        b = tf.Variable(problem.b, name="b")
        y_pred = w * x + b
        loss = tf.reduce_mean((0.5 * (y_pred - y)) ** 2)

        grads, update = STYLES[style](loss, w, b, learning_rate, BETWEEN[between])

        # Read w and b when they have been updated, in the same run: another would draw again.
        with tf.control_dependencies([update]):
            new_w, new_b = w.read_value(), b.read_value()
        initialize = tf.compat.v1.global_variables_initializer()

    session = tf.compat.v1.Session(graph=graph)
    try:
        session.run(initialize)
        w_value, b_value = problem.w, problem.b
        for _ in range(steps + 1):
            loss_value, grad_values, w_next, b_next = session.run([loss, grads, new_w, new_b])
            params = {"w": w_value, "b": b_value}
            yield Step(loss_value, params, dict(zip("wb", grad_values, strict=False)))
            w_value, b_value = w_next, b_next
    finally:
        session.close()


# ---- The graphs that the three styles build


class Built(NamedTuple):
    """The graph of one way to write the update.

    text: all of it, as written: equal texts are equal graphs. written, ran: how many operations
    there are of each kind, as written and when a session runs the update alone.
    update: how w is updated, see `update_of`.
    """

    text: str
    written: Mapping[str, int]
    ran: Mapping[str, int]
    update: str


def build(problem: Problem, style: str, between: str = "nothing") -> Built:
    """Build the graph and run it a few times. Raises what `train` raises."""
    rate = problem.learning_rate
    listing: Any = train(problem, steps=1, learning_rate=rate, style=style, between=between)
    with waiting(listing) as held:  # the session is open, and its variables have values
        whole = written(held["graph"])
        ran = executed(held["session"], held["update"], {})
    kinds, kinds_ran = (Counter(op.kind for op in graph.ops) for graph in (whole, ran))
    return Built(whole.to_text(), kinds, kinds_ran, update_of(ran, "w"))


def update_of(ran: Executed, variable: str) -> str:
    """What writes to a variable, and below it, further in, what each operation takes, as a text.

    It goes back as far as the variable, constants, and the gradient.
    """
    [writer] = (
        op for op in ran.ops if variable in op.data and not op.kind.startswith("ReadVariable")
    )
    return "\n".join(_tree(ran, writer))


def _tree(ran: Executed, op: Op) -> list[str]:
    if op.kind == "Const":
        return [brief(op.value)]
    if op.name.startswith("gradients/"):  # where TensorFlow puts what computes a gradient
        return ["the gradient"]
    if op.kind == "VarHandleOp":
        return [f"variable {op.name}"]
    lines = [op.kind]
    *others, last = [_tree(ran, ran[source_op(tensor)]) for tensor in op.data]
    for first, *below in others:
        lines += [f"├─ {first}", *(f"│  {line}" for line in below)]
    first, *below = last
    return [*lines, f"└─ {first}", *(f"   {line}" for line in below)]
