"""The machine that the app runs on, as its child has described it."""

from streamlit.testing.v1 import AppTest

from engines.benchmark import child, machine
from engines.benchmark.machine import KINDS, REASONS
from tests.support.visit import words
from views.gpu_speedup import machines, this_machine
from views.gpu_speedup.contenders import LOOKS
from views.gpu_speedup.this_machine import Server


def device(framework, kind, name="", reason=""):
    return {"event": "device", "framework": framework, "kind": kind, "name": name} | {
        "found": bool(name),
        "reason": reason,
        "memory_bytes": 0,
    }


ANSWERS = [
    device("numpy", "cpu", "Some CPU"),
    device("torch", "cpu", "Some CPU"),
    device("torch", "cuda", "Some Card"),
    device("torch", "mps", reason="not this system"),
    device("tensorflow", "cpu", "Some CPU"),
    device("tensorflow", "cuda", reason="not built"),
    {"event": "cores", "cores": 8},
]


def test_what_was_found_is_known_by_framework():
    server = this_machine.server_of(ANSWERS)
    assert server.cores == 8
    assert server.found("torch") == {"cpu": "Some CPU", "cuda": "Some Card"}
    assert server.found("tensorflow") == {"cpu": "Some CPU"}
    assert server.device == "cuda"
    assert Server(2, tuple(ANSWERS[:1])).device == "cpu"


def test_where_nobody_answers_the_cpu_is_all_that_is_known(monkeypatch):
    def late(arguments, *, seconds):
        assert (arguments, seconds) == (["devices"], 120)
        raise TimeoutError

    inspected = this_machine.inspected.__wrapped__
    monkeypatch.setattr(child, "answers", late)
    server = inspected()
    assert server.cores >= 1
    assert server.device == "cpu"
    assert all(server.found(framework) == {"cpu": "CPU"} for framework in LOOKS)
    monkeypatch.setattr(child, "answers", lambda *_, **__: ANSWERS)
    assert inspected() == this_machine.server_of(ANSWERS)


def test_with_little_memory_nothing_is_loaded_to_look_for_devices(monkeypatch):
    def ended(*_, **__):
        raise MemoryError

    inspected = this_machine.inspected.__wrapped__
    monkeypatch.setattr(child, "answers", ended)  # the system has ended the search
    assert not inspected().searched
    monkeypatch.setattr(machine, "memory_free", lambda: 3e8)
    monkeypatch.setattr(child, "answers", lambda *_, **__: ANSWERS)
    server = inspected()
    assert not server.searched
    assert (server.device, server.found("torch")) == ("cpu", {"cpu": "CPU"})
    told = {one["reason"] for one in server.devices if one["kind"] == "cuda"}
    assert told == {this_machine.LITTLE}
    assert "too little memory to look for a GPU" in machines._story(server, {})
    monkeypatch.setattr(machine, "memory_free", lambda: 3e9)
    assert inspected().searched


def test_devices_that_were_not_found_have_their_reason():
    def page():
        from tests.views.gpu_speedup.test_this_machine import ANSWERS
        from views.gpu_speedup import this_machine

        this_machine.devices(this_machine.server_of(ANSWERS))

    text = words(AppTest.from_function(page).run())
    rows = {row.split("|")[1].strip(): row for row in text.splitlines() if row.startswith("| ")}
    cuda = rows["GPU of NVIDIA or AMD (CUDA, ROCm)"]
    assert cuda.split("|")[2:5] == [
        " – ",
        " **Some Card** ",
        " not found: this build of the framework has no support for it ",
    ]
    assert "does not exist on this operating system" in rows["GPU of Apple (MPS)"]


def test_every_kind_every_reason_and_every_framework_has_a_name():
    assert set(this_machine.REASONS) == set(REASONS)
    assert set(this_machine.KINDS) == {kind for kinds in KINDS.values() for kind in kinds}
    assert set(LOOKS) == set(KINDS)
