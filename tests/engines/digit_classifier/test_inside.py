"""What a network looks at: the gradient by the pixels, and the images that are like another."""

import numpy as np
import pytest

from engines.differences import jacobian
from engines.digit_classifier import layers, tf_saliency, torch_saliency
from engines.digit_classifier.digits import scans
from engines.digit_classifier.inside import nearest, strongest


@pytest.mark.parametrize("digit", [0, 7])
@pytest.mark.parametrize("engine", [torch_saliency, tf_saliency])
def test_saliency_is_how_the_output_answers_to_each_pixel(engine, digit):
    params = layers.start(64, dtype=np.float64)
    x = scans().scaled(scans().test_images[:1], np.float64)[0]
    slopes = jacobian(lambda moved: layers.answer(moved, params).outputs[digit], x, 1e-6)
    np.testing.assert_allclose(engine.saliency(x, params, digit), slopes, atol=1e-8)


def test_an_image_is_nearest_to_itself():
    params, learnt = layers.start(64), scans().scaled(scans().images)
    found = nearest(learnt[17], learnt, params, 5)
    assert (found[0], len(found)) == (17, 5)
    h2 = layers.answer(learnt, params).h2
    distances = np.linalg.norm(h2 - h2[17], axis=1)
    np.testing.assert_array_equal(found, np.argsort(distances)[:5])


def test_a_unit_answers_most_to_the_images_named_first_and_a_dead_one_to_none():
    params, images = layers.start(64), scans().scaled(scans().test_images)
    found = strongest(3, images, params, 6)
    active = layers.answer(images, params).h1[:, 3]
    assert active[found[0]] == active.max()
    assert (np.diff(active[found]) <= 0).all()
    params["b1"][3] = -100
    assert len(strongest(3, images, params, 6)) == 0
