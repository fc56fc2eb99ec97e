"""Each mistake with autograd really raises, or really drifts, where and as it is told."""

import gc
import inspect
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import get_args

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest
from torch.overrides import _get_current_function_mode_stack

from engines.dynamic_graph.mistakes import LOOKED_AT, MISTAKES, End, make, run, without_zeroing
from engines.graphs.read_torch import record as look
from engines.problem import custom, preset
from engines.regression import torch_autograd
from engines.trace import record
from tests.support.visit import charts, live_texts, titles, words
from views.dynamic_graph import mistakes as view

LISTING = inspect.getsource(torch_autograd.train)
# PyTorch warns about what is wrong in this one. It does so once, where nobody resets warnings.
REBOUND = "ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning"
pytestmark = pytest.mark.filterwarnings(REBOUND)
every_mistake = pytest.mark.parametrize("name", MISTAKES)

# By name: the step, the line that raises, and the beginning of the message.
RAISE = {
    "in_place_outside_no_grad": (
        0,
        "w -= learning_rate * w.grad",
        "RuntimeError: a leaf Variable that requires grad is being used in an in-place operation.",
    ),
    "rebound_outside_no_grad": (
        1,
        "grad_w, grad_b = w.grad.item(), b.grad.item()",
        "AttributeError: 'NoneType' object has no attribute 'item'",
    ),
    "backward_twice": (
        0,
        "loss.backward()  # again",
        "RuntimeError: Trying to backward through the graph a second time",
    ),
    "saved_changed_in_place": (
        0,
        "loss.backward()",
        "RuntimeError: one of the variables needed for gradient computation has been modified by "
        "an inplace operation: [torch.FloatTensor [100]]",
    ),
    "detached": (
        0,
        "grad_w, grad_b = w.grad.item(), b.grad.item()",
        "AttributeError: 'NoneType' object has no attribute 'item'",
    ),
    "all_detached": (
        0,
        "loss.backward()",
        "RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn",
    ),
    "integer": (
        0,
        "w = torch.tensor(1, requires_grad=True)",
        "RuntimeError: Only Tensors of floating point and complex dtype can require gradients",
    ),
}
TRAIN = {"not_zeroed": "wrong", "changed_through_data": "wrong", "history": "grows"}
every_that_raises = pytest.mark.parametrize("name", RAISE)


def article():
    return preset("autograd_article")


def run_anew(name, steps=800):
    return run(name, article(), steps=steps, learning_rate=0.001)


ran = cache(run_anew)


def listing_of(source, *, steps):
    """Start a listing that is not one of the mistakes."""
    namespace = dict(vars(torch_autograd))
    exec(compile(source, "<test>", "exec"), namespace)
    return namespace["train"](article(), steps=steps, learning_rate=0.001)


# The lines


@every_mistake
def test_each_block_of_right_lines_is_in_the_listing_exactly_once(name):
    assert [LISTING.count(right) for right in MISTAKES[name]] == [1] * len(MISTAKES[name])


@every_mistake
def test_undoing_the_change_gives_the_listing_back(name):
    source = make(name).source
    assert source != LISTING
    for right, wrong in MISTAKES[name].items():
        assert source.count(wrong) == 1
        source = source.replace(wrong, right)
    assert source == LISTING


def test_the_lines_are_told_without_the_indentation_of_their_loop():
    made = make("in_place_outside_no_grad")
    update = "w -= learning_rate * w.grad", "b -= learning_rate * b.grad"
    assert made.right.splitlines() == ["with torch.no_grad():", *(f"    {line}" for line in update)]
    assert made.wrong.splitlines() == list(update)


def test_an_unknown_mistake_is_a_key_error():
    for ask in (make, run_anew):
        with pytest.raises(KeyError, match="typo"):
            ask("typo")


# Those that raise


def test_each_mistake_raises_or_trains():
    assert {*RAISE, *TRAIN} == set(MISTAKES)


@every_that_raises
def test_a_mistake_raises_at_the_step_and_line_and_with_the_words_told(name):
    step, line, message = RAISE[name]
    made = ran(name)
    expected = "before" if name == "integer" else ["first_step", "second_step"][step]
    assert made.end == expected
    error = made.step.error
    assert made.step.step == step
    assert made.source.splitlines()[error.line - 1].strip() == line
    assert error.message.startswith(message)
    assert made.trace is None


@every_that_raises
def test_a_mistake_raises_the_same_when_nobody_looks(name):
    kind, message = ran(name).step.error.message.split(": ", 1)
    with pytest.raises((RuntimeError, AttributeError)) as raised:
        record(make(name).train(article(), steps=3, learning_rate=0.001))
    assert (type(raised.value).__name__, str(raised.value)) == (kind, message)


@every_that_raises
def test_a_message_names_no_file(name):
    message = ran(name).step.error.message
    assert "/" not in message
    assert ".py" not in message


def gradients(name):
    return {leaf.name: leaf.gradient for leaf in ran(name).step.graph.leaves}


def test_with_w_detached_the_gradient_comes_to_b_only():
    arrived = gradients("detached")
    assert arrived["w"] is None
    first = next(torch_autograd.train(article(), steps=1, learning_rate=0.001))
    assert arrived["b"] == pytest.approx(first.grads["b"])


def test_with_everything_detached_the_graph_ends_before_the_loss_and_is_not_walked():
    graph = ran("all_detached").step.graph
    made = [node.text for node in graph.nodes if node.text]
    assert made == ["w * x**power", "w * x**power + b"]
    assert graph.backward_order == ()


def test_the_first_of_two_backward_has_left_its_gradients_complete():
    first = next(torch_autograd.train(article(), steps=1, learning_rate=0.001))
    assert gradients("backward_twice") == {k: pytest.approx(v) for k, v in first.grads.items()}


def test_a_changed_tensor_stops_backward_before_any_gradient_has_arrived():
    assert gradients("saved_changed_in_place") == {"w": None, "b": None}


def test_without_the_underscore_nothing_is_wrong():
    source = make("saved_changed_in_place").source.replace(".abs_()", ".abs()")
    right = record(torch_autograd.train(article(), steps=50, learning_rate=0.001))
    assert record(listing_of(source, steps=50)).key == right.key


@pytest.mark.filterwarnings("default::UserWarning")
def test_the_gradient_of_a_rebound_w_goes_to_the_first_w_which_no_name_holds():
    with pytest.warns(UserWarning, match="not a leaf Tensor"):
        [first_w, first_b] = run_anew("rebound_outside_no_grad").step.graph.leaves
    assert (first_w.name, first_b.name) == ("", "")
    assert first_w.gradient is not None


def test_a_rebound_w_cannot_be_zeroed_either_and_that_fails_in_the_first_step():
    update, wrong = next(iter(MISTAKES["rebound_outside_no_grad"].items()))
    with pytest.raises(AttributeError, match="'NoneType' object has no attribute 'zero_'"):
        record(listing_of(LISTING.replace(update, wrong), steps=1))


# Gradients that are not zeroed


def test_without_zeroing_the_loss_swings_through_all_800_steps_and_does_not_settle():
    losses = ran("not_zeroed").trace.losses
    assert len(losses) == 801
    assert (losses.min(), losses.max()) == pytest.approx((0.26, 487.5), abs=0.1)
    assert losses[-100:].max() > 400  # at the end it swings as far as in the beginning


def test_without_zeroing_each_gradient_is_the_sum_of_all_so_far():
    trace, problem = ran("not_zeroed", steps=40).trace, article()
    path = np.stack([trace.params["w"], trace.params["b"]], axis=1)
    for name, by in (("w", problem.x**2), ("b", np.ones(100))):
        fresh = [np.sum((w * problem.x**2 + b - problem.y) * by) for w, b in path]
        np.testing.assert_allclose(trace.grads[name], np.cumsum(fresh), rtol=1e-4, atol=1e-2)


def test_without_zeroing_it_is_gradient_descent_with_a_momentum_of_one():
    problem = article()
    w, b = (torch.tensor(value, requires_grad=True) for value in (problem.w, problem.b))
    optimizer = torch.optim.SGD([w, b], lr=0.001, momentum=1.0)
    x, y = torch.tensor(problem.x), torch.tensor(problem.y)
    path = []
    for _ in range(101):
        path.append((w.item(), b.item()))
        optimizer.zero_grad()
        (0.5 * torch.sum((w * x**2 + b - y) ** 2)).backward()
        optimizer.step()
    params = ran("not_zeroed", steps=100).trace.params
    np.testing.assert_allclose(np.stack([params["w"], params["b"]], axis=1), path, atol=1e-4)


def test_without_zeroing_it_is_a_pendulum_in_each_direction_with_the_period_told():
    problem = article().astype(np.float64)
    params = run("not_zeroed", problem, steps=800, learning_rate=0.001).trace.params
    curvatures, directions = np.linalg.eigh(problem.hessian)
    way = np.stack([params["w"], params["b"]], axis=1) - problem.least_squares()
    swings, k = way @ directions, np.arange(801)
    for swing, angle in zip(swings.T, np.arccos(1 - 0.001 * curvatures / 2), strict=True):
        sine = (swing[1] - swing[0] * np.cos(angle)) / np.sin(angle)
        free = swing[0] * np.cos(angle * k) + sine * np.sin(angle * k)
        np.testing.assert_allclose(swing, free, atol=1e-10)


# A change behind autograd's back


def test_a_change_through_data_gives_a_wrong_gradient_without_a_word():
    made = ran("changed_through_data")
    assert made.end == "wrong"
    np.testing.assert_allclose(made.check["error"], 2, rtol=1e-6)  # the right size, backwards
    assert made.trace.final.non_finite == ("loss",)
    assert np.all(np.diff(made.trace.losses) > 0)
    assert len(made.trace) < 801


def test_the_same_through_detach_is_noticed():
    source = make("changed_through_data").source.replace(".data", ".detach()")
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        record(listing_of(source, steps=1))


def test_the_check_finds_sums_of_gradients_wrong_after_the_first_step_and_no_sooner():
    checked = ran("not_zeroed").check
    assert checked["error"][0] <= checked["allowed"][0]
    assert np.median(checked["error"][1:]) > 0.5


# History


def test_keeping_each_loss_keeps_its_six_nodes():
    made = ran("history", steps=5)
    steps = np.arange(LOOKED_AT + 1)
    np.testing.assert_array_equal(made.live, 8 + 6 * steps)
    np.testing.assert_array_equal(made.live_right, np.full(len(steps), 8))


def test_keeping_numbers_instead_keeps_no_node():
    source = make("history").source.replace("losses.append(loss)", "losses.append(loss.item())")
    steps = look(listing_of(source, steps=5), source=source)
    assert [step.events[-1].live for step in steps] == [8] * 6


def test_keeping_each_loss_changes_no_number():
    right = record(torch_autograd.train(article(), steps=800, learning_rate=0.001))
    made = ran("history")
    assert made.trace.key == right.key
    assert np.all(made.check["error"] <= made.check["allowed"])


# What is left behind


def test_mistakes_leave_nothing_behind():
    before = record(torch_autograd.train(article(), steps=20, learning_rate=0.001)).key
    filters = list(warnings.filters)
    for name in MISTAKES:
        run_anew(name, steps=5)
    assert warnings.filters == filters
    assert _get_current_function_mode_stack() == []
    assert torch.is_grad_enabled()
    assert not torch.is_anomaly_enabled()
    assert inspect.getsource(torch_autograd.train) == LISTING
    assert record(torch_autograd.train(article(), steps=20, learning_rate=0.001)).key == before


def test_no_tensor_that_requires_a_gradient_outlives_its_run():
    def left():
        gc.collect()
        return sum(type(item) is torch.Tensor and item.requires_grad for item in gc.get_objects())

    for name in MISTAKES:  # what is kept once, such as a compiled listing, is kept now
        run_anew(name, steps=5)
    before = left()
    for name in MISTAKES:
        run_anew(name, steps=5)
    assert left() == before


def test_two_visitors_at_once_get_what_each_gets_alone():
    alone = [told_of(name) for name in MISTAKES]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(told_of, MISTAKES)) == alone


def told_of(name):
    made = run_anew(name, steps=20)
    trace = made.trace.key if made.trace else None
    return made.end, made.step.to_text(), trace, made.live.tolist()


def test_any_problem_and_rate_of_the_controls_can_be_broken():
    own = custom(slope=-10, offset=10, noise=0, points=3, power=1, seed=0, loss="mean")
    for problem, rate in ((own, 10.0), (own.starting_at(10, -10), 1e-5)):
        for name in MISTAKES:
            made = run(name, problem, steps=1, learning_rate=rate)
            assert made.end in get_args(End)


# What is told


def test_every_mistake_of_the_engine_is_told_and_every_end_is_an_answer():
    assert list(view.MISTAKES) == list(MISTAKES)
    assert set(view.ENDS) == set(get_args(End))


@every_mistake
def test_the_phrases_explained_are_in_the_message_in_this_order(name):
    phrases = list(view.MISTAKES[name].phrases)
    assert bool(phrases) == (name in RAISE)
    if phrases:
        message = ran(name).step.error.message
        places = [message.index(phrase) for phrase in phrases]
        assert places == sorted(places)


def section():
    """A page that has nothing but the mistakes; `rate` in the address sets the learning rate."""
    import streamlit as st

    from engines.dynamic_graph import mistakes as engine
    from engines.problem import preset
    from views.dynamic_graph import mistakes
    from views.player import Timeline
    from views.regression import sections
    from views.ui.controls import Controls

    controls, problem = Controls("section"), preset("autograd_article")
    rate = float(st.query_params.get("rate", 0.001))
    mistake = controls.chosen("mistake", mistakes.MISTAKES)
    mistakes.choose(controls)
    if mistake:
        made = engine.run(mistake, problem, steps=50, learning_rate=rate)
        series = {}
        if made.trace:
            series = sections.followed(made.trace, made.check, run="wrong_")
        timeline = Timeline(series, last_step=50)
        mistakes.tell(mistake, made, problem, timeline, rate, lecture=False)


def visit_section(*, guess=None, **query):
    at = AppTest.from_function(section, default_timeout=60)
    at.session_state[f"guess of {query['mistake']}"] = guess
    for name, value in query.items():
        at.query_params[name] = value
    return at.run()


@every_mistake
def test_a_mistake_is_shown_only_after_a_prediction(name):
    at = visit_section(mistake=name)
    right, wrong = (code.value for code in at.code)
    assert (right, wrong) == (make(name).right, make(name).wrong)
    assert view.MISTAKES[name].story not in words(at)
    at.segmented_control(key=f"guess of {name}").set_value("show").run()
    assert not at.exception
    text = words(at)
    assert view.MISTAKES[name].story in text
    assert "The listing that ran" in live_texts(at)
    if name in RAISE:
        _, line, message = RAISE[name]
        assert f"It stops {view.PLACES[run_anew(name).end]}, at this line" in text
        assert at.code[2].value.startswith(f"{line}\n\n{message}")
        assert all(f"`{phrase}`" in text for phrase in view.MISTAKES[name].phrases)
    else:
        pictures = ["The fit", "The loss over w and b", "The loss"]
        expected = {"wrong": pictures, "grows": ["Nodes alive at the end of each step"]}
        assert titles(at) == expected[TRAIN[name]]
        assert all(len(chart["description"]) > 30 for chart in charts(at))


@pytest.mark.parametrize(
    ("guess", "verdict"),
    [
        ("second_step", "Yes: **it stops with an error in the second step**"),
        ("first_step", "Not quite: **it stops with an error in the second step**"),
    ],
)
def test_a_prediction_is_answered_from_the_run(guess, verdict):
    assert verdict in words(visit_section(mistake="rebound_outside_no_grad", guess=guess))


def shown(name, **query):
    return words(visit_section(mistake=name, guess="show", **query))


def test_the_periods_of_the_pendulum_are_told_and_beyond_its_limit_that_it_breaks():
    assert "**18.6** steps, along the flattest **69.3**" in shown("not_zeroed")
    assert "beyond 4/λ_max = 0.0355" in shown("not_zeroed", rate="0.04")


def test_the_gradients_that_arrived_are_told():
    assert "w.grad holds **none**, and b.grad holds **-298**" in shown("detached")


def test_the_count_of_nodes_is_told():
    assert "from 8 to **248**: 6 more with each step" in shown("history")


def test_nonsense_in_the_address_is_no_mistake():
    at = visit_section(mistake="<b>")
    assert not at.exception
    assert not at.code


def test_a_second_backward_without_zeroing_doubles_the_gradient():
    once, both = without_zeroing(preset("autograd_article"))
    assert once == pytest.approx(-125.15373)
    assert both == 2 * once
