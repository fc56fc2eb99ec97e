"""A network of two layers in PyTorch: autograd finds the gradient.

The model is  y_pred = relu(x @ w1) @ w2,  and the loss is the sum of (y_pred - y)**2.

Source: experiment E10, with PyTorch's own ReLU. The same listing as a static graph:
tf_session.py.
"""

from collections.abc import Iterator
from typing import Any

import torch
from numpy.typing import NDArray

from engines.trace import Step


def train(
    x_value: NDArray[Any],
    y_value: NDArray[Any],
    w1_value: NDArray[Any],
    w2_value: NDArray[Any],
    *,
    steps: int,
    learning_rate: float,
) -> Iterator[Step]:
    """Yield step 0, 1, … steps: the state before each update, and the one after the last.

    x_value: (n, d_in), y_value: (n, d_out); the start w1_value: (d_in, h), w2_value: (h, d_out);
    all in float32 or all in float64. The arrays of a Step change with the next one: copy to keep.
    """
    x, y = torch.tensor(x_value), torch.tensor(y_value)
    w1 = torch.tensor(w1_value, requires_grad=True)
    w2 = torch.tensor(w2_value, requires_grad=True)

    for _ in range(steps + 1):
        # Forward: two layers, and what is negative between them becomes 0.
        h = x.mm(w1)
        h_relu = h.clamp(min=0)
        y_pred = h_relu.mm(w2)
        loss = (y_pred - y).pow(2).sum()

        # Backward: autograd fills in w1.grad and w2.grad.
        loss.backward()

        params = {"w1": w1.detach().numpy(), "w2": w2.detach().numpy()}
        yield Step(loss.item(), params, {"w1": w1.grad.numpy(), "w2": w2.grad.numpy()})

        # Update: a small step against the gradient, which is no part of the graph.
        with torch.no_grad():
            w1 -= learning_rate * w1.grad
            w2 -= learning_rate * w2.grad

        # backward() adds to .grad, so the next step must find it empty.
        w1.grad.zero_()
        w2.grad.zero_()
