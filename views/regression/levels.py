"""The loss over (w, b) in numbers: which part of the plane is shown, level curves, axes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engines.problem import Problem

Floats = NDArray[np.float64]


def window(
    bests: Floats, paths: Sequence[Floats], *, farthest: float = 10.0
) -> tuple[Floats, float, float]:
    """Center and half widths of the part of the (w, b) plane that holds paths and best answers.

    bests: shape (k, 2), by run; paths: of each run, shape (n, 2). Of a run that runs away it holds
    the beginning, as far as `farthest` times the first distance.
    """
    shown = [bests]
    for best, path in zip(bests, paths, strict=True):
        distance = np.hypot(*(path - best).T)
        shown.append(path[distance <= farthest * max(distance[0], 1e-6)])
    corners = np.vstack(shown)
    low, high = corners.min(axis=0), corners.max(axis=0)
    half = np.maximum((high - low) / 2 * 1.25, 0.05 + 0.02 * np.abs(bests[0]))
    return (low + high) / 2, float(half[0]), float(half[1])


def until_far(path: pd.DataFrame, center: Floats, half_w: float, half_b: float) -> pd.DataFrame:
    """The path up to where it is well outside the window: a picture cannot hold what follows."""
    outside = (np.abs(path[["w", "b"]] - center) > 5 * np.array([half_w, half_b])).any(axis=1)
    end = int(outside.argmax()) + 1 if outside.any() else len(path)
    return path.head(end)


def level_curves(problem: Problem, best: Floats, first_loss: float) -> pd.DataFrame:
    """Ellipses on which the loss is constant; one goes through the start, each is twice the next.

    Exact: around its smallest value the loss is  L + d·H·d / 2  with the Hessian H.
    """
    smallest = float(problem.loss_at(*best))
    curvature, axes = np.linalg.eigh(problem.hessian)
    # Of a long bowl the flat side is lost in the steep one's rounding; of a trough it has no end.
    long = problem.condition if np.isfinite(problem.condition) else 1e8
    curvature[0] = curvature[-1] / long
    above = first_loss - smallest if first_loss > smallest else curvature[-1]
    turn = np.arange(73, dtype=np.int8)
    circle = np.stack([np.cos(turn * np.pi / 36), np.sin(turn * np.pi / 36)])
    curves = []
    for level in np.arange(-4, 3, dtype=np.int8):
        excess = above * 4.0 ** float(level)
        w, b = best[:, None] + axes @ (np.sqrt(2 * excess / curvature)[:, None] * circle)
        columns = {"w": w.astype(np.float32), "b": b.astype(np.float32), "turn": turn}
        curves.append(
            pd.DataFrame({**columns, "level": level, "loss": np.float32(smallest + excess)})
        )
    return pd.concat(curves)


def axes_of(problem: Problem, best: Floats) -> pd.DataFrame:
    """One row for each axis of the bowl: where it passes, and a direction away from the start."""
    _, directions = np.linalg.eigh(problem.hessian)
    start = np.array([problem.w, problem.b], dtype=np.float64) - best
    rows = []
    for name, axis, side in zip(("shallow axis", "steep axis"), directions.T, (1, -1), strict=True):
        # The steep one runs on beyond the path, the shallow one back to where the path begins.
        to = axis * (1 if side * (axis @ start) >= 0 else -1)
        rows.append((name, *best, *to))
    return pd.DataFrame(rows, columns=["name", "best_w", "best_b", "to_w", "to_b"])
