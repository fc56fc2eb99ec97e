"""A stage as one HTML file that plays without a server and without a network."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from views.player import Part, Parts, highlighted
from views.ui import vega_files
from views.ui.pictures import plain

HERE = Path(__file__).parent
MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
WORDS = {"theme": "Light or dark"}
TEXT = (HERE.parent / "player" / "text.css").read_text(encoding="utf-8")
STAGE = (HERE / "stage.css").read_text(encoding="utf-8")
STYLE, SCRIPT = ((HERE / f"offline.{kind}").read_text(encoding="utf-8") for kind in ("css", "js"))


def page(
    parts: Parts, *, title: str, told: str, begin: tuple[int, int | None] | None = None
) -> str:
    """The file. title: the question of the chapter. told: below it, where it is from.

    begin: the step and the moment at which the player opens, if there is one.
    """
    components = {part.name: part.files for part in parts.values() if part.files}
    style = "\n".join([STAGE, TEXT, *(files["css"] for files in components.values()), STYLE])
    modules = ",\n".join(
        f"{json.dumps(name)}: (() => {{\n{_function(files['js'])}\n}})()"
        for name, files in components.items()
    )
    shown = [
        {
            "key": key,
            "name": part.name,
            "html": part.files.get("html", "") if part.files else _words(part.data),
            "data": _data(part, begin) if part.name != "words" else None,
            "column": part.column,
        }
        for key, part in parts.items()
    ]
    script = (
        f"const MODULES = {{\n{modules}\n}};\nconst PARTS = {_inside(json.dumps(shown))};\n{SCRIPT}"
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} · Backstep</title>
<style>{style}</style></head>
<body><div id="root"><header><div><h1>{escape(title)}</h1><p>{escape(told)}</p></div>
<button type="button" id="theme">{WORDS["theme"]}</button></header>
<main><div class="beside"></div></main></div>
<script>{_inside(vega_files.bundle())}</script>
<script>{_inside(script)}</script>
</body></html>
"""


def _words(data: Mapping[str, Any]) -> str:
    """Words as HTML, as Streamlit would write them; see `Part`."""
    if "markdown" in data:
        written: str = MARKDOWN.render(data["markdown"])
        return written
    if "code" in data:
        python = data["language"] == "python"
        lines = "\n".join(highlighted(data["code"])) if python else escape(data["code"])
        return f'<pre class="lines">{lines}</pre>'
    return str(data.get("html", ""))


def _data(part: Part, begin: tuple[int, int | None] | None) -> Any:
    data = plain(part.data)
    if part.name == "player":  # no page comes next, and all keys are the player's
        data |= {"next": "", "lecture": True, "atEnd": False, "plays": False}
        data |= {"begin": begin} if begin else {}
    return data


def _function(module: str) -> str:
    """The module as the body of a function that returns what it exports."""
    head, found, rest = module.partition("export default function")
    assert found, "a component exports one function"
    return f"{head}return function{rest}"


def _inside(script: str) -> str:
    """The script as it may stand in a page: nothing in it ends the element."""
    return re.sub(r"<(/script|!--)", r"<\\\1", script, flags=re.IGNORECASE)
