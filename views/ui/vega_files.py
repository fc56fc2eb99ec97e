"""Vega outside of a page: its scripts in one, and pictures as SVG and PNG.

The converter brings a JavaScript engine of its own, which would keep some 150 MB of the server's
memory for good. So it runs in a child process that ends, `python -m views.ui.vega_files`: it reads
what is asked for as JSON and writes JSON.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
SECONDS = 120  # longer than any picture takes on a busy machine
SCALE = 2  # pixels of a PNG for each of its picture's
# A line that is not filled and has straight parts only, as Vega writes it.
LINE = re.compile(r'(<path aria-hidden="true" d=")(M[-\d.,L]+)("(?![^>]* fill=)[^>]*>)')


class Files(NamedTuple):
    """One picture."""

    svg: str
    png: bytes


@cache
def bundle() -> str:
    """Vega, Vega-Lite and vega-embed in one script, 0.9 MB. The first call takes some seconds."""
    return str(_ask({}))


def drawn(specs: Mapping[str, Any]) -> dict[str, Files]:
    """Specifications of Vega-Lite as files, by name."""
    files = _ask({"specs": specs})
    return {name: Files(svg, base64.b64decode(png)) for name, (svg, png) in files.items()}


def in_sight(line: re.Match[str], width: float, height: float) -> str:
    """The line without the parts that no pixel sees.

    What is drawn from an SVG is drawn whole before it is clipped: curves of equal loss, which lead
    far out of the picture, took ten seconds.
    """
    before, path, after = line.groups()
    points = [tuple(map(float, point.split(","))) for point in path[1:].split("L")]
    parts, open_at = [], -1
    for i, ((x, y), (u, v)) in enumerate(pairwise(points)):
        if max(x, u) < 0 or min(x, u) > width or max(y, v) < 0 or min(y, v) > height:
            continue
        if open_at != i:
            parts.append(f"M{x:g},{y:g}")
        parts.append(f"L{u:g},{v:g}")
        open_at = i + 1
    return f"{before}{''.join(parts) or 'M0,0'}{after}"


def _ask(wanted: Mapping[str, Any]) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "views.ui.vega_files"],
        input=json.dumps(wanted),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        timeout=SECONDS,
        check=True,
    )
    return json.loads(done.stdout)


def _answer(wanted: Mapping[str, Any]) -> Any:
    """In the child: the bundle where no pictures are asked for."""
    import vl_convert  # noqa: PLC0415
    from altair.utils._importers import vl_version_for_vl_convert  # noqa: PLC0415

    version = vl_version_for_vl_convert().removeprefix("v").replace("_", ".")
    if "specs" not in wanted:
        return vl_convert.javascript_bundle(vl_version=version)  # type: ignore[call-arg]
    files = {}
    for name, spec in wanted["specs"].items():
        whole = vl_convert.vegalite_to_svg(spec, vl_version=version)
        width, height = spec["width"], spec["height"]
        svg = LINE.sub(lambda line: in_sight(line, width, height), whole)  # noqa: B023
        files[name] = svg, base64.b64encode(vl_convert.svg_to_png(svg, scale=SCALE)).decode()
    return files


if __name__ == "__main__":
    json.dump(_answer(json.load(sys.stdin)), sys.stdout)
