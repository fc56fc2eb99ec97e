"""Each word has a graph of its own, as long as the word, with the right gradients in it."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from inspect import getsource

import numpy as np
import pytest
import torch
from torch.overrides import _get_current_function_mode_stack

from engines.graphs.read_torch import record
from engines.recurrent.torch_cell import (
    LONGEST,
    central_differences,
    encode,
    largest_error,
    parameters,
    read,
    read_and_check,
)

HOSTILE = [
    "<script>",
    "$x$",
    "**",
    "🙂",
    "中文",
    "Ünïcode",
    "İ",
    "a b",
    "\\",
    "{0}",
    "%s",
    "0",
    "\x00",
]


def graph_of(word):
    [step] = record(read(word, **parameters()))
    return step.graph


def in_numpy(word):
    """The last h, and the loss, from the formula alone."""
    u, w, b = (leaf.detach().numpy() for leaf in parameters().values())
    h = np.zeros((1, 3))
    for x_t in encode(word).numpy():
        h = np.tanh(x_t @ u + h @ w + b)
    return h, np.sum(h**2) if np.sum(h) > 0 else np.sum(np.abs(h))


# Letters


def test_a_letter_is_its_place_in_the_alphabet_and_whether_it_is_a_vowel():
    a, b, e, z = encode("abez")[:, 0].numpy()
    np.testing.assert_allclose([a, b, e, z], [[-1, 1], [-0.92, 0], [-0.68, 1], [1, 0]])


def test_a_capital_is_read_like_the_small_letter():
    assert torch.equal(encode("WORD"), encode("word"))


def test_a_character_of_another_alphabet_stands_where_its_code_point_puts_it_and_is_no_vowel():
    [[[place, vowel]]] = encode("中").tolist()
    assert (place, vowel) == (pytest.approx(2 * (0x4E2D % 26) / 25 - 1), 0)


@pytest.mark.parametrize("word", HOSTILE)
def test_every_character_is_two_numbers_of_usual_size(word):
    letters = encode(word)
    assert letters.shape == (len(word), 1, 2)
    assert letters.abs().max() <= 1


@pytest.mark.parametrize("word", ["", "a" * (LONGEST + 1), "a" * 10_000])
def test_a_word_too_short_or_too_long_is_refused(word):
    with pytest.raises(ValueError, match=f"1 to 59 letters, not {len(word)}"):
        read_and_check(word)


# The graph


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 20, LONGEST])
def test_n_letters_make_5n_plus_5_nodes_five_in_each_repetition(n):
    graph = graph_of("recurrent words are fun, and as long as you like to have them"[:n])
    assert len(graph.nodes) == 5 * n + 5
    looped = [node for node in graph.nodes if "x_t" in node.text or "h @" in node.text]
    five = {"MmBackward0": 2, "AddBackward0": 2, "TanhBackward0": 1}
    for repetition in range(n):
        assert Counter(node.kind for node in looped if node.repetition == repetition) == five
    assert [leaf.name for leaf in graph.leaves] == ["u", "w", "b"]


def test_the_longest_word_makes_300_nodes():
    assert 5 * LONGEST + 5 == 300


@pytest.mark.parametrize("word", ["a", "at", "graph", "abracadabra", *HOSTILE])
def test_the_value_of_h_chooses_the_branch_and_its_node(word):
    h, loss = in_numpy(word)
    graph = graph_of(word)
    branch, last = graph.nodes[-2:]
    assert branch.kind == ("PowBackward0" if h.sum() > 0 else "AbsBackward0")
    assert last.text == f"torch.sum(torch.{'pow(h, 2)' if h.sum() > 0 else 'abs(h)'})"
    assert last.value == pytest.approx(loss, rel=1e-12)
    assert last.text in getsource(read).split("\n")[last.line - 1]


def test_among_the_words_shown_first_both_branches_are_taken():
    kinds = {graph_of(word).nodes[-2].kind for word in ("at", "graph", "abracadabra")}
    assert kinds == {"PowBackward0", "AbsBackward0"}


def test_the_same_word_makes_the_same_graph_and_a_neighbour_of_it_another():
    assert graph_of("graph").to_text() == graph_of("graph").to_text()
    assert graph_of("graph").to_text() != graph_of("grape").to_text()


def test_two_threads_read_at_once_as_one_reads_alone():
    words = ["at", "graph", "abracadabra", "cat"] * 3
    alone = {word: graph_of(word).to_text() for word in words}
    with ThreadPoolExecutor(2) as threads:
        read_at_once = list(threads.map(lambda word: graph_of(word).to_text(), words))
    assert read_at_once == [alone[word] for word in words]


def test_reading_leaves_neither_a_mode_nor_a_changed_parameter_nor_a_used_generator_behind():
    before, state = parameters(), torch.get_rng_state()
    read_and_check("graph")
    assert _get_current_function_mode_stack() == []
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(leaf, before[name]) for name, leaf in parameters().items())
    assert all(leaf.grad is None for leaf in parameters().values())


# The gradients


@pytest.mark.parametrize("word", ["a", "at", "graph", "abracadabra", "中文", "z" * LONGEST])
def test_the_gradients_in_the_graph_are_those_of_torch_autograd_grad(word):
    params = parameters()
    h = torch.zeros(1, 3, dtype=torch.float64)
    for x_t in encode(word):
        h = torch.tanh(x_t @ params["u"] + h @ params["w"] + params["b"])
    loss = (h**2).sum() if h.sum() > 0 else h.abs().sum()
    expected = torch.autograd.grad(loss, list(params.values()))
    leaves = graph_of(word).leaves
    for leaf, grad in zip(leaves, expected, strict=True):
        np.testing.assert_allclose(leaf.gradient, grad.numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("word", ["a", "at", "graph", "abracadabra", "🙂", "word" * 14])
def test_central_differences_agree_with_the_gradients(word):
    graph, error = read_and_check(word)
    assert error < 1e-7
    grads = {leaf.name: leaf.gradient for leaf in graph.leaves}
    assert error == largest_error(grads, central_differences(word))


@pytest.mark.parametrize("name", ["u", "w", "b"])
def test_a_gradient_that_is_wrong_in_one_entry_is_seen(name):
    graph, _ = read_and_check("graph")
    grads = {leaf.name: leaf.gradient.copy() for leaf in graph.leaves}
    grads[name].flat[0] += 0.001 * np.linalg.norm(grads[name])
    assert largest_error(grads, central_differences("graph")) > 5e-4
