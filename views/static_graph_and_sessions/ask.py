"""What to fetch and what to feed, and what became of each written operation then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import streamlit as st

from engines.graphs.matching import Status
from views.player import kept, source_of
from views.static_graph_and_sessions.moments import Looked
from views.ui import errors
from views.ui.controls import Controls

LISTINGS = {
    "sum": "a + b",
    "regression": "the regression",
    "baked_in": "the regression, its data baked in",
}
FETCHED = {"sum": ("c",), "regression": ("loss",), "baked_in": ("loss",)}  # on a first visit
RESIDUAL = "y_pred − y"
FEEDS = {
    "all": "everything it needs",
    "without_b": "forget b",
    "two_numbers": "two numbers for a",
    "without_y": "forget y",
    "short_y": "one y too few",
    "y_pred": "y_pred as well, all zeros",
    "not_initialized": "everything, but never initialise",
}
LARGEST = 1e6  # of the numbers to add: with seven digits their sum is still what one expects

FATES: dict[Status, str] = {
    "kept": "run as written",
    "rewritten": "run as another operation that computes the same",
    "fused": "fused into a neighbour, which does the work of both",
    "reordered": "computed in another order, with other results on the way",
    "folded": "turned into a constant, once for all runs",
    "merged": "left out, because another computes the same",
    "absorbed": "not needed by what replaced its user",
    "lowered": "a loop or a branch, taken apart",
    "fed": "fed: the runtime hands in the value",
    "pruned": "not run: nothing that was fetched needs it",
}
# What there is to learn from a run.
NOTHING = "Nothing was fetched, so nothing was needed. A graph does nothing on its own account."
DOORS = (
    "`_Arg` and `_Retval` are the session's own doors, through which numbers come in and go out."
)
BAKED_IN = (
    "**Nothing here takes from x1 and y1**, so the session does not look at what they are fed, or "
    "whether they are. The arrays are constants of the graph."
)
AHEAD = (
    "And TensorFlow calculates with them in the order that suits it: instead of (w·x² + b) − y it "
    "computes (w·x² − y) + b."
)
NO_LOSS = "Nothing here needs the loss, so nobody subtracted y from y_pred."
ONLY_FIRST_VALUES = "That is all that a first value needs: a constant, a place, an assignment."
FUSED = (
    "**Fused, because nobody watches.** Only the square takes the difference y_pred − y. So "
    "TensorFlow computes both in one pass over the data, and the difference exists nowhere. Fetch "
    "it as well, and see what happens."
)
DIFFERENCE_ONLY = (
    "The difference y_pred − y is needed, and its square is not, so there is nothing to fuse it "
    "with."
)
WATCHED = (
    "**Not fused, because you watch.** You fetch the difference, so it has to exist, and the "
    "square takes it from there. Watching changes what runs."
)
USED = (
    "**Not fused.** The gradient takes the difference y_pred − y as well as the square does, so it "
    "has to exist on its own."
)
AS_WRITTEN = (
    "Nothing is rewritten. What is not needed is left out, as always, and equal constants are "
    "shared; all else runs as it was written."
)


class Asked(NamedTuple):
    """What a visitor asks a session for; see engines.static_graph_and_sessions.one_run.look."""

    listing: str
    numbers: tuple[float, float]
    fetches: tuple[str, ...]
    feeds: str
    rewrite: bool

    @property
    def initialized(self) -> bool:
        """Whether the initialiser runs before."""
        return self.feeds != "not_initialized"

    @property
    def hands_out_loss(self) -> bool:
        """Whether the run hands out the loss of the data, if it does not fail."""
        return "loss" in self.fetches and self.feeds != "y_pred" and self.listing != "sum"

    @property
    def names(self) -> tuple[str, ...]:
        """What is fetched, as a visitor reads it."""
        return tuple(RESIDUAL if name == "residual" else name for name in self.fetches)

    @property
    def call(self) -> str:
        """The run as a line of Python."""
        # The listing has no name for the difference. Written out it would be a new operation.
        names = ['"sub:0"' if name == "residual" else name for name in self.fetches]
        fetched = ", ".join(names)
        a, b = (f"{number:.9g}" for number in self.numbers)
        x, y = ("x1", "y1") if self.listing == "baked_in" else ("x", "y")
        fed = {
            "without_b": f"a: {a}",
            "two_numbers": f"a: [{a}, {a}], b: {b}",
            "without_y": f"{x}: problem.x",
            "short_y": f"{x}: problem.x, {y}: problem.y[:-1]",
            "y_pred": f"{x}: problem.x, {y}: problem.y, y_pred: zeros",
        }
        everything = (
            f"a: {a}, b: {b}" if self.listing == "sum" else f"{x}: problem.x, {y}: problem.y"
        )
        what = fetched if len(names) == 1 else f"[{fetched}]"
        return f"session.run({what}, {{{fed.get(self.feeds, everything)}}})"


def choose(
    controls: Controls, fetches: Mapping[str, tuple[str, ...]], feeds: Mapping[str, tuple[str, ...]]
) -> Asked:
    """The controls of one run. fetches, feeds: by listing, what can be asked for and fed."""

    def start_anew() -> None:
        st.session_state["fetch"] = list(FETCHED.get(st.session_state["graph"], FETCHED["sum"]))
        st.session_state["feed"] = "all"

    first, second = st.columns([5, 4])
    with first:
        chosen = controls.choice(
            st.segmented_control,
            "Graph",
            "graph",
            LISTINGS,
            "sum",
            on_choice=start_anew,
            required=True,
        )
    graph = str(chosen or "sum")
    numbers = (2.0, 4.0)
    with second:
        if graph == "sum":
            left, right = st.columns(2)
            with left:
                a = controls.number("a", "first", 2.0, -LARGEST, LARGEST)
            with right:
                numbers = (a, controls.number("b", "second", 4.0, -LARGEST, LARGEST))
        else:
            rewrite = not controls.flag(
                "Rewriting off",
                "as_written",
                help="Before it runs a graph, TensorFlow leaves out what is not needed and "
                "rewrites the rest: its graph optimiser does, which is not the one that trains. "
                "Without it the graph is left out of, and not rewritten.",
            )
    third, fourth = st.columns([5, 4])
    with third:
        offered = {name: RESIDUAL if name == "residual" else name for name in fetches[graph]}
        if controls.chosen("feed", feeds[graph], "all") == "not_initialized":
            del offered["initialize"]  # in one run with the others it would be a race
        fetched = controls.several("Fetch", "fetch", offered, FETCHED[graph])
    with fourth:
        options = {name: FEEDS[name] for name in feeds[graph]}
        fed = controls.choice(st.selectbox, "Feed", "feed", options, "all")
    return Asked(graph, numbers, fetched, str(fed), graph == "sum" or rewrite)


def tell(looked: Looked, asked: Asked) -> None:
    """How many operations ran of those written, what became of all, and why; or the error."""
    if looked.message:
        errors.explain(
            looked.message.error,
            looked.message.sentence,
            operation=looked.message.operation,
            refused=looked.message.refused,
        )
        return
    counts = looked.match.counts
    rows = "".join(
        f"| {counts[status]} | {meaning} | {_examples(looked, status)} |\n"
        for status, meaning in FATES.items()
        if counts[status]
    )
    own = sum(source.origin != "written" for source in looked.match.sources.values())
    ran = len(looked.ran.ops)
    st.markdown(
        f"**{len(looked.written.ops)} operations are written, {ran} ran:** {ran - own} for what is "
        f"written, and {own} of the session's own. What became of the written ones:\n\n"
        f"| | | for example |\n|--:|---|---|\n{rows}"
    )
    st.markdown(_why(looked, asked))


def _examples(looked: Looked, status: Status) -> str:
    """Some of the operations with that fate, and what stands in their place."""
    fates = looked.match.fates
    names = [name for name, fate in fates.items() if fate.status == status]
    shown = [f"`{name}`" for name in names[:3]]
    if status in ("rewritten", "fused", "reordered"):
        kinds = [looked.ran[fates[name].into or name].kind for name in names[:3]]
        shown = [f"{name} → {kind}" for name, kind in zip(shown, kinds, strict=True)]
    return ", ".join(shown) + (", …" if len(names) > 3 else "")


def _why(looked: Looked, asked: Asked) -> str:
    """What there is to learn from this run."""
    if not asked.fetches:
        return NOTHING
    if asked.listing == "sum":
        return DOORS if looked.ran.fed else ""
    if asked.listing == "baked_in":
        ahead = any(op.name == "add" and op.kind == "Sub" for op in looked.ran.ops)
        return f"{BAKED_IN} {AHEAD}" if ahead else BAKED_IN
    fates = looked.match.fates
    difference: str = fates["sub"].status
    if difference == "kept" and fates["pow_1"].status == "pruned":
        difference = "alone"
    elif difference == "kept":
        takers = [op.name for op in looked.written.ops if "sub" in op.data]
        used = [name for name in takers if fates[name].status != "pruned" and name != "pow_1"]
        difference = "used" if used else "watched" if "residual" in asked.fetches else "kept"
    if not asked.rewrite:
        difference = "as written"
    elif asked.fetches == ("initialize",):
        difference = "initializer"
    told = {"pruned": NO_LOSS, "fused": FUSED, "used": USED, "watched": WATCHED}
    told |= {"as written": AS_WRITTEN, "initializer": ONLY_FIRST_VALUES, "alone": DIFFERENCE_ONLY}
    return told.get(difference, "")


def at_once(listing: Callable[..., float], asked: Asked) -> None:
    """Beside a sum, the same in eager mode: a listing, and what it returns."""
    if asked.listing != "sum":
        return
    st.markdown(
        "**The same in eager mode**, TensorFlow's way since version 2. There is no graph and no "
        "session, and nothing to fetch: each line computes as it runs."
    )
    st.code(source_of(listing), language="python")
    st.markdown(f"It returned **{kept(listing)(*asked.numbers):.7g}**.")
