"""The timed operations do the same in all frameworks, and as much as their formulas say."""

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf
import torch
from torch.utils.flop_counter import FlopCounterMode

from engines.benchmark import operations_numpy, operations_tensorflow, operations_torch
from engines.benchmark.operations import ITEM_BYTES, OPERATIONS, arrays, held_bytes

CLOSE = {"float32": 1e-4, "float64": 1e-12}
SIZE = 48

beside_numpy = pytest.mark.parametrize("framework", [operations_torch, operations_tensorflow])
each_operation = pytest.mark.parametrize("operation", OPERATIONS)


def prepared(framework, operation, size, precision="float32", *, transfer=False):
    taken = arrays(operation, size, precision)
    return framework.prepare(operation, taken, "cpu", transfer=transfer)


def result(framework, operation, **options):
    run, wait = prepared(framework, operation, SIZE, **options)
    given = run()
    wait()
    return np.asarray(given)


def losses(framework, size, precision, steps, **options):
    run, wait = prepared(framework, "training_step", size, precision, **options)
    seen = [float(run()) for _ in range(steps)]
    wait()
    return np.array(seen)


# What they compute


@pytest.mark.parametrize("precision", ITEM_BYTES)
@each_operation
def test_numpy_computes_what_the_operation_says(operation, precision):
    taken = arrays(operation, SIZE, precision)
    right: dict[str, Callable[..., object]] = {
        "row_by_column": lambda a, b: [[np.dot(a[0], b[:, 0])]],
        "square": lambda a, b: np.einsum("ij,jk->ik", a, b),
        "elementwise": lambda x: 3 * x**2 + 2,
        "training_step": lambda x, y, w1, w2: ((np.clip(x @ w1, 0, None) @ w2 - y) ** 2).sum(),
        "copy": lambda x, to: x,
    }
    given = result(operations_numpy, operation, precision=precision)
    assert given.dtype == precision
    close = CLOSE[precision]
    np.testing.assert_allclose(given, right[operation](*taken), rtol=close, atol=close / 100)


@pytest.mark.parametrize("transfer", [False, True])
@pytest.mark.parametrize("precision", ITEM_BYTES)
@beside_numpy
@each_operation
def test_the_others_compute_what_numpy_computes(operation, framework, precision, transfer):
    if operation not in framework.LISTINGS:
        pytest.skip("TensorFlow hands a copy out without making one")
    given = result(framework, operation, precision=precision, transfer=transfer)
    right = result(operations_numpy, operation, precision=precision)
    assert (given.dtype, given.shape) == (right.dtype, right.shape)
    close = CLOSE[precision]
    np.testing.assert_allclose(given, right, rtol=close, atol=close / 100)


@pytest.mark.parametrize("framework", [operations_numpy, operations_torch])
def test_a_copy_is_written_to_memory_that_is_there(framework):
    run, _ = prepared(framework, "copy", SIZE)
    first, second = run(), run()
    x, _ = arrays("copy", SIZE, "float32")
    assert np.asarray(first).ctypes.data == np.asarray(second).ctypes.data
    np.testing.assert_array_equal(np.asarray(first), x)


@pytest.mark.parametrize(("precision", "close"), [("float32", 1e-4), ("float64", 1e-10)])
@pytest.mark.parametrize("transfer", [False, True])
@beside_numpy
def test_training_goes_the_same_way_in_every_framework(framework, precision, close, transfer):
    right = losses(operations_numpy, 100, precision, 40)
    assert np.all(np.diff(right) < 0)
    given = losses(framework, 100, precision, 40, transfer=transfer)
    np.testing.assert_allclose(given, right, rtol=close)


@pytest.mark.parametrize(("size", "steps"), [(1, 300), (16, 300), (4096, 60), (2**15, 6)])
def test_training_goes_downhill_at_every_width(size, steps):
    """Else sums of infinities would be timed in the end. Too large a step shows at once."""
    assert size <= OPERATIONS["training_step"].largest
    seen = losses(operations_numpy, size, "float32", steps)
    assert np.all(np.isfinite(seen))
    assert np.all(np.diff(seen) <= 1e-6 * seen[0])  # with one hidden unit the end is soon reached
    assert 1e-6 < seen[-1] < seen[0]


# How much they compute, and touch


@pytest.mark.parametrize("size", [16, 100])
@pytest.mark.parametrize("operation", ["row_by_column", "square", "training_step"])
def test_the_formula_counts_the_flops_that_pytorch_counts(operation, size):
    run, _ = prepared(operations_torch, operation, size)
    with FlopCounterMode(display=False) as counted:
        run()
    assert OPERATIONS[operation].flops(size) == counted.get_total_flops()


def test_the_formulas_of_the_rest():
    """PyTorch counts products only."""
    assert OPERATIONS["elementwise"].flops(10) == 3 * 10  # x·x, 3·, + 2
    assert OPERATIONS["copy"].flops(10) == 0
    assert OPERATIONS["elementwise"].moved(10) == 3 * (10 + 10)
    assert OPERATIONS["copy"].moved(10) == 10 + 10


@pytest.mark.parametrize("operation", ["row_by_column", "square"])
def test_a_product_reads_its_operands_and_writes_its_result(operation):
    touched = sum(a.size for a in arrays(operation, SIZE, "float32"))
    touched += result(operations_numpy, operation).size
    assert OPERATIONS[operation].moved(SIZE) == touched == OPERATIONS[operation].held(SIZE)


@pytest.mark.parametrize("precision", ITEM_BYTES)
@each_operation
def test_what_is_held_at_a_time_is_no_less_than_what_pytorch_holds(operation, precision):
    size = 256
    taken = sum(a.nbytes for a in arrays(operation, size, precision))
    run, _ = prepared(operations_torch, operation, size, precision)
    with torch.profiler.profile(profile_memory=True) as profile:
        run()
    # Each allocation adds to what is held then, each deallocation takes away.
    held = most = 0
    for event in profile.profiler.kineto_results.events():
        if event.name() == "[memory]":
            held += event.nbytes()
            most = max(most, held)
    assert taken + most <= held_bytes(operation, size, precision) * 1.01


@each_operation
def test_flops_bytes_and_memory_grow_with_the_size(operation):
    of = OPERATIONS[operation]
    assert list(of.sizes) == sorted(set(of.sizes))
    assert of.sizes[-1] <= of.largest
    for count in (of.flops, of.moved, of.held):
        counted = [count(size) for size in (*of.sizes, of.largest)]
        assert counted == sorted(counted)
    assert held_bytes(operation, 64, "float64") == 2 * held_bytes(operation, 64, "float32")


@each_operation
def test_the_same_numbers_are_drawn_for_the_same_size(operation):
    once, again = (arrays(operation, SIZE, "float32") for _ in range(2))
    assert tuple(a.shape for a in once) == OPERATIONS[operation].shapes(SIZE)
    for a, b in zip(once, again, strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == np.float32
        assert abs(a.mean()) < 0.2 * a.std() + 0.1
        assert a.min() < 0 < a.max()


# The way of the data


@beside_numpy
def test_with_the_way_of_the_data_every_call_takes_what_is_there_now(framework):
    host = arrays("row_by_column", SIZE, "float32")
    there, _ = framework.prepare("row_by_column", host, "cpu", transfer=False)
    fresh, _ = framework.prepare("row_by_column", host, "cpu", transfer=True)
    right = host[0] @ host[1]
    np.testing.assert_allclose(fresh(), right, rtol=1e-5)
    host[0][:] *= 2
    np.testing.assert_allclose(fresh(), 2 * right, rtol=1e-5)
    np.testing.assert_allclose(np.asarray(there()), right, rtol=1e-5)


@beside_numpy
def test_the_way_of_the_data_is_a_copy(framework, monkeypatch):
    """On the CPU a framework could look at the memory of NumPy instead."""
    arrived = []
    monkeypatch.setitem(framework.LISTINGS, "elementwise", lambda x: arrived.append(x) or x)
    host = arrays("elementwise", SIZE, "float32")
    run, _ = framework.prepare("elementwise", host, "cpu", transfer=True)
    right = run().copy()
    host[0][:] = 7
    np.testing.assert_array_equal(arrived[0], right)
    run()
    assert set(np.asarray(arrived[1])) == {7}


@beside_numpy
def test_the_way_of_the_data_ends_in_numpy_in_memory_of_its_own(framework):
    host = arrays("elementwise", SIZE, "float32")
    run, _ = framework.prepare("elementwise", host, "cpu", transfer=True)
    back = run()
    assert isinstance(back, np.ndarray)
    assert not np.shares_memory(back, host[0])


def test_numpy_has_no_other_device_and_no_way_to_one():
    taken = arrays("square", SIZE, "float32")
    with pytest.raises(ValueError, match="CPU"):
        operations_numpy.prepare("square", taken, "cuda", transfer=False)
    with pytest.raises(ValueError, match="CPU"):
        operations_numpy.prepare("square", taken, "cpu", transfer=True)


def test_tensorflow_refuses_a_device_that_is_not_there(monkeypatch):
    """Else it would compute on the CPU, and what was measured there would be called a GPU's."""
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    with pytest.raises(ValueError, match="no cuda device"):
        operations_tensorflow.use("cuda")


def test_32_bits_are_32_bits_in_pytorch_on_a_gpu():
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        operations_torch.use("cuda")
        assert torch.get_float32_matmul_precision() == "highest"
    finally:
        torch.set_float32_matmul_precision(before)


def test_32_bits_are_32_bits_in_tensorflow():
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    try:
        tf.config.experimental.enable_tensor_float_32_execution(True)
        operations_tensorflow.use("cpu")
        assert not tf.config.experimental.tensor_float_32_execution_enabled()
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)
