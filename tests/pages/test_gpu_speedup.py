"""The page on GPU speedup, run without a browser: with a GPU, without one, and with a recording."""

from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from engines.benchmark import child
from engines.benchmark.recording import to_text
from tests.support.chapters import told
from tests.support.measurements import CARD, events, line, recording
from tests.support.visit import (
    ROOT,
    charts,
    components,
    live_texts,
    player,
    plays,
    series,
    table,
    titles,
    visit,
)
from tests.views.gpu_speedup.test_this_machine import device
from views.gpu_speedup import recordings, speed, this_machine
from views.ui import measuring

PAGE = "gpu_speedup"
CPUS = [device(name, "cpu", "Some CPU") for name in ("numpy", "torch", "tensorflow")]
NO_GPU = [
    *CPUS,
    device("torch", "cuda", reason="not built"),
    {"event": "cores", "cores": 2},
]
WITH_GPU = [
    *CPUS,
    device("torch", "cuda", "Some Card"),
    device("tensorflow", "cuda", reason="no driver or card"),
    {"event": "cores", "cores": 16},
]
ONE_CORE = [*CPUS, {"event": "cores", "cores": 1}]

TIMES = ("least", "low", "median", "high", "most")
ONE = line(1e-6, 10)
TWO = line(11e-6, 40, threads=2)
GPU = line(30e-6, 10_000, device="cuda", threads=16)


@pytest.fixture
def on(monkeypatch):
    """The page on a machine with these devices; what is measured there is said beforehand."""

    def machine(devices, said=()):
        asked = []

        def in_child(arguments, *, seconds):
            asked.append((arguments, seconds))
            yield None
            yield from said

        monkeypatch.setattr(child, "answers", lambda arguments, seconds: devices)
        monkeypatch.setattr(child, "in_child", in_child)
        forget()
        return asked

    def forget():
        this_machine.inspected.clear()
        measuring._latest.clear()

    yield machine
    forget()


def htmls(at):
    return "".join(element.proto.body for element in at.get("html"))


def press(at, label):
    [button] = [button for button in at.button if button.label == label]
    button.click().run()
    assert not at.exception
    return at


def option(arguments, name):
    """What follows an option on the command line, up to the next one."""
    rest = list(arguments[arguments.index(name) + 1 :])
    return rest[: next((k for k, text in enumerate(rest) if text.startswith("--")), len(rest))]


def captions(at):
    return "\n".join(element.value for element in at.caption)


@pytest.fixture
def shipped(monkeypatch):
    """The recordings that come with the app, by name."""

    def these(**found):
        monkeypatch.setattr(recordings, "shipped", lambda folder: found)

    return these


LABEL = "Measure on the server"
TOWER = recording(
    line(1e-6, 20),
    line(1e-6, 300, threads=16),
    GPU,
    [one._replace(transfer=True, **{k: 3 * getattr(one, k) for k in TIMES}) for one in GPU],
    name="a tower",
    gpus=[CARD],
)
LAPTOP = recording(ONE, TWO, name="a laptop")


# What the first stage opens with


def test_where_no_gpu_was_measured_that_is_the_first_sentence_and_the_command_stands_beside_it(
    on, shipped
):
    asked = on(NO_GPU)
    shipped(laptop=LAPTOP)
    at = visit(PAGE)
    assert not at.exception
    assert asked == []
    [story] = [text for text in live_texts(at).split("\n") if "story" in text]
    assert "<b>No GPU has been measured for this page yet.</b>" in story
    assert "4 threads compete with one, on a laptop" in story
    assert "python -m engines.benchmark --out" in htmls(at)
    assert at.select_slider[0].value == "unsure"
    assert "From which n on are 4 threads faster than one?" in at.select_slider[0].label


def test_a_recording_with_a_gpu_takes_the_stage(on, shipped):
    on(NO_GPU)
    shipped(laptop=LAPTOP, tower=TOWER)
    at = visit(PAGE)
    assert "Some Card has been measured" in told(at)
    assert "No GPU has been measured" not in told(at)
    assert "engines.benchmark" not in htmls(at)  # nobody has to be told how
    assert "is the GPU faster than the CPU" in at.select_slider[0].label


def test_the_training_step_says_first_that_no_gpu_was_measured_and_on_which_machine(on, shipped):
    on(NO_GPU)
    begins = "**No GPU has been measured for this page yet.** "
    story = told(visit(PAGE, chapter="training_step"))
    assert f"{begins}On a small server with two cores: **NumPy" in story
    shipped(laptop=LAPTOP)  # without training steps
    assert f"{begins}A wide network" in told(visit(PAGE, chapter="training_step"))
    shipped(laptop=LAPTOP, tower=TOWER)
    story = told(visit(PAGE, chapter="training_step", recording="tower"))
    assert "No GPU has been measured" not in story


def test_a_server_with_a_gpu_and_no_recording_says_so(on, shipped):
    on(WITH_GPU)
    shipped()
    at = visit(PAGE)
    assert "The server that runs this page has a GPU**, Some Card" in told(at)
    assert "then measure" in told(at)


def test_the_curves_come_after_a_guess_a_click_or_the_wish_to_see_them(on, shipped):
    on(NO_GPU)
    shipped(laptop=LAPTOP)
    at = visit(PAGE)
    assert titles(at) == ["How many times as fast"]
    assert len(table(at, 0, "lines")) == 0
    press(at, "Just show me")
    assert len(table(at, 0, "lines")) == 4
    assert "You said" not in told(at)
    at = visit(PAGE)
    at.select_slider[0].set_value("64").run()
    assert len(table(at, 0, "lines")) == 4
    assert list(table(at, 0, "marks")["label"]) == ["2 threads ahead", "your guess"]
    assert "You said: **from n = 64 on**. For PyTorch that was measured" in told(at)


def test_the_curve_is_played_size_by_size_and_a_clicker_stops_where_it_crosses(on, shipped):
    on(NO_GPU)
    shipped(laptop=LAPTOP)
    at = visit(PAGE)
    assert not [data for data in components(at) if "lastStep" in data]  # nothing to play yet
    at.select_slider[0].set_value("64").run()
    data = player(at)
    assert (data["lastStep"], data["begin"], data["plays"]) == (3, [0, None], True)
    assert data["stops"] == [1, 3]
    times = [one.median / two.median for one, two in zip(ONE, TWO, strict=True)]
    plays(at, "times as fast", np.array(times))
    assert list(series(at)["n"]) == [16, 64, 256, 1024]


def test_a_click_into_the_picture_is_a_guess(on, shipped, monkeypatch):
    on(NO_GPU)
    shipped(laptop=LAPTOP)
    at = visit(PAGE)
    picked = {"selection": {"guessed": [{"size": 256}]}}
    state = {"times as fast": picked, "guess": "unsure"}
    monkeypatch.setattr(speed.st, "session_state", state)
    speed._clicked("times as fast")
    assert state["guess"] == "256"
    for odd in ({}, {"guessed": []}, {"guessed": [{"size": "<b>"}]}, {"guessed": 7}):
        state["times as fast"] = {"selection": odd}
        speed._clicked("times as fast")
    assert state["guess"] == "256"
    assert "guessed" in str(charts(at)[0]["params"])


def test_the_transfer_is_a_second_curve(on, shipped):
    on(NO_GPU)
    shipped(tower=TOWER)
    at = visit(PAGE, guess="64")
    drawn = set(table(at, 0, "lines")["label"])
    assert drawn == {
        "PyTorch: the GPU against 16 threads, recorded",
        "PyTorch: the GPU with its transfer against 16 threads, recorded",
        "PyTorch: 16 threads against 1 thread, recorded",
    }
    assert "**PyTorch**, the GPU against 16 threads, recorded: ahead **from about" in told(at)
    assert "**PyTorch**, the GPU with its transfer against 16 threads, recorded:" in told(at)
    assert "Recorded elsewhere: **a tower**: Some CPU" in captions(at)
    assert "| PyTorch, GPU, recorded | 30 µs at n = 16 |" in told(at)


def test_a_recording_that_is_chosen_is_drawn_at_once_with_all_its_series(on, shipped):
    on(NO_GPU)
    shipped(tower=TOWER, laptop=LAPTOP)
    at = visit(PAGE, recording="laptop")
    assert set(table(at, 1, "lines")["label"]) == {
        "PyTorch, 1 thread, recorded",
        "PyTorch, 2 threads, recorded",
    }
    assert "2 threads against 1 thread, recorded: ahead" in told(at)
    assert "You said" not in told(at)


def test_a_recording_of_other_frameworks_adds_nothing(on, shipped):
    on(NO_GPU)
    shipped(tower=TOWER)
    at = visit(PAGE, frameworks="numpy", guess="show")
    assert "The recording has nothing of this question" in told(at)


def test_larger_sizes_of_a_recording_are_drawn_and_can_be_guessed(on, shipped):
    on(NO_GPU)
    shipped(laptop=recording([*ONE, ONE[-1]._replace(size=8192)], TWO))
    at = visit(PAGE)
    assert at.select_slider[0].options[-2:] == ["8,192", "never"]


# Measured on the server


def test_what_is_chosen_is_what_the_child_is_asked_for(on, shipped):
    asked = on(NO_GPU, events(ONE, TWO))
    shipped()
    address = {"operation": "row_by_column", "frameworks": "numpy,torch", "seconds": "7"}
    at = visit(PAGE, **address, precision="float64", largest_row_by_column="4096")
    assert "Up to 7 s, and about 0.7 GB of memory" in captions(at)
    press(at, LABEL)
    [(arguments, seconds)] = asked
    assert arguments[0] == "sweep"
    assert option(arguments, "--operations") == ["row_by_column"]
    assert option(arguments, "--contenders") == [
        "numpy:cpu:1", "numpy:cpu:2", "torch:cpu:1", "torch:cpu:2",
    ]  # fmt: skip
    assert option(arguments, "--sizes") == ["16", "64", "256", "1024", "4096"]
    assert option(arguments, "--precision") == ["float64"]
    assert option(arguments, "--transfer") == ["without"]
    assert option(arguments, "--seconds") == ["7"]
    assert 7 < seconds < 60


def test_memory_that_does_not_suffice_is_said_before(on, shipped, monkeypatch):
    on(NO_GPU)
    shipped()
    monkeypatch.setattr(speed, "memory_free", lambda: 10**8)
    assert "of which 0.1 are free: what does not fit is left out" in captions(visit(PAGE))


def test_the_guess_stands_beside_what_was_measured(on, shipped):
    on(NO_GPU, events(ONE, TWO))
    shipped()
    at = press(visit(PAGE, guess="1024"), LABEL)
    text = told(at)
    assert "You said: **from n = 1,024 on**. For PyTorch it was **from about " in text
    assert "**PyTorch**, 2 threads against 1 thread: ahead **from about" in text
    assert "| PyTorch, 2 threads | 11.2 µs at n = 16 |" in text
    assert "Some CPU, 4 cores" in captions(at)
    assert "20 to 20 samples" in captions(at)
    assert "on the server that runs this page" in captions(at)


def test_what_is_measured_stands_beside_a_recording(on, shipped):
    on(NO_GPU, events(ONE, TWO))
    shipped(tower=TOWER)
    text = told(press(visit(PAGE), LABEL))
    assert "the GPU against 16 threads, recorded: ahead **from about" in text
    assert "the GPU against 2 threads of the server: ahead **from about" in text
    assert "**PyTorch**, 2 threads against 1 thread: ahead" in text
    assert "Some Card (16 GiB" in text.replace("\\", "")


def test_never_is_a_guess_too(on, shipped):
    on(NO_GPU, events(ONE, line(2e-6, 5, threads=2)))
    shipped()
    at = press(visit(PAGE, guess="never"), LABEL)
    assert "You said: **never**. For PyTorch it is so" in told(at)


def test_what_was_left_out_is_named_with_its_reason(on, shipped):
    out = {"framework": "torch", "device": "cpu", "threads": 2, "size": 4096, "reason": "memory"}
    on(NO_GPU, events(ONE, TWO, left_out=[out, {**out, "size": 2048}]))
    shipped()
    at = press(visit(PAGE), LABEL)
    [said] = [one.value for one in at.caption if one.value.startswith("Left out")]
    assert "too little memory" in said
    assert "PyTorch, 2 threads (4,096, 2,048)" in said


@pytest.mark.parametrize(("share", "starved"), [(0.5, True), (0.98, False)])
def test_on_a_busy_server_points_are_drawn_and_verdicts_withheld(on, shipped, share, starved):
    on(NO_GPU, events(ONE, TWO, on_core=share))
    shipped(laptop=LAPTOP)
    at = press(visit(PAGE, guess="64"), LABEL)
    assert len(table(at, 0, "lines")) == 8
    assert ("had a core for 50% of the time" in told(at)) is starved
    assert ("2 threads against 1 thread: ahead" not in told(at)) is starved
    assert "2 threads against 1 thread, recorded: ahead" in told(at)
    labels = list(table(at, 0, "marks")["label"])
    assert len([one for one in labels if one != "your guess"]) == (1 if starved else 2)


def test_a_run_that_ends_early_on_a_busy_server_is_said_to_be_both(on, shipped):
    def broken():
        yield from events(ONE, TWO, on_core=0.5)
        raise ChildProcessError("gone")

    on(NO_GPU, broken())
    shipped()
    said = told(press(visit(PAGE), LABEL))
    assert "had a core for 50% of the time" in said
    assert "This run ended early; what was measured until then is drawn." in said


def test_one_core_has_nothing_to_compare(on, shipped):
    on(ONE_CORE, events(ONE))
    shipped()
    at = press(visit(PAGE), LABEL)
    assert "Choose two processors" in told(at)
    assert "| PyTorch, 1 thread | 1.82 µs at n = 16 |" in told(at)


def test_a_gpu_of_the_server_is_measured_with_its_transfer_and_without(on, shipped):
    asked = on(WITH_GPU, events(ONE, line(11e-6, 80, threads=16), GPU))
    shipped()
    at = press(visit(PAGE, guess="64"), LABEL)
    [(arguments, _)] = asked
    assert option(arguments, "--contenders") == ["torch:cpu:1", "torch:cpu:16", "torch:cuda:16"]
    assert option(arguments, "--transfer") == ["both"]
    assert "**PyTorch**, the GPU against 16 threads: ahead **from about" in told(at)


def test_a_framework_without_the_device_is_measured_on_what_it_has(on):
    asked = on(WITH_GPU, events(ONE))
    press(visit(PAGE, frameworks="tensorflow", processors="cuda,cpu"), LABEL)
    [(arguments, _)] = asked
    assert option(arguments, "--contenders") == ["tensorflow:cpu:16"]


def test_a_control_that_goes_and_comes_back_holds_what_it_held(on, shipped):
    on(NO_GPU)
    shipped()
    at = visit(PAGE, guess="64", largest_square="512")
    for operation in ("elementwise", "square"):
        at.button_group(key="operation").set_value(operation).run()
        assert not at.exception
    assert at.select_slider[0].options[-2] == "512"
    assert at.select_slider[0].value == "64"


# Other machines


def test_the_devices_of_the_server_stand_there_with_their_reasons(on):
    on(NO_GPU)
    at = visit(PAGE, chapter="machines")
    assert "not found: this build of the framework has no support for it" in told(at)
    assert "**Some CPU**" in told(at)
    assert "2 cores and no GPU that PyTorch can use" in told(at)
    assert "is not one of its devices" in told(at)


def test_every_recording_is_in_the_picture_of_machines(on, shipped):
    on(NO_GPU)
    shipped(laptop=LAPTOP, tower=TOWER)
    drawn = table(visit(PAGE, chapter="machines"), 0, "products")
    assert drawn["name"].iloc[0] == "PyTorch, GPU on a tower"
    assert list(drawn["gflops"]) == sorted(drawn["gflops"], reverse=True)
    assert len(drawn) == 5


def test_what_a_visitor_brings_takes_the_place_of_what_was_chosen(on, monkeypatch):
    on(NO_GPU)
    state, query = {}, {}
    monkeypatch.setattr(recordings.st, "session_state", state)
    monkeypatch.setattr(recordings.st, "query_params", query)
    for content in (to_text(TOWER).encode(), b"{}", b""):
        state["recording"] = query["recording"] = "laptop"
        file = SimpleNamespace(getvalue=lambda content=content: content)
        state[recordings.UPLOAD] = file if content else None
        recordings._brought()
        assert query == {}
        assert "recording" not in state
        assert state[recordings.BROUGHT] == content


def test_what_a_visitor_has_brought_is_drawn_in_every_chapter_that_can(on, shipped):
    """Also after one that cannot: of the tower, no copying was measured, so it has no roof."""
    on(NO_GPU)
    shipped(laptop=LAPTOP)
    at = AppTest.from_file(str(ROOT / "home.py"), default_timeout=60)
    at.switch_page(f"pages/{PAGE}.py")
    at.session_state[recordings.BROUGHT] = to_text(TOWER).encode()
    chapters = {"speed": True, "roof": False, "training_step": True}
    for chapter, is_drawn in chapters.items():
        at.query_params["chapter"] = chapter
        at.run()
        assert not at.exception
        assert ("a tower" in captions(at)) == is_drawn, chapter
        assert "asks for" not in told(at)


# Addresses that nobody should send


@pytest.mark.parametrize(
    ("name", "value", "used"),
    [
        ("operation", "<script>", "square"),
        ("seconds", "1e9", "60"),
        ("seconds", "nan", "20"),
        ("largest_square", "10000000000", "2048"),
        ("precision", "float16", "float32"),
        ("recording", "../../etc", "two_core_server"),
        ("guess", "-5", "unsure"),
    ],
)
def test_what_the_address_asks_for_and_cannot_have_is_said(on, name, value, used):
    on(NO_GPU)
    at = visit(PAGE, **{name: value})
    assert not at.exception
    assert f"asks for {name}" in told(at)
    assert f"This page uses {used}" in told(at)


def test_nobody_chosen_is_no_error(on):
    on(NO_GPU)
    for address in (
        {"frameworks": ""},
        {"processors": ""},
        {"frameworks": "jax"},
        {"processors": "tpu,cuda"},
    ):
        at = visit(PAGE, **address)
        assert not at.exception
        assert not at.warning or "not possible" in at.warning[0].value
