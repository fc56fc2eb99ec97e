"""The pictures of a stage as files, at the step shown, as large as a hall needs them."""

from __future__ import annotations

import io
import json
import math
import re
import zipfile
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from views.player import Parts, Timeline

WIDTH, HEIGHT, SCALE = 900, 640, 2  # pixels of a picture, and how many of the PNG for each
LIGHT = "#ffffff"
# A line that is not filled and has straight parts only, as Vega writes it.
LINE = re.compile(r'(<path aria-hidden="true" d=")(M[-\d.,L]+)("(?![^>]* fill=)[^>]*>)')


def as_files(parts: Parts, timeline: Timeline | None, query: Mapping[str, str]) -> bytes:
    """A ZIP file with each picture as PNG and as SVG.

    query: the address, which has the step and the moment that are shown.
    """
    # Loaded where it is asked for: it brings an engine of its own, of some 50 MB.
    import vl_convert  # noqa: PLC0415

    at = place(parts, timeline, query)
    state = timeline.told(*at) if timeline and at else ""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as folder:
        for key, spec in specifications(parts).items():
            vega = json.dumps(_still(spec, state))
            svg = vl_convert.vegalite_to_svg(vega, vl_version=vega_lite())
            svg = LINE.sub(in_sight, svg)
            folder.writestr(f"{key}.svg", svg)
            folder.writestr(f"{key}.png", vl_convert.svg_to_png(svg, scale=SCALE))
    return file.getvalue()


def specifications(parts: Parts) -> dict[str, dict[str, Any]]:
    """The specifications of all pictures, by a name that a file can have."""
    return {
        "".join(c if c.isalnum() else "_" for c in key): plain(part.data)
        for key, part in parts.items()
        if not part.name
    }


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


@cache
def vega_lite() -> str:
    """The version of Vega-Lite that Altair writes for, as vl-convert names it."""
    from altair.utils._importers import vl_version_for_vl_convert  # noqa: PLC0415

    return vl_version_for_vl_convert().removeprefix("v").replace("_", ".")


def _still(spec: dict[str, Any], state: str) -> dict[str, Any]:
    """The specification at one step, in a window of its own."""
    fixed: dict[str, Any] = {"lecture": True, "screen": 1, "state": state}
    params = [
        {"name": one["name"], "value": fixed[one["name"]]} if one["name"] in fixed else one
        for one in spec["params"]
    ]
    size = {"width": WIDTH, "height": HEIGHT, "autosize": {"type": "fit", "contains": "padding"}}
    return {**spec, **size, "params": params, "background": LIGHT}


def in_sight(line: re.Match[str]) -> str:
    """The line without the parts that no pixel sees.

    What is drawn from an SVG is drawn whole before it is clipped: curves of equal loss, which lead
    far out of the picture, took ten seconds.
    """
    before, path, after = line.groups()
    points = [tuple(map(float, point.split(","))) for point in path[1:].split("L")]
    parts, open_at = [], -1
    for i, ((x, y), (u, v)) in enumerate(pairwise(points)):
        outside = max(x, u) < 0 or min(x, u) > WIDTH or max(y, v) < 0 or min(y, v) > HEIGHT
        if outside:
            continue
        if open_at != i:
            parts.append(f"M{x:g},{y:g}")
        parts.append(f"L{u:g},{v:g}")
        open_at = i + 1
    return f"{before}{''.join(parts) or 'M0,0'}{after}"
