"""The recurrent cell in a static graph: as a loop, unrolled, and as tf.function rewrites it."""

from functools import cache

import numpy as np
import pytest
import tensorflow as tf

from engines.recurrent import torch_cell
from engines.recurrent.tf_cells import MISTAKES, control, feeds, learn, looped, refused
from engines.recurrent.tf_graphs import count, drawings, in_every_graph

WORDS = ("a", "at", "graph", "slope", "Ünï 7!", "recurrent" * 6 + "cells")  # 1 to 59 letters
INSIDE = ("MatMul", "MatMul", "AddV2", "AddV2", "Tanh")  # of the cell


def fed(word):
    """The letters of a word, and the values of u, w and b."""
    values = (value.detach().numpy() for value in torch_cell.parameters().values())
    return torch_cell.encode(word).numpy(), *values


def by_pytorch(word):
    params = torch_cell.parameters()
    [loss] = torch_cell.read(word, **params)
    return loss, [param.grad.numpy() for param in params.values()]


def kinds(graph):
    return [node.kind for node in graph.nodes]


@cache
def reading(word):
    return in_every_graph(*fed(word))


@pytest.mark.parametrize("word", WORDS)
def test_every_graph_has_the_loss_and_the_gradients_of_pytorch(word):
    loss, grads = by_pytorch(word)
    learnt = reading(word).learnt
    assert [*learnt] == ["loop", "unrolled", "rewritten"]
    for one in learnt.values():
        np.testing.assert_allclose(one.loss, loss, rtol=1e-12)
        for own, grad in zip(one.grads, grads, strict=True):
            np.testing.assert_allclose(own, grad, rtol=1e-12, atol=1e-12)


def test_the_words_here_are_of_the_shortest_and_the_longest_and_of_both_branches():
    assert (len(WORDS[0]), len(WORDS[-1])) == (1, torch_cell.LONGEST)
    taken = {reading(word).branches["then"][0][1] is None for word in ("graph", "slope")}
    assert taken == {True, False}


def test_one_graph_with_a_loop_reads_words_of_every_length():
    cell = looped()
    with tf.compat.v1.Session(graph=cell.graph) as session:
        for word in WORDS:
            loss = session.run(cell.loss, feeds(cell, *fed(word)))
            np.testing.assert_allclose(loss, by_pytorch(word)[0], rtol=1e-12)


def test_the_loop_has_one_number_of_operations_and_the_unrolled_graph_five_more_a_letter():
    counts = {letters: count(letters) for letters in (1, 2, 5, 11, 59)}
    assert len({looped for looped, _ in counts.values()}) == 1
    first = counts[1][1]
    assert {n: one[1] - first for n, one in counts.items()} == {n: 5 * (n - 1) for n in counts}


def test_what_is_for_and_if_in_each_graph():
    learnt = reading("graph").learnt
    assert learnt["loop"].control == ["StatelessWhile", "StatelessIf"]
    assert learnt["unrolled"].control == ["StatelessIf"]
    assert sorted(learnt["rewritten"].control) == ["StatelessIf", "StatelessWhile"]


def test_the_gradient_of_a_loop_is_a_loop():
    cell = looped()
    learn(cell, *fed("at"))
    assert control(cell.graph).count("StatelessWhile") == 2


def test_gradients_that_are_added_after_a_run_are_refused():
    cell = looped()
    with tf.compat.v1.Session(graph=cell.graph) as session:
        session.run(cell.loss, feeds(cell, *fed("at")))
        with cell.graph.as_default():
            grads = tf.gradients(cell.loss, [cell.u])
        with pytest.raises(tf.errors.InvalidArgumentError, match="invalid output"):
            session.run(grads, feeds(cell, *fed("at")))


# What ran


@pytest.mark.parametrize("word", ["a", "graph"])
def test_the_executed_loop_runs_its_condition_once_more_than_its_body(word):
    letters = len(word)
    groups = {(kind, runs): ops for kind, ops, runs in reading(word).groups}
    expected = {
        ("Merge", letters + 1): 7,
        ("Switch", letters + 1): 7,
        ("LoopCond", letters + 1): 1,
        ("Less", letters + 1): 1,
        ("NextIteration", letters): 7,
        ("MatMul", letters): 2,
        ("Tanh", letters): 1,
        ("Exit", 1): 1,
    }
    assert {group: groups.get(group) for group in expected} == expected


def test_the_executed_loop_has_the_same_operations_for_every_word_and_runs_them_more_often():
    (short, short_runs), (long, long_runs) = (reading(word).ran[0] for word in ("a", "graph"))
    assert short == long
    assert short_runs < long_runs
    straight, runs = reading("graph").ran[1]
    assert runs < straight < long_runs  # the branch that is not taken does not run


def test_h_goes_through_the_cell_to_the_next_iteration_or_out():
    seen = reading("graph")
    path, runs = seen.path, seen.runs
    counts = {(node.kind, runs[node.id]) for node in path.nodes}
    assert counts == {
        ("Enter", 1), ("Merge", 6), ("LoopCond", 6), ("Switch", 6), ("MatMul", 5), ("AddV2", 5),
        ("Tanh", 5), ("Next", 5), ("Exit", 1),
    }  # fmt: skip
    names = {node.id: node.kind for node in path.nodes}
    edges = {(names[edge.source], names[edge.target]) for edge in path.edges}
    assert {("Enter", "Merge"), ("Merge", "Switch"), ("Switch", "MatMul"), ("Tanh", "Next"),
            ("Switch", "Exit")} <= edges  # fmt: skip
    assert all(edge.source < edge.target for edge in path.edges)


@pytest.mark.parametrize(("word", "taken", "kind"), [("slope", "then", "Square"),
                                                     ("graph", "else", "Abs")])  # fmt: skip
def test_both_branches_are_there_and_only_the_one_taken_has_times(word, taken, kind):
    branches = reading(word).branches
    assert [*branches] == ["then", "else"]
    for name, ops in branches.items():
        assert len(ops) == 3
        assert all((time is not None) == (name == taken) for _, time in ops)
    assert kind in [one for one, _ in branches[taken]]


# As written


def test_the_loop_is_one_operation_and_its_body_a_small_graph():
    drawn = drawings(2)
    loop, body = drawn["loop"], drawn["body"]
    assert kinds(loop).count("While") == kinds(loop).count("If") == 1
    [number] = [node.id for node in loop.nodes if node.kind == "While"]
    inputs = [loop[edge.source].name for edge in loop.inputs(number)]
    assert inputs == ["t", "h", "x", "u", "w", "b"]
    assert {leaf.name for leaf in body.leaves} == {*inputs}
    assert sorted(kinds(body)) == sorted([*INSIDE, "Gather", *["Placeholder"] * 6])
    assert body.nodes[-1].kind == "Tanh"


@pytest.mark.parametrize("letters", [1, 3])
def test_the_unrolled_graph_has_a_cell_for_each_letter(letters):
    drawn = kinds(drawings(letters)["unrolled"])
    assert [drawn.count(kind) for kind in ("Tanh", "MatMul", "AddV2", "While")] == [
        letters, 2 * letters, 2 * letters, 0
    ]  # fmt: skip


# What Python cannot do


@pytest.mark.parametrize(
    ("name", "error", "sentence"),
    [
        ("if", "OperatorNotAllowedInGraphError", "Using a symbolic `tf.Tensor` as a Python `bool`"),
        ("any_length", "ValueError", "Cannot infer argument `num` from shape (None, 1, 2)"),
        ("other_length", "ValueError", "Cannot feed value of shape (2, 1, 2) for Tensor x:0, "
         "which has shape (3, 1, 2)"),
    ],
)  # fmt: skip
def test_tensorflow_itself_refuses(name, error, sentence):
    ran = refused(name, *fed("at"))
    assert ran.message.error == error
    assert ran.message.sentence.startswith(sentence)
    assert ran.source.startswith("def unrolled(letters: int) -> Cell:")


def test_only_the_mistakes_change_the_listing():
    sources = {name: refused(name, *fed("at")).source for name in MISTAKES}
    assert "        if tf.reduce_sum(h) > 0:\n" in sources["if"]
    assert "tf.cond" not in sources["if"]
    assert "inputs(letters=None)" in sources["any_length"]
    assert "tf.cond" in sources["other_length"]
    with pytest.raises(KeyError):
        refused("<script>", *fed("at"))


def test_every_session_is_closed(sessions):
    in_every_graph(*fed("at"))
    refused("other_length", *fed("at"))
    assert len(sessions) == 5
    for session in sessions:
        with pytest.raises(RuntimeError, match="closed"):
            session.run([])
