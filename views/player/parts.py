"""What has been put on a stage, part by part, for whoever makes something else of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.delta_generator_singletons import context_dg_stack


class Part(NamedTuple):
    """A component with what it was given, or where `name` is empty a picture: a specification.

    name: of the component, or "words", which stay as they are at every step. files: its html, css
    and js. data: as the browser is given it; words in "html" or, as Streamlit is, in "markdown" or
    "code". column: of those beside each other, counted from 0; None of what has all the width.
    """

    name: str
    files: Mapping[str, str]
    data: Mapping[str, Any]
    column: int | None = None


Parts = dict[str, Part]  # by key: what replaces an earlier part takes its place


class _Noting(NamedTuple):
    """What is shown, and where: the columns in which it may stand."""

    parts: Parts
    columns: list[DeltaGenerator]
    on_page: bool


_noting: ContextVar[_Noting | None] = ContextVar("noting", default=None)


@contextmanager
def noting(*, on_page: bool = True) -> Iterator[Parts]:
    """Yield what is shown in it; complete at its end. on_page: whether a page shows it, too."""
    now = _Noting({}, [], on_page)
    token = _noting.set(now)
    try:
        yield now.parts
    finally:
        _noting.reset(token)


def on_page() -> bool:
    """Whether what is shown goes into a page, and not only among the parts that are noted."""
    now = _noting.get()
    return now is None or now.on_page


def columns(widths: int | Sequence[int]) -> list[DeltaGenerator]:
    """Columns as st.columns makes them, of which is noted what stands in which."""
    made = st.columns(widths)
    if now := _noting.get():
        now.columns.extend(made)
    return made


def note(key: str, part: Part, *, place: DeltaGenerator | None = None) -> None:
    """Say that this part is shown, under this key. Nothing happens outside of `noting`.

    place: where, if not in the containers that are open.
    """
    if now := _noting.get():
        around = (place,) if place else context_dg_stack.get()
        within = (i for i, one in enumerate(now.columns) if any(one is box for box in around))
        now.parts[key] = part._replace(column=next(within, None))


def note_words(**data: str) -> None:
    """Say that these words are shown, as `Part` has them."""
    if now := _noting.get():
        note(f"words {len(now.parts)}", Part("words", {}, data))


def component(name: str, module: str, *, html: str, css: str | None = None) -> Callable[..., Any]:
    """A component that the page mounts, and that is noted as a part of the stage.

    It lies in the document, not in a shadow root: there it could not hear the player, nor be as
    high as its place on the stage. module: the file beside which its script stands, under the same
    name, and its style, unless `css` is that.
    """
    script, style = (Path(module).with_suffix(kind) for kind in (".js", ".css"))
    css = style.read_text(encoding="utf-8") if css is None else css
    files = {"html": html, "css": css, "js": script.read_text(encoding="utf-8")}
    mount = st.components.v2.component(name, **files, isolate_styles=False)

    def show(*, data: Mapping[str, Any], key: str, **more: Any) -> Any:
        note(key, Part(name, files, data))
        return mount(data=data, key=key, **more) if on_page() else None

    return show
