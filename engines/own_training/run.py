"""Runs somebody's program as it stands, and records its training."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from traceback import FrameSummary, StackSummary, TracebackException
from types import ModuleType
from typing import Any, NamedTuple

from engines.graphs.read_torch import FULL_GRAPH
from engines.listing import Script, Spot
from engines.own_training import loops, modules
from engines.own_training.marks import heard_by
from engines.own_training.recorder import WITHOUT_LOOP, EnoughError, TrainingRecorder
from engines.own_training.recording import MOST, Ended, Failure, Pass, Recording

OURS, OVERRIDES = Path(__file__).parents[1], str(Path("torch") / "overrides.py")
MARK_IT = (
    "Around {}, in the loop whose passes are the steps, write backstep.steps(…) about what it goes "
    "through, as in `for step in backstep.steps(range(100)):`, and `import backstep` above it."
)


class RefusedError(Exception):
    """What cannot be recorded, and why, in words for whoever wrote it."""


class Program(NamedTuple):
    """What is run: the name of the file that is shown, that file, and the lines of its loops.

    begins: the file that Python runs, where it is another one. names_torch: whether any of it does.
    """

    title: str
    script: Script
    loops: list[int]
    begins: str = ""
    names_torch: bool = True


def record_file(
    path: Path,
    *,
    steps: int = MOST,
    function: str = "",
    arguments: Sequence[str] = (),
    told: Callable[[int, Pass], None] = lambda *_: None,
) -> Recording:
    """Run a program, or one function of it, and record what it trains. Raises RefusedError.

    steps: it is ended after so many. function: to be called; if not said, the file is run as
    `python path` would, and where that trains nothing, the function in it that does. arguments: of
    its command line. told: called after each step.
    """
    main = _read(path)
    known = [one.name for one in main.tree.body if isinstance(one, ast.FunctionDef)]
    if function and function not in known:
        there = f"It has {', '.join(known)}." if known else "It defines no function."
        raise RefusedError(f"{path.name} has no function {function}. {there}")
    with _at_home(path, arguments):
        others = modules.imported(main)
    shown, found = _its_loops(main, others, function)
    once = not found and not _marks(shown)
    program = Program(
        Path(shown.file).name,
        Script(shown.file, shown.text),
        [loop.lineno for loop in found],
        main.file,
        any("torch" in one.text for one in (main, *others)),
    )
    recorder = TrainingRecorder(program.script, most=steps, told=told)
    hears = {loops.BEGINS: recorder.passed, loops.ENDS: recorder.over}
    files = [one.file for one in others]
    module = ModuleType(path.stem if function else "__main__")
    module.__file__ = str(path)
    loops.with_passes(shown.tree, found)

    def run() -> None:
        with _at_home(path, arguments), _as_main(module), modules.loaded_as(shown, hears, files):
            vars(module).update(hears)
            exec(compile(main.tree, main.file, "exec", dont_inherit=True), vars(module))
            name = function or _uncalled(main.tree, recorder, path)
            if name:
                exhaust(getattr(module, name)())

    return record_program(recorder, program, run, once=once)


def record_program(
    recorder: TrainingRecorder, program: Program, run: Callable[[], None], *, once: bool
) -> Recording:
    """Run a program whose loops tell the recorder where they are. Raises RefusedError.

    once: whether no loop does, and all of it is one step.
    """
    ended, error = _watch(recorder, run, once=once)
    failure = _failure(error, recorder, program) if error else None
    if not failure:
        _refuse_if_nothing(recorder, program)
    return Recording(
        title=program.title,
        source=program.script.source,
        loops=program.loops,
        passes=recorder.passes,
        graphs=recorder.graphs,
        modules=recorder.modules,
        calls=recorder.calls,
        ended=ended,
        failure=failure,
        too_many=recorder.too_many,
    )


def _read(path: Path) -> modules.Source:
    if not path.is_file():
        raise RefusedError(f"There is no file {path}.")
    if path.suffix == ".ipynb":
        raise RefusedError(
            f"{path.name} is a notebook. In it, `from backstep import play` and `play(train)` "
            "record the function `train` and show the player below the cell."
        )
    try:
        return modules.read(str(path))
    except SyntaxError as error:
        line = f"\n  line {error.lineno}: {(error.text or '').strip()}" if error.lineno else ""
        raise RefusedError(f"{path.name} is not Python: {error.msg}.{line}") from error
    except ValueError as error:
        raise RefusedError(f"{path.name} is not Python: {error}.") from error


def _its_loops(
    main: modules.Source, others: Sequence[modules.Source], function: str
) -> tuple[modules.Source, list[loops.Loop]]:
    """Where the steps are: the file that says what they are, and its loops, if it marks none.

    That is the program itself if it can be. Else it is read together with all that it imports.
    """
    if _marks(main):
        return main, []
    if found := loops.step_loops(main.tree, function):
        return main, found
    if marked := next((one for one in others if _marks(one)), None):
        return marked, []
    every = [main, *others]
    # Of functions of one name the last counts: its own ones come last.
    whole = ast.Module([node for one in reversed(every) for node in one.tree.body], [])
    found = loops.step_loops(whole)
    for source in every:
        within = [*ast.walk(source.tree)]
        if mine := [loop for loop in found if loop in within]:
            return source, mine
    return main, []


def _marks(source: modules.Source) -> bool:
    """Whether it marks its steps: a function `steps` may be another one."""
    return "backstep" in source.text and loops.marks_its_steps(source.tree)


def _uncalled(tree: ast.Module, recorder: TrainingRecorder, path: Path) -> str:
    """The function to be called because the file itself trains nothing; "" if it does."""
    if recorder.backward:
        return ""
    functions = loops.trainers(tree)
    if len(functions) > 1:
        named = ", ".join(functions)
        raise RefusedError(
            f"{path.name} calls none of its functions that train. Name one of them: "
            f"--function {functions[0]} (there are {named})."
        )
    return functions[0] if functions else ""


def exhaust(result: Any) -> None:
    """Run a generator to its end; anything else has run."""
    if isinstance(result, Iterator):
        for _ in result:
            pass


@contextmanager
def _at_home(path: Path, arguments: Sequence[str]) -> Iterator[None]:
    """Within it, sys.path and sys.argv are those of `python path arguments`."""
    argv, places = sys.argv, sys.path[:]
    sys.argv = [str(path), *arguments]
    sys.path.insert(0, str(path.parent))
    try:
        yield
    finally:
        sys.argv, sys.path[:] = argv, places


@contextmanager
def _as_main(module: ModuleType) -> Iterator[None]:
    """Within it, this is the module of its name in sys.modules."""
    before = sys.modules.get(module.__name__)
    sys.modules[module.__name__] = module
    try:
        yield
    finally:
        if before is None:
            sys.modules.pop(module.__name__, None)
        else:
            sys.modules[module.__name__] = before


def _watch(
    recorder: TrainingRecorder, run: Callable[[], None], *, once: bool
) -> tuple[Ended, BaseException | None]:
    """Run it under the recorder. Returns how it ended. once: whether all of it is one step."""
    try:
        with recorder, heard_by(recorder):
            recorder.alone = once
            if once:
                recorder.passed()
            run()
    except EnoughError:
        return "enough", None
    except KeyboardInterrupt:
        return "interrupted", None
    except SystemExit:
        return "finished", None
    except RefusedError:
        raise
    except Exception as error:
        if recorder.is_own(error):
            raise
        if type(error).__module__ == "torch._dynamo.exc":
            raise RefusedError(FULL_GRAPH) from error
        recorder.failed(error, spot_of(error, recorder.file))
        return "error", error
    finally:
        recorder.over()
    return "finished", None


def spot_of(error: BaseException, file: str) -> Spot | None:
    """Where an error left the program: in the innermost of its own frames; None if it has none."""
    found, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            found = Spot(trace.tb_frame.f_code, trace.tb_lasti)
        trace = trace.tb_next
    return found


def told_by_python(error: BaseException, file: str) -> str:
    """The traceback as it is without the recorder: from the program on, without frames of ours."""
    told: TracebackException | None = TracebackException.from_exception(error)
    first, one = told, told
    while one is not None:
        frames = list(one.stack)
        begin = next((i for i, frame in enumerate(frames) if frame.filename == file), 0)
        one.stack = StackSummary.from_list([f for f in frames[begin:] if not _is_ours(f)])
        one = one.__cause__ or one.__context__
    assert first
    return "".join(first.format())


def _is_ours(frame: FrameSummary) -> bool:
    """Whether a frame is there only because the recorder is."""
    asks = "handle_torch_function(" in (frame.line or "")
    return asks or OURS in Path(frame.filename).parents or frame.filename.endswith(OVERRIDES)


def _failure(error: BaseException, recorder: TrainingRecorder, program: Program) -> Failure:
    spot = spot_of(error, recorder.file)
    line = program.script.place(spot).line if spot else None
    told = told_by_python(error, program.begins or recorder.file)
    return Failure(type(error).__name__, str(error), line, recorder.died, told)


def _refuse_if_nothing(recorder: TrainingRecorder, program: Program) -> None:
    title = Path(program.begins).name or program.title
    if not recorder.backward and not program.names_torch:
        raise RefusedError(f"{title} never names torch. Only PyTorch's graphs can be recorded.")
    if not recorder.backward:
        raise RefusedError(
            f"{title} has run, but nothing in it called backward() or torch.autograd.grad(): there "
            "is no training to show. What another thread does is unseen."
        )
    if recorder.passes and not recorder.alone and not any(one.gradients for one in recorder.passes):
        raise RefusedError(
            f"{title} goes backward where no numbers can be seen, as within torch.func: there is "
            "nothing to show."
        )
    too_often = recorder.alone and recorder.backward > WITHOUT_LOOP
    if too_often or not any(one.losses or one.gradients for one in recorder.passes):
        raise RefusedError(
            f"{title} went backward {recorder.backward} times, but not in a loop that could be "
            f"found. {MARK_IT.format(recorder.went_back)}"
        )
