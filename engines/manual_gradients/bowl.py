"""The loss as a bowl over (w, b): what a step of gradient descent does along each of its axes.

Around its lowest point the loss is a quadratic form, the Hessian. Along an eigenvector of that,
with the eigenvalue λ, a step with the rate η multiplies the distance that is left by 1 − η·λ.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engines.problem import Problem
from engines.trace import Trace


def factors(problem: Problem, learning_rate: float) -> tuple[float, float]:
    """What a step multiplies the error by along the steep axis and along the shallow one."""
    shallow, steep = np.linalg.eigvalsh(problem.hessian)
    return float(1 - learning_rate * steep), float(1 - learning_rate * shallow)


def errors(problem: Problem, trace: Trace) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far a run is from the best (w, b), along the steep axis and along the shallow one.

    Each has shape (steps + 1,) and is a part of the first: it begins with 1, and a sign that
    changes is a side that changes. Where there was no error, it is 0 throughout.
    """
    path = np.stack([trace.params["w"], trace.params["b"]], axis=1).astype(np.float64)
    w, b = (path - problem.least_squares()).T
    # By its angle: of a very long bowl, eigh knows the steep axis too roughly for what is left.
    (ww, wb), (_, bb) = problem.hessian
    turned = 0.5 * np.arctan2(2 * wb, ww - bb)
    steep = np.cos(turned) * w + np.sin(turned) * b
    shallow = np.cos(turned) * b - np.sin(turned) * w
    return _part_of_first(steep), _part_of_first(shallow)


def _part_of_first(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    return distance / distance[0] if distance[0] else np.zeros_like(distance)
