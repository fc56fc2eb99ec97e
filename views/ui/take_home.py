"""Take it home: what is on a stage as files, made when somebody asks for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import streamlit as st

from engines.definitions import NotStandaloneError
from engines.standalone import Called, Ran, program
from engines.trace import Trace
from views.player import Parts, Timeline, in_lecture
from views.ui import offline, pictures, turns
from views.ui.contents import page_of
from views.ui.prediction import waits
from views.ui.shell import Here

WORDS = {
    "title": "Take it home",
    "waits": "The question above waits for an answer. What comes after it is taken home only then.",
    "html": "This stage as one file that plays offline",
    "python": "The program that ran, as .py",
    "notebook": "The program that ran, as a notebook",
    "csv": "The numbers, as CSV",
    "pictures": "The pictures at this moment, as PNG and SVG",
}
MIME = {
    "html": "text/html",
    "python": "text/x-python",
    "notebook": "application/x-ipynb+json",
    "csv": "text/csv",
    "pictures": "application/zip",
}
PLACE = ("chapter", "lecture", "step", "moment")  # in the address; all else are settings
# By what tells them apart, "" for the only one. What takes a while to be had is asked for once it
# is wanted.
Runs = Mapping[str, Ran | Callable[[], Ran]]


def offer(here: Here, parts: Parts, timeline: Timeline | None, ran: Runs) -> None:
    """The button below a stage. parts: what is on it. ran: the runs that it shows."""
    if in_lecture():  # where the stage is all there is
        return
    box = st.popover(WORDS["title"], key=f"take home {here.name}", on_change=here.controls.moved)
    if not box.open:
        return
    address = dict(st.query_params)
    name = f"{page_of(here.file).path or 'home'}_{here.name}"
    with box:
        if waits():
            st.caption(WORDS["waits"])
        _file(here, "html", f"{name}.html", lambda: as_page(here, parts, timeline, address))
        for run, made in ran.items():
            _programs(here, run, f"{name}{'_' * bool(run)}{pictures.file_name(run)}", made)
        traces = {run: one for run, one in ran.items() if isinstance(one, Trace)}
        if traces or (timeline and timeline.last_step > 0):
            _file(here, "csv", f"{name}.csv", lambda: table(traces, timeline).to_csv(index=False))
        if any(not part.name for part in parts.values()):
            _file(
                here,
                "pictures",
                f"{name}_pictures.zip",
                lambda: pictures.as_files(parts, timeline, address),
            )


def as_page(here: Here, parts: Parts, timeline: Timeline | None, address: Mapping[str, str]) -> str:
    """The stage as one HTML file, at the moment of the address, with the settings that it has."""
    page = page_of(here.file)
    settings = ", ".join(f"{name} = {text}" for name, text in address.items() if name not in PLACE)
    told = [
        "Backstep",
        page.title,
        page.chapter(here.name).title,
        *([settings] if settings else ()),
    ]
    begin = pictures.place(parts, timeline, address)
    return offline.page(parts, title=here.question, told=" · ".join(told), begin=begin)


def as_script(cells: list[str]) -> str:
    """The program as one file."""
    return "\n\n\n".join(cells) + "\n"


def as_notebook(cells: list[str]) -> str:
    """The program as a notebook, its first cell as text."""
    head, *code = cells
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell(head.strip('"')),
            *map(nbformat.v4.new_code_cell, code),
        ],
        metadata={"language_info": {"name": "python"}},
    )
    for i, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{i}"  # the same run, the same file
    return str(nbformat.writes(notebook))


def table(ran: Mapping[str, Trace], timeline: Timeline | None) -> pd.DataFrame:
    """One row for each step: what the runs recorded, of an array its length, and what was played.

    The columns of a run that has a name begin with it.
    """
    columns: dict[str, Any] = {}
    for run, trace in ran.items():
        for name, values in trace.columns().items():
            flat = values.reshape(len(values), -1).astype(np.float64)
            one = values if values.ndim == 1 else np.linalg.norm(flat, axis=1)
            columns[f"{run}: {name}" if run else name] = pd.Series(one)
    for name, series in (timeline.series if timeline else {}).items():
        if name not in columns:
            at = np.arange(len(series.values)) if series.at is None else series.at
            columns[name] = pd.Series(series.values, index=at)
    return pd.DataFrame(columns).rename_axis("step").reset_index()


def _programs(here: Here, run: str, name: str, made: Ran | Callable[[], Ran]) -> None:
    """Links to the program, where the run can be told as one."""
    title = f"{here.question} {run}".strip()

    def cells() -> list[str]:
        ran = made if isinstance(made, Trace | Called) else made()
        return program(ran, title=f"{title}\n\nTaken home from Backstep.")

    if isinstance(made, Trace):
        try:
            cells()
        except NotStandaloneError:
            return
    for kind, ending, write in (("python", "py", as_script), ("notebook", "ipynb", as_notebook)):
        _file(here, kind, f"{name}.{ending}", lambda write=write: write(cells()), of=run)  # type: ignore[misc]


def _file(
    here: Here, kind: str, name: str, make: Callable[[], str | bytes], *, of: str = ""
) -> None:
    """A link to a file that is made, in its turn, when it is pressed."""

    def made() -> str | bytes:
        with turns.taken():
            return make()

    st.download_button(
        WORDS[kind] + (f": {of}" if of else ""),
        made,
        name,
        MIME[kind],
        key=f"take home {here.name} {name}",
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
    )
