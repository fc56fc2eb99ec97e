"""What engines cost, who overtakes whom, and the measurement as a visitor meets it."""

import math
from itertools import product

import altair as alt
import pytest

from engines.benchmark import first_calls
from tests.support.visit import charts, live_texts, table, visit, words
from views.static_graph_and_sessions import paid_once
from views.static_graph_and_sessions.paid_once_chart import (
    LOOKS,
    TASKS,
    Cost,
    added_up,
    cheaper_steps,
    cost,
    overtaking,
)
from views.ui import measuring

MEASURE = "Measure on the server of this page"


def row(engine, cold, warm, later, task="parabola"):
    """A result as it is measured; later: its lower quartile, median and upper quartile."""
    framework = "torch" if engine == "torch_autograd" else "tensorflow"
    measured = {"task": task, "engine": engine, "cold": cold, "warm": [warm, warm, warm]}
    compared = {"steps": 100, "loss": 0.25, "framework": framework, "version": "1.2.3"}
    return {**measured, "later": list(later), **compared}


ROWS = [
    row("tf_session", 60, 30, (0.14, 0.15, 0.16)),
    row("tf_function", 100, 20, (0.19, 0.20, 0.21)),
    row("tf_tape", 40, 1, (0.70, 0.80, 0.90)),
    row("torch_autograd", 2, 0.1, (0.04, 0.05, 0.06)),
    row("tf_session", 100, 30, (0.30, 0.40, 0.50), "two_layers"),
    row("tf_function", 140, 20, (0.40, 0.45, 0.50), "two_layers"),
    row("tf_tape", 80, 2, (1.00, 1.10, 1.20), "two_layers"),
    row("torch_autograd", 3, 0.3, (0.45, 0.60, 0.90), "two_layers"),
]
BY = {(one["task"], one["engine"]): one for one in ROWS}


# Who is ahead


def test_the_first_call_counts_once_and_each_later_one_again():
    assert Cost(30, 2).total(1) == 30
    assert Cost(30, 2).total(11) == 50


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (Cost(30, 1), Cost(10, 3), (12, math.inf)),  # level after 11 steps
        (Cost(30, 1), Cost(11, 3), (11, math.inf)),
        (Cost(10, 1), Cost(10, 3), (2, math.inf)),  # level at the first step
        (Cost(9, 1), Cost(10, 3), (1, math.inf)),
        (Cost(9, 3), Cost(10, 3), (1, math.inf)),
        (Cost(10, 3), Cost(30, 1), (1, 10)),  # ahead at first, then level
        (Cost(10, 3), Cost(10, 3), (math.inf, math.inf)),
        (Cost(30, 3), Cost(10, 3), (math.inf, math.inf)),
        (Cost(30, 3), Cost(10, 1), (math.inf, math.inf)),
    ],
)
def test_a_crossing_is_at_the_first_step_that_is_cheaper(one, other, expected):
    assert cheaper_steps(one, other) == expected


def test_a_crossing_agrees_with_adding_up_step_by_step():
    costs = [Cost(first, later) for first, later in product((1, 7, 30), (0.5, 1.25, 4))]
    for one, other in product(costs, costs):
        cheaper = [n for n in range(1, 101) if one.total(n) < other.total(n)]
        first, last = cheaper_steps(one, other)
        assert cheaper == [n for n in range(1, 101) if first <= n <= last]


def test_the_spread_of_later_calls_moves_the_crossing():
    session, eager = BY["parabola", "tf_session"], BY["parabola", "tf_tape"]
    best, usual, worst = overtaking(session, eager, "cold")
    # 20 ms dearer at first, and then 0.9 - 0.14, 0.8 - 0.15, 0.7 - 0.16 ms cheaper at each step.
    assert [best[0], usual[0], worst[0]] == [20 // 0.76 + 2, 20 // 0.65 + 2, 20 // 0.54 + 2]


def test_the_picture_marks_the_crossings_that_are_settled_and_only_those():
    rows = [one for one in ROWS if one["task"] == "two_layers"]
    spec = added_up("two_layers", rows, "cold", settled=True)
    marked = spec["datasets"]["crossings"].to_pylist()
    # Against PyTorch the quartiles overlap; against eager TensorFlow both graphs overtake.
    assert [(mark["one"], mark["steps"]) for mark in marked] == [
        ("tf_session", 30),
        ("tf_function", 94),
    ]
    for mark in marked:
        right = cost(BY["two_layers", mark["one"]], "cold").total(mark["steps"])
        assert mark["ms"] == pytest.approx(right)
    unsettled = added_up("two_layers", rows, "cold", settled=False)
    assert not unsettled["datasets"]["crossings"].to_pylist()
    lines = spec["datasets"]["lines"].to_pandas()
    assert set(lines["engine"]) == {look.label for look in LOOKS.values()}
    assert (lines["low"] <= lines["ms"]).all()
    assert (lines["ms"] <= lines["high"]).all()
    assert lines["steps"].min() == 1


def test_what_is_told_is_what_is_measured_where_it_can_be():
    assert list(TASKS) == list(first_calls.TASKS)
    assert set(LOOKS) == set(first_calls.ENGINES)


def value(spec, name):
    return next(param["value"] for param in spec["params"] if param["name"] == name)


def test_a_picture_of_some_engines_has_their_lines_and_one_of_none_says_so():
    none, two = (added_up("parabola", ROWS[:k], "cold", settled=False) for k in (0, 2))
    assert [value(spec, "measured") for spec in (none, two)] == [False, True]
    assert set(two["datasets"]["lines"].to_pandas()["engine"]) == {
        LOOKS[one["engine"]].label for one in ROWS[:2]
    }


# The chapter


@pytest.fixture
def opened(monkeypatch):
    """Open the chapter with a measurement of one's own; nobody else has measured yet."""
    measuring._latest.clear()

    def open_with(measure, *, guess="show", **query):
        monkeypatch.setattr(paid_once, "in_child", lambda arguments, seconds: measure())
        at = visit("static_graph_and_sessions", chapter="paid_once", **query)
        assert not at.exception
        return guessed(at, guess) if guess else at

    yield open_with
    measuring._latest.clear()


def guessed(at, guess):
    at.segmented_control(key="guess of first calls").set_value(guess).run()
    assert not at.exception
    return at


def measured(on_core=1.0):
    yield None
    for one in ROWS:
        yield {**one, "on_core": on_core}
    yield {"cores": 4}


def press(at, label=MEASURE):
    [button] = [button for button in at.button if button.label == label]
    button.click().run()
    assert not at.exception
    return at


def drawn(at):
    """Of each picture its task, and the engines that it has lines of."""
    tables = [table(at, chart, "lines") for chart in range(len(charts(at)))]
    tasks = [value(chart, "task") for chart in charts(at)]
    return dict(zip(tasks, [set(rows["engine"]) for rows in tables], strict=True))


def test_at_first_it_says_what_will_be_measured_and_asks_what_is_expected(opened):
    def never():
        raise AssertionError
        yield

    at = opened(never, guess=None)
    assert drawn(at) == {task: set() for task in TASKS.values()}
    assert "Say what you expect" in live_texts(at)
    assert MEASURE not in [button.label for button in at.button]
    guessed(at, "tf_tape")
    assert MEASURE in [button.label for button in at.button]
    assert "about half a minute" in "".join(caption.value for caption in at.caption)


@pytest.mark.parametrize(
    ("guess", "said"), [("torch_autograd", "yes: <b>PyTorch, eager</b> is first"),
                        ("tf_function", "not quite: <b>PyTorch, eager</b> is first"),
                        ("show", "On the parabola, <b>PyTorch, eager</b> is first")],
)  # fmt: skip
def test_the_guess_is_answered_by_what_was_measured(opened, guess, said):
    at = press(opened(measured, guess=guess))
    assert said in live_texts(at)
    assert drawn(at) == {task: {look.label for look in LOOKS.values()} for task in TASKS.values()}
    for chart in charts(at):
        alt.Chart.from_dict(chart)


def test_who_is_first_is_not_said_where_the_quartiles_overlap():
    close = {
        "tf_session": row("tf_session", 20, 1, (0.1, 0.2, 0.3)),
        "torch_autograd": row("torch_autograd", 21, 1, (0.1, 0.2, 0.3)),
    }
    assert "too close to tell" in paid_once.first_of(close, "tf_session")


@pytest.mark.parametrize(
    ("later", "said"),
    [
        ((0.14, 0.15, 0.16), "The session is ahead of it <b>from step 12 on (11 to 14)</b>."),
        ((0.60, 0.70, 0.95), "Whether the session gets ahead of it, and when, is <b>too close"),
        ((1.60, 1.70, 1.80), "The session is <b>never</b> ahead of it."),
    ],
)
def test_who_gets_ahead_is_one_whole_sentence(later, said):
    session, eager = row("tf_session", 50, 1, later), row("tf_tape", 43, 1, (0.7, 0.8, 0.9))
    assert paid_once.ahead(session, eager, "cold").startswith(said)


def test_which_graph_is_shorter_is_said_only_where_the_quartiles_settle_it(opened):
    text = words(press(opened(measured)))
    assert text.count("Of the two graphs, the session has the shorter later calls.") == 1
    # Two layers: 0.30 to 0.50 ms and 0.40 to 0.50 ms.
    assert text.count("Which of the two graphs has the shorter later calls is too close") == 1


def test_the_numbers_told_are_those_measured(opened):
    at = press(opened(measured))
    text = words(at)
    assert "| TensorFlow, session | 60 ms | 30 ms | **0.15 ms** (0.14 to 0.16) |" in text
    assert "losses lie between 0.25 and 0.25" in text
    # A session's step takes 0.15 ms, one of eager TensorFlow 0.8, one of PyTorch 0.05.
    assert "A step of it is **5.33 times as fast** as a step of eager TensorFlow." in text
    assert "A step of eager PyTorch is **3 times as fast** as a step of it" in text
    assert "| TensorFlow, session | **from step 32 on** (28 to 39) | never |" in text
    assert "from step 32 on" in live_texts(at)
    # Two layers: the quartiles of the session and of PyTorch overlap.
    assert "Between it and eager PyTorch it is too close to tell." in text
    assert "| TensorFlow, session | **from step 30 on** (24 to 42) | too close to tell |" in text


def test_where_others_had_the_cores_the_lines_are_drawn_and_no_verdict_is_given(opened):
    at = press(opened(lambda: measured(on_core=0.6)))
    assert "No verdict" in live_texts(at)
    assert "40%" in live_texts(at)
    assert all(drawn(at).values())
    assert not [table(at, chart, "crossings").size for chart in (0, 1) if
                table(at, chart, "crossings").size]  # fmt: skip
    assert "times as fast" not in words(at)
    assert "from step" not in words(at)
    assert "**0.15 ms**" in words(at)


def test_a_warm_first_call_is_paid_back_sooner(opened):
    text = words(press(opened(measured, first_call="warm")))
    assert "| tf.function | **from step 33 on** (28 to 40) | never |" in text


def test_a_first_call_that_is_none_is_refused(opened):
    at = press(opened(measured, first_call="<script>"))
    assert at.session_state["first_call"] == "cold"


def test_what_somebody_has_measured_others_see_with_its_age(opened):
    press(opened(measured))
    at = opened(measured)
    assert not any(drawn(at).values())
    press(at, "Show the last measurement of this server")
    captions = "\n".join(element.value for element in at.caption)
    assert "within the last minute on the server of this page" in captions
    assert "4 cores" in captions


@pytest.mark.parametrize("error", [RuntimeError, ChildProcessError, TimeoutError])
def test_where_nothing_could_be_measured_it_says_why_and_offers_it_again(
    opened, error, monkeypatch
):
    def refused():
        raise error("Traceback …\n  File …\nthe reason\n")
        yield

    at = press(opened(refused))
    [warning] = at.warning
    assert "easur" in warning.value
    assert "the reason" not in warning.value  # there may be a path in it
    monkeypatch.setattr(paid_once, "in_child", lambda arguments, seconds: measured())
    press(at)
    assert not at.warning
