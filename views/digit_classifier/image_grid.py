"""Small images in rows, and at the step shown, what was read in each of them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from views.player import component, in_lecture
from views.ui.palette import MINUS, MISTAKE, PLUS

KEY = "image_grid"

_grid = component(KEY, __file__, html='<div class="images"></div>\n')


def show_images(
    images: NDArray[Any],
    *,
    brightest: float,
    title: str,
    told: str,
    columns: int,
    key: str,
    names: list[str] | None = None,
    labels: NDArray[Any] | None = None,
    read: NDArray[Any] | None = None,
    picks: NDArray[Any] | None = None,
    at: NDArray[Any] | None = None,
    signed: bool = False,
    chosen: int | None = None,
) -> None:
    """Show images as they are: ink on paper, a square for each pixel.

    images: shape (n, side, side), from 0 to `brightest`. told: what there is to see, for those who
    cannot; `{wrong}` in it is the number of images misread at the step shown. names: written below
    each. labels, read: the digit that each shows, shape (n,), and the one that is read in it at
    each step, shape (k, n); where the two differ, the image has a frame, and what is read. picks,
    at: where only some are shown, which ones, shape (m, shown), from each of the increasing steps
    `at` on, shape (m,); −1 is a place that stays empty. signed: whether pixels are from
    −brightest on, the positive ones teal and the negative ones brown. chosen: the place of an
    image that has a frame, where a visitor may choose another one; see `clicked`.
    """
    if picks is not None:  # no more than are ever seen is sent
        used = np.unique(picks[picks >= 0])
        picks = np.where(picks < 0, -1, np.searchsorted(used, picks))
        images = images[used]
        names = None if names is None else [names[i] for i in used]
    share = np.clip(images / brightest, -1, 1)
    ink = np.round(127.5 + 127.5 * share if signed else 255.0 * share).astype(np.uint8)
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
        "colors": [PLUS, MINUS] if signed else None,
        "chosen": chosen,
        "choosable": chosen is not None,
        "lecture": in_lecture(),
    }
    _grid(data=data, key=key, height="stretch", on_chosen_change=lambda: None)


def clicked(key: str) -> int | None:
    """The place of the image that a visitor has clicked just now, if it was one. A browser may lie.

    key: that of `show_images`.
    """
    sent = st.session_state.get(key)
    place = sent.get("chosen") if isinstance(sent, Mapping) else None
    return place if type(place) is int and place >= 0 else None


def _base64(values: NDArray[np.uint8]) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()
