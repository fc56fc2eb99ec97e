"""One run of a session: what ran, what was computed, and what went wrong."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest

from engines.problem import preset
from engines.regression import numpy_vectorized
from engines.static_graph_and_sessions.one_run import FEEDS, FETCHES, Request, run
from engines.trace import record

PROBLEM = preset("session_article").astype("float32")


@cache
def seen_of(listing, *fetches, **options):
    return run(Request(listing, fetches, **options), PROBLEM, 0.01)


def test_two_and_four_are_six():
    seen = seen_of("sum", "c")
    assert seen.executed.values["c"] == 6
    assert {name: float(value) for name, value in seen.values.items()} == {"a": 2, "b": 4, "c": 6}
    assert (len(seen.written.ops), len(seen.executed.ops)) == (4, 4)


@pytest.mark.parametrize(
    ("fetches", "ran"),
    [
        ((), 0),
        (("y_pred",), 9),
        (("loss",), 15),
        (("residual", "loss"), 17),
        (("initialize",), 7),
        (("loss", "new_w", "new_b"), 50),
    ],
)
def test_what_runs_is_what_the_fetches_need(fetches, ran):
    seen = seen_of("regression", *fetches)
    assert len(seen.written.ops) == 88
    assert len(seen.executed.ops) == ran
    assert set(seen.executed.timings) == {op.name for op in seen.executed.ops}


def test_watching_the_difference_undoes_the_fusion():
    alone, watched = seen_of("regression", "loss"), seen_of("regression", "residual", "loss")
    assert alone.match.fates["sub"].status == "fused"
    assert watched.match.fates["sub"].status == "kept"


def test_without_the_optimiser_all_runs_as_written_but_equal_constants_are_shared():
    seen = seen_of("regression", "loss", rewrite=False)
    assert set(seen.match.counts) == {"kept", "fed", "merged", "pruned"}
    merged = [name for name, fate in seen.match.fates.items() if fate.status == "merged"]
    assert [seen.written[name].kind for name in merged] == ["Const"]


def test_the_values_are_those_of_the_first_step():
    step = record(numpy_vectorized.train(PROBLEM, steps=1, learning_rate=0.01))
    seen = seen_of("regression", "loss", "grad_w", "grad_b", "new_w", "new_b")
    got = list(seen.executed.values.values())
    wanted = [
        step[0].loss, step[0].grads["w"], step[0].grads["b"], step[1].params["w"],
        step[1].params["b"],
    ]  # fmt: skip
    np.testing.assert_allclose(got, wanted, rtol=1e-5)
    np.testing.assert_allclose(seen.values["sub"], PROBLEM.w * PROBLEM.x**2 - PROBLEM.y, rtol=1e-6)
    assert seen.values["ReadVariableOp_1"] == np.float32(PROBLEM.w)  # before its assignment


def test_what_did_not_run_has_no_value():
    seen = seen_of("regression", "y_pred")
    assert "add" in seen.values
    assert not {"sub", "Sum", "mul_1", "y"} & seen.values.keys()


def test_an_inner_tensor_can_be_fed_and_what_leads_to_it_is_not_needed():
    seen = seen_of("regression", "loss", feeds="y_pred")
    assert seen.match.fates["add"].status == "fed"
    assert seen.match.fates["pow"].status == "pruned"
    np.testing.assert_allclose(seen.executed.values["mul_1"], np.mean(PROBLEM.y**2), rtol=1e-5)


@pytest.mark.parametrize(
    ("listing", "feeds", "error", "said"),
    [
        ("sum", "without_b", "InvalidArgumentError", "placeholder tensor 'b'"),
        ("sum", "two_numbers", "ValueError", "shape (2,) for Tensor a:0"),
        ("regression", "without_y", "InvalidArgumentError", "placeholder tensor 'y'"),
        ("regression", "short_y", "InvalidArgumentError", "Incompatible shapes: [100] vs. [99]"),
        ("regression", "not_initialized", "FailedPreconditionError", "Could not find variable"),
    ],
)
def test_an_error_is_the_sessions_own_and_then_nothing_ran(listing, feeds, error, said):
    seen = seen_of(listing, "c" if listing == "sum" else "loss", feeds=feeds)
    assert seen.message.error == error
    assert said in seen.message.sentence
    assert (seen.executed.ops, seen.values) == ((), {})
    assert set(seen.match.counts) == {"pruned"}


def test_the_baked_in_graph_does_not_miss_what_it_is_not_fed():
    for feeds in ("all", "without_y", "short_y"):
        seen = seen_of("baked_in", "loss", feeds=feeds)
        assert seen.message is None
        np.testing.assert_allclose(seen.executed.values["mul_1"], 10.0, rtol=1e-4)


@pytest.mark.parametrize("listing", FETCHES)
def test_all_that_is_offered_can_be_fetched_together(listing):
    for feeds in FEEDS[listing]:
        seen = seen_of(listing, *FETCHES[listing], feeds=feeds)
        assert bool(seen.message) or len(seen.executed.ops) > 1


@pytest.mark.parametrize("wrong", [{"listing": "tower"}, {"fetches": ("secret",)}])
def test_other_names_are_refused(wrong):
    asked = {"listing": "regression", "fetches": ("loss",), **wrong}
    with pytest.raises(KeyError):
        seen_of(asked["listing"], *asked["fetches"])


anew = seen_of.__wrapped__  # rather than what other tests have seen


def test_ten_visitors_at_once_have_each_their_numbers_and_leave_no_session(sessions):
    def visitor(i):
        return anew("sum", "c", numbers=(float(i), 1.0)).executed.values["c"], anew(
            "regression", "loss", numbers=(0.0, 0.0)
        ).executed.values["mul_1"]

    with ThreadPoolExecutor(10) as pool:
        seen = list(pool.map(visitor, range(10)))
    assert [float(total) for total, _ in seen] == [i + 1 for i in range(10)]
    np.testing.assert_allclose([loss for _, loss in seen], 10.0, rtol=1e-4)
    assert len(sessions) >= 40
    for session in sessions:
        with pytest.raises(RuntimeError, match="closed Session"):
            session.run([])
