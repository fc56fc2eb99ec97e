"""Machines that are not here: recordings, how one is made, and a visitor's own."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import pandas as pd
import streamlit as st

from engines.benchmark.recording import Recording
from engines.benchmark.who_wins import FEW
from views.gpu_speedup import timings
from views.gpu_speedup.contenders import LOOKS, SHAPES, lines_of, tick_labels, written
from views.gpu_speedup.recordings import COMMAND, add, listed
from views.gpu_speedup.this_machine import Server, devices
from views.player import (
    TEXT,
    Drawing,
    Filling,
    between,
    decades,
    drawing,
    mark,
    picture,
    readable,
    say,
    show,
    wording,
)
from views.ui.shell import Here
from views.ui.staging import beside, stage

SHOWN = 10  # rows of the picture, the fastest


def show_stage(here: Here, server: Server, recordings: Mapping[str, Recording]) -> None:
    """How fast each machine multiplies, and how another one is added; below, all about them."""
    with stage(here, ran=timings.programs("square")):
        say(_story(server, recordings))
        left, right = beside([3, 2])
        with left:
            if rows := fastest_products(recordings):
                show(products(rows), key="machines")
        with right:
            wording.markdown("In a copy of this project, with the Python that the app uses:")
            wording.code(COMMAND, language="bash")
            add()
    st.markdown(
        "The command measures everything that it finds for five minutes, says before it starts how "
        "much memory it takes, and shows how far it is. Then bring the file here: it is kept for "
        "your visit only, and nobody else sees it. A file in the folder `recordings/` is there for "
        "everybody who opens the page.\n\n### The recordings there are"
    )
    listed(recordings)
    st.markdown("### The devices of the server that runs this page")
    devices(server)


def _story(server: Server, recordings: Mapping[str, Recording]) -> str:
    """HTML: what a recording is, and what the server has."""
    cores = f"{server.cores} core{'s' * (server.cores > 1)}"
    gpu = "a GPU" if server.device != "cpu" else "no GPU that PyTorch can use"
    gpu = gpu if server.searched else "too little memory to look for a GPU"
    one = len(recordings) == 1
    return (
        "A <b>recording</b> is what one command has measured on some machine. "
        f"{'One is' if one else f'{len(recordings)} are'} here. The server that runs this page has "
        f"{cores} and {gpu}. A graphics card in your own computer is not one of its devices: "
        "record that computer, and upload the file."
    )


def fastest_products(recordings: Mapping[str, Recording]) -> list[tuple[str, str, str, float]]:
    """Machine, contender, framework and GFLOP/s of its fastest square product in 32 bits."""
    found = []
    for recording in recordings.values():
        products = [
            one
            for one in recording.measurements
            if (one.operation, one.precision, one.transfer) == ("square", "float32", False)
            and one.samples >= FEW
        ]
        for line in lines_of(products):
            best = max(line.measurements, key=lambda one: one.gflops)
            found.append((recording.machine.name, line.label, best.framework, best.gflops))
    return sorted(found, key=lambda row: -row[-1])[:SHOWN]


@picture
def products(rows: list[tuple[str, str, str, float]]) -> Filling:
    """A dot for each contender of each machine, on a logarithmic axis."""
    table = pd.DataFrame(rows, columns=["machine", "who", "framework", "gflops"])
    table["row"] = range(len(table))
    table["name"] = [f"{who} on {machine[:40]}" for machine, who, *_ in rows]
    table["text"] = [written(value, "gflops") for value in table["gflops"]]
    table["color"] = [LOOKS[one].color for one in table["framework"]]
    table["shape"] = [SHAPES[LOOKS[one].shape] for one in table["framework"]]
    low, high = float(table["gflops"].min()) / 2, float(table["gflops"].max()) * 3
    return {"products": table}, {"low": low, "high": high, "ticks": decades(low, high)}


@products.drawing
def _() -> Drawing:
    x = alt.X(
        "gflops:Q",
        title="GFLOP/s",
        scale=between("low", "high", type="log"),
        axis=alt.Axis(values=alt.ExprRef("ticks"), labelExpr=tick_labels("gflops")),
    )
    y = alt.Y(
        "row:O",
        title=None,
        scale=alt.Scale(type="point", padding=0.7),
        axis=alt.Axis(labels=False, ticks=False, domain=False, minExtent=6),
    )
    rows = alt.Chart(alt.NamedData("products")).encode(y=y)
    dots = rows.mark_point(filled=True, opacity=1, size=mark(130)).encode(
        x=x,
        color=alt.Color("color:N", scale=None),
        shape=alt.Shape("shape:N", scale=None),
        tooltip=["name:N", "text:N"],
    )
    ink = alt.ExprRef("ink")
    values = readable(
        rows.encode(x=x, text="text:N"),
        align="left",
        dx=alt.ExprRef(f"0.9 * {TEXT}"),
        fontWeight="bold",
        color=ink,
    )
    names = readable(
        rows.encode(x=alt.value(0), text="name:N"),
        align="left",
        baseline="bottom",
        dx=4,
        dy=alt.ExprRef(f"-0.75 * {TEXT}"),
        color=ink,
    )
    return drawing(
        dots + values + names,
        title="The fastest product of two square matrices",
        description="A row for each framework and device of each machine, with the speed of its "
        "fastest product of two square matrices.",
    )
