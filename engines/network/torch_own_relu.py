"""A ReLU with a custom backward, and the network of two layers that trains with it.

The model is  y_pred = relu(x @ w1) @ w2,  and the loss is the sum of (y_pred - y)**2. A Function is
two functions: forward computes the output from the input, backward the gradient of the loss by the
input from that by the output. Autograd puts the two in their places in the graph.

Source: experiment E10, and the documentation page "Extending PyTorch". All gradients by
hand: numpy_by_hand.py; in TensorFlow: tf_own_relu.py and, as a static graph, tf_session.py.
"""

# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from numpy.typing import NDArray

from engines.trace import Step


class MyReLU(torch.autograd.Function):
    """ReLU, and what it does to a gradient: used as `MyReLU.apply(x)`."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        """What is negative becomes 0. The input is kept, because backward needs its signs."""
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        """The gradient passes where x did; where x was negative, nothing depends on it."""
        (x,) = ctx.saved_tensors
        grad_x = grad_output.clone()
        grad_x[x < 0] = 0
        return grad_x


def train(
    x_value: NDArray[Any],
    y_value: NDArray[Any],
    w1_value: NDArray[Any],
    w2_value: NDArray[Any],
    *,
    steps: int,
    learning_rate: float,
    relu: Callable[[Any], Any] = MyReLU.apply,
) -> Iterator[Step]:
    """Yield step 0, 1, … steps: the state before each update, and the one after the last.

    x_value: (n, d_in), y_value: (n, d_out); the start w1_value: (d_in, h), w2_value: (h, d_out);
    all in float32 or all in float64. The arrays of a Step change with the next one: copy to keep.
    relu: what stands between the layers, such as torch.relu or lambda h: h.clamp(min=0).
    """
    x, y = torch.tensor(x_value), torch.tensor(y_value)
    w1 = torch.tensor(w1_value, requires_grad=True)
    w2 = torch.tensor(w2_value, requires_grad=True)

    for _ in range(steps + 1):
        # Forward: two layers, and between them a ReLU of our own.
        h = x.mm(w1)
        h_relu = relu(h)
        y_pred = h_relu.mm(w2)
        loss = (y_pred - y).pow(2).sum()

        # Backward: autograd fills in w1.grad and w2.grad, and calls our backward on its way.
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
