"""Texts that stand beside the code, in TOML files, for whoever edits or translates them."""

from __future__ import annotations

import html
import re
import tomllib
from pathlib import Path
from typing import Any


def read(file: str | Path) -> dict[str, Any]:
    """What the TOML file has. Lines of a paragraph are joined, as Markdown would join them.

    file: a module, beside which a TOML file of its name stands, or that file itself.
    """
    with Path(file).with_suffix(".toml").open("rb") as content:
        texts: dict[str, Any] = _flowing(tomllib.load(content))
    return texts


def _flowing(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _flowing(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_flowing(one) for one in value]
    if isinstance(value, str):
        return "\n\n".join(" ".join(part.split()) for part in value.strip().split("\n\n"))
    return value


def as_html(text: str) -> str:
    """A text with code in backticks as HTML, with nothing in it that HTML would read."""
    parts = html.escape(text, quote=False).split("`")
    return "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))


def as_markdown(text: str) -> str:
    """A text of somebody else, in which nothing is taken for Markdown, an icon or a link."""
    escaped = re.sub(r"([!-+.:<-@[-`{-~-])", r"\\\1", text)
    # A sign that joins words and is not seen: else "www.", "a@b" and "http:" become links, "->" an
    # arrow. Streamlit makes these of a text that has been read as Markdown, escaped or not.
    joined = r"(?i)(?<=www)(?=\\\.)|(?<=[:@])(?=\S)|(?<=[-<>~])(?=\\[-=>])"
    return re.sub(joined, "\u2060", escaped)
