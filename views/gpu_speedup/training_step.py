"""A whole training step by the width of the network, with and without transfer time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from html import escape
from itertools import combinations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engines.benchmark.recording import Measurement, Recording
from engines.benchmark.who_wins import FEW, crossing
from views.gpu_speedup import recordings as recorded
from views.gpu_speedup import timings
from views.gpu_speedup.contenders import Line, digits, line_of, lines_of
from views.gpu_speedup.events import measured, provenance
from views.gpu_speedup.recordings import has_gpu, made_elsewhere, measured_gpu
from views.gpu_speedup.size_chart import against_size
from views.gpu_speedup.this_machine import Server
from views.gpu_speedup.verdicts import as_html, verdict
from views.player import say, show
from views.ui.measuring import Event, Found, Measuring
from views.ui.shell import Here
from views.ui.staging import beside, stage

WIDTHS = (16, 64, 256, 1024, 4096, 16384)
SECONDS = 20


def show_stage(
    here: Here, measuring: Measuring, server: Server, recordings: Mapping[str, Recording]
) -> None:
    """Training steps by width, recorded and on the server; below, what all of them say."""
    controls = here.controls
    with here.settings, st.popover("Settings"):
        recording = recorded.choose(
            controls, recordings, widget=st.selectbox, none="No recording, only this server"
        )
        tensorflow = controls.flag("TensorFlow too (it takes some seconds to load)", "tensorflow")
    contenders = _contenders(server, tensorflow=tensorflow)
    lines = _recorded(recording, {name for name, *_ in contenders}) if recording else []
    arguments: tuple[str, ...] = ("sweep", "--operations", "training_step", "--transfer", "both")
    arguments += ("--contenders", *(":".join(map(str, one)) for one in contenders))
    arguments += ("--sizes", *map(str, WIDTHS), "--seconds", str(SECONDS))
    places = list[DeltaGenerator]()
    draw = partial(_draw, contenders, lines, places)
    with stage(here, ran=timings.programs("training_step")):
        story = st.container()
        about = f"Up to {SECONDS} s on the server that runs this page."
        found = measuring.offer(
            "step", "Measure on the server", arguments, seconds=SECONDS, about=about, draw=draw
        )
        places += beside(1)
        events = found.events if found else []
        draw(events)
        own = [] if found and found.starved else lines_of(measured(events))
        said = told([*own, *lines])
        begins = "" if own or server.device != "cpu" else _without_gpu(recording, recordings)
        if begins and lines and recording and not found:
            begins += f"On {escape(recording.machine.name)}: "
        with story:
            say(as_html(begins + _story(said, found)))
    st.markdown("\n".join(f"- {one}" for one in said))
    if found:
        found.warn()
        st.caption(provenance(found))
    if recording:
        st.caption(made_elsewhere(recording))


def _without_gpu(recording: Recording | None, recordings: Mapping[str, Recording]) -> str:
    """What is said first where no GPU is shown."""
    if recording and measured_gpu(recording):
        return ""
    if has_gpu(recordings):
        return "**This recording has no GPU.** "
    return "**No GPU has been measured for this page yet.** "


def _story(said: Sequence[str], found: Found | None) -> str:
    """What to look at, and one verdict."""
    if found and found.starved:
        return "The server was busy: the points are drawn, and no verdict is given of them."
    verdicts = [one for one in said if " against " in one]
    verdicts.sort(key=lambda one: "GPU" not in one)
    if not verdicts:
        return "A wide network gives each operation much to do, a narrow one next to nothing."
    return " ".join(verdicts[: 2 if "GPU" in verdicts[0] else 1])


def _steps(recording: Recording) -> list[Measurement]:
    return [
        one
        for one in recording.measurements
        if (one.operation, one.precision) == ("training_step", "float32")
    ]


def _recorded(recording: Recording, frameworks: Iterable[str]) -> list[Line]:
    """The fastest GPU of a recording and its CPU; if it has no GPU, the CPU in these frameworks."""
    steps, devices = _steps(recording), ["cpu"]
    gpus = [one for one in steps if one.device != "cpu"]
    if gpus:
        best = min(gpus, key=lambda one: (-one.size, one.median))
        devices, frameworks = ["cpu", best.device], [best.framework]
    threads = max((one.threads for one in steps), default=0)
    shown = [
        one
        for one in steps
        if one.framework in frameworks and one.device in devices and one.threads == threads
    ]
    return lines_of(shown, recorded=True)


def _contenders(server: Server, *, tensorflow: bool) -> list[tuple[str, str, int]]:
    """NumPy, and each framework on the CPU and on its best other device, if it has one."""
    contenders = [("numpy", "cpu")]
    for framework in ("torch", *["tensorflow"] * tensorflow):
        others = [kind for kind in server.found(framework) if kind != "cpu"]
        contenders += [(framework, kind) for kind in ("cpu", *others[:1])]
    return [(*one, server.cores) for one in contenders]


def _contender(one: Measurement) -> tuple[str, str, int]:
    return one.framework, one.device, one.threads


def _framework(line: Line) -> str:
    return line.measurements[0].framework


# ---- The picture


def _draw(
    contenders: Sequence[tuple[str, str, int]],
    recorded: Sequence[Line],
    places: list[DeltaGenerator],
    events: Sequence[Event],
) -> None:
    """places: where the picture goes, and then the picture, to be replaced."""
    found = {line.label: line for line in lines_of(measured(events))}
    chosen = [
        line_of(*one, transfer=transfer)
        for one in contenders
        for transfer in (False, True)
        if not (transfer and one[0] == "numpy")
    ]
    # Measured or not yet: so the key of the picture stays as it is.
    own = [found.get(line.label, line) for line in chosen] if events else []
    sizes = sorted({*WIDTHS, *(one.size for line in recorded for one in line.measurements)})
    figure = against_size([*own, *recorded], what="time", sizes=sizes, size_name="hidden units")
    places[0] = show(figure, key="training step", place=places[0])


# ---- What it says


def told(lines: Sequence[Line]) -> list[str]:
    """Steps a second and the share of the transfer, for each; then which wins, and from where."""
    alone = [line for line in lines if not line.measurements[0].transfer]
    with_transfer = {
        (line.hollow, _contender(line.measurements[0])): line
        for line in lines
        if line.measurements[0].transfer
    }
    said = []
    for line in alone:
        other = with_transfer.get((line.hollow, _contender(line.measurements[0])))
        said.append(_one(line, other))
    for one, other in combinations(alone, 2):
        # Of another framework on another machine nobody knows which of both makes the difference.
        if one.hollow == other.hollow or _framework(one) == _framework(other):
            said += _contest(one, other)
    return said + _with_transfer_counted(alone, list(with_transfer.values()))


def _one(line: Line, with_transfer: Line | None) -> str:
    """How fast a contender is at its ends, and what part of that the transfer takes."""
    by = {one.size: one for one in line.measurements}
    least, most = by[min(by)], by[max(by)]
    text = f"**{line.label}** does {_rate(least)} with {least.size:,} hidden units"
    text += f", and {_rate(most)} with {most.size:,}." if most is not least else "."
    if not with_transfer:
        return text
    way = {one.size: one for one in with_transfer.measurements}
    common = sorted(by.keys() & way.keys())
    if not common:
        return text
    ends = [(by[n], way[n]) for n in dict.fromkeys((common[0], common[-1]))]
    return f"{text} {_transfer_share(ends)}"


def _transfer_share(pairs: Sequence[tuple[Measurement, Measurement]]) -> str:
    """What part of a step the transfer takes, at each width, if it can be told from noise."""
    shares = {
        alone.size: f"{digits(100 * (1 - alone.median / way.median))} %"
        for alone, way in pairs
        if alone.high < way.low and min(alone.samples, way.samples) >= FEW
    }
    told = [
        f"Of a step with {n:,} hidden units the transfer takes **{share}**."
        for n, share in shares.items()
    ]
    noisy = [f"{alone.size:,}" for alone, _ in pairs if alone.size not in shares]
    if noisy:
        told.append(
            f"With {' and with '.join(noisy)} hidden units what the transfer takes cannot be told "
            "from noise."
        )
    return " ".join(told)


def _rate(one: Measurement) -> str:
    return f"**{digits(1 / one.median)}** steps a second"


def _contest(one: Line, other: Line) -> list[str]:
    """Which of two wins, with the one that is faster at the widest network in the lead."""
    ends = [{found.size: found.median for found in line.measurements} for line in (one, other)]
    common = ends[0].keys() & ends[1].keys()
    if not common:
        return []
    widest = max(common)
    if ends[0][widest] < ends[1][widest]:
        one, other = other, one
    return [_verdict(one, other)]


def _with_transfer_counted(alone: Sequence[Line], with_transfer: Sequence[Line]) -> list[str]:
    """Whether another device wins against the same framework on the CPU, its transfer counted."""
    said = []
    for way in with_transfer:
        framework, device, _ = _contender(way.measurements[0])
        for line in alone:
            found = {one.size for one in line.measurements}
            if device == "cpu" or _contender(line.measurements[0])[:2] != (framework, "cpu"):
                continue
            if found & {one.size for one in way.measurements}:
                said.append(_verdict(line, way))
    return said


def _verdict(slower: Line, faster: Line) -> str:
    turn = crossing(slower.measurements, faster.measurements)
    return verdict(f"**{faster.label}**, against {slower.label}", turn, "hidden units")
