"""Measurements, events and recordings made up for tests of what is shown of them."""

from __future__ import annotations

from engines.benchmark.operations import OPERATIONS
from engines.benchmark.recording import Gpu, Machine, Measurement, Recording

MACHINE = Machine("a made up machine", "Some CPU", 4, 8 * 2**30, "Linux 6.1", ())
CARD = Gpu("Some Card", 16 * 2**30, "550.1")


def measurement(size, median, *, spread=0.1, **other):
    """One of PyTorch's square product on one thread. spread: from the median to each quartile."""
    plain = {"operation": "square", "framework": "torch", "device": "cpu", "threads": 1}
    plain |= {"precision": "float32", "transfer": False, "first": 3 * median, "calls": 8}
    parts = {"least": 1 - 2 * spread, "low": 1 - spread, "median": 1, "high": 1 + spread}
    times = {name: part * median for name, part in {**parts, "most": 1 + 10 * spread}.items()}
    return Measurement(**plain | {"size": size, "samples": 20} | times | other)


def line(overhead, gflops, sizes=(16, 64, 256, 1024), **other):
    """Measurements of one who takes `overhead` seconds, and computes at `gflops` after that."""
    flops = OPERATIONS[other.get("operation", "square")].flops
    return [measurement(n, overhead + flops(n) / gflops / 1e9, **other) for n in sizes]


def events(*lines, left_out=(), on_core=1.0):
    """What a run that measured these lines has said."""
    measured = [one for line in lines for one in line]
    of = len(measured) + len(left_out)
    machine = MACHINE._asdict() | {"gpus": []}
    settings = {"seconds": 20.0, "block_seconds": 0.01}
    versions = {"python": "3.11.7", "numpy": "2.4.6", "torch": "2.13.0", "tensorflow": "2.21.0"}
    began = {"made": "2026-03-01T14:05:00Z", "machine": machine, "libraries": versions}
    yield {"event": "began", **began, "settings": settings, "of": of}
    for framework in {one.framework for one in measured}:
        loaded = {"framework": framework, "device": "cpu", "threads": 1, "seconds": 1.5}
        yield {"event": "loaded", **loaded, "libraries": versions}
    for done, one in enumerate(measured, start=1):
        told = {"event": "measured", "measurement": one._asdict(), "done": done, "of": of}
        yield told | {"on_core": on_core}
    for done, one in enumerate(left_out, start=len(measured) + 1):
        yield {"event": "left out", **one, "done": done, "of": of}


def recording(*lines, name="a made up machine", gpus=()):
    """A recording of these lines."""
    machine = MACHINE._replace(name=name, gpus=tuple(gpus))
    measured = tuple(one for line in lines for one in line)
    libraries, settings = {"python": "3.11.7", "torch": "2.13.0"}, {"seconds": 300.0}
    return Recording("2026-03-01T14:05:00Z", machine, libraries, settings, measured)
