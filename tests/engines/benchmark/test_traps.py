"""Seven traps of measuring: each pair differs in one thing, and it can be measured."""

import time

import psutil
import pytest

from engines.benchmark import traps
from engines.benchmark.contender import HOW, Contender, LostError, Scheduled
from engines.benchmark.machine import KINDS
from engines.benchmark.operations import ITEM_BYTES, OPERATIONS
from engines.benchmark.recording import Measurement
from engines.benchmark.traps import NAMES, parts_of, run
from tests.support.processes import children_of, ended, plain_main

DEVICES = KINDS["torch"]


@pytest.fixture(autouse=True, scope="module")
def no_script():
    with plain_main():
        yield


def differ(one, other):
    """The names of what two parts do differently."""
    (mine, asked, others), (theirs, asked_too, others_too) = one, other
    names = {f for f in mine._fields if getattr(mine, f) != getattr(theirs, f)}
    names |= {f for f in asked._fields if getattr(asked, f) != getattr(asked_too, f)}
    return names | ({"others"} if others != others_too else set())


@pytest.mark.parametrize("cores", [1, 2, 64])
@pytest.mark.parametrize("device", DEVICES)
def test_what_is_asked_can_be_answered(device, cores):
    by_name = parts_of(device, cores)
    assert tuple(by_name) == NAMES
    for contender, question, others in (p for parts in by_name.values() for p in parts.values()):
        assert contender.device in KINDS[contender.framework]
        assert 1 <= contender.threads <= cores
        assert 1 <= question.size <= OPERATIONS[question.operation].largest
        assert question.how in HOW
        assert question.precision in ITEM_BYTES
        assert not (contender.device == "mps" and question.precision == "float64")
        assert others in (0, cores)
        assert contender.framework == "torch" or contender.device == "cpu"


@pytest.mark.parametrize("device", DEVICES)
def test_a_naive_part_and_its_honest_one_differ_in_one_thing(device):
    parts = parts_of(device, 4)
    pairs = {
        "first_call": ("product, naive", "product, honest", {"how"}),
        "not_waiting": ("naive", "honest", {"how"}),
        "transfer": ("naive", "honest", {"transfer"}),
        "others": ("naive", "honest", {"others"}),
    }
    for name, (naive, honest, what) in pairs.items():
        assert differ(parts[name][naive], parts[name][honest]) == what
    assert differ(parts["first_call"]["step, naive"], parts["first_call"]["step, honest"]) == {
        "how"
    }
    # Of three parts the first two are what somebody compares, with a thing too many that differs.
    three = parts["precision"]
    wide, narrow, torch = three.values()
    assert differ(wide, torch) == {"framework", "precision"}
    assert differ(narrow, torch) == {"framework"}
    one, all_of_them, alone = parts["threads"].values()
    assert differ(one, all_of_them) == {"framework", "threads"}
    assert differ(one, alone) == {"framework"}


@pytest.mark.parametrize("device", DEVICES)
def test_not_waiting_is_shown_where_something_does_not_wait(device):
    (contender,) = {part.contender for part in parts_of(device, 4)["not_waiting"].values()}
    assert contender.device == device
    assert contender.ahead == (device == "cpu")


def test_whoever_does_not_wait_times_only_how_fast_python_asks():
    events = list(run("not_waiting", device="cpu", cores=1, seconds=0.5))
    assert [event["event"] for event in events] == ["loaded", "part", "part"]
    naive, honest = (Measurement(**event["measurement"]) for event in events[1:])
    assert naive.median < honest.median / 2
    assert (naive.operation, naive.size) == (honest.operation, honest.size)
    assert [event["done"] for event in events[1:]] == [1, 2]


def test_numbers_of_64_bits_take_longer_than_those_of_32():
    events = list(run("precision", device="cpu", cores=1, seconds=0.3))
    parts = {e["part"]: Measurement(**e["measurement"]) for e in events if e["event"] == "part"}
    assert list(parts) == ["NumPy, 64 bits", "NumPy, 32 bits", "PyTorch, 32 bits"]
    assert [p.precision for p in parts.values()] == ["float64", "float32", "float32"]
    # The least that each took: others may be computing on this machine.
    assert parts["NumPy, 64 bits"].least > 1.3 * parts["NumPy, 32 bits"].least
    assert {event["framework"] for event in events[:2]} == {"numpy", "torch"}
    assert all(0 < event["seconds"] < 30 for event in events[:2])


def test_calls_timed_once_come_in_their_order():
    _, event = run("once", device="cpu", cores=1, seconds=0.2)
    measured = Measurement(**event["measurement"])
    assert 1 < len(event["samples"]) == measured.samples < 300
    assert (min(event["samples"]), max(event["samples"])) == (measured.least, measured.most)
    assert event["samples"] != sorted(event["samples"])


def test_other_visitors_compute_while_one_measures_and_not_after():
    before = children_of(psutil.Process())
    with traps._busy(2):
        others = children_of(psutil.Process()) - before
        assert len(others) == 2
        deadline = time.monotonic() + 20
        began = {other: sum(other.cpu_times()[:2]) for other in others}
        while any(sum(other.cpu_times()[:2]) < began[other] + 0.1 for other in others):
            assert time.monotonic() < deadline, "they do not compute"
            time.sleep(0.02)
    assert ended(others)


class Nobody:
    """A contender that has nothing to say. answer: in its place; an error is raised."""

    load_seconds = 1.0
    answer = None
    open = 0

    def __init__(self, contender):
        assert isinstance(contender, Contender)
        Nobody.open += 1

    def loaded(self):
        return True

    def scheduled(self):
        return Scheduled(0.0, 0.0)

    def ask(self, question):
        if self.answer:
            raise self.answer

    def close(self):
        Nobody.open -= 1


@pytest.mark.parametrize(
    ("answer", "message"),
    [(None, "transfer, naive: not enough memory or time"), (LostError("it has ended"), "ended")],
)
def test_a_part_that_cannot_be_measured_ends_the_run(monkeypatch, answer, message):
    monkeypatch.setattr(traps, "Process", Nobody)
    monkeypatch.setattr(Nobody, "answer", answer)
    events = run("transfer", device="cpu", cores=1)
    next(events)
    assert Nobody.open == 1
    with pytest.raises(RuntimeError, match=message):
        list(events)
    assert Nobody.open == 0


def test_a_trap_that_does_not_exist_is_refused():
    with pytest.raises(KeyError):
        next(run("nothing", device="cpu", cores=1))
