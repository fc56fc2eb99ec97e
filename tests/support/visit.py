"""A page run by Streamlit's AppTest, and what is in it for the player and the charts."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from streamlit.testing.v1 import AppTest

from views.ui.contents import Chapter

ROOT = Path(__file__).parents[2]


def visit(page: str | None = None, **query: str) -> AppTest:
    """Run a page, Home if none is named, as somebody's first visit with this address."""
    at = AppTest.from_file(str(ROOT / "home.py"), default_timeout=60)
    if page:
        at.switch_page(f"pages/{page}.py")
    for name, value in query.items():
        at.query_params[name] = value
    return at.run()


def visit_section(
    section: Callable[[], None], state: Mapping[str, Any] | None = None, **query: str
) -> AppTest:
    """Run a page that is nothing but this function, as a first visit with this address.

    state: what its session holds beforehand. Nothing may be raised on the way.
    """
    at = AppTest.from_function(section, default_timeout=60)
    for name, value in (state or {}).items():
        at.session_state[name] = value
    if query.get("lecture") == "true":  # the toggle is in the shell, which a section has not
        at.session_state["lecture"] = True
    for name, value in query.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception
    return at


def components(at: AppTest) -> list[dict[str, Any]]:
    return [json.loads(element.proto.json) for element in at.get("bidi_component")]


def player(at: AppTest) -> dict[str, Any]:
    """What the page's player is given. There is exactly one."""
    [data] = [data for data in components(at) if "lastStep" in data]
    return data


def series(at: AppTest) -> dict[str, np.ndarray]:
    """The player's series, decoded."""
    data = player(at)
    arrays = [
        np.frombuffer(base64.b64decode(one["values"]), "<" + one["type"]) for one in data["arrays"]
    ]
    return {name: arrays[place] for name, (place, _) in data["series"].items()}


def plays(at: AppTest, name: str, values: np.ndarray) -> None:
    """Assert that the player has these very values, to the six digits that it shows."""
    np.testing.assert_array_equal(series(at)[name], values.astype(np.float32))


def live_texts(at: AppTest) -> str:
    return "\n".join(data["html"] for data in components(at) if "html" in data)


def charts(at: AppTest) -> list[dict[str, Any]]:
    return [json.loads(element.proto.spec) for element in at.get("vega_lite_chart")]


def table(at: AppTest, chart: int, name: str) -> pd.DataFrame:
    """The named data of a chart, the charts counted from 0."""
    tables = {one.name: one.data.data for one in at.get("vega_lite_chart")[chart].proto.datasets}
    return pa.ipc.open_stream(tables[name]).read_pandas()


def titles(at: AppTest) -> list[str]:
    return [chart["title"]["text"] for chart in charts(at)]


def edits(at: AppTest) -> list[str]:
    """The lines that a mistake changes: as they should be, and as they were written."""
    bodies = "".join(element.proto.body for element in at.get("html"))
    return [unescape(code) for code in re.findall("<pre>(.*?)</pre>", bodies, re.DOTALL)]


def words(at: AppTest) -> str:
    """All that is written on the page outside its components."""
    kinds = (at.markdown, at.warning, at.error, at.info)
    return "\n".join(element.value for kind in kinds for element in kind)


def opens_with_its_question(at: AppTest, chapter: Chapter) -> None:
    """A chapter has its question and one story, and each of its pictures says what it shows."""
    assert not at.exception
    assert not at.warning
    assert f"## {chapter.question}" in words(at)
    for chart in charts(at):
        assert chart["description"]
    assert sum("story" in text for text in live_texts(at).split("\n")) == 1
