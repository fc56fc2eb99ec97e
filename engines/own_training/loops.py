"""Finds the loop that trains in somebody's program, and has it say when a pass begins and ends.

A step is one pass of the innermost loop that goes backward and updates: `loss.backward()` and
`optimizer.step()` stand in it, or in a function that it calls. Where both also stand beside an
inner loop that has both, the outer loop counts. Where nothing in the file is called `step`, it is
the innermost loop that goes backward; in a generator it is the one that yields.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

Loop: TypeAlias = ast.For | ast.While | ast.AsyncFor
Nodes: TypeAlias = Sequence[ast.AST]
Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
BACKWARD, UPDATE = {"backward", "grad"}, {"step"}
NOT_TORCH = {"scheduler", "sched", "lr_scheduler", "profiler", "prof", "env"}  # these step, too
OF_FUNCTIONS = {"forward", "backward"}  # methods that autograd or a module calls, under any name
BEGINS, ENDS = "__backstep_pass_begins__", "__backstep_passes_end__"
MARK = "steps"  # backstep.steps(…) says itself where the steps are


def step_loops(tree: ast.Module, within: str = "") -> list[Loop]:
    """The loops of which each pass is a step, in the order of the file. Empty where none is.

    within: the name of a function; if it is a generator, its loops that yield are what counts.
    """
    functions = _functions(tree)
    if within and (yielding := _innermost(functions[within], _yields)):
        return yielding
    goes_back, updates = (_doers(functions, names) for names in (BACKWARD, UPDATE))

    def back(node: ast.AST, without: Nodes = (), less: frozenset[str] = frozenset()) -> bool:
        return _does(node, BACKWARD, goes_back - less, without)

    def both(node: ast.AST, without: Nodes = (), less: frozenset[str] = frozenset()) -> bool:
        updating = _does(node, UPDATE, updates - less, without)
        return updating and back(node, without, less)

    return _innermost(tree, both) or _innermost(tree, back)


def marks_its_steps(tree: ast.Module) -> bool:
    """Whether the program says by `backstep.steps(…)` what its steps are."""
    return any(_called(node) == MARK and _of(node) in ("", "backstep") for node in ast.walk(tree))


def trainers(tree: ast.Module) -> list[str]:
    """The functions at the top of a file that go backward and can be called with no arguments.

    Generators are the first of them.
    """
    functions = {one.name: one for one in tree.body if isinstance(one, ast.FunctionDef)}
    doers = _doers(_functions(tree), BACKWARD)
    found = [name for name, one in functions.items() if name in doers and _needs_nothing(one)]
    called = {_called(node) for name in found for node in ast.walk(functions[name])}
    uncalled = [name for name in found if name not in called]
    return sorted(uncalled, key=lambda name: not _yields(functions[name]))


def with_passes(tree: ast.Module, loops: Iterable[Loop]) -> ast.Module:
    """The same program, whose loops call BEGINS at each pass and ENDS where they are over.

    Both names are the program's to be given. The tree itself is changed.
    """
    for parent in [*ast.walk(tree)]:
        for _, body in ast.iter_fields(parent):
            if isinstance(body, list):
                for loop in [one for one in body if any(one is loop for loop in loops)]:
                    loop.body.insert(0, _call(BEGINS, loop.body[0]))
                    body.insert(body.index(loop) + 1, _call(ENDS, loop))
    return ast.fix_missing_locations(tree)


def _call(name: str, at: ast.AST) -> ast.Expr:
    """A statement of its own in the line of another."""
    statement = ast.Expr(ast.Call(ast.Name(name, ast.Load()), [], []))
    for node in ast.walk(statement):
        ast.copy_location(node, at)
    return statement


def _functions(tree: ast.AST) -> dict[str, Function]:
    """Every function and method by its own name; of several with one name the last."""
    return {node.name: node for node in ast.walk(tree) if isinstance(node, Function)}


def _doers(functions: dict[str, Function], names: set[str], doers: Iterable[str] = ()) -> set[str]:
    """The functions in which one of the names is called, or another of these doers."""
    known: set[str] = set(doers)
    while True:
        found = known | {name for name, one in functions.items() if _does(one, names, known)}
        if found == known:
            return known
        known = found


def _does(node: ast.AST, names: set[str], doers: set[str], without: Nodes = ()) -> bool:
    """Whether one of the names is called in it, or one of the functions is called or handed on.

    without: parts of it that do not count.
    """
    for one in _own_nodes(node, without):
        if _named(one) in doers - OF_FUNCTIONS:
            return True
        name = _called(one)
        if name in names and not (name in UPDATE and _of(one) in NOT_TORCH):
            return True
    return False


def _innermost(tree: ast.AST, holds: Callable[..., bool]) -> list[Loop]:
    """The loops that hold this, and have no other such loop in them or in what they call.

    Where one holds it beside the other loop as well, its passes are the larger steps: it counts,
    and what is in it does not. holds: called with a node, the parts that do not count, and the
    functions that do not.
    """
    functions = _functions(tree)
    loops = [node for node in ast.walk(tree) if isinstance(node, Loop) and holds(node)]
    found: list[Loop] = []
    for loop in loops:  # the outer ones are the first
        others = [other for other in loops if other is not loop]
        looping = {
            name
            for name, one in functions.items()
            if any(node in others for node in ast.walk(one)) and loop not in ast.walk(one)
        }
        looping = _doers(functions, set(), looping)
        inside = [node for node in ast.walk(loop) if node in others]
        alone = not inside and not _does(loop, set(), looping)
        if alone or holds(loop, inside, frozenset(looping)):
            found.append(loop)
    within = [node for one in found for node in ast.walk(one) if node is not one]
    return sorted((one for one in found if one not in within), key=lambda loop: loop.lineno)


def _own_nodes(node: ast.AST, without: Nodes = ()) -> Iterator[ast.AST]:
    """All that runs where this runs: not what functions hold that are only defined in it."""
    for child in ast.iter_child_nodes(node):
        if child in without:
            continue
        yield child
        if not isinstance(child, Function | ast.Lambda | ast.ClassDef):
            yield from _own_nodes(child, without)


def _yields(node: ast.AST, without: Nodes = (), _less: frozenset[str] = frozenset()) -> bool:
    return any(isinstance(one, ast.Yield) for one in _own_nodes(node, without))


def _named(node: ast.AST) -> str:
    """A name that is read, without what stands before a dot; "" of anything else."""
    match node:
        case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name, ctx=ast.Load()):
            return name
    return ""


def _called(node: ast.AST) -> str:
    """The name by which something is called; "" if it is not."""
    return _named(node.func) if isinstance(node, ast.Call) else ""


def _of(call: ast.AST) -> str:
    """What stands before the dot of a call: scheduler of `self.scheduler.step()`."""
    match call:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name) | ast.Attribute(attr=name))):
            return name
    return ""


def _needs_nothing(function: ast.FunctionDef) -> bool:
    given = function.args
    positional = len(given.posonlyargs) + len(given.args) - len(given.defaults)
    return positional == 0 and all(default is not None for default in given.kw_defaults)
