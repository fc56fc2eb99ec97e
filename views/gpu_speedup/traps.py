"""How to fool yourself: seven ways to time wrongly, each measured beside the right one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import quantiles
from textwrap import dedent
from typing import Any

import streamlit as st

from engines.benchmark.recording import Measurement
from views.gpu_speedup.contenders import LOOKS, number, written
from views.gpu_speedup.traps_charts import naive_and_honest, one_by_one, result
from views.gpu_speedup.traps_told import TRAPS, Pair
from views.player import show, source_of
from views.ui.controls import Controls
from views.ui.measuring import Event, Measuring
from views.ui.prediction import predicted
from views.ui.shell import side_by_side

Parts = Mapping[str, Measurement]

ANSWERS = {1.2: "by less than 1.2", 3.0: "between 1.2 and 3", 20.0: "between 3 and 20"}
MOST = "by more than 20"
HARDLY = 1.2  # calls that differ by less could as well have been timed once


def fooled(controls: Controls, measuring: Measuring, engines: Any, *, device: str) -> None:
    """Choose a way to fool oneself, measure it both ways, and read how far it is off.

    engines: has naive_timing and benchmark, whose functions are shown. device: the best one that
    PyTorch has here, "cpu" if there is no other.
    """
    labels = {name: trap.label for name, trap in TRAPS.items()}
    name = controls.choice(st.pills, "Seven ways", "trap", labels, "first_call", required=True)
    assert name
    trap = TRAPS[name]
    st.markdown(f"> “{trap.claim}”\n\n{trap.wrong[device != 'cpu'].format(device=device)}")
    if code := _code(name, engines):
        for place, (way, lines) in zip(side_by_side(2), code.items(), strict=True):
            place.caption(way)
            place.code(lines.replace("{device}", device), language=trap.language, wrap_lines=True)
    arguments = ("fooled", "--trap", name, "--device", device)
    found = measuring.offer(f"trap {name}", "Measure it both ways", arguments, seconds=20)
    if not found:
        st.markdown(f"**Guess first, then measure:** {trap.asked}")
        return
    found.warn()
    parts, loaded, samples = read(found.events)
    if "PyTorch, all" in parts and parts["PyTorch, all"].threads == 1:
        st.markdown(
            "This machine gives a program one core. All threads are one thread here, and there is "
            "nothing to be unequal."
        )
    elif len(samples) > 1:
        _once(samples, parts["naive"].size)
    else:
        _both_ways(name, parts, loaded)
    said = f"Measured {found.age()} on this machine."
    if not samples:
        said += " A time is a median, and a bar reaches from one quartile to the other."
    st.caption(said)


def read(events: Sequence[Event]) -> tuple[dict[str, Measurement], dict[str, float], list[float]]:
    """What the events of engines.benchmark.traps.run say, as far as they have come.

    Returns the parts by name; the seconds that each framework took to load; and the seconds of
    single calls, in their order, where calls were timed one by one.
    """
    parts = [event for event in events if event["event"] == "part"]
    return (
        {event["part"]: Measurement(**event["measurement"]) for event in parts},
        {event["framework"]: event["seconds"] for event in events if event["event"] == "loaded"},
        [seconds for event in parts for seconds in event["samples"]],
    )


def _code(name: str, engines: Any) -> dict[str, str]:
    """The naive lines and the honest ones: as they run, where a function is the difference."""
    naive, measure = engines.naive_timing, source_of(engines.benchmark.measure)
    beginning, kept_apart, rest = measure.partition("    # Kept apart")
    sample = "".join(beginning.partition("    def sample")[1:])
    lines = {
        "first_call": (source_of(naive.without_warm_up), dedent(kept_apart + rest)),
        "not_waiting": (source_of(naive.without_waiting), dedent(sample)),
        "once": (source_of(naive.one_by_one), dedent(kept_apart + rest)),
    }.get(name, TRAPS[name].code)
    return dict(zip(("The naive way", "The honest way"), lines, strict=False))


# ---- What came of it


def _guessed(asked: str, factor: float, name: str) -> bool:
    """Whether somebody has said by what factor, and has been told."""
    right = next((text for bound, text in ANSWERS.items() if factor < bound), MOST)
    answers = {text: text for text in (*ANSWERS.values(), MOST)}
    return predicted(asked, answers, right, key=f"trap {name}")


def _both_ways(name: str, parts: Parts, loaded: Mapping[str, float]) -> None:
    """The picture of all parts, and what is to be said of each pair, once it has been guessed."""
    trap = TRAPS[name]
    pairs = [
        pair
        for pair in trap.pairs
        if all(one in parts for one in (pair.naive, pair.honest, pair.beside) if one)
    ]
    if not pairs:
        return
    if pairs[-1] is trap.pairs[-1]:  # else the run ended before what is asked about came
        naive, honest = parts[pairs[-1].naive].median, parts[pairs[-1].honest].median
        if not _guessed(trap.asked, max(naive / honest, honest / naive), name):
            return
    wrong = {pair.naive for pair in trap.pairs}
    rows = [
        result(label, "naive" if part in wrong else "honest", parts[part], trap.unit)
        for part, label in trap.rows.items()
        if part in parts
    ]
    height = 110 + 55 * len(rows)
    show(
        naive_and_honest(rows, unit=trap.unit),
        key=f"trap {name}",
        height=height,
        in_hall=2 * height,
    )
    st.markdown("\n\n".join(told(pair, parts, loaded) for pair in pairs))


def told(pair: Pair, parts: Parts, loaded: Mapping[str, float]) -> str:
    """What is to be said of a pair: that it shows the mistake, or not, or the opposite."""
    naive, honest = parts[pair.naive], parts[pair.honest]
    sign = _longer(naive, honest)
    text = pair.shown if sign == pair.sign else pair.opposite if sign else pair.close
    load = loaded.get(naive.framework, 0.0)
    values = {
        "naive": written(naive.median, "time"),
        "honest": written(honest.median, "time"),
        "low": written(honest.low, "time"),
        "high": written(honest.high, "time"),
        "naive_speed": written(naive.gflops, "gflops"),
        "honest_speed": written(honest.gflops, "gflops"),
        "factor": number((naive.median / honest.median) ** sign),
        "share": f"{1 - naive.median / honest.median:.0%}",
        "loaded": written(load, "time"),
        "script": written(load / 10 + naive.median, "time"),
        "size": f"{naive.size:,}",
        "threads": f"{naive.threads}",
    }
    if pair.beside:
        values["unfair"] = _faster(naive, parts[pair.beside])
        values["fair"] = _faster(honest, parts[pair.beside])
    return text.format(**values)


def _longer(one: Measurement, other: Measurement) -> int:
    """1 if `one` takes longer, -1 if the other does, 0 if their quartiles overlap."""
    return (one.low > other.high) - (one.high < other.low)


def _faster(one: Measurement, other: Measurement) -> str:
    """Which framework is faster, and how much."""
    slow, fast = (one, other) if one.median > other.median else (other, one)
    slower, faster = LOOKS[slow.framework][0], LOOKS[fast.framework][0]
    if not _longer(slow, fast):
        return f"{faster} and {slower} are too close to tell apart."
    return f"{faster} is {number(slow.median / fast.median)} times as fast as {slower}."


def _once(samples: Sequence[float], size: int) -> None:
    """One call after the other, as often as somebody wants; once guessed, all of them."""
    k = st.session_state.get("timed once", 0) % len(samples)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Time it once more", on_click=_once_more)
        st.markdown(
            f"You would have said that a product of two matrices with {size} rows each takes "
            f"**{written(samples[k], 'time')}**."
        )
    least, most = min(samples), max(samples)
    if not _guessed(TRAPS["once"].asked, most / least, "once"):
        return
    drawing = one_by_one(samples, shown=k)
    show(drawing, key="timed once", height=320, in_hall=560)
    low, median, high = quantiles(samples, n=4, method="inclusive")
    spread = (
        f"The median of {len(samples)} calls is **{written(median, 'time')}**, and call {k + 1} "
        f"took {number(samples[k] / median)} times that. Half of them lie between "
        f"{written(low, 'time')} and {written(high, 'time')}. The shortest took "
        f"{written(least, 'time')} and the longest {written(most, 'time')}, "
        f"**{number(most / least)} times** as long."
    )
    if most < HARDLY * least:
        spread += (
            " Here they hardly differ, and timing once would have done. To know that, "
            "somebody had to time more often."
        )
    st.markdown(f"{spread} The very first call is not among them.")


def _once_more() -> None:
    Controls.moved()
    st.session_state["timed once"] = st.session_state.get("timed once", 0) + 1
