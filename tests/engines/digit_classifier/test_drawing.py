"""A drawing becomes pixels as the scans did, wherever and however large it is drawn."""

import dataclasses

import numpy as np
import pytest

from engines.digit_classifier import layers, torch_autograd
from engines.digit_classifier.digits import scans
from engines.digit_classifier.drawing import INK, READY, pixels


def mnist():
    """Something of MNIST's size."""
    blank = np.zeros((1, 28, 28), np.uint8)
    return dataclasses.replace(scans(), images=blank, test_images=blank, brightest=255)


def test_the_mean_scan_has_that_much_ink():
    assert scans().images.mean() / 16 == pytest.approx(INK, abs=0.001)


@pytest.mark.parametrize("digit", READY)
def test_a_ready_made_digit_is_as_high_and_as_dark_as_a_scan(digit):
    image = pixels(READY[digit], scans())
    assert (image.shape, image.dtype) == ((8, 8), np.uint8)
    rows = np.flatnonzero(image.any(axis=1))
    assert (rows[0], rows[-1]) == (0, 7)
    assert 0.27 < image.mean() / 16 < 0.37
    assert 0 < image.max() <= 16


@pytest.mark.parametrize("digits", [scans(), mnist()], ids=["scans", "MNIST"])
def test_where_and_how_large_it_is_drawn_makes_no_difference(digits):
    moved = [[(300 + 80 * x, 7 + 80 * y) for x, y in stroke] for stroke in READY[5]]
    np.testing.assert_array_equal(pixels(moved, digits), pixels(READY[5], digits))


def test_a_vertical_line_stays_one_and_a_dot_too():
    line = pixels([[(0.2, 0.1), (0.2, 0.9)]], scans())
    assert line.any(axis=1).all()
    assert line[:, [0, 1, 6, 7]].sum() == 0
    np.testing.assert_array_equal(line, line[:, ::-1])
    dot = pixels([[(3.0, 3.0)]], scans())
    assert dot[3:5, 3:5].min() > 0
    assert dot[0].sum() == dot[:, 0].sum() == 0


def test_nothing_drawn_is_no_image():
    for strokes in ([], [[]]):
        with pytest.raises(ValueError, match="nothing is drawn"):
            pixels(strokes, scans())


@pytest.mark.parametrize("digit", [1, 4, 7])
def test_as_in_mnist_it_lies_in_a_box_of_twenty_around_its_centre_of_mass(digit):
    image = pixels(READY[digit], mnist()).astype(float)
    rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
    assert rows[-1] - rows[0] + 1 in (20, 21)
    assert columns[-1] - columns[0] + 1 <= 21
    middle = [(image.sum(axis=axis) * np.arange(28)).sum() / image.sum() for axis in (1, 0)]
    np.testing.assert_allclose(middle, 13.5, atol=0.6)
    assert image.max() == 255


def test_a_trained_network_reads_nearly_all_of_the_ready_made_digits():
    *_, last = torch_autograd.train(scans(), layers.start(64), steps=300, learning_rate=0.5)
    images = np.array([pixels(strokes, scans()) for strokes in READY.values()])
    read = layers.answer(scans().scaled(images), last.params).outputs.argmax(axis=1)
    assert (read == list(READY)).sum() >= 9
