"""E8: three ways to write one update, on data drawn inside the graph."""

import numpy as np
import pytest
import tensorflow as tf

from engines.problem import preset
from engines.static_graph_and_sessions import update_styles
from engines.static_graph_and_sessions.update_styles import BETWEEN, STYLES, build, train
from engines.trace import record
from tests.support.batches import batches

ARTICLE = preset("update_styles_article")
HANDS_OUT = ["assign", "apply_gradients"]  # its gradients


def run(steps=300, **settings):
    return record(train(ARTICLE, steps=steps, learning_rate=0.001, **settings))


def waiting(style):
    listing = train(ARTICLE, steps=1, learning_rate=0.001, style=style)
    next(listing)
    return listing, listing.gi_frame.f_locals


def test_three_styles_take_the_same_steps_to_the_last_bit():
    by_hand, handed_back, at_once = (run(2000, style=style) for style in STYLES)
    assert by_hand.key == handed_back.key
    assert at_once.grads == {}
    np.testing.assert_array_equal(at_once.losses, by_hand.losses)
    for name in ("w", "b"):
        np.testing.assert_array_equal(at_once.params[name], by_hand.params[name])


@pytest.mark.parametrize("style", STYLES)
def test_each_step_is_gradient_descent_on_the_batch_of_that_step(style):
    trace = run(40, style=style)
    w, b = np.float64(ARTICLE.w), np.float64(ARTICLE.b)
    for k, (x, y) in enumerate(batches(steps=40)):
        x, y = x.astype(np.float64), y.astype(np.float64)  # noqa: PLW2901
        residual = w * x + b - y
        assert trace.losses[k] == pytest.approx(np.mean((residual / 2) ** 2), rel=1e-3)
        assert (trace.params["w"][k], trace.params["b"][k]) == pytest.approx((w, b), abs=1e-4)
        w, b = w - 0.001 * np.mean(residual * x) / 2, b - 0.001 * np.mean(residual) / 2
    assert len(trace) == 41


def test_data_follow_the_articles_law_and_no_two_batches_are_alike():
    xs, ys = (np.concatenate(part) for part in zip(*batches(steps=999), strict=True))
    assert len(np.unique(xs)) > 0.99 * xs.size
    assert 0 <= xs.min() < 0.1
    assert 19.9 < xs.max() < 20
    noise = ys.astype(np.float64) - (3 * xs.astype(np.float64) + 1)
    assert noise.mean() == pytest.approx(0, abs=5e-4)
    assert noise.std() == pytest.approx(0.01, rel=0.05)


def test_a_run_is_reproducible_from_its_seed_which_is_no_global_one():
    one = run(20)
    tf.random.set_seed(7)
    assert run(20).key == one.key
    assert not np.any(run(20, seed=1001).losses == one.losses)
    drawn = tf.random.uniform(())
    tf.random.set_seed(7)
    run(5)
    assert tf.random.uniform(()) == drawn


def test_reading_the_data_in_a_run_of_its_own_draws_other_data():
    listing, held = waiting("assign")
    session, x = held["session"], held["x"]
    assert not np.any(session.run(x) == session.run(x))
    listing.close()


def test_the_line_is_learnt():
    params = run(3000).final.params
    assert params["w"] == pytest.approx(3, abs=0.01)
    assert params["b"] == pytest.approx(1, abs=0.1)


# Between the gradient and the update


@pytest.mark.parametrize("style", HANDS_OUT)
def test_a_clipped_gradient_moves_nothing_farther_than_the_limit_allows(style):
    trace = run(style=style, between="clip")
    assert np.abs(trace.grads["w"]).max() > 100  # noted as it was before
    moved = np.diff(trace.params["w"])
    assert np.abs(moved).max() <= 0.02 * (1 + 1e-3)
    expected = -0.001 * np.clip(trace.grads["w"][:-1], -20, 20)
    np.testing.assert_allclose(moved, expected, atol=1e-6)


@pytest.mark.parametrize("style", HANDS_OUT)
def test_a_gradient_replaced_by_its_sign_makes_steps_of_one_length(style):
    trace = run(style=style, between="replace")
    for name in ("w", "b"):
        expected = -0.001 * np.sign(trace.grads[name][:-1])
        np.testing.assert_allclose(np.diff(trace.params[name]), expected, atol=1e-6)


@pytest.mark.parametrize("between", BETWEEN)
def test_what_is_in_between_is_the_same_in_both_styles(between):
    one, other = (run(style=style, between=between) for style in HANDS_OUT)
    assert one.key == other.key


@pytest.mark.parametrize("between", ["clip", "replace"])
def test_minimize_leaves_no_room_in_between(between):
    with pytest.raises(ValueError, match="no room"):
        run(style="minimize", between=between)


@pytest.mark.parametrize("unknown", [{"style": "typo"}, {"between": "typo"}])
def test_an_unknown_name_is_a_key_error(unknown):
    with pytest.raises(KeyError, match="typo"):
        run(1, **unknown)


# Sessions


@pytest.mark.parametrize("style", STYLES)
def test_its_session_is_closed_when_it_is_let_go(style):
    listing, held = waiting(style)
    session, loss = held["session"], held["loss"]
    listing.close()
    with pytest.raises(RuntimeError, match="closed"):
        session.run(loss)


def test_a_run_that_overflows_ends_with_the_step_that_did():
    trace = record(train(ARTICLE, steps=500, learning_rate=1.0))
    assert len(trace) < 100
    assert trace.final.non_finite


# The graphs


def test_apply_gradients_and_minimize_build_one_graph_and_assign_another():
    texts = {style: build(ARTICLE, style).text for style in STYLES}
    assert texts["apply_gradients"] == texts["minimize"]
    assert texts["assign"] != texts["minimize"]
    assert texts["assign"] == build(ARTICLE, "assign").text


def test_an_optimiser_has_one_operation_for_three():
    by_hand, at_once = build(ARTICLE, "assign"), build(ARTICLE, "minimize")
    assert by_hand.ran["AssignVariableOp"] == at_once.ran["ResourceApplyGradientDescent"] == 2
    assert "ResourceApplyGradientDescent" not in by_hand.ran
    for kind in ("Mul", "Sub", "ReadVariableOp"):
        assert by_hand.ran[kind] - at_once.ran[kind] == 2


@pytest.mark.parametrize(("style", "written"), [("assign", 104), ("minimize", 110)])
def test_an_update_runs_less_than_half_of_what_was_written(style, written):
    built = build(ARTICLE, style)
    assert sum(built.written.values()) == written
    assert sum(built.ran.values()) < written / 2


def test_an_update_ends_at_the_gradient():
    assert build(ARTICLE, "assign").update.splitlines() == [
        "AssignVariableOp",
        "├─ variable w",
        "└─ Sub",
        "   ├─ ReadVariableOp",
        "   │  └─ variable w",
        "   └─ Mul",
        "      ├─ the gradient",
        "      └─ 0.001",
    ]
    one = "ResourceApplyGradientDescent\n├─ variable w\n├─ 0.001\n└─ the gradient"
    assert build(ARTICLE, "apply_gradients").update == build(ARTICLE, "minimize").update == one


@pytest.mark.parametrize("style", ["assign", "apply_gradients"])
@pytest.mark.parametrize(
    ("between", "added"), [("clip", {"Minimum", "Maximum"}), ("replace", {"Sign"})]
)
def test_what_is_put_in_between_stands_between_the_gradient_and_the_update(style, between, added):
    plain, built = build(ARTICLE, style), build(ARTICLE, style, between)
    assert set(built.ran) - set(plain.ran) == added
    lines = built.update.splitlines()
    depth = {word: next(line.index(word) for line in lines if word in line) for word in added}
    [gradient] = (line.index("the gradient") for line in lines if "the gradient" in line)
    assert all(0 < at < gradient for at in depth.values())


def test_the_graph_of_minimize_has_no_room_in_between():
    with pytest.raises(ValueError, match="no room"):
        build(ARTICLE, "minimize", "clip")


def test_its_session_is_closed_when_something_fails(monkeypatch):
    seen = []

    def fails(session, *_):
        seen.append(session)
        raise RuntimeError("while it looked")

    monkeypatch.setattr(update_styles, "executed", fails)
    with pytest.raises(RuntimeError, match="while it looked"):
        build(ARTICLE, "assign")
    with pytest.raises(RuntimeError, match="closed"):
        seen[0].run(seen[0].graph.get_operations()[0])
