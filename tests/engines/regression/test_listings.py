"""Five listings of one regression: the articles' digits, the same run from each, one contract."""

import inspect
import re
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
import tensorflow as tf
import torch
from tensorflow.python.eager.record import could_possibly_record

from engines.problem import LOSSES, custom, preset
from engines.regression import numpy_loops, numpy_vectorized, tf_session, tf_tape, torch_autograd
from engines.trace import record, relative_difference

ENGINES = [numpy_loops, numpy_vectorized, torch_autograd, tf_session, tf_tape]
every_engine = pytest.mark.parametrize("engine", ENGINES, ids=lambda e: e.__name__.split(".")[-1])
by_hand = pytest.mark.parametrize("engine", ENGINES[:2], ids=["numpy_loops", "numpy_vectorized"])


def random_problem(seed, **changes):
    """A problem with nothing special about it, in float64, and a start away from the answer."""
    random = np.random.default_rng(seed)
    settings = {
        "slope": random.uniform(1, 4),
        "offset": random.uniform(-3, 3),
        "noise": 0.2,
        "points": int(random.integers(5, 60)),
        "power": int(random.integers(1, 3)),
        "loss": LOSSES[seed % 3],
    }
    problem = custom(**{**settings, **changes}, seed=seed)
    return problem.starting_at(*random.uniform(-2, 0, size=2))


def run(engine, problem, *, steps, speed=0.4):
    """Train at `speed` times the largest stable learning rate."""
    learning_rate = speed * problem.largest_stable_learning_rate
    return record(engine.train(problem, steps=steps, learning_rate=learning_rate))


def run_article(engine, name):
    problem = preset(name)
    trace = engine.train(problem, steps=problem.steps, learning_rate=problem.learning_rate)
    return record(trace)


# The numbers that the articles printed

SESSION_ARTICLE = """
    0     10.0000  0.20236146  0.0
    200    0.1559  1.7073209   2.5402448
    400    0.0818  2.074751    2.4366689
    600    0.0440  2.3316913   2.341815
    800    0.0244  2.516549    2.2733293
    1000   0.0142  2.649602    2.224032
    1200   0.0090  2.7453692   2.188551
    1400   0.0063  2.8142998   2.163012
    1600   0.0049  2.863912    2.1446302
    1800   0.0041  2.8996227   2.1313996
"""


@by_hand
@pytest.mark.parametrize(
    ("name", "w", "b"),
    [
        ("numpy_article", "2.99850472", "2.0989827"),
        ("numpy_article_straight", "2.99868144", "2.09891723"),
    ],
)
def test_the_numpy_article_prints_its_digits(engine, name, w, b):
    params = run_article(engine, name).final.params
    assert np.array2string(params["w"], precision=8) == w
    assert np.array2string(params["b"], precision=8) == b


def test_the_autograd_article_prints_its_digits():
    params = run_article(torch_autograd, "autograd_article").final.params
    assert f"{params['w']:.4f}" == "2.9578"
    assert f"{params['b']:.4f}" == "2.0990"


@pytest.fixture(scope="module")
def session_article():
    return run_article(tf_session, "session_article")


@pytest.mark.parametrize("row", SESSION_ARTICLE.split("\n")[1:-1], ids=lambda row: row.split()[0])
def test_the_session_article_prints_its_table(row, session_article):
    step, *printed = row.split()
    loss, params, _ = session_article[int(step)]
    assert [f"{loss:.4f}", str(params["w"]), str(params["b"])] == printed


def test_the_session_article_ends_where_its_session_did(session_article):
    params = session_article.final.params
    assert (str(params["w"]), str(params["b"])) == ("2.9253283", "2.121876")
    assert f"{session_article.losses[1999]:.8f}" == "0.00374763"  # fetched with the last update


@by_hand
def test_numpy_reproduces_the_session_table_to_the_last_float32_digit_or_two(engine):
    trace = run_article(engine, "session_article")
    for row in SESSION_ARTICLE.split("\n")[1:-1]:
        step, loss, w, b = row.split()
        k = int(step)
        assert f"{trace.losses[k]:.4f}" == loss
        ours = np.array([trace.params["w"][k], trace.params["b"][k]])
        np.testing.assert_array_max_ulp(ours, np.array([w, b]).astype(np.float32), maxulp=4)


@by_hand
def test_the_loops_article_ends_next_to_least_squares(engine):
    params = run_article(engine, "loops_article").final.params
    answer = preset("loops_article").least_squares()
    assert (params["w"], params["b"]) == pytest.approx(answer, abs=1e-9)


# Right, and the same in every engine


@every_engine
@pytest.mark.parametrize("seed", range(3))
def test_loss_and_gradient_are_what_central_differences_show_at_every_step(engine, seed):
    problem = random_problem(seed)
    trace = run(engine, problem, steps=10)
    w, b, h = trace.params["w"], trace.params["b"], 1e-2  # exact but for rounding: L is quadratic
    by_w = (problem.loss_at(w + h, b) - problem.loss_at(w - h, b)) / (2 * h)
    by_b = (problem.loss_at(w, b + h) - problem.loss_at(w, b - h)) / (2 * h)
    scale = np.hypot(by_w, by_b).max()
    np.testing.assert_allclose(trace.losses, problem.loss_at(w, b), rtol=1e-12)
    np.testing.assert_allclose(trace.grads["w"], by_w, rtol=1e-9, atol=1e-9 * scale)
    np.testing.assert_allclose(trace.grads["b"], by_b, rtol=1e-9, atol=1e-9 * scale)


@pytest.mark.parametrize(("dtype", "limit"), [("float64", 1e-12), ("float32", 1e-5)])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("power", [1, 2])
def test_all_engines_take_the_same_steps(dtype, limit, loss, power):
    problem = random_problem(7, loss=loss, power=power).astype(dtype)
    first, *others = [run(engine, problem, steps=30) for engine in ENGINES]
    assert first.losses[30] < 0.1 * first.losses[0]
    for other in others:
        assert len(other) == 31
        assert relative_difference(first, other).max() < limit


@every_engine
def test_training_ends_at_least_squares(engine):
    problem = random_problem(2, power=1)
    params = run(engine, problem, steps=150).final.params
    assert (params["w"], params["b"]) == pytest.approx(problem.least_squares(), rel=1e-9)


@every_engine
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_engine_computes_in_the_type_of_its_problem(engine, dtype):
    trace = run(engine, random_problem(3).astype(dtype), steps=5)
    for values in trace.columns().values():
        fits_float32 = np.all(values == values.astype(np.float32))
        assert fits_float32 == (dtype is np.float32)


# The contract


@every_engine
@pytest.mark.parametrize("steps", [0, 1, 7])
def test_n_updates_are_n_plus_one_steps(engine, steps):
    assert len(list(engine.train(random_problem(0), steps=steps, learning_rate=0.01))) == steps + 1


@every_engine
def test_every_step_names_w_and_b(engine):
    for step in engine.train(random_problem(0), steps=2, learning_rate=0.01):
        assert list(step.params) == list(step.grads) == ["w", "b"]


@every_engine
def test_step_0_is_the_starting_point(engine):
    problem = random_problem(0)
    first = next(engine.train(problem, steps=3, learning_rate=0.01))
    assert first.params == {"w": problem.w, "b": problem.b}
    assert first.loss == pytest.approx(float(problem.loss_at(problem.w, problem.b)), rel=1e-14)


@every_engine
def test_each_step_follows_from_the_one_before_by_one_update(engine):
    trace = record(engine.train(random_problem(1), steps=6, learning_rate=0.03))
    for name in ("w", "b"):
        params, grads = trace.params[name], trace.grads[name]
        np.testing.assert_allclose(params[1:], params[:-1] - 0.03 * grads[:-1], rtol=1e-14)
        assert np.all(params[1:] != params[:-1])


@every_engine
def test_a_problem_is_not_changed_by_training_on_it(engine):
    problem = random_problem(4)
    before = [*problem.x, *problem.y, problem.w, problem.b]
    first, again = (run(engine, problem, steps=5) for _ in range(2))
    assert [*problem.x, *problem.y, problem.w, problem.b] == before
    np.testing.assert_array_equal(first.losses, again.losses)


@every_engine
def test_overflow_ends_a_run_with_a_step_that_names_it(engine):
    trace = run(engine, random_problem(5).astype(np.float32), steps=200, speed=3)
    assert 10 < len(trace) < 50
    assert trace.final.non_finite == ("loss",)  # it squares what w and b can still hold
    assert trace[-2].non_finite == ()


@every_engine
def test_a_caller_is_never_inside_an_engines_graph_tape_or_no_grad(engine):
    graph = tf.compat.v1.get_default_graph()
    for _ in engine.train(random_problem(0), steps=3, learning_rate=0.01):
        assert tf.executing_eagerly()
        assert not could_possibly_record()
        assert tf.compat.v1.get_default_graph() is graph
        assert tf.compat.v1.get_default_session() is None
        assert torch.is_grad_enabled()


def test_an_open_tape_would_have_been_noticed():
    with tf.GradientTape():
        assert could_possibly_record()


# Many at once


@every_engine
def test_two_runs_taking_turns_do_not_influence_each_other(engine):
    problems = random_problem(8), random_problem(9)
    alone = [list(engine.train(p, steps=6, learning_rate=0.02)) for p in problems]
    turns = list(
        zip(*(engine.train(p, steps=6, learning_rate=0.02) for p in problems), strict=True)
    )
    assert [list(steps) for steps in zip(*turns, strict=True)] == alone
    assert alone[0] != alone[1]


@every_engine
def test_four_threads_at_once_get_the_numbers_of_one(engine):
    problems = [random_problem(seed) for seed in range(20, 24)]
    alone = [run(engine, problem, steps=15) for problem in problems]
    together = Barrier(4, timeout=30)

    def run_with_the_others(problem):
        together.wait()
        return run(engine, problem, steps=15)

    with ThreadPoolExecutor(4) as pool:
        for expected, trace in zip(alone, pool.map(run_with_the_others, problems), strict=True):
            assert relative_difference(expected, trace).max() < 1e-12


def run_to_the_end(steps):
    record(steps)


def leave_early(steps):
    list(islice(steps, 2))
    steps.close()


def fail_midway(steps):
    next(steps)
    with pytest.raises(KeyboardInterrupt):
        steps.throw(KeyboardInterrupt)


@pytest.mark.parametrize("ending", [run_to_the_end, leave_early, fail_midway])
def test_a_session_is_closed_however_its_run_ends(ending, sessions):
    ending(tf_session.train(random_problem(0), steps=5, learning_rate=0.01))
    [session] = sessions
    with pytest.raises(RuntimeError, match="closed"):
        session.run(session.graph.get_operations()[0])


def test_the_session_of_a_run_that_diverged_is_closed_when_its_recording_is_there(sessions):
    trace = run(tf_session, random_problem(0).astype(np.float32), steps=1000, speed=3)
    assert trace.final.non_finite
    [session] = sessions
    with pytest.raises(RuntimeError, match="closed"):
        session.run(session.graph.get_operations()[0])


# The listings

FAMILY = [  # lines that every listing has, so that a reader can lay two of them side by side
    r"power, factor = problem\.power, problem\.factor",
    r"y_pred = w \* x(_i)?\*\*power \+ b",
    r"loss = .*factor \* .*\(y_pred - y(_i)?\) \*\* 2",
    r"grad_w.* = ",
    r"grad_b.* = ",
    r"learning_rate \* (grad_w|w\.grad)",
    r"learning_rate \* (grad_b|b\.grad)",
    r"# Forward: predict",
    r"# Backward: ",
    r"# Update: a small step against the gradient",
    r"for _ in range\(steps \+ 1\):",
    r"yield Step\(",
]


@every_engine
@pytest.mark.parametrize("line", FAMILY)
def test_a_listing_has_the_lines_of_the_family(engine, line):
    assert re.search(line, inspect.getsource(engine.train))


@every_engine
def test_a_listing_is_called_like_every_other(engine):
    assert inspect.signature(engine.train) == inspect.signature(numpy_vectorized.train)


@every_engine
def test_a_listing_can_be_read_on_one_screen(engine):
    source = Path(engine.__file__).read_text(encoding="utf-8")
    assert 40 <= len(source.splitlines()) <= 90


@every_engine
def test_a_listing_says_what_it_shows_and_where_it_is_from(engine):
    assert "y_pred = w * x**power + b" in engine.__doc__
    assert re.search(r"Source: experiment E\d", engine.__doc__)
    for name in re.findall(r"\w+\.py", engine.__doc__):
        assert Path(engine.__file__).with_name(name).exists()
