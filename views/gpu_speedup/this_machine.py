"""The server that the app runs on: its cores, and the devices that were found or not."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import streamlit as st

from engines.benchmark import child, machine
from views.gpu_speedup.contenders import LOOKS
from views.ui.table import markdown_table

# How the kinds of device are called, and why one may not be found.
KINDS = {
    "cpu": "CPU",
    "cuda": "GPU of NVIDIA or AMD (CUDA, ROCm)",
    "mps": "GPU of Apple (MPS)",
    "xpu": "GPU of Intel (XPU)",
}
REASONS = {
    "not installed": "the framework is not installed",
    "import fails": "the framework is installed, and cannot be loaded",
    "not this system": "does not exist on this operating system",
    "not built": "this build of the framework has no support for it",
    "no driver or card": "no driver or no card",
    "card not usable": "there is a card, and the framework cannot use it",
    "little memory": "the server has too little memory free to look for it",
}
LITTLE = "little memory"
SEARCH = 650e6  # bytes that the search takes, which loads PyTorch and TensorFlow


class Server(NamedTuple):
    """What was found. devices: each a Device of engines.benchmark.machine, as a dictionary."""

    cores: int
    devices: tuple[Mapping[str, Any], ...]

    def found(self, framework: str) -> dict[str, str]:
        """The devices that the framework can compute on: their names by their kinds."""
        return {
            device["kind"]: device["name"]
            for device in self.devices
            if device["framework"] == framework and device["found"]
        }

    @property
    def device(self) -> str:
        """The best kind of device that PyTorch has there."""
        return next((kind for kind in self.found("torch") if kind != "cpu"), "cpu")

    @property
    def searched(self) -> bool:
        """Whether there was memory enough to look for other devices than the CPU."""
        return all(device["reason"] != LITTLE for device in self.devices)


@st.cache_resource(show_spinner="Looking for the devices of the server: some seconds, once.")
def inspected() -> Server:
    """Ask a child process what there is; without an answer, the CPU is all that is known."""
    try:
        if machine.memory_free() < SEARCH:
            raise MemoryError("a process that loads the frameworks would not fit into memory")
        return server_of(child.answers(["devices"], seconds=120))
    except (OSError, ValueError, MemoryError) as error:
        logging.getLogger(__name__).error("the devices of the server are unknown: %s", error)
        cpu = {"kind": "cpu", "name": "CPU", "found": True, "reason": ""}
        devices = [{"framework": name, **cpu} for name in LOOKS]
        if isinstance(error, MemoryError):
            devices += [
                {"framework": name, "kind": kind, "found": False, "reason": LITTLE}
                for name in LOOKS
                for kind in machine.KINDS[name]
                if kind != "cpu"
            ]
        return Server(os.cpu_count() or 1, tuple(devices))


def server_of(answers: Sequence[Mapping[str, Any]]) -> Server:
    """From what `python -m engines.benchmark devices` says."""
    [cores] = [answer["cores"] for answer in answers if answer["event"] == "cores"]
    return Server(cores, tuple(one for one in answers if one["event"] == "device"))


def devices(server: Server) -> None:
    """A table of the devices that each framework has found, or why it has not."""
    heads = ["device", *(look.label for look in LOOKS.values())]
    by = {(device["framework"], device["kind"]): device for device in server.devices}
    rows = [
        [called, *(_cell(by.get((framework, kind))) for framework in LOOKS)]
        for kind, called in KINDS.items()
    ]
    st.markdown(markdown_table(heads, rows))


def _cell(device: Mapping[str, Any] | None) -> str:
    if device is None:
        return "–"
    return f"**{device['name']}**" if device["found"] else f"not found: {REASONS[device['reason']]}"
