"""What happens while a static graph is built and run, told moment by moment."""

from __future__ import annotations

import html
from collections.abc import Sequence

import streamlit as st

from engines.graphs.static import Op
from views.player import Computed, Readout, listing, paragraphs, show_story
from views.static_graph_and_sessions.moments import Looked, Moment, said

PLACEHOLDER = (
    "A <b>placeholder</b> is a gap with a name. It has a type and a shape, and no value: each run "
    "will have to fill it."
)
VARIABLE = (
    "One line, five operations: a first value, the place where the variable is kept, the question "
    "whether it has a value, an assignment, a read. The value itself will live in a session."
)
GRADIENT = (
    "No derivative has been computed. TensorFlow went through the graph from the loss backwards "
    "and wrote down the operations that <i>would</i> compute one."
)
UPDATE = (
    "Even the update is a part of the graph. It will change the variable each time that a session "
    "runs it, and not before."
)
INITIALIZER = (
    "It computes nothing itself. Its edges make it wait until every variable has been assigned its "
    "first value."
)
NOTHING_TO_INITIALIZE = (
    "Run, it would give all <b>variables</b> their first values. They are the part of a graph that "
    "can change from run to run, and this graph has none."
)
FORWARD = (
    "The name on the left stands for a result that nobody has computed. Print it, and you read a "
    "description instead of a number."
)
ADDS_ONE = "<b><code>{text}</code> adds 1 operation to the graph.</b>"
ADDS = "<b><code>{text}</code> adds {count} operations to the graph.</b>"
OPEN = (
    "The graph is complete: <b>{count} operations, and not one number has been computed.</b> Now a "
    "<b>session</b> is opened. It takes a graph, keeps the values of its variables, and runs what "
    "it is asked for."
)
INITIALIZE = (
    "<code>session.run(initialize)</code> is the first run: it runs the marked operations, and "
    "nothing else. From here on w is {w} and b is {b}, in this session."
)
NO_VARIABLE = (
    "<code>session.run(initialize)</code> gives variables their first values. This graph has none, "
    "so that run does nothing."
)
NOT_INITIALIZED = (
    "Here somebody forgot <code>session.run(initialize)</code>. The graph knows which first values "
    "w and b should get, but in this session they have none."
)
ASKED_OF_SUM = (
    "<code>{call}</code> asks for {fetches}. The session walks back from there, along the edges, "
    "and takes what it needs. What is fed is there at once."
)
ASKED = (
    "<code>{call}</code> asks for {fetches}. The session walks back from there, along the edges, "
    "and takes what it needs. What is fed and what is constant is there at once, and so are the "
    "places of variables."
)
ASKED_NOTHING = (
    "<code>{call}</code> asks for nothing. So nothing is needed, and nothing runs, however large "
    "the graph is."
)
RUNS = "<b>{kind}</b> begins after {start:.0f} µs and takes {total:.1f} µs. {computes}"
COMPUTES = "It computes <code>{name}</code> of line {line}: {value}."
REPLACES_ONE = (
    "You wrote {wrote}. TensorFlow has put this operation in its place, which computes the same: "
    "{value}."
)
REPLACES = (
    "You wrote {wrote}. TensorFlow has put other operations in their place, of which this is the "
    "last, and the result is the same: {value}."
)
ASSIGNS = "It puts the new value into the variable, in this session and nowhere else."
WAITS = "It computes nothing: it was asked for because of what has to run before it."
ADDED = "Nobody wrote it: TensorFlow has added it while it rewrote the graph."
FETCHED = (
    "<b>{fetched}</b> That is what comes back. The dotted operations on the left were not needed: "
    "they are written, and that is all."
)
FETCHED_ALL = "<b>{fetched}</b> That is what comes back."
HAS_NO_RESULT = "{name}: None, for it was asked for its effect"
NOTHING_BACK = "An empty list comes back."
FAILED = (
    "The session stops with an error: <b>{error}: {sentence}</b> What that means, and how to mend "
    "it, stands below."
)
AFTER_FAILURE = "No number comes back from a run that fails. The graph is as it was."
WHOLE = (
    "Below is the whole graph after that run. Slow motion goes through its building and its run; "
    "without it, the player goes through the training further down, one run of the session for "
    "each step."
)
PRESS = "<i>Press → or play.</i>"


def story(looked: Looked, happened: Sequence[Moment], call: str, fetches: Sequence[str]) -> None:
    """One paragraph for each moment, of which the player shows the one it is at.

    call: the run, as a line of Python. fetches: the names of what was asked for.
    """
    told = [_told(looked, moment, html.escape(call), fetches) for moment in happened]
    told[0] += f" {PRESS}"
    told.append(WHOLE)
    show_story(paragraphs(told), key="story")


def _told(looked: Looked, moment: Moment, call: str, fetches: Sequence[str]) -> str:
    match moment.kind:
        case "build":
            text = _built(looked, moment)
        case "open":
            text = OPEN.format(count=len(looked.written.ops))
        case "initialize":
            text = _initialized(looked, moment)
        case "given":
            names = ", ".join(f"<b>{name}</b>" for name in fetches)
            asked = ASKED if _variables(looked) else ASKED_OF_SUM
            text = (asked if fetches else ASKED_NOTHING).format(call=call, fetches=names)
        case "run":
            text = _ran(looked, moment.ops[0])
        case "fail":
            text = _failed(looked)
        case "fetch":
            text = _fetched(looked, fetches)
    return text


def _built(looked: Looked, moment: Moment) -> str:
    ops = [looked.written[name] for name in moment.ops]
    adds = (ADDS_ONE if len(ops) == 1 else ADDS).format(
        text=html.escape(ops[0].text), count=len(ops)
    )
    kinds = {op.kind for op in ops}
    explained = (
        PLACEHOLDER if "Placeholder" in kinds
        else VARIABLE if "VarIsInitializedOp" in kinds
        else INITIALIZER if "NoOp" in kinds and _variables(looked)
        else NOTHING_TO_INITIALIZE if "NoOp" in kinds
        else UPDATE if "AssignVariableOp" in kinds
        else GRADIENT if any(op.forward for op in ops)
        else FORWARD
    )  # fmt: skip
    return f"{adds} {explained}"


def _initialized(looked: Looked, moment: Moment) -> str:
    variables = _variables(looked)
    if not variables:
        return NO_VARIABLE
    if not moment.ops:
        return NOT_INITIALIZED
    first = {op.name: looked.written[f"{op.name}/Initializer/initial_value"] for op in variables}
    return INITIALIZE.format(**{name: said(op.value) for name, op in first.items()})


def _variables(looked: Looked) -> list[Op]:
    return [op for op in looked.written.ops if op.kind == "VarHandleOp"]


def _failed(looked: Looked) -> str:
    assert looked.message is not None, "it failed"
    sentence = html.escape(looked.message.sentence)
    return FAILED.format(error=looked.message.error, sentence=sentence.rstrip(".") + ".")


def _ran(looked: Looked, name: str) -> str:
    op, timing, source = looked.ran[name], looked.ran.timings[name], looked.match.sources[name]
    if op.kind.startswith(("Assign", "ResourceApply")):
        computes = ASSIGNS
    elif op.kind == "NoOp":
        computes = WAITS
    elif not source.of:
        computes = ADDED
    else:
        computes = _computes(looked, op, looked.written[source.of[-1]])
    return RUNS.format(kind=op.kind, start=timing.start, total=timing.total, computes=computes)


def _computes(looked: Looked, op: Op, stands_for: Op) -> str:
    value = said(looked.values[stands_for.name]) if stands_for.name in looked.values else "–"
    if stands_for.kind == op.kind and looked.match.fates[stands_for.name].status == "kept":
        return COMPUTES.format(name=stands_for.name, line=stands_for.line, value=value)
    taken_over = [("fused", op.name), ("reordered", op.name)]
    others = [one for one in looked.written.ops if looked.match.fates[one.name] in taken_over]
    wrote = sorted({f"{one.kind} in line {one.line}" for one in [*others, stands_for]})
    text = REPLACES_ONE if len(wrote) == 1 else REPLACES
    return text.format(wrote=" and ".join(wrote), value=value)


def _fetched(looked: Looked, fetches: Sequence[str]) -> str:
    if looked.message:
        return AFTER_FAILURE
    if not fetches:
        return NOTHING_BACK
    values = zip(fetches, looked.ran.values.values(), strict=True)
    told = ", ".join(
        HAS_NO_RESULT.format(name=name) if value is None else f"{name} = {said(value, 7)}"
        for name, value in values
    )
    text = FETCHED if looked.match.counts["pruned"] else FETCHED_ALL
    return text.format(fetched=f"{told}.")


def code(looked: Looked, happened: Sequence[Moment], source: str, call: str) -> None:
    """The listing, with the line marked that makes something, or opens the session, or runs.

    call: what runs in the place of the last of these.
    """
    kinds = [moment.kind for moment in happened]
    lines = source.split("\n")
    computed = {
        lines[moment.line - 1].strip(): Computed([m])
        for m, moment in enumerate(happened)
        if moment.kind == "build" and moment.line
    }
    opened = kinds.index("open")
    computed |= {
        "session = ": Computed([opened]),
        "session.run(initialize)": Computed([opened + 1]),
        "yield session.run(": Computed(range(opened + 2, len(kinds))),
        "loss_value, *grads": Computed(range(opened + 2, len(kinds))),
    }
    listing(source, computed, title="The listing", key="listing", follows=True)
    st.caption(f"In the place of its last run, your choice has been run: `{call}`")


def readout(happened: Sequence[Moment], *, loss: bool) -> Readout:
    """For the player, beside the training: what slow motion's run knows of loss, w and b.

    loss: whether that run hands out the loss of the data.
    """
    if not any(moment.kind == "initialize" and len(moment.ops) != 1 for moment in happened):
        return {}  # a graph without variables trains nothing
    known = {moment.kind: m for m, moment in enumerate(happened)}
    never = len(happened)  # outside slow motion
    start = next(
        (m for m, one in enumerate(happened) if one.kind == "initialize" and len(one.ops) > 1),
        never,
    )
    return {
        "loss": (known["fetch"] if loss else never, None),
        "w": (start, None),
        "b": (start, None),
    }
