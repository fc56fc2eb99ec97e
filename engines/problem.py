"""What is to be learnt: data, a starting point, a loss, and what can be known without training.

Every regression in this project fits  y_pred = w * x**power + b  and measures the misfit as
loss = factor * sum((y_pred - y)**2).  The articles' three losses differ only in that factor.

The presets are the experiments of the articles, drawn from generators of their own: no global
random state is read or changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import DTypeLike, NDArray

Loss = Literal["half_sum", "mean", "mean_half_squared"]
LOSSES: tuple[Loss, ...] = get_args(Loss)


@dataclass(frozen=True, eq=False)
class Problem:
    """Data and settings of one regression.

    x, y: arrays of shape (n,), both float32 or both float64.
    w, b: the starting point, scalars of the same type.
    power: 1 for a line, 2 for a parabola without its linear term.
    loss: which misfit is made small, see `factor`.
    learning_rate, steps: the settings the article used, for callers to take or leave.
    """

    x: NDArray[np.floating]
    y: NDArray[np.floating]
    w: np.floating
    b: np.floating
    power: int
    loss: Loss
    learning_rate: float
    steps: int

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal for problems that train alike: what a cache may go by."""
        start = float(self.w), float(self.b)
        return self.x.tobytes(), self.y.tobytes(), str(self.x.dtype), *start, self.power, self.loss

    @property
    def factor(self) -> float:
        """The factor before the sum: 1/2 (half_sum), 1/n (mean), 1/(4n) (mean of (d/2)**2)."""
        n = len(self.x)
        return {"half_sum": 1 / 2, "mean": 1 / n, "mean_half_squared": 1 / (4 * n)}[self.loss]

    @property
    def hessian(self) -> NDArray[np.float64]:
        """Second derivatives of the loss by (w, b), shape (2, 2): the same everywhere."""
        features = self._features
        return 2 * self.factor * features.T @ features

    @property
    def lambda_max(self) -> float:
        """The largest eigenvalue of the Hessian: the loss's curvature where it is steepest."""
        return float(np.linalg.eigvalsh(self.hessian)[-1])

    @property
    def largest_stable_learning_rate(self) -> float:
        """2 / lambda_max. Gradient descent shrinks every error below it and grows one above it."""
        return 2 / self.lambda_max

    @property
    def condition(self) -> float:
        """The Hessian's largest eigenvalue over its smallest: how long the bowl of the loss is.

        1 where it is round; infinite where all x**power are equal, so that it is a trough.
        """
        feature, _ = self._centred
        determinant = (2 * self.factor) ** 2 * len(feature) * float(np.sum(feature**2))
        return self.lambda_max**2 / determinant if determinant else float("inf")

    def least_squares(self) -> tuple[float, float]:
        """The (w, b) with the smallest loss, in closed form and in float64.

        Where many have the smallest loss, the one nearest to (0, 0).
        """
        feature = self._features[:, 0]
        y = self.y.astype(np.float64)
        centred, middle = self._centred
        squares = float(np.sum(centred**2))
        if not squares:  # a trough: w·feature + b is only known for that one feature
            share = float(y.mean()) / (float(feature[0]) ** 2 + 1)
            return share * float(feature[0]), share
        w = float(np.sum(centred * (y - y.mean()))) / squares
        return w, float(y.mean()) - w * middle

    @property
    def _centred(self) -> tuple[NDArray[np.float64], float]:
        """x**power without its mean, and the mean.

        The first is subtracted before: years, or seconds since 1970, differ in their last digits.
        """
        feature = self._features[:, 0]
        apart = feature - feature[0]
        return apart - apart.mean(), float(feature[0] + apart.mean())

    def loss_at(self, w: Any, b: Any) -> NDArray[np.float64]:
        """The loss at (w, b), in float64. Arrays of equal shape give an array of that shape."""
        w, b = np.asarray(w, np.float64), np.asarray(b, np.float64)
        x, y = self.x.astype(np.float64), self.y.astype(np.float64)
        residual = w[..., None] * x**self.power + b[..., None] - y
        return np.asarray(self.factor * np.sum(residual**2, axis=-1))

    def astype(self, dtype: DTypeLike) -> Problem:
        """The same problem in float32 or float64. Raises ValueError for any other type."""
        kind: np.dtype[Any] = np.dtype(dtype)
        if kind not in (np.dtype(np.float32), np.dtype(np.float64)):
            raise ValueError(f"a Problem is float32 or float64, not {kind}")
        x, y = self.x.astype(kind), self.y.astype(kind)
        return replace(self, x=x, y=y, w=kind.type(self.w), b=kind.type(self.b))

    def starting_at(self, w: float, b: float) -> Problem:
        """The same problem from another starting point."""
        kind: Any = self.x.dtype.type
        return replace(self, w=kind(w), b=kind(b))

    @property
    def _features(self) -> NDArray[np.float64]:
        """One row (x**power, 1) for each point, shape (n, 2)."""
        x = self.x.astype(np.float64)
        return np.stack([x**self.power, np.ones_like(x)], axis=1)


def custom(
    *,
    slope: float,
    offset: float,
    noise: float,
    points: int,
    power: int,
    seed: int,
    loss: Loss = "mean",
) -> Problem:
    """A problem with data of your own: x evenly spaced on [-1, 1], normal noise, start at (0, 0).

    noise: standard deviation, in units of y. points: at least 3. power: 1 or 2.
    Raises ValueError where a setting leaves no problem to solve.
    """
    if points < 3 or power not in (1, 2) or noise < 0 or loss not in LOSSES:
        raise ValueError("needs at least 3 points, power 1 or 2, noise of 0 or more, a known loss")
    if not np.all(np.isfinite([slope, offset, noise])):
        raise ValueError("slope, offset and noise must be finite")
    x = np.linspace(-1, 1, points)
    y = slope * x**power + offset + noise * np.random.default_rng(seed).standard_normal(points)
    start = np.float64(0)
    return Problem(x, y, start, start, power, loss, learning_rate=0.1, steps=200)


def preset(name: str) -> Problem:
    """The experiment of that name (see PRESETS). Raises KeyError for any other name."""
    return PRESETS[name]()


def _numpy_article(*, cell_runs: int) -> Problem:
    """E1. The cell that draws w and b was run `cell_runs` times in the notebook."""
    random = np.random.RandomState(666)
    x = np.linspace(-1, 1, 100)
    y = 3 * np.power(x, 2) + 2 + 0.2 * random.rand(100)
    for _ in range(cell_runs):
        w, b = random.rand(), random.rand()
    start = np.float64(w), np.float64(b)
    return Problem(x, y, *start, 2, "half_sum", learning_rate=0.001, steps=800)


def _loops_article() -> Problem:
    """E2, drawn point by point. The article gives no seed; this one is ours."""
    random = np.random.RandomState(1)
    x, y = np.empty(100), np.empty(100)
    for i in range(100):
        x[i] = random.uniform(-10, 10)
        y[i] = 1.477 * x[i] + 0.089 + random.normal(0, 0.1)
    start = np.float64(0)
    return Problem(x, y, start, start, 1, "mean", learning_rate=0.01, steps=1000)


def _autograd_article() -> Problem:
    """E3, float32, from PyTorch's generator, which this imports."""
    import torch

    random = torch.Generator().manual_seed(666)
    x = torch.linspace(-1, 1, 100)
    y = 3 * x.pow(2) + 2 + 0.2 * torch.rand(100, 1, generator=random).flatten()
    w = torch.randn(1, 1, generator=random)
    start = np.float32(w.item()), np.float32(0)
    return Problem(x.numpy(), y.numpy(), *start, 2, "half_sum", learning_rate=0.001, steps=800)


def _stream_article() -> Problem:
    """E4: the first batch of the stream, float32, from PyTorch's generator, which this imports."""
    import torch

    random = torch.Generator().manual_seed(1000)
    x = 20 * torch.rand(8, 1, generator=random)
    y = 2 * x + 3 + 3 * torch.randn(8, 1, generator=random)
    w = np.float32(torch.rand(1, 1, generator=random).item())
    b = np.float32(torch.rand(1, 1, generator=random).item())
    data = x.flatten().numpy(), y.flatten().numpy()
    return Problem(*data, w, b, 1, "half_sum", learning_rate=0.001, steps=8000)


def _session_article() -> Problem:
    """E7, float32 as its placeholders were, started at the w that the article printed."""
    random = np.random.RandomState(100)
    x = np.linspace(-1, 1, 100)
    y = 3 * np.power(x, 2) + 2 + 0.2 * random.rand(100)
    start = np.float64(0.20236146), np.float64(0)
    article = Problem(x, y, *start, 2, "mean", learning_rate=0.01, steps=2000)
    return article.astype(np.float32)


def _update_styles_article() -> Problem:
    """E8: one batch of its data. The article draws a new batch inside the graph at each run."""
    random = np.random.RandomState(1000)
    x = 20 * random.rand(8)
    y = 3 * x + 1 + 0.01 * random.randn(8)
    start = np.float64(random.rand()), np.float64(random.rand())
    article = Problem(x, y, *start, 1, "mean_half_squared", learning_rate=0.001, steps=80_000)
    return article.astype(np.float32)


PRESETS: dict[str, Callable[[], Problem]] = {
    "numpy_article": lambda: _numpy_article(cell_runs=3),
    "numpy_article_straight": lambda: _numpy_article(cell_runs=1),
    "loops_article": _loops_article,
    "autograd_article": _autograd_article,
    "stream_article": _stream_article,
    "session_article": _session_article,
    "update_styles_article": _update_styles_article,
}
