"""What to fetch and what to feed, and what became of each written operation then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from engines.graphs.matching import Status
from engines.listing import source_of
from engines.static_graph_and_sessions import adding
from engines.static_graph_and_sessions.one_run import FEEDS, FETCHES, Request, Run
from views.ui import errors, texts
from views.ui.controls import Controls
from views.ui.numbers import number

GRAPHS = {
    "sum": "a + b",
    "regression": "the regression",
    "baked_in": "the regression, its data baked in",
}
FETCHED = {"sum": ("c",), "regression": ("loss",), "baked_in": ("loss",)}  # on a first visit
RESIDUAL = "y_pred − y"
FED = {
    "all": "everything it needs",
    "without_b": "forget b",
    "two_numbers": "two numbers for a",
    "without_y": "forget y",
    "short_y": "one y too few",
    "y_pred": "y_pred as well, all zeros",
    "not_initialized": "everything, but never initialise",
}
LARGEST = 1e6  # of the numbers to add: with seven digits their sum is still what one expects

FATES: dict[Any, dict[str, str]] = texts.read(Path(__file__).with_name("fates.toml"))


def names(request: Request) -> list[str]:
    """What is fetched, as a visitor reads it."""
    return [RESIDUAL if name == "residual" else name for name in request.fetches]


def call(request: Request) -> str:
    """The run as a line of Python."""
    # The listing has no name for the difference. Written out it would be a new operation.
    fetched = ['"sub:0"' if name == "residual" else name for name in request.fetches]
    fetches = fetched[0] if len(fetched) == 1 else f"[{', '.join(fetched)}]"
    a, b = (f"{value:.9g}" for value in request.numbers)
    x, y = ("x1", "y1") if request.listing == "baked_in" else ("x", "y")
    everything = (
        f"a: {a}, b: {b}" if request.listing == "sum" else f"{x}: problem.x, {y}: problem.y"
    )
    fed = {
        "without_b": f"a: {a}",
        "two_numbers": f"a: [{a}, {a}], b: {b}",
        "without_y": f"{x}: problem.x",
        "short_y": f"{x}: problem.x, {y}: problem.y[:-1]",
        "y_pred": f"{x}: problem.x, {y}: problem.y, y_pred: zeros",
    }
    return f"session.run({fetches}, {{{fed.get(request.feeds, everything)}}})"


def choose(controls: Controls) -> Request:
    """The controls of one run."""

    def start_anew() -> None:
        st.session_state["fetch"] = list(FETCHED.get(st.session_state["graph"], FETCHED["sum"]))
        st.session_state["feed"] = "all"

    first, second = st.columns([5, 4])
    with first:
        chosen = controls.choice(
            st.segmented_control,
            "Graph",
            "graph",
            GRAPHS,
            "sum",
            on_choice=start_anew,
            required=True,
        )
    graph = str(chosen or "sum")
    numbers, rewrite = (2.0, 4.0), True
    with second:
        if graph == "sum":
            left, right = st.columns(2)
            with left:
                a = controls.number("a", "a_value", 2.0, -LARGEST, LARGEST)
            with right:
                numbers = (a, controls.number("b", "b_value", 4.0, -LARGEST, LARGEST))
        else:
            rewrite = not controls.flag(
                "Rewriting off",
                "rewriting_off",
                help="Before it runs a graph, TensorFlow's graph optimiser (not the one that "
                "trains) leaves out what is not needed and rewrites the rest. Without it the graph "
                "is only pruned.",
            )
    third, fourth = st.columns([5, 4])
    with third:
        offered = {name: RESIDUAL if name == "residual" else name for name in FETCHES[graph]}
        if controls.chosen("feed", FEEDS[graph], "all") == "not_initialized":
            del offered["initialize"]  # in one run with the others it would be a race
        fetches = controls.several("Fetch", "fetch", offered, FETCHED[graph])
    with fourth:
        options = {name: FED[name] for name in FEEDS[graph]}
        feeds = controls.choice(st.selectbox, "Feed", "feed", options, "all")
    return Request(graph, fetches, str(feeds), numbers, rewrite)


def tell(run: Run) -> None:
    """How many operations ran of those written, what became of all, and why; or the error."""
    if said := run.message:
        errors.explain(said.error, said.sentence, operation=said.operation, refused=said.refused)
        return
    counts = run.match.counts
    rows = "".join(
        f"| {counts[status]} | {told['many']} | {_examples(run, status)} |\n"
        for status, told in FATES.items()
        if counts[status]
    )
    own = sum(source.origin != "written" for source in run.match.sources.values())
    ran = len(run.executed.ops)
    st.markdown(
        f"**{len(run.written.ops)} operations are written, {ran} ran:** {ran - own} for what is "
        f"written, and {own} of the session's own. What became of the written ones:\n\n"
        f"| | | for example |\n|--:|---|---|\n{rows}"
    )
    st.markdown(_lesson(run))


def eager(run: Run) -> None:
    """Beside a sum, the same in eager mode: a listing, and what it returns."""
    if run.request.listing != "sum":
        return
    st.markdown(
        "**The same in eager mode**, TensorFlow's way since version 2. There is no graph and no "
        "session, and nothing to fetch: each line computes as it runs."
    )
    st.code(source_of(adding.at_once), language="python")
    st.markdown(f"It returned **{number(adding.at_once(*run.request.numbers), 7)}**.")


def _examples(run: Run, status: Status) -> str:
    """Some of the operations with that fate, and what stands in their place."""
    fates = run.match.fates
    all_names = [name for name, fate in fates.items() if fate.status == status]
    shown = [f"`{name}`" for name in all_names[:3]]
    if status in ("rewritten", "fused", "reordered"):
        kinds = [run.executed[fates[name].into or name].kind for name in all_names[:3]]
        shown = [f"{name} → {kind}" for name, kind in zip(shown, kinds, strict=True)]
    return ", ".join(shown) + (", …" if len(all_names) > 3 else "")


def _lesson(run: Run) -> str:
    """What there is to learn from this run."""
    if not run.request.fetches:
        return "Nothing was fetched, so nothing was needed. A graph does nothing on its own."
    match run.request.listing:
        case "sum":
            doors = "`_Arg` and `_Retval` are the session's own: values enter and leave by them."
            return doors if run.executed.fed else ""
        case "baked_in":
            return _lesson_of_baked_in_data(run)
        case _:
            return _lesson_of_the_difference(run)


def _lesson_of_baked_in_data(run: Run) -> str:
    ignored = (
        "**Nothing here takes from x1 and y1**, so the session does not look at what they are fed, "
        "or whether they are. The arrays are constants of the graph."
    )
    if not any(op.name == "add" and op.kind == "Sub" for op in run.executed.ops):
        return ignored
    return (
        f"{ignored} And TensorFlow calculates with them in the order that suits it: instead of "
        "(w·x² + b) − y it computes (w·x² − y) + b."
    )


def _lesson_of_the_difference(run: Run) -> str:
    """What became of y_pred − y: fused with its square, unless something else takes it."""
    fates = run.match.fates
    difference, square = fates["sub"].status, fates["pow_1"].status
    takers = {op.name for op in run.written.ops if "sub" in op.data} - {"pow_1"}
    text = ""
    if not run.request.rewrite:
        text = (
            "Nothing is rewritten. What is not needed is left out, as always, and equal constants "
            "are shared; everything else runs as it was written."
        )
    elif run.request.fetches == ("initialize",):
        text = "That is all that a first value needs: a constant, a place, an assignment."
    elif difference == "pruned":
        text = "Nothing here needs the loss, so y was never subtracted from y_pred."
    elif difference == "fused":
        text = (
            "**Fused, because nobody watches.** Only the square takes the difference y_pred − y. "
            "So TensorFlow computes both in one pass over the data, and the difference exists "
            "nowhere. Fetch it as well, and see what happens."
        )
    elif difference == "kept" and square == "pruned":
        text = (
            "The difference y_pred − y is needed, and its square is not, so there is nothing to "
            "fuse it with."
        )
    elif difference == "kept" and any(fates[name].status != "pruned" for name in takers):
        text = (
            "**Not fused.** The gradient takes the difference y_pred − y as well as the square "
            "does, so it has to exist on its own."
        )
    elif difference == "kept" and "residual" in run.request.fetches:
        text = (
            "**Not fused, because you watch.** You fetch the difference, so it has to exist, and "
            "the square takes it from there. Watching changes what runs."
        )
    return text
