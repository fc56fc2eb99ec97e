"""A stream of minibatches in numbers: what its player follows, and what its pictures draw."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from engines.dynamic_graph.stream import NOISE, OFFSET, RIGHT, SLOPE
from engines.trace import Trace
from views.player import Series, every_step

Points: TypeAlias = NDArray[np.float32]  # of batches, see `points_of`

MOMENTS = 400  # so many of its batches at most the player shows, a static curve as well
SHOWN = 8  # points of a batch
MEAN_OVER = 100  # batches


class Settings(NamedTuple):
    """The stream that a visitor asks for: points in a batch, and the learning rate."""

    batch: int
    learning_rate: float


def points_of(batches: Iterable[tuple[ArrayLike, ArrayLike]]) -> Points:
    """The points of each batch that are drawn, shape (batches, 2, SHOWN): x, then y.

    NaN stands where a batch has fewer points: the names of a timeline do not depend on its size.
    """
    few = np.array([np.array(batch, dtype=np.float32)[:, :SHOWN] for batch in batches])
    missing = SHOWN - few.shape[2]
    return np.pad(few, ((0, 0), (0, 0), (0, missing)), constant_values=np.nan)


def followed(trace: Trace, points: Points, *, every: int, steps: int) -> dict[str, Series]:
    """The series of a stream, of which a step is `every` batches; names begin with `stream_`.

    points: those of all its batches, from `points_of`. steps: the number of the last step.
    """
    k = np.minimum(every * np.arange(steps + 1), len(trace) - 1)
    columns = {name: values.to_numpy() for name, values in history(trace).iloc[k].items()}
    for axis, name in enumerate("xy"):
        columns |= {f"{name}{i}": points[k, axis, i] for i in range(SHOWN)}
    return every_step({f"stream_{name}": values for name, values in columns.items()})


def history(trace: Trace) -> pd.DataFrame:
    """A row for each batch: batch, loss, mean (of the last losses), w, b, distance (from truth)."""
    w, b = (trace.params[name].astype(np.float64) for name in "wb")
    mean = pd.Series(trace.losses).rolling(MEAN_OVER, min_periods=1).mean()
    columns = {"batch": np.arange(len(trace)), "loss": trace.losses, "mean": mean, "w": w, "b": b}
    return pd.DataFrame({**columns, "distance": np.hypot(w - SLOPE, b - OFFSET)})


def thinned(trace: Trace) -> pd.DataFrame:
    """The finite rows of the history that a static curve shows, evenly spread, in six digits."""
    at = np.linspace(0, len(trace) - 1, MOMENTS + 1).round().astype(np.intp)
    rows = history(trace).iloc[np.unique(at)].replace([np.inf, -np.inf], np.nan)
    return rows.dropna().astype(np.float32)


class Level(NamedTuple):
    """Where a stream settles. distance: from the truth, root mean square. loss: its mean."""

    distance: float
    loss: float


def level(stream: Settings) -> Level:
    """Where noise keeps a stream in the long run; not a number where its steps are too long.

    A step takes the error e = (w, b) − truth to (1 − rate·A) e + rate·g, where A adds up p·pᵀ over
    the n points of the batch, p = (x, 1), and g is their noise times p. With M = E[p pᵀ] the
    covariance C of e stands still where
    C = C − rate·n·(M C + C M) + rate²·n·(E[p pᵀ C p pᵀ] + (n − 1)·M C M + NOISE²·M).
    The mean loss is then n·tr(M C)/2 above that of the true line, n·NOISE²/2.
    Where steps are short, M cancels, and C is NOISE²·rate/2 in every direction, whatever n is
    (Mandt et al. 2017, Stochastic Gradient Descent as Approximate Bayesian Inference).
    """
    n, rate = stream
    moments = np.array([RIGHT**k / (k + 1) for k in range(5)])  # E[x^k], x even from 0 to RIGHT
    powers = np.add.outer([1, 0], [1, 0])  # p pᵀ is x to these powers
    m, eye = moments[powers], np.eye(2)
    fourth = moments[np.add.outer(powers, powers)]  # E[p_i p_j p_k p_l]
    pull = n * rate * (np.einsum("ik,jl->ijkl", m, eye) + np.einsum("ik,jl->ijkl", eye, m))
    kick = rate**2 * n * (fourth + (n - 1) * np.einsum("ik,jl->ijkl", m, m))
    change = pull - kick
    stays = np.linalg.eigvals(np.eye(4) - change.reshape(4, 4))
    if np.abs(stays).max() >= 1:
        return Level(np.nan, np.nan)
    c = np.linalg.tensorsolve(change, rate**2 * NOISE**2 * n * m)
    return Level(float(np.sqrt(np.trace(c))), float(n * (NOISE**2 + np.trace(m @ c)) / 2))
