"""What happens inside MyReLU in one pass, moment by moment, as it happened."""

from threading import Thread

import numpy as np
import pytest
import torch

from engines.custom_relu_backward.one_pass import watch
from engines.network.torch_own_relu import MyReLU

X = [[1.5, -2.0, 0.0], [-0.0, -0.5, 3.0]]
GRAD = [[1.0, 2.0, 3.0], [-4.0, 5.0, -6.0]]


def test_every_matrix_is_that_of_the_pass():
    watched = watch(X, GRAD)
    np.testing.assert_array_equal(watched.x, X)
    np.testing.assert_array_equal(watched.saved, X)
    np.testing.assert_array_equal(watched.output, [[1.5, 0, 0], [0, 0, 3]])
    np.testing.assert_array_equal(watched.grad_output, GRAD)
    np.testing.assert_array_equal(watched.mask, [[False, True, False], [False, True, False]])
    np.testing.assert_array_equal(watched.grad_x, [[1, 0, 3], [-4, 0, -6]])


def test_the_moments_are_in_order_and_in_their_lines_of_the_source():
    watched = watch(X, GRAD)
    lines = watched.source.splitlines()
    assert lines[0].startswith("class MyReLU(")
    assert [(moment.half, moment.kind, moment.text) for moment in watched.moments] == [
        ("forward", "arrives", "def forward"),
        ("forward", "saves", "ctx.save_for_backward(x)"),
        ("forward", "operation", "x.clamp(min=0)"),
        ("forward", "leaves", "return x.clamp(min=0)"),
        ("backward", "arrives", "def backward"),
        ("backward", "reads", "ctx.saved_tensors"),
        ("backward", "operation", "grad_output.clone()"),
        ("backward", "operation", "x < 0"),
        ("backward", "operation", "grad_x[x < 0]"),
        ("backward", "leaves", "return grad_x"),
    ]
    for moment in watched.moments:
        assert moment.text in lines[moment.line - 1]


def test_each_moment_has_its_matrix_as_it_was_then():
    watched = watch(X, GRAD)
    x, saved, clamped, output, arrived, read, cloned, mask, masked, left = (
        moment.value for moment in watched.moments
    )
    for values in (x, saved, read):
        np.testing.assert_array_equal(values, X)
    for values in (clamped, output):
        np.testing.assert_array_equal(values, watched.output)
    for values in (arrived, cloned):  # before it is changed in place
        np.testing.assert_array_equal(values, GRAD)
    np.testing.assert_array_equal(mask, watched.mask)
    for values in (masked, left):
        np.testing.assert_array_equal(values, watched.grad_x)


def test_it_is_what_the_function_does_when_nobody_watches():
    random = np.random.default_rng(1)
    values, gradient = random.standard_normal((2, 6, 6))
    watched = watch(values.tolist(), gradient.tolist())
    x = torch.tensor(values, requires_grad=True)
    output = MyReLU.apply(x)
    output.backward(torch.tensor(gradient))
    np.testing.assert_array_equal(watched.output, output.detach())
    np.testing.assert_array_equal(watched.grad_x, x.grad)


@pytest.mark.parametrize(
    ("x", "grad_output"),
    [
        ([], []),
        ([[]], [[]]),
        ([1.0], [1.0]),
        ([[0.0] * 7], [[0.0] * 7]),
        ([[0.0]] * 7, [[0.0]] * 7),
        ([[1.0, 2.0], [3.0]], [[1.0, 2.0], [3.0]]),
        ([[1.0, 2.0]], [[1.0], [2.0]]),
        ([[float("nan")]], [[1.0]]),
        ([[1.0]], [[float("inf")]]),
        ([["one"]], [[1.0]]),
    ],
)
def test_what_is_no_small_matrix_of_numbers_is_refused(x, grad_output):
    with pytest.raises(ValueError, match=r".+"):
        watch(x, grad_output)


def test_two_at_once_note_each_their_own():
    found = {}

    def many(sign):
        found[sign] = [watch([[sign * 1.0]], [[2.0]]) for _ in range(50)]

    threads = [Thread(target=many, args=(sign,)) for sign in (1, -1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for sign, gradient in ((1, 2.0), (-1, 0.0)):
        for watched in found[sign]:
            assert len(watched.moments) == 10
            assert watched.x.item() == sign
            assert watched.grad_x.item() == gradient


def test_no_mode_is_left_behind():
    watch(X, GRAD)
    assert torch.overrides._get_current_function_mode_stack() == []
