"""Training steps by width, as a visitor meets them: measured here, or recorded elsewhere."""

import pytest

from tests.support.chapters import chapter, measure
from tests.support.chapters import told as said
from tests.support.measurements import events, measurement, recording
from tests.support.visit import ROOT, charts, table
from views.gpu_speedup.contenders import lines_of
from views.gpu_speedup.recordings import shipped
from views.gpu_speedup.training_step import WIDTHS, told
from views.ui import shell
from views.ui.measuring import _latest


@pytest.fixture(scope="module", autouse=True)
def settled():
    """As a page does it: else each visit would look through the frameworks for garbage."""
    shell.settle("the tests of a section")


@pytest.fixture(autouse=True)
def nothing_measured():
    _latest().clear()


def one(size, seconds, contender="torch:cpu:2", *, transfer=False, spread=0.05, samples=20):
    """A measurement of a training step; spread: of its quartiles around the median."""
    framework, device, threads = contender.split(":")
    step = {"operation": "training_step", "transfer": transfer, "samples": samples}
    step |= {"framework": framework, "device": device, "threads": int(threads)}
    return measurement(size, seconds, spread=spread, **step)


def line(contender, call, of_each, *, way=None, sizes=WIDTHS):
    """Steps that take a time for the calls and one for each hidden unit; then with the transfer."""
    alone = [one(size, call + of_each * size, contender) for size in sizes]
    if way is None:
        return alone
    return alone + [
        one(size, way + call + of_each * size, contender, transfer=True) for size in sizes
    ]


NUMPY = line("numpy:cpu:2", 1e-5, 1e-5)
TORCH = line("torch:cpu:2", 1e-4, 5e-6, way=1e-4)
GPU = line("torch:cuda:2", 2e-4, 1e-7, way=4e-4)


def texts(*measurements):
    return told(lines_of([each for part in measurements for each in part]))


# What follows from measurements


def test_steps_a_second_are_told_at_the_narrowest_and_the_widest_network():
    assert texts(line("numpy:cpu:2", 0, 1e-5)) == [
        "**NumPy, 2 threads** does **6,250** steps a second with 16 hidden units, "
        "and **6.1** steps a second with 16,384."
    ]


def test_the_share_of_the_transfer_is_told_at_both_ends():
    [text] = texts(line("torch:cuda:2", 1e-4, 1e-6, way=4e-4))
    assert "Of a step with 16 hidden units the transfer takes **77.5 %**" in text  # 400 of 516 µs
    assert "cannot be told" in text  # 400 of 16 884 µs are less than the quartiles are apart
    assert "With 16,384 hidden units what the transfer takes" in text


def test_a_transfer_within_the_noise_or_from_few_samples_is_not_told_as_a_share():
    alone, noisy = one(16, 1e-3, spread=0.2), one(16, 1.1e-3, transfer=True, spread=0.2)
    [text] = texts([alone, noisy])
    assert "With 16 hidden units what the transfer takes cannot be told from noise." in text
    assert "%" not in text
    few = one(16, 9e-3, transfer=True, spread=0, samples=1)
    assert "%" not in texts([alone, few])[0]
    faster = one(16, 5e-4, transfer=True)
    assert "%" not in texts([alone, faster])[0]


def test_who_wins_is_told_with_the_width_from_which_on():
    [text] = [text for text in texts(NUMPY, TORCH) if "ahead" in text]
    # 170 against 180 µs with 16 units, whose quartiles overlap: too close to tell.
    assert text == (
        "**PyTorch, 2 threads**, against NumPy, 2 threads: **ahead** wherever these numbers can "
        "tell, and 2 times as fast at 16,384 hidden units. At 16 hidden units it is too close to "
        "tell."
    )
    slow = line("torch:cpu:2", 2e-4, 5e-6)
    [text] = [text for text in texts(NUMPY, slow) if "ahead" in text]
    # 170 against 280 µs with 16 units, 650 against 520 with 64; straight on logarithmic axes,
    # and ahead by a twentieth.
    assert "ahead **from about 46 hidden units on**" in text


def test_the_one_that_is_faster_everywhere_is_told_so_whichever_comes_first():
    slow, fast = line("torch:cpu:2", 1e-3, 1e-5), line("numpy:cpu:2", 1e-4, 1e-6)
    [text] = [text for text in texts(slow, fast) if "ahead" in text]
    assert text == (
        "**NumPy, 2 threads**, against PyTorch, 2 threads: **ahead at every size** that was "
        "measured, and 10 times as fast at 16,384 hidden units."
    )


def test_two_that_overlap_at_the_widest_network_are_too_close_to_tell():
    near = line("numpy:cpu:2", 1e-4, 5.1e-6)
    assert any("too close to tell. At 16,384 hidden units" in text for text in texts(near, TORCH))


def test_a_gpu_is_compared_with_its_transfer_counted_too():
    text = texts(TORCH, GPU)
    alone = [one for one in text if "**PyTorch, GPU**, against PyTorch, 2 threads: ahead" in one]
    counted = [one for one in text if "**PyTorch, GPU, with transfer**, against" in one]
    assert len(alone) == len(counted) == 1
    # 100 + 5 n = 200 + n / 10 at n = 20, and 600 + n / 10 at n = 102, straight in between.
    assert "from about 21 hidden" in alone[0]
    assert "from about 110 hidden" in counted[0]


def test_a_gpu_that_does_not_pay_for_the_way_is_told_so():
    short = [16, 64]
    text = texts(
        line("torch:cpu:2", 1e-4, 5e-6, sizes=short),
        line("torch:cuda:2", 1e-5, 1e-7, way=1e-2, sizes=short),
    )
    assert text[-1].startswith(
        "**PyTorch, GPU, with transfer**, against PyTorch, 2 threads: **not ahead** at 64 hidden"
    )


def test_lines_without_a_common_width_are_not_compared():
    text = texts(line("numpy:cpu:2", 1e-5, 1e-5, sizes=[16]), line("torch:cpu:2", 1, 1, sizes=[64]))
    assert len(text) == 2
    assert text[0].endswith("does **5,882** steps a second with 16 hidden units.")


# On the page


def visit(answers=(), state=(), **query):
    return chapter("training_step", answers, state, **query)


def contenders(at):
    [asked] = at.session_state["ran"]
    start = asked.index("--contenders") + 1
    return asked[start : asked.index("--sizes")]


def captions(at):
    return "\n".join(caption.value for caption in at.caption)


def recorded(measurements):
    return recording(measurements, name="a *loud* server")


def test_before_it_was_measured_there_is_a_question_and_no_picture():
    at = visit()
    assert len(table(at, 0, "lines")) == 0
    assert "steps a second" not in said(at)


def test_what_is_measured_here_is_drawn_and_told():
    at = measure(visit(events(NUMPY + TORCH)))
    [chart] = charts(at)
    assert chart["title"]["text"] == "Time for one call"
    assert "**NumPy, 2 threads** does" in said(at)
    assert "At which width" not in said(at)
    assert "stopped" not in captions(at)


def test_it_asks_numpy_and_pytorch_and_tensorflow_only_if_somebody_wants_it():
    at = measure(visit(events(NUMPY)))
    assert contenders(at) == ("numpy:cpu:2", "torch:cpu:2")
    at = measure(visit(events(NUMPY), tensorflow="true"))
    assert contenders(at) == ("numpy:cpu:2", "torch:cpu:2", "tensorflow:cpu:2")


def test_each_framework_is_measured_on_the_device_that_it_has():
    state = {"devices": {"torch": ["cuda"]}, "cores": 1}
    at = measure(visit(events(GPU), state, tensorflow="true"))
    assert contenders(at) == ("numpy:cpu:1", "torch:cpu:1", "torch:cuda:1", "tensorflow:cpu:1")
    state["devices"]["tensorflow"] = ["cuda"]
    at = measure(visit(events(GPU), state, tensorflow="true"))
    assert contenders(at)[-1] == "tensorflow:cuda:1"


def test_the_command_line_understands_what_the_page_asks_for():
    from engines.benchmark.command_line import TRANSFERS, _parser, _sizes

    [asked] = measure(visit(events(NUMPY))).session_state["ran"]
    parsed = _parser().parse_args(asked)
    assert _sizes(parsed) == {"training_step": WIDTHS}
    assert TRANSFERS[parsed.transfer] == (False, True)


def test_a_failure_halfway_keeps_what_came_and_shows_no_path():
    at = measure(visit([*events(NUMPY[:2]), ChildProcessError("/a/path")]))
    assert len(charts(at)) == 1
    assert "has ended before it was done" in said(at)
    assert "/a/path" not in said(at)
    assert "This run ended early." in at.warning[-1].value
    assert "with 64" in said(at)


def test_a_framework_that_is_not_there_is_said_to_be_left_out():
    lost = {"event": "left out", "done": 7, "of": 7, "reason": "lost"}
    at = measure(visit([*events(NUMPY), lost]))
    assert "the process that measures had ended: 1 of 7" in captions(at)


def test_where_nothing_could_be_measured_that_is_said_with_the_reason():
    late = {"event": "left out", "done": 1, "of": 1, "reason": "time"}
    at = measure(visit([{"event": "began", "of": 1}, late]))
    assert "there was too little time: 1 of 1" in captions(at)
    assert "takes" not in said(at)


def test_a_recording_lies_over_it_with_its_gpu_and_its_cpu_and_its_name_is_only_a_name():
    recordings = {"loud": recorded(TORCH + GPU), "useless": recorded([])}
    at = visit([], {"recordings": recordings})
    assert at.selectbox[0].value == "loud"
    assert len(charts(at)) == 1
    assert "**PyTorch, GPU, recorded** does" in said(at)
    assert r"Recorded elsewhere: **a \*loud\* server**: " in captions(at)
    assert "**PyTorch, 2 threads, recorded** does" in said(at)
    assert "**PyTorch, GPU, recorded**, against PyTorch, 2 threads, recorded: ahead" in said(at)
    assert "Measured" not in captions(at)


def test_of_a_recording_without_a_gpu_what_is_measured_here_lies_over_it():
    tensorflow = [one._replace(framework="tensorflow") for one in TORCH]
    recordings = {"loud": recorded([*TORCH, *tensorflow])}
    for asked in ("false", "true"):
        at = visit([], {"recordings": recordings}, recording="loud", tensorflow=asked)
        assert "**PyTorch, 2 threads, recorded** does" in said(at)
        assert ("**TensorFlow, 2 threads, recorded** does" in said(at)) == (asked == "true")


def test_another_framework_on_another_machine_is_no_contest():
    recordings = {"loud": recorded(GPU)}
    at = measure(visit(events(NUMPY), {"recordings": recordings}, recording="loud"))
    assert "**NumPy, 2 threads** does" in said(at)
    assert "against NumPy" not in said(at)
    assert "**NumPy, 2 threads**, against" not in said(at)


def test_a_recording_and_this_machine_are_compared():
    recordings = {"loud": recorded(GPU)}
    at = measure(visit(events(TORCH), {"recordings": recordings}, recording="loud"))
    assert "**PyTorch, GPU, recorded**, against PyTorch, 2 threads: " in said(at)


@pytest.mark.parametrize("asked", ["<b>", "", "9" * 400])
def test_an_address_with_another_recording_is_refused(asked):
    recordings = {"loud": recorded(GPU)}
    at = visit([], {"recordings": recordings}, recording=asked, tensorflow="perhaps")
    assert "This page uses loud" in said(at)
    assert "asks for tensorflow = `perhaps`" in said(at)


def test_on_a_busy_server_the_points_are_drawn_and_no_verdict_is_given():
    """A stray point once made the transfer take 98.3 % of a step, on a CPU."""
    at = measure(visit(events(NUMPY, TORCH, on_core=0.5)))
    assert len(table(at, 0, "lines")) > len(NUMPY)
    assert "no verdict is given" in said(at)
    assert "steps a second" not in said(at)
    assert "against" not in said(at)


def test_the_shipped_recording_has_no_crossing_where_there_is_a_tie():
    """NumPy is ahead of PyTorch at ten widths of eleven, and level at 8,192."""
    recordings = shipped.__wrapped__(ROOT / "recordings")
    text = said(visit([], {"recordings": recordings}))
    assert (
        "**NumPy, 2 threads, recorded**, against PyTorch, 2 threads, recorded: **ahead** wherever "
        "these numbers can tell" in text
    )
    assert "At 8,192 hidden units it is too close to tell." in text
