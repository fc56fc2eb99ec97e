"""The limits of a machine, as a visitor meets them: measured here, recorded, or stopped."""

from itertools import takewhile

import pytest

from engines.benchmark.operations import OPERATIONS
from engines.benchmark.recording import Gpu
from tests.support.chapters import chapter, measure
from tests.support.chapters import told as said
from tests.support.measurements import events, measurement, recording
from tests.support.visit import charts, table
from views.gpu_speedup.events import left_out_in_short, measured
from views.gpu_speedup.roof import ASKED, SIZES, fastest
from views.gpu_speedup.roof_words import LARGE, limits_of, told
from views.ui import shell
from views.ui.measuring import _latest


@pytest.fixture(scope="module", autouse=True)
def settled():
    """As a page does it: else each visit would look through the frameworks for garbage."""
    shell.settle("the tests of a section")


@pytest.fixture(autouse=True)
def nothing_measured():
    _latest().clear()


def one(operation, size, *, call=1e-6, speed=100e9, memory=20e9, **other):
    """A measurement of a machine that takes as long as a call and the slower of its limits."""
    made = OPERATIONS[operation]
    bits = 8 if other.get("precision") == "float64" else 4
    seconds = call + max(made.flops(size) / speed, bits * made.moved(size) / memory)
    return measurement(size, seconds, spread=0.05, **{"operation": operation, "threads": 2} | other)


def all_of(**machine):
    """What a run measures, in its order."""
    return [
        one(operation, size, **machine)
        for operation in ASKED
        for size in SIZES
        if size <= min(OPERATIONS[operation].sizes[-1], 4096 if operation == "square" else 2**26)
    ]


# What follows from measurements


def test_the_limits_of_memory_is_a_copy_that_no_small_cache_can_hold():
    cached = one("copy", 2**16, call=0, memory=500e9)
    large = [one("copy", 2**24, call=0, memory=20e9), one("copy", 2**26, call=0, memory=18e9)]
    limits = limits_of([cached, *large])
    assert limits.copy == large[0]
    assert limits.copy.moved_bytes >= LARGE
    assert limits.bytes_per_second == pytest.approx(20e9)
    assert limits_of([cached]).copy is None


def test_the_limits_of_arithmetic_is_the_fastest_square_product():
    found = all_of(speed=100e9)
    assert limits_of(found).product.size == 4096
    assert limits_of(found).product.gflops == pytest.approx(100, rel=0.01)


def test_where_a_small_product_is_faster_than_all_large_ones_they_were_disturbed():
    small = [one("square", 16, call=0, speed=5e9)]
    slow = [one("square", n, call=0.1, speed=100e9) for n in (256, 512)]
    assert limits_of([*small, *slow]).product is None
    text = "\n".join(told([*all_of()[:9], *small, *slow]))
    assert "How fast arithmetic goes is not known" in text
    assert "%" not in text
    assert limits_of([*small, one("square", 256)]).product.size == 256


def test_a_row_by_a_column_reaches_a_share_of_the_arithmetic_and_it_is_said_which():
    text = "\n".join(told(all_of(speed=100e9, memory=20e9)))
    assert "hands over 20 GB/s" in text
    assert "goes at 100 GFLOP/s" in text
    assert "about 0.25 flops a byte" in text
    assert "do 5 GFLOP/s of the 100 that arithmetic could: **5 %**" in text  # 0.25 * 20 of 100
    assert "n/6" in text
    assert "from n ≈ 30 on" in text  # where n / 6 = 100 / 20


def test_numbers_of_64_bits_have_half_the_intensity():
    text = "\n".join(told(all_of(speed=100e9, memory=20e9, precision="float64")))
    assert "about 0.125 flops a byte" in text
    assert "**2.5 %**" in text
    assert "n/12" in text
    assert "from n ≈ 60 on" in text


def test_small_sizes_are_told_as_the_time_of_a_call():
    text = "\n".join(told(all_of(call=5e-6, memory=20e9)))
    # 132 bytes take 6.6 ns and the call 5 µs, half as much again is reached with 50 000 bytes.
    assert "From there to n = 4,096 a call takes about the same time, 5.01 µs to 6.64 µs" in text
    instant = "\n".join(told(all_of(call=1e-12, memory=20e9)))
    assert "**Small sizes**" not in instant


def test_a_device_whose_arithmetic_is_the_slower_limit_is_not_said_to_wait_for_memory():
    text = "\n".join(told(all_of(speed=2e9, memory=20e9)))
    assert "memory is not what holds it back" in text
    assert "%" not in text


def test_what_lies_above_the_roof_is_named_with_a_cause_that_fits():
    found = all_of(memory=20e9)
    assert "Above the roof" not in "\n".join(told(found))

    cached = "\n".join(told([*found, one("elementwise", 2**15, call=0, memory=200e9)]))
    assert "**Above the roof** lies elementwise at n = 32,768: 10" in cached
    assert "It moves 0.786 MB: that fits into a cache" in cached

    read = "\n".join(told([*found, one("row_by_column", 2**25, call=0, memory=30e9)]))
    assert (
        "at n = 33,554,432. That is above the roof. It moves 268 MB. Reading alone can be" in read
    )
    assert "Above the roof" not in read  # it is said once

    step = "\n".join(told([*found, one("training_step", 2**14, call=0, speed=1e12, memory=1e12)]))
    assert "No square product was as fast" in step


@pytest.mark.parametrize("last", ASKED)
def test_a_run_that_was_stopped_says_what_it_can(last):
    found = [*takewhile(lambda each: each.operation != last, all_of())]
    text = "\n".join(told(found))
    assert ("hands over 20 GB/s" in text) == (last != "copy")
    assert ("Arithmetic** goes" in text) == (last not in ("copy", "square"))
    assert ("**A row by a column**" in text) == (last in ("elementwise", "training_step"))
    assert "nan" not in text
    assert "inf" not in text


def test_a_row_by_a_column_has_its_limit_without_any_square_product():
    found = [each for each in all_of(memory=20e9) if each.operation != "square"]
    text = "\n".join(told(found))
    assert "memory lets it do 5 GFLOP/s. The fastest" in text
    assert "How fast arithmetic goes is not known" in text


def test_of_a_recording_the_device_with_the_fastest_arithmetic_is_shown():
    gpu = all_of(speed=5e12, memory=1e12, device="cuda")
    halved = [one(each.operation, each.size, speed=9e12, transfer=True) for each in gpu]
    no_roof = [one("square", 4096, speed=8e12, framework="tensorflow")]
    assert fastest([*all_of(), *halved, *gpu, *no_roof]) == tuple(gpu)
    assert fastest(no_roof) == ()


def test_what_was_left_out_is_counted_by_its_reason():
    out = [
        {"event": "left out", "of": 9, "reason": "memory"},
        {"event": "left out", "of": 9, "reason": "time"},
        {"event": "left out", "of": 9, "reason": "time"},
    ]
    assert left_out_in_short(out) == [
        "Left out, because there was too little memory: 1 of 9.",
        "Left out, because there was too little time: 2 of 9.",
    ]
    assert left_out_in_short(list(events(all_of()))) == []


def test_events_of_a_run_give_its_measurements():
    assert measured(list(events(all_of()))) == tuple(all_of())


# On the page


def visit(answers=(), state=(), **query):
    return chapter("roof", answers, state, **query)


def recorded(measurements, name="a *loud* server"):
    return recording(measurements, name=name, gpus=[Gpu("card", 2**36, "1")])


def drawn(at):
    """Whether the only chart is the roofline."""
    [chart] = charts(at)
    return chart["title"]["text"] == "The roofline"


def captions(at):
    return "\n".join(caption.value for caption in at.caption)


def test_before_it_was_measured_there_is_a_question_and_no_picture():
    at = visit()
    assert len(table(at, 0, "points")) == 0
    assert "Which of the two limits will it meet" in said(at)


def test_what_is_measured_here_is_drawn_and_told():
    at = measure(visit(events(all_of(speed=100e9, memory=20e9))))
    assert drawn(at)
    assert "**5 %**" in said(at)
    assert "Which of the two limits will it meet" not in said(at)
    assert "PyTorch, 2 threads, in 32 bits" in captions(at)
    assert "stopped" not in captions(at)
    assert "median of 20 to 20 samples" in captions(at)


def test_points_are_drawn_whatever_of_the_roof_is_known():
    small = [each for each in all_of() if each.moved_bytes < LARGE]
    no_arithmetic = [each for each in all_of() if each.operation != "square"]
    for found, corners in ((small, 2), (no_arithmetic, 2), (all_of(), 3)):
        at = measure(visit(events(found)))
        drawn = [each for each in found if each.operation != "copy"]
        assert len(table(at, 0, "points")) == len(drawn)
        assert len(table(at, 0, "roof")) == (
            corners if len(found) > 2 else len(table(at, 0, "roof"))
        )


def test_it_asks_for_the_best_device_with_all_its_threads():
    [asked] = measure(visit(events(all_of()))).session_state["ran"]
    assert asked[asked.index("--contenders") + 1] == "numpy:cpu:2"
    assert asked[asked.index("--transfer") + 1] == "without"
    [asked] = measure(visit([], {"devices": {"torch": ["cuda"]}, "cores": 1})).session_state["ran"]
    assert asked[asked.index("--contenders") + 1] == "torch:cuda:1"


def test_a_gpu_is_told_as_one():
    gpu = all_of(speed=5e12, memory=1e12, call=1e-5, device="cuda")
    at = measure(visit(events(gpu), {"devices": {"torch": ["cuda"]}}))
    assert "PyTorch, GPU, in 32 bits" in captions(at)
    assert "do 233 GFLOP/s of the 4,998" in said(at)


def test_one_core_is_one_thread():
    at = measure(visit(events(all_of(threads=1)), {"cores": 1}))
    assert "PyTorch, 1 thread, in" in captions(at)


def test_the_command_line_understands_what_the_page_asks_for():
    from engines.benchmark.command_line import _parser, _sizes

    [asked] = measure(visit(events(all_of()))).session_state["ran"]
    parsed = _parser().parse_args(asked)
    assert parsed.what == "sweep"
    sizes = _sizes(parsed)
    assert list(sizes) == list(ASKED)
    assert max(sizes["square"]) == 4096
    assert 8 * max(sizes["copy"]) >= LARGE


def test_a_failure_halfway_keeps_what_came_and_shows_no_path():
    few = [each for each in all_of() if each.operation in ("copy", "square")]
    at = measure(visit([*events(few), ChildProcessError("/a/path")]))
    assert drawn(at)
    assert "has ended before it was done" in said(at)
    assert "/a/path" not in said(at)
    assert "This run ended early." in at.warning[-1].value
    assert "**A row by a column**" not in said(at)


def test_without_a_large_copy_that_part_of_the_roof_is_missing():
    small = [each for each in all_of() if each.moved_bytes < LARGE]
    at = measure(visit(events(small)))
    assert "what memory hands over is not known" in said(at)
    assert "goes at" in said(at)


def test_on_a_busy_server_no_verdict_is_given():
    at = measure(visit(events(all_of(), on_core=0.5)))
    assert "what they say may be noise" in said(at)
    assert "**5 %**" not in said(at)


def test_where_nothing_could_be_measured_that_is_said_with_the_reason():
    lost = {"event": "left out", "done": 1, "of": 1, "reason": "lost"}
    at = measure(visit([{"event": "began", "of": 1}, lost]))
    assert "the process that measures had ended: 1 of 1" in captions(at)


def test_a_recording_is_shown_without_measuring_and_its_name_is_only_a_name():
    gpu = all_of(speed=5e12, memory=1e12, device="cuda")
    recordings = {"useless": recorded([one("square", 16)]), "loud": recorded(gpu)}
    at = visit([], {"recordings": recordings})
    assert at.pills[0].options == [
        r"Recorded\: a \*loud\* server".replace("\\:", ":"),
        "The server that runs this page",
    ]
    assert drawn(at)
    assert "do 248 GFLOP/s of the 5,000" in said(at)
    assert not at.button
    at.pills[0].set_value("none").run()
    assert at.button(key="measure roof")


@pytest.mark.parametrize("asked", ["useless", "<b>", "", "9" * 400])
def test_an_address_with_another_recording_is_refused_with_a_word(asked):
    recordings = {"loud": recorded(all_of()), "useless": recorded([one("square", 16)])}
    at = visit([], {"recordings": recordings}, recording=asked)
    assert "This page uses loud" in said(at)
