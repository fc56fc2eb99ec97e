"""A recorded run keeps every step as it was, and says where and why it ended."""

import itertools

import numpy as np
import pytest

from engines.trace import CHECK_EVERY, Step, Trace, record, relative_difference, thin


def step(loss=1.0, w=2.0, b=3.0, grad_w=4.0, grad_b=5.0):
    return Step(loss, {"w": w, "b": b}, {"w": grad_w, "b": grad_b})


def trace_of(losses, grad_w=None):
    losses = np.array(losses, dtype=np.float64)
    ones = np.ones_like(losses)
    grad_w = ones if grad_w is None else np.array(grad_w, dtype=np.float64)
    return Trace(losses, {"w": ones, "b": ones}, {"w": grad_w, "b": ones})


# Recording


def test_row_k_is_the_k_th_step():
    steps = [step(loss=10 - k, w=k, b=-k, grad_w=2 * k, grad_b=3 * k) for k in range(5)]
    trace = record(steps)
    assert len(trace) == 5
    assert [trace[k] for k in range(5)] == steps
    assert trace.final == trace[-1] == steps[4]


def test_arrays_updated_in_place_do_not_change_the_past():
    def in_place():
        w, grad_w = np.zeros((2, 3)), np.ones((2, 3))
        for _ in range(3):
            yield Step(1.0, {"w": w}, {"w": grad_w})
            w += 1
            grad_w *= 2

    trace = record(in_place())
    assert trace.params["w"].shape == trace.grads["w"].shape == (3, 2, 3)
    np.testing.assert_array_equal(trace.params["w"][:, 0, 0], [0, 1, 2])
    np.testing.assert_array_equal(trace.grads["w"][:, 1, 2], [1, 2, 4])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_recorded_values_keep_their_type(dtype):
    columns = record([step(*map(dtype, range(5)))] * 3).columns()
    assert {values.dtype for values in columns.values()} == {np.dtype(dtype)}


def test_a_run_without_a_step_is_refused():
    with pytest.raises(ValueError, match="no step"):
        record([])


def test_an_exception_inside_an_engine_reaches_the_caller():
    def broken():
        yield step()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        record(broken())


# Ending at the first step that is not finite


@pytest.mark.parametrize("end", [0, 1, CHECK_EVERY - 1, CHECK_EVERY, 2 * CHECK_EVERY + 7])
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_a_run_ends_with_the_first_step_whose_loss_is_not_finite(end, value):
    losses = [1.0] * end + [value] * 200
    trace = record(step(loss=loss) for loss in losses)
    assert len(trace) == end + 1
    assert trace.final.non_finite == ("loss",)
    assert end == 0 or trace[-2].non_finite == ()


def test_a_run_that_overflows_between_two_checks_ends_there_even_if_it_recovers():
    losses = [1.0, 1.0, np.inf] + [1.0] * 200
    assert len(record(step(loss=loss) for loss in losses)) == 3


@pytest.mark.parametrize("name", ["w", "b", "grad_w", "grad_b"])
def test_a_run_ends_where_anything_else_overflows_while_the_loss_is_finite(name):
    steps = [step(**{name: np.inf if k >= 5 else 1.0}) for k in range(10)]
    trace = record(steps)
    assert len(trace) == 6
    assert trace.final.non_finite == (name,)


def test_one_bad_element_of_an_array_ends_the_run():
    bad = np.array([[0.0, 1.0], [np.nan, 1.0]])
    steps = [Step(1.0, {"w": w}, {"w": np.ones((2, 2))}) for w in (np.zeros((2, 2)), bad, bad)]
    trace = record(steps)
    assert len(trace) == 2
    assert trace.final.non_finite == ("w",)


def test_what_overflowed_is_named_in_the_order_of_the_listing():
    bad = step(loss=np.inf, w=np.nan, b=np.nan, grad_w=-np.inf, grad_b=np.nan)
    assert bad.non_finite == ("w", "b", "loss", "grad_w", "grad_b")
    assert step().non_finite == ()


def test_an_endless_engine_that_diverges_is_left_soon_after():
    def endless():
        for k in itertools.count():
            assert k < 100 + CHECK_EVERY, "still running"
            yield step(loss=1.0 if k < 100 else np.inf)

    assert len(record(endless())) == 101


@pytest.mark.parametrize("ending", ["finite", "diverging"])
def test_an_engine_has_cleaned_up_when_its_recording_is_there(ending):
    cleaned_up = []

    def engine():
        try:
            for _ in range(10 * CHECK_EVERY):
                yield step(loss=1.0 if ending == "finite" else np.inf)
        finally:
            cleaned_up.append(True)

    record(engine())
    assert cleaned_up == [True]


# Reading a trace


def test_columns_carry_the_names_of_the_listing():
    columns = record([step(), step()]).columns()
    assert list(columns) == ["loss", "w", "b", "grad_w", "grad_b"]
    assert [values[1] for values in columns.values()] == [1, 2, 3, 4, 5]


def test_a_frame_has_one_row_for_each_step():
    frame = record(step(loss=k, grad_b=-k) for k in range(4)).to_frame()
    assert frame.index.name == "step"
    assert list(frame.index) == [0, 1, 2, 3]
    assert list(frame.columns) == ["loss", "w", "b", "grad_w", "grad_b"]
    assert frame.loc[3, "grad_b"] == -3


def test_a_frame_of_arrays_is_refused():
    trace = record([Step(1.0, {"w": np.ones((2, 2))}, {"w": np.ones((2, 2))})] * 3)
    with pytest.raises(ValueError, match="1-dimensional"):
        trace.to_frame()


@pytest.mark.parametrize("name", ["loss", "w", "b", "grad_w", "grad_b"])
def test_a_key_is_equal_for_runs_that_went_alike_only(name):
    run, again, other = (record([step(), last]) for last in (step(), step(), step(**{name: 9.0})))
    assert run.key == again.key
    assert run.key != other.key
    hash(run.key)


# Thinning

LENGTHS = [0, 1, 2, 3, 4, 5, 9, 10, 11, 33, 100, 101, 801, 2001, 80_001]


@pytest.mark.parametrize("keep", [2, 3, 4, 5, 10, 33, 300])
def test_thinning_keeps_the_first_and_the_last_step(keep):
    for length in LENGTHS[1:]:
        kept = thin(length, keep)
        assert (kept[0], kept[-1]) == (0, length - 1), length


@pytest.mark.parametrize("keep", [2, 3, 4, 5, 10, 33, 300])
def test_thinning_gives_increasing_steps_and_no_more_than_asked_for(keep):
    for length in LENGTHS:
        kept = thin(length, keep)
        assert len(kept) <= keep, length
        assert np.all(np.diff(kept) > 0), length


@pytest.mark.parametrize("length", [0, 1, 7, 30])
def test_a_short_run_is_not_thinned(length):
    np.testing.assert_array_equal(thin(length, 30), np.arange(length))


def test_half_of_what_is_kept_shows_the_first_steps_and_the_rest_is_spread_evenly():
    kept = thin(2001, 200)
    np.testing.assert_array_equal(kept[:100], np.arange(100))
    assert len(kept) == 200
    gaps = np.diff(kept[100:])
    assert gaps.max() - gaps.min() <= 1


# How far two runs are apart


def test_a_run_is_no_distance_from_itself():
    trace = trace_of([3.0, 2.0, 0.0])
    np.testing.assert_array_equal(relative_difference(trace, trace), [0, 0, 0])


def test_the_distance_is_relative_and_the_same_both_ways():
    one, other = trace_of([100.0, 10.0]), trace_of([100.0, 8.0])
    scaled_one, scaled_other = trace_of([1e-7, 1e-8]), trace_of([1e-7, 0.8e-8])
    np.testing.assert_allclose(relative_difference(one, other), [0, 0.02])
    np.testing.assert_allclose(relative_difference(other, one), [0, 0.02])
    np.testing.assert_allclose(relative_difference(scaled_one, scaled_other), [0, 0.02])


def test_the_worst_quantity_counts():
    one, other = trace_of([1.0], grad_w=[4.0]), trace_of([1.01], grad_w=[3.0])
    np.testing.assert_allclose(relative_difference(one, other), [0.25])


def test_a_gradient_near_zero_is_measured_by_what_it_has_been():
    one = trace_of([1.0, 1.0], grad_w=[1.0, 1e-16])
    other = trace_of([1.0, 1.0], grad_w=[1.0, -1e-16])
    assert relative_difference(one, other)[1] < 1e-15


def test_runs_of_unequal_length_are_compared_as_far_as_both_go():
    assert len(relative_difference(trace_of([1.0, 2.0, 3.0]), trace_of([1.0, 2.0]))) == 2


def test_runs_of_two_types_are_compared_without_rounding_either():
    one = trace_of([1 / 3])
    other = Trace(one.losses.astype(np.float32), one.params, one.grads)
    assert 0 < relative_difference(one, other)[0] < 1e-7


def test_two_runs_that_overflow_alike_are_no_distance_apart():
    trace = trace_of([1.0, np.inf])
    np.testing.assert_array_equal(relative_difference(trace, trace), [0, 0])
