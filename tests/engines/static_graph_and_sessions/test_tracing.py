"""tf.function: how often it traces, and what Python sees of the calls."""

from statistics import median

import pytest
import tensorflow as tf

from engines.static_graph_and_sessions.tracing import SERIES, call_each, run


def traces(calls):
    return [call.traces for call in calls]


def python_ran(calls):
    return [bool(call.noted) for call in calls]


def values(calls):
    return [call.value for call in calls]


def test_a_function_is_traced_once_for_each_shape_and_each_type_of_number():
    calls = run("tensors")
    assert traces(calls) == [1, 1, 1, 2, 2, 3, 3]
    assert values(calls) == [1, 4, 9, [1, 4], [9, 16], 4, 9]
    assert [call.dtype for call in calls] == ["float32"] * 5 + ["int32"] * 2


@pytest.mark.parametrize("name", SERIES)
def test_python_runs_only_while_the_function_is_traced(name):
    calls = run(name)
    before = [0, *traces(calls)[:-1]]
    assert python_ran(calls) == [
        now > then for now, then in zip(traces(calls), before, strict=True)
    ]


def test_while_it_is_traced_the_argument_is_a_tensor_without_a_value():
    noted = [call.noted for call in run("tensors") if call.noted]
    assert noted == [
        "a tensor without a value, float32, shape ()",
        "a tensor without a value, float32, shape (2,)",
        "a tensor without a value, int32, shape ()",
    ]


@pytest.mark.parametrize("name", ["numbers", "reduced"])
def test_every_other_number_of_pythons_is_another_trace(name):
    calls = run(name)
    assert traces(calls) == [*range(1, 13)]
    assert values(calls) == [number**2 for number in range(1, 13)]
    assert [call.noted for call in calls[:2]] == ["the number 1", "the number 2"]
    assert calls[-1].call == "square(12)"


def test_the_same_numbers_as_tensors_share_one_trace():
    calls = run("mended")
    assert traces(calls) == [1] * 12
    assert values(calls) == values(run("numbers"))
    assert calls[0].call == "square(tf.constant(1))"


def test_a_signature_serves_all_shapes_with_one_trace_and_refuses_another_dtype():
    assert traces(run("signature")) == [1] * 4
    with pytest.raises(TypeError, match="int32"):
        call_each([tf.constant(2)], **SERIES["signature"].settings)


def test_a_number_that_equals_an_earlier_one_gets_its_graph_and_its_type():
    calls = run("equal")
    assert [call.call for call in calls] == [
        "square(2)", "square(2.0)", "square(3.0)", "square(3)"
    ]  # fmt: skip
    assert traces(calls) == [1, 1, 2, 2]
    assert [call.dtype for call in calls] == ["int32", "int32", "float32", "float32"]


def test_each_run_is_of_a_function_of_its_own():
    assert traces(run("mended")) == traces(run("mended")) == [1] * 12


def test_a_trace_takes_longer_than_running_its_graph():
    calls = run("mended")
    assert calls[0].milliseconds > median(call.milliseconds for call in calls[1:])


def test_a_series_that_is_none_of_them_is_refused():
    with pytest.raises(KeyError):
        run("<script>")


def test_keras_cleared_between_two_runs_changes_nothing():
    before = traces(run("tensors"))
    tf.keras.backend.clear_session()
    assert traces(run("tensors")) == before
