"""The same loss, fetched in three ways: the graphs that ran for it, and how long they take."""

from __future__ import annotations

import time
from dataclasses import replace

import streamlit as st

from engines.benchmark.clock import Timing
from engines.graphs.autograd import Graph, brief
from engines.graphs.static import to_graph
from engines.problem import preset
from engines.standalone import calling
from engines.static_graph_and_sessions.one_fetch import fetched
from engines.static_graph_and_sessions.one_run import NAMELESS, Request, Run
from engines.static_graph_and_sessions.warm_runs import Warm, warm
from views.graphs.small_graph import draw_graph
from views.player import Figure, cached, say, show
from views.static_graph_and_sessions import runs
from views.ui import texts
from views.ui.measuring import starved
from views.ui.numbers import number
from views.ui.shell import Here
from views.ui.staging import beside, stage

WAYS = texts.read(__file__)
PROBLEM = preset("session_article").astype("float32")
REQUESTS = {
    "alone": Request("regression", ("loss",)),
    "watched": Request("regression", ("residual", "loss")),
    "as_written": Request("regression", ("loss",), rewrite=False),
}
ROUNDS, BLOCK = 60, 10  # samples of each, and runs in a sample: together a fraction of a second
AGAIN_AFTER = 30  # seconds: not sooner is a busy server asked again


def show_stage(here: Here) -> None:
    """The three ways in a row, and for the one chosen its executed graph."""
    labels = {way: told["label"] for way, told in WAYS.items()}
    with stage(here) as play:
        way = here.controls.choice(
            st.segmented_control,
            "Fetch",
            "loss_fetched",
            labels,
            "alone",
            required=True,
            label_visibility="collapsed",
        )
        say(f"{texts.as_html(WAYS[str(way)]['story'])} {times(str(way), measured())}")
        request = REQUESTS[str(way)]
        run = runs.run(request, PROBLEM, PROBLEM.learning_rate)
        names = [NAMELESS.get(name, name) for name in request.fetches]
        fed = {"x": PROBLEM.x, "y": PROBLEM.y}
        rate = PROBLEM.learning_rate
        play(ran={"": calling(fetched, problem=PROBLEM, learning_rate=rate, names=names, fed=fed)})
        for place in beside(1):
            with place:
                show(_drawn(run), key="watched")


def tell() -> None:
    """For those who read: how it was timed."""
    st.caption(
        f"Times are medians of {ROUNDS} samples, and the middle half of them, on the server of "
        f"this page. A sample is the mean of {BLOCK} warm runs without a trace, on one "
        "thread, and the three ways take turns. A traced run, such as the one that is drawn, takes "
        "longer."
    )


def measured() -> Warm:
    """The warm times of all three, kept for all; taken again where the server was too busy."""
    kept = _kept()
    if not kept or (_starved(kept[0][1]) and time.monotonic() - kept[0][0] > AGAIN_AFTER):
        taken = warm([*REQUESTS.values()], PROBLEM, rounds=ROUNDS, block=BLOCK)
        kept[:] = [(time.monotonic(), taken)]
    return kept[0][1]


@cached
def _kept() -> list[tuple[float, Warm]]:
    """A place for one measurement, and when it was made."""
    return []


def _starved(found: Warm) -> bool:
    return starved([{"on_core": found.on_core}])


def times(way: str, found: Warm) -> str:
    """HTML: how long a warm run takes that fetches in this way, as far as the numbers settle it."""
    if _starved(found):
        return "No times are given: other programs were using the cores while they were measured."
    timings = dict(zip(REQUESTS, map(_as_written, found.timings), strict=True))
    own, usual = timings[way], timings["alone"]
    if way == "alone":
        return f"A warm run takes {_microseconds(own)}."
    both = (
        f"A warm run takes {_microseconds(own)}; with the loss alone and the optimiser on, "
        f"{_microseconds(usual)}."
    )
    if usual.high < own.low:
        return f"{both} So this way is the slower one here."
    if own.high < usual.low:
        return f"{both} So this way is the faster one here."
    return f"{both} These ranges overlap, so it cannot be told which is faster."


def _as_written(timing: Timing) -> Timing:
    """Microseconds with three digits: what is said of them has to be true of what is read."""
    return Timing(*(float(f"{1000 * ms:.3g}") for ms in timing))


def _microseconds(timing: Timing) -> str:
    low, median, high = (number(one, 3) for one in timing)
    return f"<b>{median} µs</b> ({low} to {high})"


def _drawn(run: Run) -> Figure:
    ops, fates = run.executed.ops, run.match.fates
    changed = {
        i for i, op in enumerate(ops) if op.name in fates and run.written[op.name].kind != op.kind
    }
    return draw_graph(
        _named(to_graph(ops), run),
        key=run.key,
        title=f"Executed: {len(ops)} operations",
        description=(
            "The operations that the session executed, what is fed at the top, what is fetched "
            "at the bottom; those that nobody wrote in this form are marked."
        ),
        wide=1.7,
        emphasised=tuple(changed),
    )


def _named(graph: Graph, run: Run) -> Graph:
    """The graph with names that a visitor knows: of what is fed, and of variables."""
    nodes = []
    for node, op in zip(graph.nodes, run.executed.ops, strict=True):
        name = f"feed {run.executed.fed[op.name]}" if op.name in run.executed.fed else op.name
        name = brief(op.value) if op.kind == "Const" else name
        first = replace(node.outputs[0], name=name)
        kind = {"ReadVariableOp": "Read", "_Retval": "fetch"}.get(node.kind, node.kind)
        nodes.append(replace(node, kind=kind, outputs=(first, *node.outputs[1:])))
    return Graph(tuple(nodes), graph.edges)
