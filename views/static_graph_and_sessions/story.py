"""What happens while a graph is built, asked, walked through, rewritten and run, told in words."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from engines.graphs.autograd import brief
from engines.static_graph_and_sessions.one_run import Run
from views.player import Moment, Story
from views.static_graph_and_sessions.events import PHASE, Course, Event
from views.ui.numbers import number

OPENS = "session = "  # how the line begins that opens a session
ASKS = "print(session.run("  # and the one that runs it


def story_of(course: Course) -> Story:
    """One paragraph for each event, with the line of the listing that makes it happen."""
    events = course.events
    moments = [
        Moment(PHASE[event.kind], told(course, event), line(course, event)) for event in events
    ]
    return Story(moments, whole=moments[-1].text)


def line(course: Course, event: Event) -> str:
    """How the line begins at which this happens."""
    run = course.run
    if event.kind in {"build", "reach"}:
        return run.written[course.boxes[event.boxes[0]].main].text
    if event.kind == "open":
        return OPENS
    return call(run) if course.built else ASKS


def call(run: Run) -> str:
    """The run as a line of Python."""
    request = run.request
    fetched = [NAMES.get(name, name) for name in request.fetches]
    fetches = fetched[0] if len(fetched) == 1 else f"[{', '.join(fetched)}]"
    a, b = (f"{value:.9g}" for value in request.numbers)
    everything = f"a: {a}, b: {b}" if request.listing == "sum" else "x: problem.x, y: problem.y"
    fed = {
        "without_y": "x: problem.x",
        "short_y": "x: problem.x, y: problem.y[:-1]",
        "y_pred": "x: problem.x, y: problem.y, y_pred: zeros",
    }
    return f"session.run({fetches}, feed_dict={{{fed.get(request.feeds, everything)}}})"


# What the listing has no name for is fetched by the name of its operation.
NAMES = {
    "power": '"pow:0"',
    "product": '"mul:0"',
    "residual": '"sub:0"',
    "squared": '"pow_1:0"',
    "sum": '"Sum:0"',
    "grad_sum": '"gradients/mul_1_grad/Mul_1:0"',
    "grad_squared": '"gradients/Sum_grad/Tile:0"',
    "grad_residual": '"gradients/pow_1_grad/mul_1:0"',
    "grad_y_pred": '"gradients/sub_grad/Reshape:0"',
}


def told(course: Course, event: Event) -> str:
    """HTML: what happens in this event."""
    tell = {
        "build": _built,
        "open": _opened,
        "ask": _asked,
        "reach": _reached,
        "leave": _left,
        "fuse": _fused,
        "rewrite": _rewritten,
        "tidy": _tidied,
        "given": _given,
        "run": _ran,
        "fetch": _fetched,
        "fail": _failed,
    }
    return tell[event.kind](course, event)


def _built(course: Course, event: Event) -> str:
    ops = [op for op in course.run.written.ops if course.inside[op.name] in event.boxes]
    kinds = {op.kind for op in ops}
    if "Placeholder" in kinds:
        explained = (
            "A <b>placeholder</b> is a gap with a name. It has a type and a shape, and no value: "
            "each run will have to fill it."
        )
    elif "NoOp" in kinds:
        explained = (
            "It would give all <b>variables</b> their first values. They are the part of a graph "
            "that can change from run to run, and this graph has none."
        )
    else:
        explained = (
            "The name on the left stands for a result that nobody has computed. Print it, and you "
            "read a description instead of a number."
        )
    return (
        f"<b><code>{html.escape(ops[0].text)}</code> adds {_operations(len(ops))}.</b> {explained}"
    )


def _opened(course: Course, event: Event) -> str:
    return (
        f"The graph is complete: <b>{_operations(len(course.run.written.ops))}, and not one number "
        "has been computed.</b> Now a <b>session</b> is opened. It takes a graph, keeps the values "
        "of its variables, and runs what it is asked for."
    )


def _asked(course: Course, event: Event) -> str:
    written = len(course.run.written.ops)
    if not course.built:
        return (
            f"<code>{html.escape(call(course.run))}</code> asks for <b>c</b>. From there the "
            "session walks back along the arrows, to see what it needs."
        )
    return (
        f"The graph is written down: <b>{written} operations, and none has run.</b> Now a "
        f"<b>session</b> is asked for {_names(course, event.boxes)}. It will not go through the "
        "listing. It starts at what it is asked for and walks back, against the arrows."
    )


def _reached(course: Course, event: Event) -> str:
    [name] = event.boxes
    box, op = course.boxes[name], course.run.written[course.boxes[name].main]
    says = f"<b>{html.escape(box.says)}</b>"
    sources = [one for one, other in course.edges if other == name and one in course.needed]
    takes = _names(course, sources)
    if op.kind == "Placeholder":
        text = f"{says} is a placeholder, to be fed. Nothing computes it: here the walk ends."
    elif op.name in course.fed:
        text = (
            f"{says} is fed: its value is handed in, so nobody asks how it would be computed. The "
            "walk ends here, and what lies behind is not reached from this side."
        )
    elif name in ("w", "b"):
        text = _reached_variable(course, name, says)
    elif not sources:
        text = f"{says} needs {_of(course, name)}, and takes from nothing else."
    elif box.x > 1 or op.kind == "NoOp":
        text = f"{says} needs {_of(course, name)}, and these take from {takes}."
    elif len(sources) == 1:
        text = f"{says} is computed by <b>{op.kind}</b>, from {takes}: so that is needed, too."
    else:
        text = f"{says} is computed by <b>{op.kind}</b>, from {takes}: so these are needed, too."
    return text


def _reached_variable(course: Course, name: str, says: str) -> str:
    if any(course.inside[op] == name and op.endswith("/Assign") for op in course.reached):
        return f"{says} is a variable. Its first value takes {_of(course, name)}."
    return (
        f"{says} is a variable: its value is kept in the session, and only read. Here the walk "
        "ends. How it got its first value is not asked."
    )


def _left(course: Course, event: Event) -> str:
    written, needed = len(course.run.written.ops), len(course.reached)
    rest = written - needed
    if not rest:
        return f"The walk is over: all {written} operations are needed."
    text = (
        f"The walk is over. <b>{needed} of {written} operations "
        f"{'is' if needed == 1 else 'are'} needed.</b> The other {rest} "
        "are written, and that is all: they will not run, and cost nothing."
    )
    fed = ("x",) if course.run.request.feeds == "without_y" else ("x", "y")
    ignored = [name for name in fed if name in course.boxes and name not in course.needed]
    if len(ignored) == 1:
        text += f" {_names(course, ignored)} is fed, and is ignored without a word."
    elif ignored:
        text += f" {_names(course, ignored)} are fed, and are ignored without a word."
    return text


def _fused(course: Course, event: Event) -> str:
    kinds = [course.run.written[course.boxes[name].main].kind for name in reversed(event.boxes)]
    return (
        f"Before it runs anything, TensorFlow rewrites. You wrote {' and '.join(kinds)}. Nothing "
        "else takes the difference, so both become one: "
        f"<b>{course.run.executed[event.into].kind}</b>, one pass over the data. The difference "
        "will exist nowhere."
    )


def _rewritten(course: Course, event: Event) -> str:
    kind = course.run.written[course.boxes[event.boxes[0]].main].kind
    return (
        f"TensorFlow rewrites before anything runs: <b>{kind}</b> with the exponent 2 becomes "
        f"<b>{course.run.executed[event.into].kind}</b>, which computes the same."
    )


def _tidied(course: Course, event: Event) -> str:
    fates = course.run.match.fates
    folded, merged = (
        sum(fates[name].status == status for name in course.reached)
        for status in ("folded", "merged")
    )
    text = "Some work can be saved."
    if folded:
        text += f" {_operations(folded)} would always give the same, and become constants."
    if merged:
        text += f" {_operations(merged)} would repeat what another computes, and are left out."
    return text


def _given(course: Course, event: Event) -> str:
    ran = len(course.run.executed.ops)
    if not ran:
        return "What is fetched is what was fed. It is handed straight back: nothing runs at all."
    own = sum(source.origin != "written" for source in course.run.match.sources.values())
    there = "What is fed, what is constant and where variables are kept is there at once."
    if not own:
        return f"Now it runs: <b>{_operations(ran)}</b>. {there}"
    return (
        f"Now it runs: <b>{_operations(ran)}</b>, {own} of them the session’s own doors, through "
        f"which values enter and leave. {there}"
    )


def _ran(course: Course, event: Event) -> str:
    [name] = event.boxes
    run, op = course.run, course.run.executed[event.into]
    if op.kind.startswith("Assign"):
        does = "puts the new value into the variable, in this session and nowhere else"
    elif name.startswith("new"):
        does = "reads the variable, once the new value has been put there, in this session alone"
    elif op.kind == "NoOp":
        does = "computes nothing: it is there because of what has to run before it"
    else:
        value = run.values.get(course.boxes[name].main)
        does = f"has run: {range_of(value)}" if value is not None else "has run"
    return f"<b>{html.escape(course.boxes[name].says)}</b> ({op.kind}) {does}."


def _failed(course: Course, event: Event) -> str:
    message = course.run.message
    assert message is not None, "it failed"
    sentence = html.escape(message.sentence).rstrip(".")
    return (
        f"The session stops with an error: <b>{message.error}: {sentence}.</b> No number comes "
        "back from a run that fails. The graph is as it was."
    )


def _fetched(course: Course, event: Event) -> str:
    values = zip(event.boxes, course.run.executed.values.values(), strict=True)
    if not course.run.executed.values:
        [name] = event.boxes
        return f"<b>{name}</b> comes back as it was fed."
    fetched = ", ".join(
        f"{html.escape(course.boxes[name].says)}: None, for it was asked for its effect"
        if value is None
        else f"{html.escape(course.boxes[name].says)} = {range_of(value, 7)}"
        for name, value in values
    )
    ran, written = len(course.run.executed.ops), len(course.run.written.ops)
    counts = f"{_operations(written)} were written, {ran} ran."
    left_out = [name for name in course.boxes if name not in course.needed]
    if ran == written and left_out:  # equal numbers would say that everything runs
        counts += (
            f" They are not the same ones: {_names(course, left_out)} was left out, and one was "
            "added, which hands out the result."
        )
    return f"<b>{fetched}.</b> That is what comes back. {counts}"


def _names(course: Course, boxes: Sequence[str]) -> str:
    names = [f"<b>{html.escape(course.boxes[name].says)}</b>" for name in boxes]
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def _of(course: Course, box: str) -> str:
    """How many operations of a box are needed, of how many."""
    everything = sum(name == box for name in course.inside.values())
    needed = course.needed[box]
    return (
        f"{needed} of its {everything} operations"
        if needed < everything
        else (f"its {_operations(everything)}")
    )


def _operations(count: int) -> str:
    return "1 operation" if count == 1 else f"{count} operations"


def range_of(value: NDArray[Any] | None, digits: int = 4) -> str:
    """A number, or an array from its smallest to its largest, as text for a page."""
    if value is None or value.size == 0:
        return brief(value)
    low, high = (number(float(end), digits) for end in (value.min(), value.max()))
    return low if low == high else f"{low} to {high}"
