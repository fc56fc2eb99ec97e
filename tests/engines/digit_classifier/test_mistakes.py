"""Each mistake ends as the page says: in an error, in overflow, stuck, or knowing by heart."""

from functools import cache

import pytest

from engines.digit_classifier import layers, mistakes, tf_reshape
from engines.digit_classifier.digits import scans
from engines.listing import source_of

ENDS = {
    "not_scaled": "overflow",
    "rate": "overflow",
    "zeros": "stuck",
    "dead": "stuck",
    "reshape": "crash",
    "shuffled": "by_heart",
    "no_test_set": "by_heart",
}
every_mistake = pytest.mark.parametrize("name", mistakes.MISTAKES)


@cache
def outcome(name):
    return mistakes.run(name, scans(), layers.start(64))


@every_mistake
def test_undoing_the_change_gives_the_listing_back(name):
    source = mistakes.make(name).source
    for right, wrong in mistakes.MISTAKES[name].items():
        assert source.count(wrong) == 1
        source = source.replace(wrong, right)
    assert source == "\n\n".join(source_of(one) for one in mistakes.LISTING)


@every_mistake
def test_it_ends_as_it_must(name):
    assert outcome(name).end == ENDS[name]


def test_an_unknown_mistake_is_a_key_error():
    with pytest.raises(KeyError):
        mistakes.run("none", scans(), layers.start(64))


def test_the_right_listing_learns_with_the_same_settings():
    for settings in {*mistakes.SETTINGS.values()}:
        *_, last = mistakes.begin(
            mistakes.torch_autograd.train, scans(), layers.start(64), settings
        )
        read = layers.answer(scans().scaled(scans().test_images), last.params).outputs
        assert (read.argmax(axis=1) == scans().test_labels).mean() >= 0.95


def test_the_article_s_reshape_fails_on_other_images_in_pytorch_s_words():
    crash = outcome("reshape").crash
    assert crash.error == "RuntimeError"
    assert crash.message == "shape '[-1, 784]' is invalid for input of size 8192"
    assert crash.text == "x = images.reshape(-1, 28 * 28)"


def test_the_tape_s_words_for_the_same_are_those_of_its_reshape():
    crash = tf_reshape.wrong_reshape(scans(), layers.start(64))
    assert crash.error == "InvalidArgumentError"
    assert crash.message == (
        "Input to reshape is a tensor with 8192 values, but the requested shape requires a "
        "multiple of 784"
    )
    assert crash.text == "x = tf.reshape(images, (-1, 28 * 28))"


def test_units_that_begin_alike_stay_alike():
    run = outcome("zeros").run
    assert outcome("zeros").different == 1
    assert not run.weights["w1"][-1].any()
    # Only the biases of the outputs are told anything.
    learnt = {name for name, values in run.weights.items() if values[-1].any()}
    assert learnt == {"b3"}
    assert run.test_accuracy.max() < 0.3


def test_dead_units_pass_nothing_and_receive_nothing():
    run = outcome("dead").run
    assert run.dead[-1].tolist() == [256, 128]
    assert outcome("dead").different == 256  # each has its own weights, and none moves


def test_shuffled_labels_are_learnt_by_heart_and_no_test_image_is_read():
    run = outcome("shuffled").run
    assert run.train_accuracy[-1] > 0.6
    assert run.test_accuracy.max() < 0.2


def test_without_a_test_set_everything_seems_right():
    run = outcome("no_test_set").run
    assert run.train_accuracy[-1] == 1
    assert run.test_accuracy[-1] < 0.9


def test_it_says_how_far_it_is_and_can_be_stopped():
    seen = []

    def follow(steps):
        for k, step in enumerate(steps):
            seen.append(k)
            yield step

    mistakes.run("rate", scans(), layers.start(64), follow=follow)
    assert seen == list(range(len(outcome("rate").run.losses)))
