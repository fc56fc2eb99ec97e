"""What happens while a static graph is built and run, told moment by moment."""

from __future__ import annotations

import html
from collections.abc import Sequence

import streamlit as st

from engines.graphs.static import Op
from engines.listing import source_of
from engines.static_graph_and_sessions.one_run import LISTINGS, Run
from views.player import Moment, Readout, Story, listing
from views.static_graph_and_sessions import ask
from views.static_graph_and_sessions.moments import Event, events, range_of

PHASES = ("build", "open", "run")  # a run is not followed by an update
PHASE_OF = {"build": 0, "open": 1, "initialize": 1}  # all else is the run
OPENS, INITIALIZES = "session = ", "session.run(initialize)"
RUNS = {"sum": "yield session.run(", "regression": "loss_value, *grads"}  # how the line begins


def story_of(run: Run) -> Story:
    """One paragraph for each event, with the line of the listing that makes it happen."""
    happened = events(run)
    moments = [
        Moment(PHASE_OF.get(one.kind, 2), _told(run, one), _line(run, one)) for one in happened
    ]
    begin = moments[0]._replace(text=f"{moments[0].text} <i>Press → or play.</i>")
    whole = (
        "Below is the whole graph after that run. Slow motion goes through its building and its "
        "run; without it, the player goes through the training further down, one run of the "
        "session for each step."
    )
    return Story([begin, *moments[1:]], whole=whole)


def code(run: Run, story: Story) -> None:
    """The listing, with the line marked that makes something, or opens the session, or runs."""
    source = source_of(LISTINGS[run.request.listing])
    listing(source, story.computed, title="The listing", key="listing", follows=True)
    st.caption(f"Its last run was replaced by your choice: `{ask.call(run.request)}`")


def readout(run: Run) -> Readout:
    """For the player, beside the training: what slow motion's run knows of loss, w and b."""
    if not _variables(run):
        return {}  # a graph without variables trains nothing
    kinds = [event.kind for event in events(run)]
    never = len(kinds)  # not before slow motion is over
    start = kinds.index("initialize") if run.request.initializes else never
    hands_out = "loss" in run.request.fetches and run.request.feeds != "y_pred" and not run.message
    loss = kinds.index("fetch") if hands_out else never
    return {"loss": (loss, None), "w": (start, None), "b": (start, None)}


def _line(run: Run, event: Event) -> str:
    """How the line of the listing begins that makes this happen."""
    if event.kind == "build":
        return run.written[event.ops[0]].text
    if event.kind in ("open", "initialize"):
        return OPENS if event.kind == "open" else INITIALIZES
    return RUNS.get(run.request.listing, RUNS["regression"])


def _told(run: Run, event: Event) -> str:
    match event.kind:
        case "build":
            text = _built(run, event)
        case "open":
            text = (
                f"The graph is complete: <b>{len(run.written.ops)} operations, and not one number "
                "has been computed.</b> Now a <b>session</b> is opened. It takes a graph, keeps "
                "the values of its variables, and runs what it is asked for."
            )
        case "initialize":
            text = _initialized(run)
        case "given":
            text = _asked(run)
        case "run":
            text = _ran(run, event.ops[0])
        case "fail":
            text = _failed(run)
        case "fetch":
            text = _fetched(run)
    return text


def _built(run: Run, event: Event) -> str:
    ops = [run.written[name] for name in event.ops]
    count = "1 operation" if len(ops) == 1 else f"{len(ops)} operations"
    kinds = {op.kind for op in ops}
    if "Placeholder" in kinds:
        explained = (
            "A <b>placeholder</b> is a gap with a name. It has a type and a shape, and no value: "
            "each run will have to fill it."
        )
    elif "VarIsInitializedOp" in kinds:
        explained = (
            "One line, five operations: a first value, the place where the variable is kept, the "
            "question whether it has a value, an assignment, a read. The value itself will live "
            "in a session."
        )
    elif "NoOp" in kinds and _variables(run):
        explained = (
            "It computes nothing itself. Its edges make it wait until every variable has been "
            "assigned its first value."
        )
    elif "NoOp" in kinds:
        explained = (
            "Run, it would give all <b>variables</b> their first values. They are the part of a "
            "graph that can change from run to run, and this graph has none."
        )
    elif "AssignVariableOp" in kinds:
        explained = (
            "Even the update is a part of the graph. It will change the variable each time that a "
            "session runs it, and not before."
        )
    elif any(op.forward for op in ops):
        explained = (
            "No derivative has been computed. TensorFlow went through the graph from the loss "
            "backwards and wrote down the operations that <i>would</i> compute one."
        )
    else:
        explained = (
            "The name on the left stands for a result that nobody has computed. Print it, and you "
            "read a description instead of a number."
        )
    return f"<b><code>{html.escape(ops[0].text)}</code> adds {count} to the graph.</b> {explained}"


def _initialized(run: Run) -> str:
    call, variables = f"<code>{INITIALIZES}</code>", _variables(run)
    if not variables:
        return (
            f"{call} gives variables their first values. This graph has none, so that run does "
            "nothing."
        )
    if not run.request.initializes:
        return (
            f"Here somebody forgot {call}. The graph knows which first values w and b should get, "
            "but in this session they have none."
        )
    w, b = (range_of(run.written[f"{op.name}/Initializer/initial_value"].value) for op in variables)
    return (
        f"{call} is the first run: it runs the marked operations, and nothing else. From here on w "
        f"is {w} and b is {b}, in this session."
    )


def _asked(run: Run) -> str:
    call = f"<code>{html.escape(ask.call(run.request))}</code>"
    if not run.request.fetches:
        return (
            f"{call} asks for nothing. So nothing is needed, and nothing runs, however large the "
            "graph is."
        )
    fetches = ", ".join(f"<b>{name}</b>" for name in ask.names(run.request))
    there = (
        "What is fed and what is constant is there at once, and so are the places of variables."
        if _variables(run)
        else "What is fed is there at once."
    )
    return (
        f"{call} asks for {fetches}. The session walks back from there, along the edges, and takes "
        f"what it needs. {there}"
    )


def _ran(run: Run, name: str) -> str:
    op, timing = run.executed[name], run.executed.timings[name]
    written = run.match.sources[name].written
    if op.kind.startswith(("Assign", "ResourceApply")):
        does = "It puts the new value into the variable, in this session and nowhere else."
    elif op.kind == "NoOp":
        does = "It computes nothing: it was asked for because of what has to run before it."
    elif not written:
        does = "Nobody wrote it: TensorFlow has added it while it rewrote the graph."
    else:
        does = _computes(run, op, run.written[written[-1]])
    start, took = f"{timing.start:.0f} µs", f"{timing.total:.1f} µs"
    return f"<b>{op.kind}</b> begins after {start} and takes {took}. {does}"


def _computes(run: Run, op: Op, written: Op) -> str:
    """What an executed operation computes. written: the one whose value that is."""
    value = range_of(run.values[written.name]) if written.name in run.values else "–"
    if written.kind == op.kind and run.match.fates[written.name].status == "kept":
        return f"It computes <code>{written.name}</code> of line {written.line}: {value}."
    taken_over = [("fused", op.name), ("reordered", op.name)]
    others = [one for one in run.written.ops if run.match.fates[one.name] in taken_over]
    wrote = sorted({f"{one.kind} in line {one.line}" for one in [*others, written]})
    if len(wrote) == 1:
        return (
            f"You wrote {wrote[0]}. TensorFlow has put this operation in its place, which computes "
            f"the same: {value}."
        )
    return (
        f"You wrote {' and '.join(wrote)}. TensorFlow has put other operations in their place, of "
        f"which this is the last, and the result is the same: {value}."
    )


def _failed(run: Run) -> str:
    assert run.message is not None, "it failed"
    sentence = html.escape(run.message.sentence).rstrip(".")
    return (
        f"The session stops with an error: <b>{run.message.error}: {sentence}.</b> What that "
        "means, and how to mend it, stands below."
    )


def _fetched(run: Run) -> str:
    if run.message:
        return "No number comes back from a run that fails. The graph is as it was."
    if not run.request.fetches:
        return "An empty list comes back."
    values = zip(ask.names(run.request), run.executed.values.values(), strict=True)
    fetched = ", ".join(
        f"{name}: None, for it was asked for its effect"
        if value is None
        else f"{name} = {range_of(value, 7)}"
        for name, value in values
    )
    text = f"<b>{fetched}.</b> That is what comes back."
    if not run.match.counts["pruned"]:
        return text
    return (
        f"{text} The dotted operations on the left were not needed: they are written, and that is "
        "all."
    )


def _variables(run: Run) -> Sequence[Op]:
    return [op for op in run.written.ops if op.kind == "VarHandleOp"]
