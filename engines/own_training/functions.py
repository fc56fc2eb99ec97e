"""Records a function, such as one of a notebook, that trains when it is called."""

from __future__ import annotations

import ast
import inspect
import linecache
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FunctionType, GeneratorType, MethodType
from typing import Any

from engines.listing import Script
from engines.own_training import loops
from engines.own_training.recorder import TrainingRecorder
from engines.own_training.recording import MOST, Pass, Recording
from engines.own_training.run import Program, RefusedError, exhaust, record_program


def record_function(
    training: Any,
    *arguments: Any,
    steps: int = MOST,
    told: Callable[[int, Pass], None] = lambda *_: None,
) -> Recording:
    """Call a function, or run a generator that has not begun, and record it. Raises RefusedError.

    arguments: what it is called with. steps: it is ended after so many. told: called after each.
    """
    made: Any
    named: dict[str, Any] = {}
    if isinstance(training, GeneratorType):
        made, named = _of_generator(training)
        given = ()
    elif isinstance(training, MethodType):
        made, given = training.__func__, (training.__self__, *arguments)
    elif isinstance(training, FunctionType):
        made, given = training, arguments
    else:
        raise RefusedError(
            f"{type(training).__name__} is no function. play(train) calls `train` and records it."
        )
    _refuse_wrong_call(made, given, named)
    source, definition, tree = _source(made.__code__)
    marked = loops.marks_its_steps(ast.Module([definition], []))
    found = [] if marked else _loops(tree, definition)
    program = Program(
        made.__name__, Script(made.__code__.co_filename, source), [one.lineno for one in found]
    )
    recorder = TrainingRecorder(program.script, most=steps, told=told)

    def run() -> None:
        with _hears(made, recorder):
            exhaust(_rewritten(made, definition, found)(*given, **named))

    return record_program(recorder, program, run, once=not found and not marked)


def _of_generator(training: Any) -> tuple[FunctionType, dict[str, Any]]:
    """Its function, and what it was called with, by name."""
    code = training.gi_code
    several = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS
    begun = inspect.getgeneratorstate(training) != "GEN_CREATED"
    if begun or code.co_freevars or code.co_posonlyargcount or code.co_flags & several:
        raise RefusedError(f"Hand over the function itself: play({code.co_name}).")
    held = inspect.getgeneratorlocals(training)
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return FunctionType(code, training.gi_frame.f_globals), {name: held[name] for name in names}


def _refuse_wrong_call(
    function: FunctionType, given: tuple[Any, ...], named: dict[str, Any]
) -> None:
    try:
        inspect.signature(function).bind(*given, **named)
    except TypeError as error:
        raise RefusedError(
            f"{function.__name__} cannot be called so: {error}. What it needs follows it: "
            f"play({function.__name__}, …)."
        ) from error


def _source(code: CodeType) -> tuple[str, ast.FunctionDef, ast.Module]:
    """The text of the file or the cell that a function is in, and its definition there."""
    source = "".join(linecache.getlines(code.co_filename))
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise RefusedError(f"What {code.co_name} stands in is not Python: {error}.") from error
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == code.co_name:
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            if first == code.co_firstlineno:
                return source, node, tree
    raise RefusedError(f"The lines of {code.co_name} cannot be found. Is it in a file or a cell?")


def _loops(tree: ast.Module, definition: ast.FunctionDef) -> list[loops.Loop]:
    """Those of the function itself: no others are rewritten."""
    within = [node for node in ast.walk(definition) if isinstance(node, loops.Loop)]
    return [loop for loop in loops.step_loops(tree, definition.name) if loop in within]


@contextmanager
def _hears(function: FunctionType, recorder: TrainingRecorder) -> Iterator[None]:
    """Within it, the names that its loops call are among those of its module."""
    names = function.__globals__
    names |= {loops.BEGINS: recorder.passed, loops.ENDS: recorder.over}
    try:
        yield
    finally:
        del names[loops.BEGINS], names[loops.ENDS]


def _rewritten(
    function: FunctionType, definition: ast.FunctionDef, found: list[loops.Loop]
) -> FunctionType:
    """The function anew, with loops that say where they are; of the same module and closure."""
    code, free = function.__code__, list(function.__code__.co_freevars)
    definition.decorator_list = []
    # Its defaults are those that it has, and are not computed again.
    definition.args.defaults = [ast.Constant(None) for _ in definition.args.defaults]
    definition.args.kw_defaults = [
        one and ast.Constant(None) for one in definition.args.kw_defaults
    ]
    parameters = ast.arguments([], [ast.arg(name) for name in free], None, [], [], None, [])
    returned = ast.Return(ast.Name(definition.name, ast.Load()))
    outer = ast.FunctionDef("outer", parameters, [definition, returned], [])
    vars(outer).setdefault("type_params", [])  # which it has from Python 3.12 on
    tree = loops.with_passes(ast.fix_missing_locations(ast.Module([outer], [])), found)
    made: dict[str, Any] = {}
    exec(compile(tree, code.co_filename, "exec", dont_inherit=True), function.__globals__, made)
    inner = made["outer"](*free).__code__
    cells = dict(zip(free, function.__closure__ or (), strict=True))
    again = FunctionType(
        inner,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        tuple(cells[name] for name in inner.co_freevars),
    )
    again.__kwdefaults__ = function.__kwdefaults__
    return again
