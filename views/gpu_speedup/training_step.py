"""A whole training step by the width of the network, with and without transfer time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import combinations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engines.benchmark.recording import Measurement, Recording
from engines.benchmark.who_wins import FEW, Crossing, crossing
from views.gpu_speedup.contenders import Line, digits, line_of, lines_of
from views.gpu_speedup.contests import about
from views.gpu_speedup.events import measured, provenance
from views.gpu_speedup.recordings import as_text, made_elsewhere
from views.gpu_speedup.size_chart import against_size
from views.gpu_speedup.this_machine import Here
from views.player import show
from views.ui.controls import Controls
from views.ui.measuring import Event, Measuring

WIDTHS = (16, 64, 256, 1024, 4096, 16384)
SECONDS = 20
NONE = "none"  # in the address: no recording


def section(
    controls: Controls,
    measuring: Measuring,
    here: Here,
    recordings: Mapping[str, Recording],
) -> None:
    """Offer to measure training steps; show them beside those of a recording."""
    tensorflow = controls.flag("TensorFlow too (it takes some seconds to load)", "step_tensorflow")
    recording = _chosen(controls, recordings)
    contenders = _contenders(here, tensorflow=tensorflow)
    recorded = (
        _recorded(recording, {framework for framework, *_ in contenders}) if recording else []
    )
    arguments: tuple[str, ...] = ("sweep", "--operations", "training_step", "--transfer", "both")
    arguments += ("--contenders", *(":".join(map(str, one)) for one in contenders))
    arguments += ("--sizes", *map(str, WIDTHS), "--seconds", str(SECONDS))
    places = list[DeltaGenerator]()
    draw = partial(_draw, contenders, recorded, places)
    found = measuring.offer("step", "Measure training steps", arguments, seconds=SECONDS, draw=draw)
    places.append(st.container())
    if not (found or recorded):
        places[0] = places[0].markdown(
            "A wide network gives each operation much to do, a narrow one next to nothing, and "
            "the batch is the same. **At which width does the transfer matter most, and from "
            "which width on does the fastest processor win?**"
        )
        return
    if found:
        found.warn()
    events = found.events if found else []
    draw(events)
    own = lines_of(measured(events))
    st.markdown("\n".join(f"- {said}" for said in told([*own, *recorded])))
    if found:
        st.caption(provenance(found))
    if recording:
        st.caption(made_elsewhere(recording))


def _chosen(controls: Controls, recordings: Mapping[str, Recording]) -> Recording | None:
    """The recording to compare with, of those that have training steps."""
    named = {
        name: as_text(f"recorded on {one.machine.name}")
        for name, one in recordings.items()
        if _steps(one) and name != NONE
    }
    if not named:
        return None
    offered = {NONE: "no recording", **named}
    chosen = controls.choice(
        st.pills, "Compare with", "step_recording", offered, NONE, required=True
    )
    return recordings[str(chosen)] if chosen != NONE else None


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


def _contenders(here: Here, *, tensorflow: bool) -> list[tuple[str, str, int]]:
    """NumPy, and each framework on the CPU and on its best other device, if it has one."""
    contenders = [("numpy", "cpu")]
    for framework in ("torch", *["tensorflow"] * tensorflow):
        others = [kind for kind in here.found(framework) if kind != "cpu"]
        contenders += [(framework, kind) for kind in ("cpu", *others[:1])]
    return [(*one, here.cores) for one in contenders]


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
    picture = against_size([*own, *recorded], what="time", sizes=WIDTHS, size_name="hidden units")
    places[0] = show(picture, key="training step", height=440, in_hall=700, place=places[0])


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
    name = as_text(line.label)
    text = f"**{name}** does {_rate(least)} with {least.size:,} hidden units"
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
    turn = crossing(one.measurements, other.measurements)
    return [_verdict(turn, as_text(other.label), as_text(one.label))]


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
                turn = crossing(line.measurements, way.measurements)
                said.append(_verdict(turn, as_text(way.label), as_text(line.label)))
    return said


def _verdict(turn: Crossing, faster: str, slower: str) -> str:
    between = f"from {turn.smallest:,} to {turn.largest:,} hidden units"
    return {
        "always": f"{faster} is ahead of {slower} at every width measured, {between}.",
        "crosses": f"From about **{about(turn.size):,.0f} hidden units** on, {faster} is ahead of "
        f"{slower}.",
        "never": f"{faster} is not ahead of {slower} at the widest network measured, with "
        f"{turn.largest:,} hidden units.",
        "overlap": f"{faster} and {slower} are too close to tell at {turn.largest:,} hidden units: "
        "their quartiles overlap.",
        "level": f"{faster} and {slower} are too close to tell at {turn.largest:,} hidden units: "
        "their medians lie within a twentieth of each other.",
        "few": f"Of {faster} and {slower} there are too few samples to tell which is ahead.",
    }[turn.verdict]
