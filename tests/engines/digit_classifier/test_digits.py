"""The digits: the scans that come along are scikit-learn's, MNIST is offered and never needed."""

import hashlib
import threading

import numpy as np
import pytest

from engines.digit_classifier import mnist
from engines.digit_classifier.digits import FILE, scans


def test_the_scans_are_the_file_of_scikit_learn_byte_for_byte():
    assert hashlib.sha256(FILE.read_bytes()).hexdigest() == (
        "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22"
    )
    digits = scans()
    assert digits.images.shape == (1437, 8, 8)
    assert digits.test_images.shape == (360, 8, 8)
    everything = np.concatenate([digits.images, digits.test_images])
    assert (everything.min(), everything.max(), digits.brightest) == (0, 16, 16)
    # As `load_digits` has it: how many there are of each, and the sum of all pixels.
    labels = np.concatenate([digits.labels, digits.test_labels])
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert int(everything.sum(dtype=np.int64)) == 561718


def test_the_split_is_always_the_same_one_and_no_image_is_on_both_sides():
    digits = scans()
    assert digits.test_labels[:10].tolist() == [4, 1, 5, 5, 9, 3, 1, 0, 5, 3]
    learnt = {image.tobytes() for image in digits.images}
    assert not learnt & {image.tobytes() for image in digits.test_images}


def test_pixels_go_from_minus_one_to_one():
    x = scans().scaled(scans().images)
    assert (x.shape, x.dtype, x.min(), x.max()) == ((1437, 64), np.float32, -1, 1)
    np.testing.assert_array_equal(x[0], 2 * scans().images[0].ravel() / 16 - 1)


# ---- MNIST


def made_up():
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (7500, 28, 28), np.uint8)
    return (images, random.integers(0, 10, 7500, np.uint8)), (images[:10], images[:10, 0, 0])


@pytest.fixture(autouse=True)
def nothing_fetched(monkeypatch):
    monkeypatch.setattr(mnist, "_fetching", [])


def test_some_thousands_of_mnist_are_used_and_they_are_fetched_once():
    calls = []

    def load():
        calls.append(1)
        return made_up()

    offers = [mnist.offer(load) for _ in range(3)]
    assert calls == [1]
    digits = offers[0].digits
    assert (digits.side, digits.images.shape, digits.test_images.shape, digits.brightest) == (
        28,
        (3000, 28, 28),
        (500, 28, 28),
        255,
    )
    np.testing.assert_array_equal(digits.images, offers[2].digits.images)
    # So it is with 255 shades, of which twice one is no whole number of eight bits.
    x = digits.scaled(digits.images)
    assert (x.dtype, x.min(), x.max()) == (np.float32, -1, 1)
    np.testing.assert_allclose(x[0], digits.images[0].ravel() / 127.5 - 1, atol=1e-6)


def test_without_a_network_it_says_why_and_may_be_asked_again():
    def load():
        raise Exception("URL fetch failure on https://…: None -- Name or service not known")

    for _ in range(2):
        digits, why = mnist.offer(load)
        assert digits is None
        assert why == (
            "Keras could not fetch it: URL fetch failure on https://…: None -- Name or service not "
            "known"
        )
    assert mnist.offer(made_up).digits is not None


def test_what_takes_too_long_is_not_waited_for_and_found_later():
    go = threading.Event()

    def load():
        go.wait(10)
        return made_up()

    assert mnist.offer(load, patience=0.05) == (None, "It did not come within 0.05 seconds.")
    go.set()
    assert mnist.offer(lambda: pytest.fail("fetched twice"), patience=10).digits is not None
