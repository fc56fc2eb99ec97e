"""The course of a run: what the session's walk reaches, what is fused, and in which boxes."""

from functools import cache

import pytest

from engines.problem import preset
from engines.static_graph_and_sessions.one_run import FEEDS, FETCHES, Request, run
from views.static_graph_and_sessions.boxes import REGRESSION
from views.static_graph_and_sessions.events import Course
from views.static_graph_and_sessions.story import call, story_of

PROBLEM = preset("session_article").astype("float32")


@cache
def course(listing, *fetches, built=True, **options):
    return Course(run(Request(listing, fetches, **options), PROBLEM, 0.01), built=built)


def kinds(one):
    return [event.kind for event in one.events]


def test_every_operation_is_in_one_box_and_every_box_has_what_it_is_named_after():
    one = course("regression", "loss")
    assert set(one.inside) == {op.name for op in one.run.written.ops}
    assert len(one.inside) == 88
    assert set(one.inside.values()) == set(REGRESSION)
    for name, box in REGRESSION.items():
        assert one.inside[box.main] == name
    backward = [name for name, box in one.inside.items() if box == "grad_residual"]
    assert {one.run.written[name].forward for name in backward} == {"pow_1"}


@pytest.mark.parametrize("fetch", FETCHES["regression"])
def test_the_walk_reaches_what_tensorflow_did_not_prune(fetch):
    for feeds in FEEDS["regression"]:
        one = course("regression", fetch, feeds=feeds)
        if one.run.message or not one.run.executed.ops:
            continue
        fates = one.run.match.fates
        assert set(one.reached) == {op for op, fate in fates.items() if fate.status != "pruned"}
        assert sum(one.needed.values()) == len(one.reached)
        assert kinds(one)[-1] == "fetch"


def test_a_walk_goes_box_by_box_from_what_is_fetched():
    walked = [
        event.boxes[0] for event in course("regression", "y_pred").events if event.kind == "reach"
    ]
    assert walked == ["y_pred", "product", "power", "b", "w", "x"]


def test_a_feed_cuts_the_graph():
    one = course("regression", "loss", feeds="y_pred")
    assert not {"x", "w", "b", "product", "power"} & set(one.needed)
    assert {"y_pred", "y"} <= set(one.needed)


@pytest.mark.parametrize(
    ("fetches", "merged"),
    [(("loss",), {"residual": "squared"}), (("loss", "grad_w"), {}), (("residual", "loss"), {})],
)
def test_the_difference_is_fused_with_its_square_where_nothing_else_takes_it(fetches, merged):
    one = course("regression", *fetches)
    assert one.merged() == merged
    assert ("fuse" in kinds(one)) is bool(merged)
    assert "rewrite" in kinds(one)


def test_a_run_that_fails_says_so_and_hands_out_nothing():
    one = course("regression", "loss", feeds="short_y")
    assert kinds(one)[-1] == "fail"
    assert "InvalidArgumentError" in story_of(one).moments[-1].text
    assert "Incompatible shapes" in story_of(one).moments[-1].text


def test_a_sum_is_built_line_by_line_before_it_is_asked_for():
    one = course("sum", "c", built=False)
    assert kinds(one)[:6] == ["build"] * 4 + ["open", "ask"]
    told = [moment.text for moment in story_of(one).moments]
    assert "4 operations, and not one number has been computed" in told[4]
    assert told[-1].startswith("<b>c = 6.</b>")
    assert story_of(one).parts[3] == 0  # nothing is updated


def test_the_run_is_written_as_a_line_of_python():
    assert call(course("regression", "loss").run) == (
        "session.run(loss, feed_dict={x: problem.x, y: problem.y})"
    )
    assert '"sub:0"' in call(course("regression", "residual", "loss").run)


@pytest.mark.parametrize(
    ("fetch", "feeds", "said"),
    [
        ("loss", "all", ""),
        ("loss", "y_pred", "<b>x</b> is fed, and is ignored without a word."),
        ("y_pred", "all", "<b>y</b> is fed, and is ignored without a word."),
        ("y_pred", "without_y", ""),
        ("w", "all", "<b>x</b> and <b>y</b> are fed, and are ignored without a word."),
    ],
)
def test_what_is_fed_and_not_reached_is_said_to_be_ignored(fetch, feeds, said):
    texts = [moment.text for moment in story_of(course("regression", fetch, feeds=feeds)).moments]
    [over] = [text for text in texts if text.startswith("The walk is over.")]
    assert over.endswith(said or "they will not run, and cost nothing.")


def test_an_operation_that_reads_is_not_said_to_write():
    told = {moment.text for moment in story_of(course("regression", "new_w")).moments}
    assert "<b>new_w</b> (ReadVariableOp) reads the variable" in "".join(told)
    assert not [text for text in told if "(ReadVariableOp) puts" in text]


def test_as_many_ran_as_were_written_but_not_the_same_ones():
    told = story_of(course("sum", "c", built=False, numbers=(2.0, 4.0))).moments[-1].text
    assert "4 operations were written, 4 ran. They are not the same ones: <b>initialize</b>" in told
    ran = [op.kind for op in course("sum", "c", numbers=(2.0, 4.0)).run.executed.ops]
    assert sorted(ran) == ["AddV2", "_Arg", "_Arg", "_Retval"]
    told = story_of(course("regression", "loss")).moments[-1].text
    assert told.endswith("88 operations were written, 15 ran.")
