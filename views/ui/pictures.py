"""The pictures of a stage as files, at the step shown, as large as a hall needs them."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from views.player import Parts, Timeline
from views.ui import vega_files

WIDTH, HEIGHT = 900, 640  # pixels
LIGHT = "#ffffff"


def as_files(parts: Parts, timeline: Timeline | None, query: Mapping[str, str]) -> bytes:
    """A ZIP file with each picture as PNG and as SVG.

    query: the address, which has the step and the moment that are shown.
    """
    at = place(parts, timeline, query)
    state = timeline.told(*at) if timeline and at else ""
    stills = {name: _still(spec, state) for name, spec in specifications(parts).items()}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as folder:
        for name, picture in vega_files.drawn(stills).items():
            folder.writestr(f"{name}.svg", picture.svg)
            folder.writestr(f"{name}.png", picture.png)
    return file.getvalue()


def specifications(parts: Parts) -> dict[str, dict[str, Any]]:
    """The specifications of all pictures, by a name that a file can have."""
    return {file_name(key): plain(part.data) for key, part in parts.items() if not part.name}


def file_name(text: str) -> str:
    """The text as any system takes it for a file's name."""
    return "".join(c if c.isalnum() else "_" for c in text)


def plain(value: Any) -> Any:
    """A specification with nothing in it that JSON has not. What is no number becomes null."""
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, pa.Table):
        return plain(value.to_pylist())
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    return None if isinstance(value, float) and not math.isfinite(value) else value


def place(
    parts: Parts, timeline: Timeline | None, query: Mapping[str, str]
) -> tuple[int, int | None] | None:
    """The step and the moment that the address names, or else those at which the stage opens.

    None where nothing is played, and as moment outside slow motion.
    """
    player = next((part.data for part in parts.values() if part.name == "player"), None)
    if timeline is None or player is None:
        return None
    end = timeline.last_step, None if player["begin"][1] is None else sum(timeline.parts)
    return timeline.asked(query, end if player["atEnd"] else player["begin"])


def _still(spec: dict[str, Any], state: str) -> dict[str, Any]:
    """The specification at one step, in a window of its own."""
    fixed: dict[str, Any] = {"lecture": True, "screen": 1, "state": state}
    params = [
        {"name": one["name"], "value": fixed[one["name"]]} if one["name"] in fixed else one
        for one in spec["params"]
    ]
    size = {"width": WIDTH, "height": HEIGHT, "autosize": {"type": "fit", "contains": "padding"}}
    return {**spec, **size, "params": params, "background": LIGHT}
