"""Listings: their source, what they answer, where they are as they run, and edited copies."""

from __future__ import annotations

import inspect
import linecache
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dis import get_instructions
from functools import cache
from textwrap import dedent
from threading import Lock
from types import CodeType, FrameType
from typing import Any, NamedTuple

import numpy as np

# Python before 3.11.8 reads a class with a parser that fails where two threads are in it at once
# (https://github.com/python/cpython/issues/106905).
_reading = Lock()


@cache
def source_lines(definition: Callable[..., Any]) -> tuple[list[str], int]:
    """The lines of a function or a class as they stand in its file, and the number of the first."""
    with _reading:
        return inspect.getsourcelines(definition)


def source_of(definition: Callable[..., Any]) -> str:
    """The source of a function or a class as it stands in its file."""
    return "".join(source_lines(definition)[0])


def body(source: str) -> str:
    """What a function does: its source without its first lines and its docstring."""
    return dedent(source.rpartition('"""')[2].strip("\n"))


def run(listing: Callable[..., Any], **numbers: float) -> tuple[str, str]:
    """The source of a listing, and its answer: what it returned, as printed, or its error.

    Where it returned several things, each has a line.
    """
    try:
        answer = listing(**numbers)
        answers = answer if isinstance(answer, tuple) else (answer,)
        # As the 32 bits it was: a Python number has 64, and would show digits that are not there.
        said = [str(np.float32(one) if isinstance(one, float) else one) for one in answers]
    except RuntimeError as error:
        said = [f"RuntimeError: {error}"]
    return source_of(listing), "\n".join(said)


def run_each(
    listings: Iterable[Callable[..., Any]], **numbers: float
) -> dict[str, tuple[str, str]]:
    """What `run` returns for each of these listings, by name."""
    return {listing.__name__: run(listing, **numbers) for listing in listings}


@contextmanager
def waiting(listing: Generator[Any, None, None]) -> Iterator[dict[str, Any]]:
    """The local variables of a generator that waits at its first yield.

    The generator is closed at the end, and with it what it holds open.
    """
    with closing(listing):
        next(listing)
        yield inspect.getgeneratorlocals(listing)


EDITED = "<edited listing>"  # the file of what `edited` defines, in tracebacks
EDITED_SOURCE = "__source__"  # the name of its text, which is in no file


class Edited(NamedTuple):
    """A listing with some of its lines changed.

    right, wrong: these lines as they were and as they are now. source: the whole listing as it is
    now. names: what it defines, compiled in its module, by name.
    """

    right: str
    wrong: str
    source: str
    names: Mapping[str, Any]


def edited(
    listing: Callable[..., Any] | Sequence[Callable[..., Any]], changes: Mapping[str, str]
) -> Edited:
    """Change lines of a listing, and define it anew, beside the one that stands in its file.

    listing: a function, or several definitions of one module, in order. changes: what stands in
    the source exactly once, and what is to stand there instead.
    Raises ValueError for a change of what is not there, or is there more than once.
    """
    definitions = [listing] if callable(listing) else list(listing)
    source = "\n\n".join(source_of(one) for one in definitions)
    for right, wrong in changes.items():
        if source.count(right) != 1:
            raise ValueError(f"stands {source.count(right)} times in the listing: {right!r}")
        source = source.replace(right, wrong)
    names = {**vars(inspect.getmodule(definitions[0])), EDITED_SOURCE: source}
    exec(compile(source, EDITED, "exec", dont_inherit=True), names)
    right, wrong = (dedent("".join(lines)).rstrip("\n") for lines in (changes, changes.values()))
    return Edited(right, wrong, source, names)


class Crash(NamedTuple):
    """An error, as Python tells it: its class, its message, and the line of the listing."""

    error: str
    message: str
    line: int
    text: str


def crash_of(error: BaseException, source: str) -> Crash:
    """What Python tells of an error raised in an edited listing, whose text is `source`."""
    frames = traceback.extract_tb(error.__traceback__)
    line = next(frame.lineno for frame in reversed(frames) if frame.filename == EDITED)
    assert line is not None
    text = source.splitlines()[line - 1].strip()
    return Crash(type(error).__name__, str(error), line, text)


class Place(NamedTuple):
    """A line of a listing, counted from 1, and the expression in it that is being run."""

    line: int | None = None
    text: str = ""


def outward(frame: FrameType | None) -> Iterator[FrameType]:
    """A frame and those that called it, the innermost first."""
    while frame is not None:
        yield frame
        frame = frame.f_back


CALLS = ("CALL", "CALL_KW", "CALL_FUNCTION_EX")


class Listing:
    """Says where a listing is: in which of its lines, counted from 1, and in which expression."""

    def __init__(self, code: CodeType, source: str | None) -> None:
        """source: the text of the whole file, where Python cannot find it by itself."""
        self.code = code
        self._positions = list(code.co_positions())
        self._calls = [one.offset for one in get_instructions(code) if one.opname in CALLS]
        file = linecache.getlines(code.co_filename) if source is None else source.splitlines(True)
        self._lines = [line.encode() for line in file]  # columns count bytes of UTF-8

    def frame(self, frame: FrameType) -> FrameType:
        """The listing's own frame, which is this one or one that called it."""
        return next(one for one in outward(frame) if self.is_own(one))

    def is_own(self, frame: FrameType) -> bool:
        """Whether a frame is the listing's own."""
        return frame.f_code is self.code

    def spot(self, frame: FrameType) -> int:
        """Where a frame of the listing is: the offset of an instruction in its bytecode."""
        return frame.f_lasti

    def call_between(self, before: int | None, after: int) -> Place:
        """The one call between two instructions, or within one of both; nowhere if there are more.

        before, after: offsets in its bytecode, in the order in which they ran; None for its begin.
        """
        before = before or 0
        calls = [call for call in self._calls if before < call < after] or [after] * (
            before == after
        )
        return self.place(calls[0]) if len(calls) == 1 else Place()

    def place(self, instruction: int) -> Place:
        """Where the listing is at the instruction of that offset in its bytecode."""
        line, end_line, start, end = self._positions[instruction // 2]
        if line is None or end_line is None:
            return Place()
        text = self._lines[line - 1 : end_line]
        if text:
            text[-1] = text[-1][:end]
            text[0] = text[0][start:]
        words = b"".join(text).decode().split()
        return Place(line - self.code.co_firstlineno + 1, " ".join(words))


class Spot(NamedTuple):
    """An instruction of a file: which code it belongs to, and its offset in that."""

    code: CodeType
    offset: int


class Script:
    """Says where a whole file is, whichever of its functions runs: in which of the file's lines."""

    def __init__(self, file: str, source: str) -> None:
        """file: the name that it was compiled with. source: its text."""
        self.file = file
        self.source = source
        self._parts: dict[CodeType, Listing] = {}

    def frame(self, frame: FrameType) -> FrameType:
        """The innermost of the file's own frames, of this one and those that called it."""
        return next(one for one in outward(frame) if self.is_own(one))

    def is_own(self, frame: FrameType) -> bool:
        """Whether a frame is one of the file's own."""
        return frame.f_code.co_filename == self.file

    def spot(self, frame: FrameType) -> Spot:
        """Where a frame of the file is."""
        return Spot(frame.f_code, frame.f_lasti)

    def call_between(self, before: Spot | None, after: Spot) -> Place:
        """As for a listing; nowhere if the two are not in the same function."""
        if before and before.code is not after.code:
            return Place()
        return self._in_file(
            after.code, self._part(after.code).call_between(before and before.offset, after.offset)
        )

    def place(self, spot: Spot) -> Place:
        """Where the file is at this instruction."""
        return self._in_file(spot.code, self._part(spot.code).place(spot.offset))

    def _part(self, code: CodeType) -> Listing:
        if code not in self._parts:
            self._parts[code] = Listing(code, self.source)
        return self._parts[code]

    @staticmethod
    def _in_file(code: CodeType, place: Place) -> Place:
        return place._replace(line=place.line and place.line + code.co_firstlineno - 1)
