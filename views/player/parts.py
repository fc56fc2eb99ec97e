"""What has been put on a stage, part by part, for whoever makes something else of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import streamlit as st


class Part(NamedTuple):
    """A component with what it was given, or where `name` is empty a picture: a specification.

    name: of the component, or "words". files: its html, css and js. data: as the browser is given
    it.
    """

    name: str
    files: Mapping[str, str]
    data: Mapping[str, Any]


def words(html: str) -> Part:
    """Words that stay as they are at every step."""
    return Part("words", {}, {"html": html})


Parts = dict[str, Part]  # by key: what replaces an earlier part takes its place
_noted: ContextVar[Parts | None] = ContextVar("parts", default=None)


_on_page: ContextVar[bool] = ContextVar("on_page", default=True)


@contextmanager
def noting(*, on_page: bool = True) -> Iterator[Parts]:
    """Yield what is shown in it; complete at its end. on_page: whether a page shows it, too."""
    parts: Parts = {}
    tokens = _noted.set(parts), _on_page.set(on_page)
    try:
        yield parts
    finally:
        _noted.reset(tokens[0])
        _on_page.reset(tokens[1])


def on_page() -> bool:
    """Whether what is shown goes into a page, and not only among the parts that are noted."""
    return _on_page.get()


def note(key: str, part: Part) -> None:
    """Say that this part is shown, under this key. Nothing happens outside of `noting`."""
    parts = _noted.get()
    if parts is not None:
        parts[key] = part


def component(name: str, *, html: str, js: str, css: str = "") -> Callable[..., Any]:
    """A component that the page mounts, and that is noted as a part of the stage.

    It lies in the document, not in a shadow root: there it could not hear the player, nor be as
    high as its place on the stage.
    """
    files = {"html": html, "css": css, "js": js}
    mount = st.components.v2.component(name, **files, isolate_styles=False)

    def show(*, data: Mapping[str, Any], key: str, **more: Any) -> Any:
        note(key, Part(name, files, data))
        return mount(data=data, key=key, **more) if on_page() else None

    return show
