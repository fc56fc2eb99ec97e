"""The loss over (w, b) in numbers: which part of the plane is shown, level curves, axes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engines.problem import Problem
from views.ui.numbers import number

Floats = NDArray[np.float64]
LEVELS = range(-4, 3)  # 0 is that of the start


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
    smallest, excesses, curvature, axes = _bowl(problem, best, first_loss)
    turn = np.arange(73, dtype=np.int8)
    circle = np.stack([np.cos(turn * np.pi / 36), np.sin(turn * np.pi / 36)])
    curves = []
    for level, excess in zip(LEVELS, excesses, strict=True):
        w, b = best[:, None] + axes @ (np.sqrt(2 * excess / curvature)[:, None] * circle)
        columns = {"w": w.astype(np.float32), "b": b.astype(np.float32), "turn": turn}
        loss = np.float32(smallest + excess)
        curves.append(pd.DataFrame({**columns, "level": np.int8(level), "loss": loss}))
    return pd.concat(curves)


def level_labels(
    problem: Problem,
    best: Floats,
    first_loss: float,
    window: tuple[Floats, float, float],
    lines: Sequence[Floats],
) -> pd.DataFrame:
    """The losses of the level curves, each where its curve is away from all that is drawn.

    window: center and half widths of what is surely shown; lines: shape (n, 2) each, what is drawn
    there. Where they can, the labels stand in one row outwards from the best answer, in the
    direction `to`; `gap` is how far it is from there to the next curve inwards.
    """
    smallest, excesses, curvature, axes = _bowl(problem, best, first_loss)
    angles = np.arange(0, 2 * np.pi, np.pi / 36)
    towards = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    bent = (towards @ axes) ** 2 @ curvature
    distances = np.sqrt(2 * excesses / bent[:, None])  # from the best, by angle and level
    places = best + distances[..., None] * towards[:, None]
    center, *half = window
    room = 0.1 * max(half)
    free = (np.abs(places - center) < 0.95 * np.array(half)).all(axis=-1) & (distances > room)
    for line in lines:
        free &= _distance(places, line) > room
    # Where as many have room, it is better where the bowl is flat and its curves lie far apart.
    most = int((free.sum(axis=1) - bent / bent.max()).argmax())
    rows = []
    texts = _in_enough_digits(smallest + excesses)
    for level in np.flatnonzero(free.any(axis=0)):
        turned = np.where(free[:, level], np.cos(angles - angles[most]), -2)
        at = int(turned.argmax())
        rows.append((*places[at, level], texts[level], distances[at, level] / 2, *towards[at]))
    return pd.DataFrame(rows, columns=["w", "b", "text", "gap", "to_w", "to_b"])


def _bowl(
    problem: Problem, best: Floats, first_loss: float
) -> tuple[float, Floats, Floats, Floats]:
    """The smallest loss, how far above it the levels are, and the curvatures along which axes."""
    smallest = float(problem.loss_at(*best))
    curvature, axes = np.linalg.eigh(problem.hessian)
    # Of a long bowl the flat side is lost in the steep one's rounding; of a trough it has no end.
    long = problem.condition if np.isfinite(problem.condition) else 1e8
    curvature[0] = curvature[-1] / long
    above = first_loss - smallest if first_loss > smallest else float(curvature[-1])
    excesses: Floats = above * np.array([4.0**level for level in LEVELS])
    return smallest, excesses, curvature, axes


def _distance(places: Floats, line: Floats) -> Floats:
    """How far each place, shape (…, 2), is from a line through points of shape (n, 2)."""
    along = np.diff(line, axis=0, append=line[-1:])  # one point is a line, too
    off = places[..., None, :] - line
    length = np.maximum((along**2).sum(axis=-1), 1e-30)
    share = np.clip((off * along).sum(axis=-1) / length, 0, 1)
    nearest: Floats = np.linalg.norm(off - share[..., None] * along, axis=-1).min(axis=-1)
    return nearest


def _in_enough_digits(values: Floats) -> list[str]:
    """Numbers of three significant digits, or of as many as it takes to tell them apart."""
    for digits in range(3, 16):
        texts = [number(float(value), digits) for value in values]
        if len(set(texts)) == len(texts):
            break
    return texts


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
