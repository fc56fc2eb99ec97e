"""Gradient descent in TensorFlow as a static graph: described once, then run in a session.

The model is  y_pred = w * x**power + b.  While the graph is built nothing is computed; the update
is part of the graph too. Each `session.run` feeds the data and fetches what is asked for.

Source: experiment E7. The same algorithm elsewhere: numpy_vectorized.py and numpy_loops.py
(gradients by hand), torch_autograd.py and tf_tape.py (the gradient found as the lines run). Its
pitfalls, and other updates: engines/static_graph_and_sessions.
"""

from collections.abc import Iterator

import tensorflow as tf

from engines.problem import Problem
from engines.trace import Step


def train(problem: Problem, *, steps: int, learning_rate: float) -> Iterator[Step]:
    """Yield step 0, 1, … steps: the state before each update, and the one after the last.

    problem: the data, the start and the loss, in float32 or float64.
    """
    power, factor = problem.power, problem.factor

    graph = tf.Graph()
    with graph.as_default():
        x = tf.compat.v1.placeholder(problem.x.dtype, shape=(None,), name="x")
        y = tf.compat.v1.placeholder(problem.y.dtype, shape=(None,), name="y")
        w = tf.Variable(problem.w, name="w")
        b = tf.Variable(problem.b, name="b")

        # Forward: predict, then say in one number how wrong that was.
        y_pred = w * x**power + b
        loss = factor * tf.reduce_sum((y_pred - y) ** 2)

        # Backward: TensorFlow adds the operations that compute the gradient.
        grad_w, grad_b = tf.gradients(loss, [w, b])

        # Update: a small step against the gradient.
        new_w = w.assign(w - learning_rate * grad_w)
        new_b = b.assign(b - learning_rate * grad_b)

        initialize = tf.compat.v1.global_variables_initializer()

    # Only now is anything computed. The session closes whatever happens, and nothing is yielded
    # inside a `with`, or the caller would find itself inside this graph.
    session = tf.compat.v1.Session(graph=graph)
    try:
        session.run(initialize)
        fetches = [loss, grad_w, grad_b, new_w, new_b]
        w_value, b_value = problem.w, problem.b
        for _ in range(steps + 1):
            loss_value, *grads, w_next, b_next = session.run(fetches, {x: problem.x, y: problem.y})
            params = {"w": w_value, "b": b_value}
            yield Step(loss_value, params, {"w": grads[0], "b": grads[1]})
            w_value, b_value = w_next, b_next
    finally:
        session.close()
