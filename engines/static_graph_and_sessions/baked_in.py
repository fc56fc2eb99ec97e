"""A static graph with its data baked in: what is fed is ignored, and no error says so.

The model is  y_pred = w * x**power + b.  The placeholders are there and are fed, but the graph was
written with the arrays x and y. An array in a graph is a constant: a copy, made while the graph is
built. The listing mended, with every line else as it is here: tf_session.py.

Source: experiment E7, its first listing.
"""

from collections.abc import Iterator

import tensorflow as tf

from engines.problem import Problem
from engines.trace import Step


def train(
    problem: Problem, *, steps: int, learning_rate: float, fed: Problem | None = None
) -> Iterator[Step]:
    """Yield step 0, 1, … steps: the state before each update, and the one after the last.

    problem: the data, the start and the loss, in float32 or float64. fed: whose data are fed, in
    the same type; those of `problem` where nothing is said.
    """
    power, factor = problem.power, problem.factor
    fed = fed or problem
    x, y = problem.x, problem.y

    graph = tf.Graph()
    with graph.as_default():
        x1 = tf.compat.v1.placeholder(x.dtype, shape=(None,), name="x1")
        y1 = tf.compat.v1.placeholder(y.dtype, shape=(None,), name="y1")
        w = tf.Variable(problem.w, name="w")
        b = tf.Variable(problem.b, name="b")

        # Forward: predict, then say in one number how wrong that was. Not x1 and y1, but x and y:
        # NumPy computes x**power here and now, and its numbers become a part of the graph.
        y_pred = w * x**power + b
        loss = factor * tf.reduce_sum((y_pred - y) ** 2)

        # Backward: TensorFlow adds the operations that compute the gradient.
        grad_w, grad_b = tf.gradients(loss, [w, b])

        # Update: a small step against the gradient.
        new_w = w.assign(w - learning_rate * grad_w)
        new_b = b.assign(b - learning_rate * grad_b)

        initialize = tf.compat.v1.global_variables_initializer()

    session = tf.compat.v1.Session(graph=graph)
    try:
        session.run(initialize)
        fetches = [loss, grad_w, grad_b, new_w, new_b]
        w_value, b_value = problem.w, problem.b
        for _ in range(steps + 1):
            loss_value, *grads, w_next, b_next = session.run(fetches, {x1: fed.x, y1: fed.y})
            params = {"w": w_value, "b": b_value}
            yield Step(loss_value, params, {"w": grads[0], "b": grads[1]})
            w_value, b_value = w_next, b_next
    finally:
        session.close()
