"""Which loop's passes are the steps, and that saying so changes no line of a program."""

import ast

import pytest

from engines.own_training import loops

FOUND = {
    "the innermost": (
        "for e in es:\n for x in xs:\n  l.backward()\n  opt.step()\n sched.step()",
        [2],
    ),
    "a part of a step": ("for s in ss:\n for x in xs:\n  l.backward()\n opt.step()", [1]),
    "no optimizer": ("for s in ss:\n l.backward()\n for p in ps:\n  p -= p.grad", [1]),
    "in a function": (
        "def part(x):\n l.backward()\n opt.step()\nfor e in es:\n for x in xs:\n  part(x)",
        [5],
    ),
    "a function that loops": (
        "def epoch():\n for x in xs:\n  l.backward()\n  opt.step()\n"
        "for e in es:\n epoch()\n scheduler.step()",
        [2],
    ),
    "a method": (
        "class Fits:\n def part(s):\n  l.backward()\n  s.opt.step()\n"
        " def fit(s):\n  while True:\n   s.part()\nFits().fit()",
        [6],
    ),
    "a closure": ("for s in ss:\n def c():\n  l.backward()\n opt.step(c)", [1]),
    "two, one after the other": (
        "for a in x:\n l.backward()\n opt.step()\nfor b in x:\n l.backward()\n opt.step()",
        [1, 4],
    ),
    "a part that is a step, and another beside it": (
        "for s in ss:\n for k in ks:\n  d.backward()\n  o.step()\n g.backward()\n p.step()",
        [1],
    ),
    "one that only tests": ("for x in xs:\n l.backward()\n opt.step()\nfor y in ys:\n f(y)", [1]),
    "the backward of a Function": (
        "class Twice:\n def backward(c, g):\n  for x in g: pass\nfor s in ss:\n l.backward()",
        [4],
    ),
    "none": ("l.backward()", []),
}


@pytest.mark.parametrize("case", FOUND)
def test_a_step_is_a_pass_of_the_innermost_loop_that_goes_backward_and_updates(case):
    source, lines = FOUND[case]
    assert [loop.lineno for loop in loops.step_loops(ast.parse(source))] == lines


def test_a_generator_steps_where_it_yields():
    tree = ast.parse(
        "def t():\n for e in es:\n  for x in xs:\n   l.backward()\n   o.step()\n  yield"
    )
    assert [loop.lineno for loop in loops.step_loops(tree, "t")] == [2]


def test_functions_that_could_be_called_are_those_that_nobody_calls():
    source = "def part():\n l.backward()\ndef all_():\n part()\ndef needs(x):\n l.backward()\n"
    assert loops.trainers(ast.parse(source)) == ["all_"]


def test_a_loop_says_when_its_passes_begin_and_when_they_are_over():
    source = "for i in range(3):\n  if i == 1: continue\n  if i == 2: break\nseen.append('after')\n"
    tree, seen = ast.parse(source), []
    code = compile(loops.with_passes(tree, [tree.body[0]]), "p", "exec")
    hears = {loops.BEGINS: lambda: seen.append("pass"), loops.ENDS: lambda: seen.append("over")}
    exec(code, hears | {"seen": seen})
    assert seen == ["pass", "pass", "pass", "over", "after"]
    assert {line for *_, line in code.co_lines() if line} <= {1, 2, 3, 4}
