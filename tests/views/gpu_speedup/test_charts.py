"""The drawings of what was measured: the right numbers, in units that are read at a glance."""

import json
from itertools import pairwise

import altair as alt
import numpy as np
import pytest

from engines.benchmark.operations import OPERATIONS
from tests.support.measurements import measurement
from views.gpu_speedup.contenders import (
    DASHED,
    DOTTED,
    SHAPES,
    SOLID,
    line_of,
    lines_of,
    tick_labels,
    written,
)
from views.gpu_speedup.roofline import under_the_roof
from views.gpu_speedup.size_chart import against_size
from views.gpu_speedup.speedup_chart import Mark, Pair, speedup
from views.gpu_speedup.traps_charts import Result, naive_and_honest, one_by_one, result
from views.player import Timeline, every_step

SIZES = (64, 128, 256, 512, 1024)


def measured(size, *, operation="square", seconds=None, **other):
    """What a machine with 50 GFLOP/s would take, that needs 5 µs for each call."""
    median = seconds or 5e-6 + OPERATIONS[operation].flops(size) / 50e9
    quartiles = {"low": 0.95 * median, "high": 1.25 * median}
    more = {"operation": operation, "calls": 20, "samples": 30, "most": 3 * median, **quartiles}
    return measurement(size, median, **more | other)


def drawing(of):
    """All of a figure that is not data: equal ones stay in the page as they are."""
    return {**of, "datasets": None}


def table(of, name):
    return of["datasets"][name].to_pylist()


def valid(of):
    """The figure as a chart that Altair has checked, with its tables as plain rows."""
    rows = {
        name: table if isinstance(table, list) else table.to_pylist()
        for name, table in of["datasets"].items()
    }
    return alt.Chart.from_dict(json.loads(json.dumps({**of, "datasets": rows})))


def value(of, name):
    [found] = [one["value"] for one in of["params"] if one["name"] == name]
    return found


def sizes_chart(lines, what="time", **more):
    return against_size(lines, what=what, **{"sizes": SIZES} | more)


# Words and looks


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1e-9, "1 ns"),
        (999.4e-9, "999 ns"),
        (999.6e-9, "1 µs"),
        (3.456e-6, "3.46 µs"),
        (0.0345, "34.5 ms"),
        (1.0, "1 s"),
        (1234.5, "1,234 s"),
    ],
)
def test_a_time_is_written_in_the_unit_that_suits_it(seconds, text):
    assert written(seconds, "time") == text


def test_a_speed_is_written_in_gflops():
    assert written(0.01234, "gflops") == "0.0123 GFLOP/s"
    assert written(99.96, "gflops") == "100 GFLOP/s"
    assert written(51234.0, "gflops") == "51,234 GFLOP/s"


def test_ticks_ask_for_the_largest_unit_first():
    told = tick_labels("time")
    assert told.index("' s'") < told.index("' ms'") < told.index("' µs'") < told.index("' ns'")


def test_threads_and_devices_differ_in_more_than_colour():
    one, all_of_them, gpu = (
        line_of("torch", device, threads)
        for device, threads in (("cpu", 1), ("cpu", 8), ("cuda", 8))
    )
    assert [look.label for look in (one, all_of_them, gpu)] == [
        "PyTorch, 1 thread",
        "PyTorch, 8 threads",
        "PyTorch, GPU",
    ]
    assert (one.look.dash, all_of_them.look.dash, gpu.look.dash) == (DASHED, SOLID, SOLID)
    assert gpu.width > all_of_them.width
    assert gpu.look.shape != all_of_them.look.shape
    assert len({line.look.color for line in (one, all_of_them, gpu)}) == 1


def test_a_recording_says_so_and_is_thinner_and_hollow():
    here, elsewhere = (line_of("torch", "cuda", 8, recorded=yes) for yes in (False, True))
    assert elsewhere.label == "PyTorch, GPU, recorded"
    assert elsewhere.width < here.width
    assert elsewhere.hollow
    assert not here.hollow


def test_each_contender_has_a_line_of_its_own():
    mixed = [
        measured(size, framework=framework, device=device, transfer=transfer)
        for size in SIZES
        for framework, device, transfer in (
            ("torch", "cuda", True),
            ("torch", "cuda", False),
            ("numpy", "cpu", False),
        )
    ]
    lines = lines_of(mixed)
    labels = ["NumPy, 1 thread", "PyTorch, GPU", "PyTorch, GPU, with transfer"]
    assert [line.label for line in lines] == labels
    assert lines[2].look.dash == DOTTED
    assert all(tuple(one.size for one in line.measurements) == SIZES for line in lines)


# Against size


def test_before_anything_was_measured_the_picture_has_its_axes():
    empty = sizes_chart([])
    valid(empty)
    assert table(empty, "lines") == []
    assert value(empty, "size_ticks") == list(SIZES)
    assert value(empty, "size_low") < 64
    assert value(empty, "size_high") > 1024


def test_one_measurement_is_a_point_with_its_quartiles():
    chart = sizes_chart(lines_of([measured(128, seconds=2e-3)]))
    valid(chart)
    [row] = table(chart, "lines")
    assert (row["low"], row["middle"], row["high"]) == pytest.approx((1.9e-3, 2e-3, 2.5e-3))
    assert row["median"] == "2 ms"
    assert row["quartiles"] == "1.9 ms to 2.5 ms"
    assert row["samples"] == "30 of 20 calls each"


def test_the_speed_of_a_slow_quartile_is_the_low_one():
    [row] = table(sizes_chart(lines_of([measured(512, seconds=1e-2)]), "gflops"), "lines")
    speed = 2 * 512**3 / 1e-2 / 1e9
    assert row["middle"] == pytest.approx(speed)
    assert (row["low"], row["high"]) == pytest.approx((speed / 1.25, speed / 0.95))
    assert row["median"] == "26.8 GFLOP/s"


@pytest.mark.parametrize("what", ["time", "gflops"])
def test_results_arrive_without_a_new_drawing(what):
    contenders = [("numpy", "cpu"), ("torch", "cpu"), ("torch", "cuda"), ("tensorflow", "cpu")]
    all_of_them = [
        measured(size, framework=framework, device=device)
        for size in SIZES
        for framework, device in contenders
    ]
    assert len(all_of_them) == 20

    def after(count):
        lines = [
            line_of(*contender, 1)._replace(
                measurements=tuple(
                    one for one in all_of_them[:count] if (one.framework, one.device) == contender
                )
            )
            for contender in contenders
        ]
        return sizes_chart(lines, what)

    first, last = after(1), after(20)
    assert [len(table(one, "lines")) for one in (first, last)] == [1, 20]
    assert drawing(first) == drawing(last) == drawing(after(0))
    # A column of another kind would be a new drawing too.
    assert first["datasets"]["lines"].schema == after(0)["datasets"]["lines"].schema


def test_a_size_that_is_missing_breaks_the_line():
    chart = sizes_chart(lines_of([measured(size) for size in SIZES if size != 256]))
    valid(chart)
    heights = {row["size"]: row["middle"] for row in table(chart, "lines")}
    assert heights.pop(256.0) is None
    assert set(heights) == set(SIZES) - {256}
    assert None not in heights.values()


def test_sizes_far_apart_all_along_are_no_gap():
    chart = sizes_chart(lines_of([measured(size) for size in (64, 256, 1024)]))
    assert len(table(chart, "lines")) == 3


def test_what_is_outside_of_the_sizes_is_left_out():
    lines = lines_of([measured(size) for size in (16, 64, 4096)])
    chart = sizes_chart(lines)
    assert [row["n"] for row in table(chart, "lines") if row["middle"]] == ["64"]


def test_extreme_times_are_drawn_and_told():
    lines = lines_of([measured(64, seconds=1e-9), measured(128, seconds=1e3)])
    for what in ("time", "gflops"):
        valid(sizes_chart(lines, what))
    assert [row["median"] for row in table(sizes_chart(lines), "lines")] == ["1 ns", "1,000 s"]


# How many times as fast


def pair(slower, faster):
    [line] = lines_of(faster)
    return Pair(line.look, tuple(slower), tuple(faster))


def speedup_chart(pairs, guess=None, crossings=()):
    marks = [Mark(size, label, "crossing") for size, label in crossings]
    marks += [Mark(guess, "your guess", "guess")] if guess else []
    return speedup(pairs, marks, sizes=SIZES, size_name="n")


def test_before_anything_was_measured_the_guess_stands_alone():
    empty = speedup_chart([], guess=200.0)
    valid(empty)
    assert table(empty, "lines") == []
    [guess] = table(empty, "marks")
    assert (guess["size"], guess["label"], guess["kind"]) == (200.0, "your guess", "guess")


def test_times_as_fast_are_by_the_medians_between_the_quartiles_against_each_other():
    slow, fast = [measured(128, seconds=8e-3)], [measured(128, seconds=2e-3), measured(64)]
    chart = speedup_chart([pair(slow, fast)])
    valid(chart)
    [row] = table(chart, "lines")
    assert row["middle"] == pytest.approx(4)
    # Quartiles are at 0.95 and 1.25 times the median.
    assert (row["low"], row["high"]) == pytest.approx((4 * 0.95 / 1.25, 4 * 1.25 / 0.95))
    assert row["times"] == "4 times as fast"


def test_more_results_and_another_guess_are_no_new_drawing():
    slow, fast = [measured(n, seconds=2e-3) for n in SIZES], [measured(n) for n in SIZES]
    first = speedup_chart([pair(slow[:1], fast)], guess=100)
    last = speedup_chart([pair(slow, fast)], guess=700, crossings=[(300, "wins")])
    assert [len(table(one, "lines")) for one in (first, last)] == [1, len(SIZES)]
    assert drawing(first) == drawing(last)
    for name in ("lines", "marks"):
        assert first["datasets"][name].schema == last["datasets"][name].schema


def test_marks_outside_of_the_sizes_are_left_out():
    chart = speedup_chart([], guess=5000, crossings=[(1, "too small"), (90, "wins")])
    assert [row["label"] for row in table(chart, "marks")] == ["wins"]


# The roofline


def test_the_roof_rises_with_memory_up_to_the_ridge_and_is_flat_from_there():
    chart = under_the_roof((), 100.0, 20e9)
    valid(chart)
    low, ridge, high = table(chart, "roof")
    assert low["y"] == pytest.approx(20 * low["x"])
    assert (ridge["x"], ridge["y"]) == (5.0, 100.0)
    assert high["y"] == 100.0
    words = [row["text"] for row in table(chart, "words")]
    assert words == ["memory decides", "arithmetic decides", "ridge: 5 flops a byte"]


def test_operations_stand_where_their_intensity_is():
    operations = ("row_by_column", "square", "elementwise", "training_step", "copy")
    found = [measured(size, operation=one) for one in operations for size in (64, 1024)]
    chart = under_the_roof(tuple(found), 100.0, 20e9)
    valid(chart)
    points = {(row["operation"], row["n"]): row for row in table(chart, "points")}
    assert len(points) == 8  # a copy computes nothing
    row, square = points["row by column", 1024], points["square product", 1024]
    assert row["x"] == pytest.approx(2 * 1024 / (4 * 2049))
    assert square["x"] == pytest.approx(1024 / 6)
    assert row["x"] < 5 < square["x"]  # the ridge is between them
    seconds = 5e-6 + 2 * 1024**3 / 50e9
    assert square["y"] == pytest.approx(2 * 1024**3 / seconds / 1e9)
    words = {row["text"] for row in table(chart, "words")}
    assert {"row by column, n = 64", "square product, n = 64", "n = 1k"} <= words


# Naive and honest


def test_a_result_ten_times_another_needs_a_logarithmic_axis():
    def kind_of_axis(*values):
        rows = [Result("a", "naive", one, one, one) for one in values]
        chart = naive_and_honest(rows, unit="time")
        valid(chart)
        return chart["layer"][0]["encoding"]["x"]["scale"]["type"], value(chart, "value_low")

    assert kind_of_axis(1e-3, 9e-3) == ("linear", 0)
    kind, low = kind_of_axis(2e-3, 9e-2)
    assert (kind, low) == ("log", pytest.approx(1e-3))
    assert kind_of_axis(1e-9, 1e3)[0] == "log"


def test_each_result_has_its_value_beside_it_on_the_side_with_room():
    rows = [
        result("everything", "honest", measured(512, seconds=1e-2), "gflops"),
        Result("wrong", "naive", 100.0, 90.0, 110.0),
    ]
    chart = naive_and_honest(rows, unit="gflops")
    small, large = table(chart, "results")
    assert (small["text"], large["text"]) == ("26.8 GFLOP/s", "100 GFLOP/s")
    assert (small["at"], large["at"]) == (pytest.approx(small["high"]), 90.0)
    assert small["low"] < small["value"] < small["high"]
    shapes = chart["layer"][1]["encoding"]["shape"]["scale"]
    assert shapes["domain"] == ["naive", "honest"]
    assert shapes["range"][1] == SHAPES["circle"] != shapes["range"][0]


# Call by call


def test_one_call_is_pointed_at_among_all_of_them():
    samples = [1e-3, 1.1e-3, 1.2e-3, 1.3e-3, 1.4e-3]
    chart = one_by_one(samples, shown=3)
    valid(chart)
    calls = table(chart, "calls")
    assert [row["call"] for row in calls] == [1, 2, 3, 4, 5]
    assert [row["text"] for row in calls if row["shown"]] == ["call 4: 1.3 ms"]
    [rest] = table(chart, "rest")
    assert (rest["low"], rest["middle"], rest["high"]) == pytest.approx((1.1e-3, 1.2e-3, 1.3e-3))
    assert value(chart, "told") == "Call by call: median 1.2 ms"
    assert drawing(chart) == drawing(one_by_one(samples, shown=0))
    assert not any(row["shown"] for row in table(one_by_one(samples, shown=None), "calls"))


def test_a_call_far_off_makes_the_axis_logarithmic():
    def kind_of_axis(*samples):
        chart = one_by_one(samples, shown=0)
        valid(chart)
        return chart["layer"][0]["encoding"]["y"]["scale"]["type"]

    assert kind_of_axis(1e-3, 1.2e-3, 1.1e-3) == "linear"
    assert kind_of_axis(1e-3, 1.2e-3, 1.1e-3, 2e-2) == "log"
    assert kind_of_axis(1e-9, 1e-9, 1e3) == "log"
    assert kind_of_axis(1e-3) == "linear"


def test_of_very_many_calls_the_first_are_shown_and_of_none_there_is_no_picture():
    assert len(table(one_by_one([1e-3] * 1000, shown=None), "calls")) == 300
    with pytest.raises(ValueError, match="no call"):
        one_by_one([], shown=None)


def test_a_picture_with_a_player_is_drawn_size_by_size_on_axes_that_stay():
    slow, fast = [measured(n, seconds=2e-3) for n in SIZES], [measured(n) for n in SIZES]
    timeline = Timeline(every_step({"n": np.array(SIZES, float)}), len(SIZES) - 1)
    named = {"sizes": SIZES, "size_name": "n", "timeline": timeline}
    marks = [Mark(300, "wins", "crossing"), Mark(100, "your guess", "guess")]
    for chart in (
        speedup([pair(slow, fast)], marks, **named),
        against_size(lines_of(slow), what="time", **named),
    ):
        valid(chart)
        filters = [one["filter"] for one in _all(chart, "transform") if "filter" in one]
        assert any("datum.size <= toNumber(now[3" in one for one in filters)
        values = {one["name"]: one.get("value") for one in chart["params"]}
        rows = table(chart, "lines")
        assert values["low_end"] < min(row["low"] for row in rows)
        assert values["high_end"] > max(row["high"] for row in rows)
    kept = [one for one in filters if "kind" in one]
    assert all("guess" in one for one in kept)


def _all(chart, name):
    found = [*chart.get(name, [])]
    for layer in chart.get("layer", []):
        found += _all(layer, name)
    return found


def test_each_size_has_a_column_to_click_into():
    columns = table(speedup_chart([]), "columns")
    assert [row["size"] for row in columns] == list(SIZES)
    for one, other in pairwise(columns):
        assert one["right"] == other["left"]
        assert one["left"] < one["size"] < one["right"]
