"""Seven traps of measuring: each wrong way to time, measured beside the right one.

Their texts: traps.toml.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from statistics import quantiles
from textwrap import dedent
from typing import Any, NamedTuple

import streamlit as st

from engines.benchmark import clock, naive_clock
from engines.benchmark.recording import Measurement
from engines.listing import body, source_of
from views.gpu_speedup import timings
from views.gpu_speedup.contenders import LOOKS, Unit, digits, written
from views.gpu_speedup.traps_charts import naive_and_honest, one_by_one, result
from views.gpu_speedup.verdicts import as_html
from views.player import listing, say, show, wording
from views.ui import texts
from views.ui.controls import Controls
from views.ui.measuring import Event, Found, Measuring
from views.ui.prediction import asked, opening
from views.ui.shell import Here
from views.ui.staging import beside, stage
from views.ui.take_home import Runs

Parts = Mapping[str, Measurement]

ANSWERS = {1.2: "by less than 1.2", 3.0: "between 1.2 and 3", 20.0: "between 3 and 20"}
MOST = "by more than 20"
GUESSES = {text: text for text in (*ANSWERS.values(), MOST)}
HARDLY = 1.2  # calls that differ by less could as well have been timed once


class Pair(NamedTuple):
    """A naive part, the honest one that belongs in its place, and what is said of the two.

    slower: which of both should take longer, "naive" or "honest". shown: said where it does; close:
    where the quartiles overlap; opposite: where it is the other way round. beside: a part that both
    are compared with.
    """

    naive: str
    honest: str
    slower: str
    shown: str
    close: str
    opposite: str
    beside: str = ""


class Trap(NamedTuple):
    """A wrong way to measure. claim: what somebody says who has fallen into it.

    why: it is wrong; on_cpu, on_gpu: what more is to be said there. pairs: what is compared; the
    last one is guessed at. rows: of the picture, a label for each part.
    """

    label: str
    claim: str
    why: str
    on_cpu: str = ""
    on_gpu: str = ""
    pairs: tuple[Pair, ...] = ()
    rows: Mapping[str, str] = {}
    unit: Unit = "time"
    asked: str = "By what factor is the naive number wrong?"


def _trap(texts: Mapping[str, Any], **usual: str) -> Trap:
    pairs = tuple(Pair(**usual | pair) for pair in texts.get("pairs", ()))
    return Trap(**{**texts, "pairs": pairs})


_texts = texts.read(__file__)
_usual = {name: _texts.pop(name) for name in ("close", "opposite")}
TRAPS = {name: _trap(trap, **_usual) for name, trap in _texts.items()}
# The naive lines and the honest ones, where no function of the engines is the difference.
LINES = {
    "transfer": (
        'a = torch.tensor(row, device="{device}")\n'
        'b = torch.tensor(column, device="{device}")\n\n'
        "measure(lambda: a @ b, wait, seconds=1)",
        'def product():\n    a = torch.tensor(row, device="{device}")\n'
        '    b = torch.tensor(column, device="{device}")\n    return (a @ b).cpu().numpy()\n\n'
        "measure(product, wait, seconds=1)",
    ),
    "precision": (
        "a = rng.random((n, n))  # NumPy: 64 bits\nb = torch.rand(n, n)  # PyTorch: 32 bits",
        "a = rng.random((n, n), dtype=numpy.float32)\nb = torch.tensor(a)  # 32 bits, as a",
    ),
    "threads": (
        "OMP_NUM_THREADS=1 python with_numpy.py\npython with_pytorch.py  # all cores",
        "OMP_NUM_THREADS=1 python with_numpy.py\nOMP_NUM_THREADS=1 python with_pytorch.py",
    ),
}


def show_stage(here: Here, measuring: Measuring, *, device: str) -> str:
    """Choose a trap, say how far off the naive number is, measure it both ways, and see.

    device: the best one that PyTorch has on the server, "cpu" if there is no other. Returns what
    is to be read below: why it is a trap, and what was measured.
    """
    labels = {name: trap.label for name, trap in TRAPS.items()}
    with stage(here) as play:
        name = here.controls.pills(
            "Seven ways", "trap", labels, "first_call", label_visibility="collapsed"
        )
        trap = TRAPS[name]
        why = f"{trap.why} {trap.on_cpu if device == 'cpu' else trap.on_gpu}".format(device=device)
        play(ran=_programs(name))
        story = st.container()
        left, right = beside(2)
        with left:
            for way, lines in _code(name).items():
                listing(lines.replace("{device}", device), {}, title=way, key=f"{name}, {way}")
        with right:
            guess = asked(trap.asked, GUESSES, key=f"trap {name}")
            arguments = ("traps", "--trap", name, "--device", device)
            found = measuring.offer(f"trap {name}", "Measure it both ways", arguments, seconds=20)
            said = _result(name, found, guess) if found else []
            if not said:
                wording.markdown(why)
        with story:
            say(as_html(said[-1] if said else _opening(trap, found)))
    if not found:
        return why
    found.warn()
    when = f"Measured {found.age()} on the server that runs this page."
    if name != "once":
        when += " A time is a median, and a bar reaches from one quartile to the other."
    return "\n\n".join([why, *said[:-1], when])


def _opening(trap: Trap, found: Found | None) -> str:
    """What somebody says, and what is to be done."""
    if found and not found.going:
        then = "It is measured. **Say how far off that is, and see.**"
    else:
        then = "**Say how far off that is, and measure it.**"
    return f"“{trap.claim}” {then}"


def _result(name: str, found: Found, guess: str | None) -> list[str]:
    """Draw what was measured, once it has been guessed, and return what is to be said of it."""
    parts, loaded, samples = read(found.events)
    if "PyTorch, all" in parts and parts["PyTorch, all"].threads == 1:
        return [
            "The server gives a program one core. All threads are one thread there, and there is "
            "nothing to be unequal."
        ]
    if len(samples) > 1:
        return _once(samples, parts["naive"].size, guess)
    return _both_ways(name, parts, loaded, guess, starved=found.starved)


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


NAIVE = {
    "first_call": naive_clock.without_warm_up,
    "not_waiting": naive_clock.without_waiting,
    "once": naive_clock.one_by_one,
}


def _programs(name: str) -> Runs:
    """A product timed by both clocks, or where the clock is not the difference, by the honest."""
    if name not in NAIVE:
        return timings.programs("row_by_column" if name == "transfer" else "square")
    ways = {"the naive way": NAIVE[name], "the honest way": clock.measure}
    return {way: partial(timings.in_torch, by, "square") for way, by in ways.items()}


def _code(name: str) -> dict[str, str]:
    """The naive lines and the honest ones: as they run, where a function is the difference."""
    beginning, kept_apart, rest = source_of(clock.measure).partition("    # Kept apart")
    sample = "".join(beginning.partition("    def sample")[1:])
    lines = (
        {
            "first_call": (body(source_of(naive_clock.without_warm_up)), dedent(kept_apart + rest)),
            "not_waiting": (body(source_of(naive_clock.without_waiting)), dedent(sample)),
            "once": (body(source_of(naive_clock.one_by_one)), dedent(kept_apart + rest)),
        }.get(name)
        or LINES.get(name)
        or ()
    )
    return dict(zip(("The naive way", "The honest way"), lines, strict=False))


# ---- What came of it


def _answer(factor: float, guess: str) -> str:
    right = next((text for bound, text in ANSWERS.items() if factor < bound), MOST)
    return f"{opening(guess, right)} **{right}**."


def _both_ways(
    name: str,
    parts: Parts,
    loaded: Mapping[str, float],
    guess: str | None,
    *,
    starved: bool,
) -> list[str]:
    """The picture of all parts, and what is to be said of each pair, once it has been guessed."""
    trap = TRAPS[name]
    pairs = [
        pair
        for pair in trap.pairs
        if all(one in parts for one in (pair.naive, pair.honest, pair.beside) if one)
    ]
    if not pairs:
        return []
    opened = ""
    if pairs[-1] is trap.pairs[-1]:  # else the run ended before what is asked about came
        if guess is None:
            return []
        naive, honest = parts[pairs[-1].naive].median, parts[pairs[-1].honest].median
        opened = _answer(max(naive / honest, honest / naive), guess)
    wrong = {pair.naive for pair in trap.pairs}
    rows = [
        result(label, "naive" if part in wrong else "honest", parts[part], trap.unit)
        for part, label in trap.rows.items()
        if part in parts
    ]
    show(naive_and_honest(rows, unit=trap.unit), key=f"trap {name}")
    if starved:
        return ["The server was busy: the points are drawn, and no verdict is given of them."]
    said = [told(pair, parts, loaded) for pair in pairs]
    return [*said[:-1], f"{opened} {said[-1]}".strip()]


def told(pair: Pair, parts: Parts, loaded: Mapping[str, float]) -> str:
    """What is to be said of a pair: that it shows the mistake, or not, or the opposite."""
    naive, honest = parts[pair.naive], parts[pair.honest]
    sign = _longer(naive, honest)
    expected = 1 if pair.slower == "naive" else -1
    text = pair.shown if sign == expected else pair.opposite if sign else pair.close
    load = loaded.get(naive.framework, 0.0)
    values = {
        "naive": written(naive.median, "time"),
        "honest": written(honest.median, "time"),
        "low": written(honest.low, "time"),
        "high": written(honest.high, "time"),
        "naive_speed": written(naive.gflops, "gflops"),
        "honest_speed": written(honest.gflops, "gflops"),
        "factor": digits((naive.median / honest.median) ** sign),
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
    slower, faster = LOOKS[slow.framework].label, LOOKS[fast.framework].label
    if not _longer(slow, fast):
        return f"{faster} and {slower} are too close to tell apart."
    return f"{faster} is {digits(slow.median / fast.median)} times as fast as {slower}."


def _once(samples: Sequence[float], size: int, guess: str | None) -> list[str]:
    """One call after the other, as often as somebody wants; once guessed, all of them."""
    k = st.session_state.get("timed once", 0) % len(samples)
    with st.container(key="once", horizontal=True, vertical_alignment="center"):
        st.button("Time it once more", on_click=_once_more)
        wording.markdown(f"n = {size}: **{written(samples[k], 'time')}**")
    if guess is None:
        return []
    least, most = min(samples), max(samples)
    show(one_by_one(samples, shown=k), key="timed once")
    low, median, high = quantiles(samples, n=4, method="inclusive")
    spread = (
        f"{_answer(most / least, guess)} The shortest of {len(samples)} calls took "
        f"{written(least, 'time')} and the longest {written(most, 'time')}, "
        f"**{digits(most / least)} times** as long. Their median is **{written(median, 'time')}**, "
        f"and call {k + 1} took {digits(samples[k] / median)} times that."
    )
    more = (
        f"Half of the calls lie between {written(low, 'time')} and {written(high, 'time')}. The "
        "very first call is not among them."
    )
    if most < HARDLY * least:
        more += (
            " They hardly differ, and timing once would have done. To know that, somebody had to "
            "time more often."
        )
    return [more, spread]


def _once_more() -> None:
    Controls.moved()
    st.session_state["timed once"] = st.session_state.get("timed once", 0) + 1
