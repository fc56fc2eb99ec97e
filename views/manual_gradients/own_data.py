"""Your own data: paste it, drag it, and see what its units do to the descent."""

from __future__ import annotations

import math

import numpy as np
import streamlit as st

from engines.manual_gradients import table
from engines.manual_gradients.bowl import errors
from engines.manual_gradients.standardising import Units, standardised, steps_to
from engines.problem import Problem, preset
from engines.regression import numpy_vectorized
from engines.trace import Trace
from views.manual_gradients import point_editor
from views.manual_gradients.point_editor import Data
from views.manual_gradients.rate import BEYOND, PARTS, errors_left
from views.player import Timeline, cached, every_step, now, say, show
from views.regression import sections
from views.regression.runs import trained
from views.regression.settings import choose_part_of_limit
from views.regression.surface import landscape
from views.ui.controls import Controls
from views.ui.numbers import number
from views.ui.shell import Here
from views.ui.staging import beside, stage
from views.ui.texts import as_markdown

STEPS = 300
LONG = 1e4  # the condition from which a bowl, a hundred times as long as wide, is a line on a map
ADDRESS = 600  # characters of data that an address holds
HELD = "own data"  # in the session
YEARS = tuple(range(2012, 2025))
RISES = (3.1, 3.9, 3.7, 4.6, 5.2, 5.0, 6.1, 6.4, 7.2, 7.0, 8.1, 8.3, 9.2)
NOISY = preset("loops_article")  # E2
EXAMPLES = {
    "spring": Data(
        ((0.2, 8.9), (0.5, 10.1), (0.9, 11.3), (1.2, 12.9), (1.6, 14.1), (2, 15.8), (2.4, 16.9)),
        ("weight (kg)", "length (cm)"),
    ),
    "years": Data(tuple(zip(YEARS, RISES, strict=True)), ("year", "price")),
    "seconds": Data(
        tuple((1.7e9 + 60 * i, rise) for i, rise in enumerate(RISES)),
        ("seconds since 1970", "°C"),
    ),
    "one_x": Data(((2, 3), (2, 5), (2, 7)), ("x", "y")),
    "noisy_line": Data(tuple(zip(NOISY.x.tolist(), NOISY.y.tolist(), strict=True)), ("x", "y")),
}
LABELS = {
    "spring": "A spring",
    "noisy_line": "A noisy line",
    "years": "Years",
    "seconds": "Seconds since 1970",
    "one_x": "One x",
}
OWN = {"own": "Your data"}
POWERS = {"1": "a line, w·x + b", "2": "a parabola, w·x² + b"}
DECIMALS = {"comma": "a decimal comma", "point": "not decimal"}


def show_stage(here: Here) -> None:
    """The data, to be changed, beside the map of its loss; below which rate, and in which units."""
    _take_edit()
    controls = here.controls
    with here.settings, st.popover("Settings"):
        power = int(controls.choice(st.radio, "What is fitted", "power", POWERS, "1") or 1)
    with stage(here) as play:
        row = st.container(horizontal=True, vertical_alignment="center")
        with row:
            with st.popover("Paste data", key="paste", on_change=Controls.moved):
                _paste()
            offered = LABELS | (OWN if HELD in st.session_state else {})
            name = controls.pills(
                "Data", "example", offered, "spring", label_visibility="collapsed"
            )
            scaled = controls.flag("Standardise", "standardise")
        data = st.session_state[HELD] if name == "own" else EXAMPLES[name]
        _write_to_address(data if name == "own" else None)
        as_it_is = _problem(data, power)
        problem, units = standardised(as_it_is) if scaled else (as_it_is, Units())
        with row, st.container(width=260):
            rate = choose_part_of_limit(
                controls,
                "Learning rate η",
                "of_limit",
                problem,
                parts=PARTS + BEYOND,
                start="0.2",
                numbered=False,
            )
        trace = trained("numpy_vectorized", numpy_vectorized.train, problem, steps=STEPS, rate=rate)
        timeline = _timeline(problem, trace, units)
        play(timeline, ran={"": trace}, begin=(12, None), stops=[1, 2, 5, 20, 50, 100])
        say(_told(as_it_is, problem, rate))
        left, right = beside([1, 1])
        with left:
            point_editor.edit(data, power, units)
        with right:
            if LONG < problem.condition < math.inf:
                show(errors_left(timeline, errors(problem, trace)), key="errors")
            else:
                show(landscape(problem, trace, timeline), key="landscape")


def _problem(data: Data, power: int) -> Problem:
    x, y = np.array(data.points, np.float64).T
    start = np.float64(0)
    return Problem(x, y, start, start, power, "mean", learning_rate=0.1, steps=STEPS)


@cached
def _timeline(problem: Problem, trace: Trace, units: Units) -> Timeline:
    slope, offset = units.back(trace.params["w"], trace.params["b"])
    _, along = errors(problem, trace)
    more = every_step({"slope": slope, "offset": offset, "along": along})
    return Timeline(sections.followed(trace) | more, len(trace) - 1)


def _told(as_it_is: Problem, problem: Problem, rate: float) -> str:
    """HTML: how the run goes, and what could be done about it."""
    x = "x" if as_it_is.power == 1 else "x²"
    line = f"y = {now('slope', digits=4)}·{x} {now('offset', digits=4, signed=True)}"
    limit = number(problem.largest_stable_learning_rate, 3)
    if rate >= problem.largest_stable_learning_rate:
        return (
            f"<b>Too far.</b> η = {number(rate, 3)} is not below the limit 2/λ = {limit}: across "
            "the bowl, no step lands nearer to the floor than the one before."
        )
    if math.isinf(as_it_is.condition):
        return (
            f"<b>All points have the same {x}.</b> Every curve through their mean fits equally "
            "well, so the bowl is a trough, and the descent stops where it first meets the floor. "
            f"It is now at {line}. A single point with another {x} would settle it."
        )
    needed = steps_to(0.001, problem, rate)
    steps = f"{_large(math.ceil(needed))} step{'s' if needed > 1 else ''}"
    condition = _large(as_it_is.condition)
    if problem is not as_it_is:
        return (
            f"<b>A round bowl.</b> The loss now curves equally in all directions, and {steps} "
            f"leave a thousandth of the error. In the data as they came, it curved {condition} "
            f"times as much across the bowl as along it. In their units the line is now {line}."
        )
    if needed > STEPS:
        return (
            f"<b>{steps}</b> until a thousandth of the error is left. The loss curves {condition} "
            f"times as much across the bowl as along it, and the steep sides allow no η above "
            f"2/λ = {limit}. Along the floor, <b>{now('along', digits=4)}</b> of the error is "
            "still there. Standardise, and look again."
        )
    w, b = (number(value, 4) for value in as_it_is.least_squares())
    return (
        "<b>Drag a point,</b> or click to add one, and the line is trained anew. The best is "
        f"w = {w}, b = {b}. After {steps} a thousandth of the error is left: the loss curves "
        f"{condition} times as much across the bowl as along it."
    )


def _large(value: float) -> str:
    """A number to read aloud: three digits, written out as long as that can be read."""
    short = float(f"{value:.3g}")
    return f"{short:,.0f}" if 100 <= short < 1e12 else number(short, 3)


# ---- Where the data come from


def _take_edit() -> None:
    """Take what was done in the picture, or what the address says, before anything is shown."""
    state = st.session_state
    linked = st.query_params.get("data")
    if linked and linked != state.get("written data"):
        read = table.read(linked[: 2 * ADDRESS].replace("_", "\n"), "point")
        if read.x and not any("left out" in note for note in read.notes):
            state[HELD] = Data(tuple(zip(read.x, read.y, strict=True)))
    shown = state.get("example", "spring")
    data = state.get(HELD) if shown == "own" else EXAMPLES.get(str(shown))
    changed = data and point_editor.edited(data)
    if changed:
        _use(changed)


def _use(data: Data) -> None:
    st.session_state[HELD] = data
    st.session_state["example"] = "own"
    Controls.moved()


def _write_to_address(data: Data | None) -> None:
    text = ""
    if data:
        x, y = zip(*data.points, strict=True)
        text = table.as_text(x, y, between=",", row="_")
    if text and len(text) <= ADDRESS:
        st.query_params["data"] = text
    else:
        st.query_params.pop("data", None)
    st.session_state["written data"] = text


def _paste() -> None:
    """A field for text from a spreadsheet, and what was understood of it."""
    st.text_area(
        "Two columns from a spreadsheet, x and y",
        key="pasted",
        height=180,
        max_chars=table.MOST_CHARACTERS,
        placeholder="weight\tlength\n0.2\t8.9\n0.5\t10.1",
    )
    for note in st.session_state.get("pasted notes", ()):
        st.markdown(as_markdown(note))
    read = table.read(st.session_state["pasted"]) if st.session_state.get("pasted") else None
    if read and read.question:
        st.warning(as_markdown(read.question))
        st.segmented_control(
            "The comma is", list(DECIMALS), format_func=lambda one: DECIMALS[one], key="comma"
        )
    st.button("Use these", type="primary", on_click=_use_pasted)


def _use_pasted() -> None:
    state = st.session_state
    read = table.read(state.get("pasted", ""))
    if read.question:
        read = table.read(state["pasted"], state["comma"]) if state.get("comma") else read
    if read.x:
        _use(Data(tuple(zip(read.x, read.y, strict=True)), read.names))
    if read.x and not read.notes:  # where something was left out, the panel still says what
        state["paste"] = False
    known = f"{len(read.x):,} points are used." if read.x else ""
    state["pasted notes"] = tuple(note for note in (known, *read.notes) if note)
