"""What a sweep has measured, and what it has left out, as its events tell."""

from __future__ import annotations

from collections.abc import Sequence

from engines.benchmark.recording import Measurement
from views.gpu_speedup.contenders import line_of
from views.ui.measuring import Event, Found

LEFT_OUT = {
    "memory": "Left out, because there was too little memory: {what}.",
    "time": "Left out, because there was too little time: {what}.",
    "loading": "Left out, because loading took all of the time: {what}.",
    "precision": "Left out, because the device has no numbers of 64 bits: {what}.",
    "lost": "Left out, because the process that measures had ended: {what}.",
}


def measured(events: Sequence[Event]) -> tuple[Measurement, ...]:
    """The measurements among the events of a sweep."""
    return tuple(Measurement(**event["measurement"]) for event in events if "measurement" in event)


def left_out(events: Sequence[Event]) -> list[str]:
    """For each reason, what was not measured at which sizes."""
    missing: dict[str, dict[str, list[int]]] = {}
    for event in _left_out(events):
        label = line_of(event["framework"], event["device"], event["threads"]).label
        missing.setdefault(event["reason"], {}).setdefault(label, []).append(event["size"])
    told = []
    for reason, contenders in missing.items():
        each = [
            f"{line} ({', '.join(f'{n:,}' for n in sizes)})" for line, sizes in contenders.items()
        ]
        told.append(LEFT_OUT[reason].format(what="; ".join(each)))
    return told


def provenance(found: Found) -> str:
    """When and how well this was measured, and how much is missing."""
    said = [f"Measured {found.age()} on the server that runs this page."]
    samples = [one.samples for one in measured(found.events)]
    if samples:
        said.append(f"Each point is the median of {min(samples)} to {max(samples)} samples.")
    return " ".join(said + left_out_in_short(found.events))


def left_out_in_short(events: Sequence[Event]) -> list[str]:
    """For each reason, how many were not measured, of how many."""
    reasons = [event["reason"] for event in _left_out(events)]
    of = max((event["of"] for event in events if "of" in event), default=0)
    return [
        LEFT_OUT[reason].format(what=f"{reasons.count(reason)} of {of}")
        for reason in dict.fromkeys(reasons)
    ]


def _left_out(events: Sequence[Event]) -> list[Event]:
    return [event for event in events if event["event"] == "left out"]
