"""A table of what is measured, line by line: the loop of `tests.bench` and of `tests.attack`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple


class Row(NamedTuple):
    """One line of the table. ok: None for what has no target."""

    what: str
    value: str
    target: str = ""
    ok: bool | None = None


def print_all(
    families: Mapping[str, Callable[[], Iterable[Row]]], *, good: str = "ok", bad: str = "over"
) -> int:
    """Measure one family of rows after the other, and print each row as soon as it is there.

    good, bad: the words for a target that was met or missed. Returns 1 if one was missed or a
    family failed, as the exit status of a command.
    """
    missed = False
    for name, rows in families.items():
        try:
            for row in rows():
                mark = {True: good, False: bad, None: ""}[row.ok]
                print(f"{row.what:<48} {row.value:<54} {row.target:<14} {mark}", flush=True)
                missed |= row.ok is False
        except Exception as error:
            print(f"{name:<48} failed: {type(error).__name__}: {error}", flush=True)
            missed = True
    return int(missed)
