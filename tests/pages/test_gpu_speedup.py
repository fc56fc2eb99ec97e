"""The page on GPU speedup, run without a browser: with a GPU, without one, and with a recording."""

import pytest
import streamlit as st

from engines.benchmark import child
from tests.support.measurements import CARD, events, line, recording
from tests.support.visit import charts, titles, visit, words
from tests.views.gpu_speedup.test_this_machine import device
from views.gpu_speedup import recordings
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
        st.cache_resource.clear()
        measuring._latest.clear()
        return asked

    yield machine
    st.cache_resource.clear()


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


# Without a GPU


def test_a_first_visit_asks_about_threads_and_has_measured_nothing(on):
    asked = on(NO_GPU)
    at = visit(PAGE)
    assert not at.exception
    assert asked == []
    [slider] = at.select_slider
    assert "PyTorch: from which n on will 2 threads beat one?" in slider.label
    assert slider.value == "unsure"
    assert titles(at) == ["How many times as fast"]
    assert "You said" not in words(at)


def test_what_was_found_and_what_was_not_stands_there_with_its_reason(on):
    on(NO_GPU)
    text = words(visit(PAGE))
    assert "not found: this build of the framework has no support for it" in text
    assert "**Some CPU**" in text


def test_what_is_chosen_is_what_the_child_is_asked_for(on):
    asked = on(NO_GPU, events(ONE, TWO))
    address = {"operation": "row_by_column", "frameworks": "numpy,torch", "seconds": "7"}
    at = visit(PAGE, **address, precision="float64", largest_row_by_column="4096")
    press(at, "Run it here")
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


def test_the_guess_stands_beside_what_was_measured(on):
    on(NO_GPU, events(ONE, TWO))
    at = press(visit(PAGE, guess="1024"), "Run it here")
    text = words(at)
    assert "You said: **from n = 1,024 on**. For PyTorch it was **from about " in text
    assert "**PyTorch:** 2 threads against 1 thread: ahead **from about" in text
    assert "| PyTorch, 2 threads | 11.2 µs at n = 16 |" in text
    assert "Some CPU, 4 cores" in captions(at)
    assert "20 to 20 samples" in captions(at)


def test_never_is_a_guess_too(on):
    on(NO_GPU, events(ONE, line(2e-6, 5, threads=2)))
    at = press(visit(PAGE, guess="never"), "Run it here")
    assert "You said: **never**. For PyTorch it is so" in words(at)


def test_what_was_left_out_is_named_with_its_reason(on):
    out = {"framework": "torch", "device": "cpu", "threads": 2, "size": 4096, "reason": "memory"}
    on(NO_GPU, events(ONE, TWO, left_out=[out, {**out, "size": 2048}]))
    at = press(visit(PAGE), "Run it here")
    [said] = [one.value for one in at.caption if one.value.startswith("Left out")]
    assert "too little memory" in said
    assert "PyTorch, 2 threads (4,096, 2,048)" in said


@pytest.mark.parametrize(("share", "said"), [(0.5, True), (0.98, False)])
def test_numbers_of_a_busy_machine_carry_a_warning(on, share, said):
    on(NO_GPU, events(ONE, TWO, on_core=share))
    at = press(visit(PAGE), "Run it here")
    assert ("had a core for 50% of the time" in words(at)) is said


def test_one_core_leaves_nothing_to_guess(on):
    on(ONE_CORE, events(ONE))
    at = visit(PAGE)
    assert not at.select_slider
    press(at, "Run it here")
    assert "| PyTorch, 1 thread | 1.82 µs at n = 16 |" in words(at)


def test_numpy_has_no_transfer_to_count(on):
    on(NO_GPU)
    at = visit(PAGE, frameworks="numpy", transfer="true")
    assert "None of the selected frameworks supports this here" in words(at)
    assert "NumPy is left out: its numbers are in main memory" in captions(at)
    assert "Run it here" not in {button.label for button in at.button}


def test_where_no_gpu_was_ever_measured_the_page_says_so_and_how_to_add_one(on, monkeypatch):
    on(NO_GPU)
    monkeypatch.setattr(recordings, "shipped", lambda folder: {"cpu": recording(ONE)})
    at = visit(PAGE)
    assert "No GPU has been measured for this page yet." in words(at)
    assert "python -m engines.benchmark --out" in "\n".join(code.value for code in at.code)
    monkeypatch.setattr(recordings, "shipped", lambda folder: {"gpu": recording(GPU)})
    assert "No GPU has been measured" not in words(visit(PAGE))


# With one


def test_with_a_gpu_the_question_is_about_it(on):
    asked = on(WITH_GPU, events(ONE, line(11e-6, 80, threads=16), GPU))
    at = visit(PAGE, guess="64")
    [slider] = at.select_slider
    assert "PyTorch: from which n on will the GPU beat the CPU?" in slider.label
    press(at, "Run it here")
    [(arguments, _)] = asked
    assert option(arguments, "--contenders") == ["torch:cpu:1", "torch:cpu:16", "torch:cuda:16"]
    assert "**PyTorch:** the GPU against 16 threads: ahead **from about" in words(at)


def test_a_framework_without_the_device_is_measured_on_what_it_has(on):
    asked = on(WITH_GPU, events(ONE))
    press(visit(PAGE, frameworks="tensorflow", processors="cuda,cpu"), "Run it here")
    [(arguments, _)] = asked
    assert option(arguments, "--contenders") == ["tensorflow:cpu:16"]


# Recordings


@pytest.fixture
def elsewhere(monkeypatch):
    over = recording(GPU, line(1e-6, 300, threads=16), name="a tower", gpus=[CARD])
    monkeypatch.setattr(recordings, "shipped", lambda folder: {"tower": over})


def test_a_recording_is_compared_with_what_is_measured_here(on, elsewhere):
    on(NO_GPU, events(ONE, TWO))
    at = visit(PAGE, recording="tower", guess="1024")
    [slider] = at.select_slider
    assert "from which n on did the recorded GPU beat its own CPU?" in slider.label
    assert "PyTorch: the recorded GPU against the recorded CPU" in str(charts(at)[0])
    assert "PyTorch, GPU, recorded" in str(charts(at)[1])
    assert "Recorded elsewhere: **a tower**: Some CPU" in captions(at)
    assert "You said: **from n = 1,024 on**. For PyTorch it was" in words(at)
    press(at, "Run it here")
    text = words(at)
    against = "**PyTorch:** the recorded GPU against"
    assert f"{against} the recorded CPU: ahead **from about" in text
    assert f"{against} 2 threads of this machine: ahead **from about" in text
    assert "| PyTorch, GPU, recorded | 30 µs at n = 16 |" in text
    assert "**PyTorch:** 2 threads against 1 thread" in text
    assert "Some Card (16 GiB" in text.replace("\\", "")


def test_a_recording_with_transfer_is_not_laid_over_a_run_without(on, monkeypatch):
    on(NO_GPU)
    both = recording(GPU, [one._replace(transfer=True) for one in GPU])
    monkeypatch.setattr(recordings, "shipped", lambda folder: {"tower": both})
    for transfer in (False, True):
        more = {"transfer": "true"} if transfer else {}
        at = visit(PAGE, recording="tower", guess="16", **more)
        labels = [line.removeprefix("PyTorch, GPU, ") for line in str(charts(at)[1]).split("'")]
        assert ("with transfer, recorded" in labels) is transfer
        assert ("recorded" in labels) is not transfer


def test_what_a_recording_has_of_larger_sizes_is_not_compared(on, monkeypatch):
    on(NO_GPU)
    larger = [
        [*lines, lines[-1]._replace(size=8192)] for lines in (GPU, line(1e-6, 300, threads=16))
    ]
    monkeypatch.setattr(recordings, "shipped", lambda folder: {"tower": recording(*larger)})
    at = visit(PAGE, recording="tower", guess="16")
    assert "times as fast at n = 1,024" in words(at)
    assert "8,192" not in words(at)
    assert "at n = 8,192" in words(
        visit(PAGE, recording="tower", guess="16", largest_square="8192")
    )


def test_a_guess_is_not_judged_by_another_contest(on, elsewhere):
    on(NO_GPU, events(ONE))  # all threads were not measured
    at = press(visit(PAGE, guess="64"), "Run it here")
    assert "You said" not in words(at)


def test_a_recording_is_drawn_only_when_somebody_has_guessed(on, elsewhere):
    on(NO_GPU)
    assert len(charts(visit(PAGE, recording="tower"))) == 1
    assert len(charts(visit(PAGE, recording="tower", guess="16"))) == 3


def test_a_control_that_goes_and_comes_back_holds_what_it_held(on):
    on(NO_GPU)
    at = visit(PAGE, guess="64", largest_square="512")
    for operation in ("elementwise", "square"):
        at.button_group(key="operation").set_value(operation).run()
        assert not at.exception
    assert at.select_slider[0].options[-2] == "512"
    at.button_group(key="processors").set_value(["cpu"]).run()
    assert not at.select_slider
    at.button_group(key="processors").set_value(["cpu", "cpu-1"]).run()
    assert not at.exception
    assert at.select_slider[0].value == "64"


def test_a_recording_of_other_frameworks_adds_nothing(on, elsewhere):
    on(NO_GPU)
    at = visit(PAGE, recording="tower", frameworks="numpy")
    assert "recorded" not in str(charts(at)[0])
    assert "2 threads beat one" in at.select_slider[0].label


# Addresses that nobody should send


@pytest.mark.parametrize(
    ("name", "value", "used"),
    [
        ("operation", "<script>", "square"),
        ("seconds", "1e9", "20"),
        ("seconds", "nan", "20"),
        ("largest_square", "10000000000", "2048"),
        ("precision", "float16", "float32"),
        ("recording", "../../etc", "none"),
        ("trap", "nothing", "first_call"),
        ("guess", "-5", "unsure"),
    ],
)
def test_what_the_address_asks_for_and_cannot_have_is_said(on, name, value, used):
    on(NO_GPU)
    at = visit(PAGE, **{name: value})
    assert not at.exception
    assert f"asks for {name}" in words(at)
    assert f"This page uses {used}" in words(at)


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
