"""What is kept of a run: how well it reads, what its layers do, and weights that still answer."""

from functools import cache

import numpy as np
import pytest

from engines.digit_classifier import layers, torch_autograd
from engines.digit_classifier.digits import scans
from engines.digit_classifier.recording import Recorder, moments, one_of_each, watch

AT = moments(300, 50_826)


@cache
def usual():
    """The article's loss, plain gradient descent."""
    steps = torch_autograd.train(scans(), layers.start(64), steps=300, learning_rate=0.5)
    return watch(steps, scans(), at=AT)


def test_the_usual_run_reads_95_of_100_test_images():
    run = usual()
    assert len(run.losses) == 301
    assert run.test_accuracy[0] < 0.2
    assert run.test_accuracy[-1] >= 0.95
    assert run.train_accuracy[-1] > 0.98
    assert run.losses[-12:].mean() < run.losses[0] / 20


@pytest.mark.parametrize("seed", range(1, 4))
def test_so_it_does_from_another_start(seed):
    start = layers.start(64, seed=seed)
    *_, last = torch_autograd.train(scans(), start, steps=300, learning_rate=0.5)
    read = layers.answer(scans().scaled(scans().test_images), last.params).outputs.argmax(axis=1)
    assert (read == scans().test_labels).mean() >= 0.95


def test_accuracies_are_counted_from_what_is_read():
    run = usual()
    hits = run.predicted == scans().test_labels
    np.testing.assert_allclose(hits.mean(axis=1), run.test_accuracy)
    assert (run.predicted.shape, run.predicted.dtype) == ((301, 360), np.uint8)


def test_the_ten_outputs_are_those_of_one_test_image_of_each_digit():
    run = usual()
    assert scans().test_labels[run.shown].tolist() == list(range(10))
    np.testing.assert_array_equal(run.shown, one_of_each(scans()))
    np.testing.assert_array_equal(run.outputs.argmax(axis=2), run.predicted[:, run.shown])


def test_what_the_layers_do_is_that_of_the_listing():
    steps = torch_autograd.train(scans(), layers.start(64), steps=2, learning_rate=0.5)
    dead = []
    for step in steps:
        seen = layers.answer(scans().scaled(scans().test_images), step.params)
        dead.append([(seen.h1 <= 0).all(axis=0).sum(), (seen.h2 <= 0).all(axis=0).sum()])
    np.testing.assert_allclose(usual().dead[:3], dead, atol=1)


@pytest.mark.parametrize(("weights", "least", "most"), [(50_826, 20, 24), (235_146, 8, 8)])
def test_weights_are_kept_at_a_bounded_number_of_moments(weights, least, most):
    at = moments(300, weights)
    assert least <= len(at) <= most
    assert (at[0], at[-1]) == (0, 300)
    assert len(at) * weights * 2 <= 4_000_000


def test_a_run_takes_some_megabytes():
    run = usual()
    arrays = [*run[:-1], *run.weights.values()]
    assert sum(array.nbytes for array in arrays) < 5e6
    assert all(values.dtype == np.float16 for values in run.weights.values())


def test_weights_in_sixteen_bits_read_as_the_run_did():
    run, x = usual(), scans().scaled(scans().test_images)
    np.testing.assert_array_equal(run.at, AT)
    for i, k in enumerate(run.at):
        outputs = layers.answer(x, run.params(i)).outputs
        assert (outputs.argmax(axis=1) == run.predicted[k]).mean() > 0.99
        np.testing.assert_allclose(outputs[run.shown], run.outputs[k], atol=0.01)


def test_a_run_ends_where_its_loss_overflows():
    steps = torch_autograd.train(scans(), layers.start(64), steps=300, learning_rate=50)
    run = watch(steps, scans(), at=AT)
    assert len(run.losses) < 10
    assert np.isfinite(run.losses[:-1]).all()
    assert not np.isfinite(run.losses[-1])
    assert next(steps, None) is not None  # nobody asked for more
    assert len(run.predicted) == len(run.outputs) == len(run.losses)


def test_in_tensorflow_the_same_is_kept():
    from engines.digit_classifier import tf_tape

    both = [
        watch(
            engine.train(scans(), layers.start(64), steps=20, learning_rate=0.5),
            scans(),
            at=[0, 20],
        )
        for engine in (torch_autograd, tf_tape)
    ]
    for name in ("losses", "outputs"):
        ours, theirs = (getattr(run, name) for run in both)
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-5)
    assert (both[0].predicted == both[1].predicted).mean() > 0.999


def test_what_there_is_can_be_asked_for_before_the_end():
    recorder, told = Recorder(scans(), at=AT), []

    def steps():
        for k, step in enumerate(
            torch_autograd.train(scans(), layers.start(64), steps=10**9, learning_rate=0.5)
        ):
            if k == 25:
                return
            yield step
            told.append(recorder.run())

    with pytest.raises(ValueError, match="no step"):
        recorder.run()
    run, whole = recorder.watch(steps()), usual()
    assert [len(one.losses) for one in told] == list(range(1, 26))
    np.testing.assert_array_equal(run.losses, whole.losses[:25])
    np.testing.assert_array_equal(run.at, whole.at[whole.at < 25])
    np.testing.assert_array_equal(run.weights["w3"], whole.weights["w3"][: len(run.at)])
    assert run.key != whole.key
