"""Small images in rows, and at the step shown, what was read in each of them."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from views.player import in_lecture
from views.ui.palette import MISTAKE

HERE = Path(__file__)
KEY = "image_grid"

_grid = st.components.v2.component(
    KEY,
    html='<div class="images"></div>\n',
    css=HERE.with_suffix(".css").read_text(encoding="utf-8"),
    js=HERE.with_suffix(".js").read_text(encoding="utf-8"),
    isolate_styles=False,  # it must hear the player, which lives in the document
)


def show_images(
    images: NDArray[Any],
    *,
    brightest: int,
    title: str,
    told: str,
    columns: int,
    key: str,
    names: list[str] | None = None,
    labels: NDArray[Any] | None = None,
    read: NDArray[Any] | None = None,
    picks: NDArray[Any] | None = None,
    at: NDArray[Any] | None = None,
) -> None:
    """Show images as they are: ink on paper, a square for each pixel.

    images: shape (n, side, side), from 0 to `brightest`. told: what there is to see, for those who
    cannot; `{wrong}` in it is the number of images misread at the step shown. names: written below
    each. picks, at: where only some are shown, which ones, shape (m, shown), from each of the
    increasing steps `at` on, shape (m,). labels, read: the digit that each shows, shape (n,), and
    the one that is read in it at each step, shape (k, n); where the two differ, the image has a
    frame, and what is read.
    """
    if picks is not None:  # no more than are ever seen is sent
        used, places = np.unique(picks, return_inverse=True)
        images, picks = images[used], places.reshape(picks.shape)
        names = None if names is None else [names[i] for i in used]
    ink = np.round(255.0 * images / brightest).astype(np.uint8)
    data = {
        "side": images.shape[-1],
        "count": len(images),
        "columns": columns,
        "images": _base64(ink),
        "labels": None if labels is None else labels.tolist(),
        "read": None if read is None else _base64(read.astype(np.uint8)),
        "names": names,
        "picks": None if picks is None else picks.tolist(),
        "at": None if at is None else at.tolist(),
        "title": title,
        "told": told,
        "color": MISTAKE,
        "lecture": in_lecture(),
    }
    _grid(data=data, key=key, height="stretch")


def _base64(values: NDArray[np.uint8]) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()
