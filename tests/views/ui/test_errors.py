"""Every error of a session is raised by TensorFlow itself, and explained in its own words."""

import inspect
import re
from contextlib import contextmanager
from functools import cache

import numpy as np
import pytest
import tensorflow as tf
from streamlit.testing.v1 import AppTest

from engines.graphs.static import Message
from engines.graphs.tf_errors import message
from engines.problem import preset
from engines.regression import tf_session
from tests.support.visit import words
from views.ui.errors import KNOWN, explanation, up_to_explained

ARTICLE = preset("session_article")
X, Y = ARTICLE.x, ARTICLE.y


@contextmanager
def paused():
    """The names of the regression's listing, its session open, and one that is not initialised."""
    listing = tf_session.train(ARTICLE, steps=1, learning_rate=0.01)
    try:
        next(listing)
        names = inspect.getgeneratorlocals(listing)
        # Without `with`, which would make its graph the default one: no listing here does that.
        fresh = tf.compat.v1.Session(graph=names["graph"])
        try:
            yield {**names, "fresh": fresh}
        finally:
            fresh.close()
    finally:
        listing.close()


def another_graph():
    with tf.Graph().as_default():
        return tf.constant(1.0)


def add_to_a_finalized_graph(n):
    n["graph"].finalize()
    with n["graph"].as_default():
        return n["x"] + 1


def run_a_closed_session(n):
    n["session"].close()
    return n["session"].run(n["loss"])


def read_an_older_variable(n):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        variable = tf.compat.v1.get_variable("w", shape=(), use_resource=False)
        return session.run(variable + 1)


def feed_what_may_not_be_fed(n):
    n["graph"].prevent_feeding(n["loss"])
    return n["session"].run(n["loss"], {n["loss"]: 1.0})


def branch_on_a_symbol(n):
    with n["graph"].as_default():
        return 1 if n["loss"] > 0 else 0


def take_apart_what_is_of_any_length(n):
    with n["graph"].as_default():
        return tf.unstack(n["x"])


def run_without_a_graph(n):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        return session.run([])


# By name: what raises it, and the phrase that its explanation begins with.
RAISED = {
    "x left out": (
        lambda n: n["session"].run(n["loss"], {n["y"]: Y}),
        "placeholder tensor 'x'",
    ),
    "y left out": (
        lambda n: n["session"].run(n["loss"], {n["x"]: X}),
        "placeholder tensor 'y'",
    ),
    "wrong shape": (
        lambda n: n["session"].run(n["loss"], {n["x"]: X[:, None], n["y"]: Y}),
        "shape (100, 1)",
    ),
    "lengths": (
        lambda n: n["session"].run(n["loss"], {n["x"]: X, n["y"]: Y[:50]}),
        "[100] vs. [50]",
    ),
    "lengths at the gradient": (
        lambda n: n["session"].run([n["new_w"], n["new_b"]], {n["x"]: X, n["y"]: Y[:50]}),
        "[100] vs. [50]",
    ),
    # `w` alone: the loss reads `b` as well, and whichever is read first is the one reported.
    "not initialised": (
        lambda n: n["fresh"].run(n["w"]),
        "Could not find variable w",
    ),
    "older variable": (read_an_older_variable, "uninitialized value w"),
    "closed": (run_a_closed_session, "a closed Session"),
    "no graph": (run_without_a_graph, "The Session graph is empty"),
    "finalized": (add_to_a_finalized_graph, "Graph is finalized"),
    "fetch None": (lambda n: n["session"].run([None]), 'has invalid type "NoneType"'),
    "fetch a number": (lambda n: n["session"].run(3), 'has invalid type "int"'),
    "fetch an unknown operation": (
        lambda n: n["session"].run("typo"),
        "refers to an Operation not in the graph",
    ),
    "fetch an unknown tensor": (
        lambda n: n["session"].run("typo:0"),
        "refers to a Tensor which does not exist",
    ),
    "fetch from another graph": (
        lambda n: n["session"].run(another_graph()),
        "is not an element of this graph",
    ),
    "feed by the name of an operation": (
        lambda n: n["session"].run(n["loss"], {"x": X}),
        "refers to an Operation, not a Tensor",
    ),
    "feed an operation": (
        lambda n: n["session"].run(n["loss"], {n["initialize"]: X}),
        "Can not convert a Operation into a Tensor",
    ),
    "feed a variable": (
        lambda n: n["session"].run(n["loss"], {n["w"]: 1.0}),
        "Variable is unhashable",
    ),
    "feed a tensor": (
        lambda n: n["session"].run(n["loss"], {n["x"]: n["y_pred"]}),
        "The value of a feed cannot be a tf.Tensor object",
    ),
    "feed what may not be fed": (feed_what_may_not_be_fed, "may not be fed"),
    "branch on a symbol": (branch_on_a_symbol, "Using a symbolic"),
    "take apart any length": (take_apart_what_is_of_any_length, "from shape (None,)"),
    "feed a text": (
        lambda n: n["session"].run(n["loss"], {n["x"]: "abc"}),
        "could not convert string to float",
    ),
}


@cache
def said(name):
    raises, _ = RAISED[name]
    with paused() as names:
        try:
            raises(names)
        except (tf.errors.OpError, ValueError, TypeError, RuntimeError) as error:
            return message(error)
    raise AssertionError(f"nothing was raised for {name}")


def shown(one):
    """A page with the explanation of one message."""

    def section(error, operation, sentence):
        from engines.graphs.static import Message
        from views.ui import errors

        refused = Message(error, operation, sentence).refused
        errors.explain(error, sentence, operation=operation, refused=refused)

    at = AppTest.from_function(section, kwargs=one._asdict()).run()
    assert not at.exception
    return at


every_error = pytest.mark.parametrize("name", RAISED)


@every_error
def test_an_error_that_tensorflow_raised_is_explained_in_its_words_and_mended(name):
    sentence = said(name).sentence
    phrases, mend = explanation(sentence)
    assert all(phrase in sentence for phrase in phrases)
    assert any(RAISED[name][1] in phrase for phrase in phrases)
    assert mend.endswith(".")
    assert not re.search(r"[{](?!x: …)|None`", "".join([*phrases.values(), mend]))


def of_the_dynamic_graph():
    """What autograd and a tape say, on the page that has mistakes made with them."""
    from engines.dynamic_graph import mistakes, tape, torch_listings

    problem = preset("autograd_article")
    for name in mistakes.MISTAKES:
        error = mistakes.run(name, problem, steps=1, learning_rate=0.001).step.error
        yield error.message if error else ""
    for framework in (tape, torch_listings):
        yield from (answer for _, answer in framework.run_all(1.0, 2.0, 3.0, 4.0).values())


def of_the_custom_backward():
    """What autograd and gradcheck say of a backward that is wrong."""
    from engines.custom_relu_backward import design, double_backward, mistakes
    from engines.custom_relu_backward.slope_at_zero import start
    from engines.network import torch_own_relu

    def train(listing_train):
        return listing_train(*start("random", 0), steps=1, learning_rate=1e-4)

    right = mistakes.trained(train(torch_own_relu.train))
    for name in mistakes.MISTAKES:
        listing = mistakes.make(name)
        crash = mistakes.run(listing, train(listing.names["train"]), right).crash
        yield crash.message if crash else ""
    yield design.check(design.Design("straight_through")).ones.message
    yield double_backward.differentiate_twice("once_differentiable").message


def of_the_digit_classifier():
    """What both frameworks say of the article's reshape where images have another size."""
    from engines.digit_classifier import layers, mistakes, tf_reshape
    from engines.digit_classifier.digits import scans

    yield mistakes.run("reshape", scans(), layers.start(64)).crash.message
    yield tf_reshape.wrong_reshape(scans(), layers.start(64)).message


def of_somebodys_own_training():
    """What PyTorch says most often of a program that is not finished yet."""
    import torch
    from torch.nn import functional

    one, layer = torch.ones, torch.nn.Linear(2, 1)
    for mistake in (
        lambda: layer(one(5, 3)),
        lambda: one(3) + one(4),
        lambda: layer(one(5, 2, dtype=torch.float64)),
        lambda: functional.cross_entropy(one(3, 2), one(3)),
        lambda: functional.cross_entropy(one(2, 2), torch.tensor([0, 5])),
        lambda: functional.cross_entropy(one(4, 2), torch.tensor([0, 1, 0])),
        lambda: layer(one(5, 2, device="meta")),
        lambda: one(2, requires_grad=True).backward(),
        lambda: one(2, requires_grad=True).numpy(),
    ):
        with pytest.raises((RuntimeError, ValueError, IndexError)) as raised:
            mistake()
        assert explanation(str(raised.value))[1], raised.value
        yield str(raised.value)


@pytest.mark.filterwarnings("ignore:The .grad attribute:UserWarning")
def test_every_phrase_explained_is_in_a_message_that_can_be_raised():
    tensorflow = (said(name).sentence for name in RAISED)
    torch = *of_the_dynamic_graph(), *of_the_custom_backward(), *of_the_digit_classifier()
    torch += (*of_somebodys_own_training(),)
    sentences = [*tensorflow, *torch]
    told = {phrase for sentence in sentences for phrase in explanation(sentence)[0]}
    for known in KNOWN:
        fixed = [phrase for phrase in known.phrases if "{" not in phrase]
        assert set(fixed) <= told
        assert any(re.search(known.pattern, sentence) for sentence in sentences)


def test_it_is_told_whether_anything_ran():
    ran = {name for name in RAISED if not said(name).refused}
    assert ran == {
        "x left out", "y left out", "lengths", "lengths at the gradient",
        "not initialised", "older variable",
    }  # fmt: skip


def test_the_mending_names_what_is_missing():
    mends = {name: explanation(said(name).sentence)[1] for name in RAISED}
    assert "Feed `y` as well" in mends["y left out"]
    assert "before anything reads `w`" in mends["not initialised"]
    assert "a value of shape (None,)" in mends["wrong shape"]


def test_where_one_value_is_fed_for_many_there_is_no_error():
    with paused() as names:
        loss = names["session"].run(names["loss"], {names["x"]: X, names["y"]: Y[:1]})
    assert np.isfinite(loss)  # which is what the explanation of the lengths says


def test_a_message_without_a_shape_has_no_phrase_for_one():
    phrases, _ = explanation("You must feed a value for placeholder tensor 'a' with dtype float")
    assert [*phrases][1:] == ["placeholder tensor 'a'", "with dtype float"]


def test_a_message_is_shown_whole_with_where_it_came_from():
    at = shown(said("lengths"))
    assert [code.value for code in at.code] == [
        "InvalidArgumentError: Incompatible shapes: [100] vs. [50]"
    ]
    assert "The run stopped at the operation `sub`" in words(at)
    assert "| `[100] vs. [50]` |" in words(at)
    assert "**To mend it.** Feed arrays of the same length" in words(at)
    assert "before any operation ran" in words(shown(said("wrong shape")))


def test_a_message_that_is_not_known_is_shown_as_it_is():
    at = shown(Message("InternalError", "", "Something new {name}."))
    assert [code.value for code in at.code] == ["InternalError: Something new {name}."]
    assert words(at) == ""


def test_a_long_message_is_shown_up_to_the_last_phrase_that_is_explained():
    said = "Using a symbolic `tf.Tensor` as a Python `bool` is not allowed. Or so."
    shown, phrases = up_to_explained(said + " See https://a.b.")
    assert shown == "Using a symbolic `tf.Tensor` as a Python `bool` is not allowed. …"
    assert phrases == explanation(said)[0]
    for whole in ("Attempted to use a closed Session.", "Nobody knows. This either."):
        assert up_to_explained(whole)[0] == whole


def test_of_a_message_with_many_phrases_only_the_first_may_be_shown():
    said = (
        "Trying to backward through the graph a second time (or directly access saved tensors "
        "after they have already been freed). Saved intermediate values of the graph are freed "
        "when you call .backward() or autograd.grad(). Specify retain_graph=True if you need to."
    )
    shown, phrases = up_to_explained(said, most=2)
    assert shown.endswith("already been freed). …")
    assert list(phrases) == list(explanation(said)[0])[:2]
    assert len(explanation(said)[0]) == 4
