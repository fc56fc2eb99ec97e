"""Two columns of numbers out of text that was copied from a spreadsheet.

Columns are separated by tabs, semicolons, commas or spaces; decimals by a point or a comma. Where
the text can be read in two ways that give other numbers, nothing is guessed: `read` asks.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

Decimal = Literal["point", "comma"]
MARKS: dict[Decimal, str] = {"point": ".", "comma": ","}
MOST_ROWS, MOST_CHARACTERS = 1000, 100_000
SMALLEST, LARGEST = 1e-15, 1e15  # in size, besides 0: what squares and their sums can hold
NAMED = 3  # so many rows that cannot be read are named one by one

# Between the digits of a number, besides the other decimal mark: Swiss, French, and thin spaces.
GROUPS = re.compile("(?<=\\d)['’\u00a0\u2009\u202f ](?=\\d{3}(?!\\d))")
MINUS = str.maketrans({"\u2212": "-", "\u2013": "-", "\ufeff": None, "\u200b": None})
UNIT = r"(?![eE]$|[eExX]\d)[A-Za-zµμΩ°%€$£¥][A-Za-zµμΩ°%€$£¥²³/·^0-9⁻¹]*"


def _pattern(mark: str, group: str) -> re.Pattern[str]:
    mark, group = re.escape(mark), re.escape(group)
    return re.compile(
        rf"(?P<sign>[+-]?)\s*[€$£¥]?\s*"
        rf"(?P<number>(?:\d{{1,3}}(?:{group}\d{{3}})+|\d+)(?:{mark}\d*)?|{mark}\d+)"
        rf"(?P<power>[eE][+-]?\d+)?\s*(?P<unit>{UNIT})?",
        re.ASCII,
    )


NUMBERS: dict[Decimal, re.Pattern[str]] = {"point": _pattern(".", ","), "comma": _pattern(",", ".")}


class Table(NamedTuple):
    """What was read. x, y: of equal length, empty where nothing could be read.

    names: of x and y, "" where there is no header. notes: sentences for the reader of what was
    left out or how numbers were understood. question: a sentence where the text has two readings,
    to be answered with a Decimal; else "".
    """

    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()
    names: tuple[str, str] = ("", "")
    notes: tuple[str, ...] = ()
    question: str = ""


class _Reading(NamedTuple):
    """One way to understand the text."""

    decimal: Decimal
    table: Table


def read(text: str, decimal: Decimal | None = None) -> Table:
    """The first two columns of numbers in the text.

    decimal: how decimals are written, where that is known. Rows that have no two numbers are left
    out and named in the notes, counted from 1 as they stand in the text.
    """
    if len(text) > MOST_CHARACTERS:
        most = f"{MOST_CHARACTERS:,}"
        return Table(notes=(f"That is more than {most} characters. Nothing was read.",))
    rows = [
        (number, line)
        for number, line in enumerate(text.translate(MINUS).splitlines(), 1)
        if line.strip(" \t;,\u00a0")
    ]
    if not rows:
        return Table(notes=("There is nothing to read.",))
    readings = list(_readings(rows, decimal))
    best = max(len(one.table.x) for one in readings)
    if not best:
        return readings[0].table
    readings = [one for one in readings if len(one.table.x) == best]
    different = {(one.table.x, one.table.y): one for one in reversed(readings)}
    if len(different) == 1 or decimal:
        return readings[0].table
    if all("," not in line for _, line in rows):  # 1.234 is a decimal in most places, so say it
        point = next(one.table for one in readings if one.decimal == "point")
        return point._replace(notes=(*point.notes, "Points were read as decimal points."))
    return Table(question=_question(readings))


def _question(readings: Sequence[_Reading]) -> str:
    """Where two readings differ, as a question."""
    point = next(one.table for one in readings if one.decimal == "point")
    comma = next(one.table for one in readings if one.decimal == "comma")
    i = next(
        i
        for i, pair in enumerate(zip(point.x, point.y, strict=True))
        if pair != (comma.x[i], comma.y[i])
    )
    one, other = (f"x = {t.x[i]:.12g} and y = {t.y[i]:.12g}" for t in (point, comma))
    return (
        f"Is the comma a decimal comma? Number pair {i + 1} can be {other}, if it is, or {one}, "
        "if it is not."
    )


def _readings(rows: Sequence[tuple[int, str]], decimal: Decimal | None) -> Iterator[_Reading]:
    lines = [line for _, line in rows]
    decimals = [decimal] if decimal else list(MARKS)
    for kind in decimals:
        if any("\t" in line for line in lines):
            yield _Reading(kind, _table(rows, [line.split("\t") for line in lines], kind))
        elif any(";" in line for line in lines):
            yield _Reading(kind, _table(rows, [line.split(";") for line in lines], kind))
        elif kind == "point":
            yield _Reading(kind, _table(rows, [line.split(",") for line in lines], kind))
            yield _Reading(kind, _table(rows, [line.split() for line in lines], kind))
        else:
            yield _Reading(kind, _table(rows, [line.split() for line in lines], kind))
            parts = [re.split(r"\s*,\s*", line.strip()) for line in lines]
            if all(len(cells) == 4 and all(map(str.isdigit, cells[1::2])) for cells in parts):
                paired = [[f"{a},{b}", f"{c},{d}"] for a, b, c, d in parts]  # 1,5,2,5
                yield _Reading(kind, _table(rows, paired, kind))


def _table(
    rows: Sequence[tuple[int, str]], cells: Sequence[Sequence[str]], decimal: Decimal
) -> Table:
    """These cells as a table."""
    parsed = [[_number(cell, decimal) for cell in line] for line in cells]
    header = 0  # names, and below them perhaps units
    while header < min(2, len(parsed)) and not any(map(_is_number, parsed[header])):
        header += 1
    body, numbers = parsed[header:], [number for number, _ in rows][header:]
    columns = _columns(body)
    if len(columns) < 2:
        return Table(notes=(_no_columns(rows, body),))
    i, j = columns[:2]
    notes, pairs, left_out = [], [], []
    for line, number, texts in zip(body, numbers, cells[header:], strict=True):
        bad = [k for k in (i, j) if k >= len(line) or not _is_number(line[k])]
        if bad:
            cell = texts[bad[0]].strip()[:20] if bad[0] < len(texts) else ""
            which = "xy"[bad[0] == j]
            left_out.append(_why_not(number, which, cell, decimal))
        else:
            pairs.append((line[i], line[j]))
    units = [Counter(one[1] for pair in pairs if (one := pair[k])) for k in (0, 1)]
    for which, found in zip("xy", units, strict=True):
        if len(found - Counter([""] * found[""])) > 1:
            several = " and ".join(unit for unit in found if unit)
            return Table(notes=(f"{which} has several units: {several}. Make them one.",))
    kept = pairs[:MOST_ROWS]
    names = _names(cells[:header], (i, j), units)
    notes += left_out[:NAMED]
    if len(left_out) > NAMED:
        notes.append(f"{len(left_out) - NAMED} more rows were left out.")
    if len(columns) > 2:
        notes.append(f"Of {len(columns)} columns of numbers the first two are used.")
    if len(pairs) > MOST_ROWS:
        notes.append(f"Of {len(pairs):,} rows the first {MOST_ROWS:,} are used.")
    x, y = (tuple(one[0] for pair in kept if (one := pair[k])) for k in (0, 1))
    return Table(x, y, names, tuple(notes))


_Cell = tuple[float, str] | None  # a number and its unit; None where there is no number


def _number(cell: str, decimal: Decimal) -> _Cell:
    found = NUMBERS[decimal].fullmatch(GROUPS.sub("", cell.strip().strip('"').strip()))
    if not found:
        return None
    mark = MARKS[decimal]
    digits = found["number"].replace("," if mark == "." else ".", "").replace(mark, ".")
    value = float(f"{found['sign']}{digits}{found['power'] or ''}")
    held = value == 0 or SMALLEST <= abs(value) <= LARGEST
    return (value + 0.0, found["unit"] or "") if held else None


def _is_number(cell: _Cell) -> bool:
    return cell is not None


def _columns(body: Sequence[Sequence[_Cell]]) -> list[int]:
    """The columns in which at least half of the rows have a number."""
    widest = max(map(len, body), default=0)
    return [
        k
        for k in range(min(widest, 100))
        if 2 * sum(k < len(line) and _is_number(line[k]) for line in body) >= len(body)
    ]


def _names(
    header: Sequence[Sequence[str]], columns: tuple[int, int], units: Sequence[Counter[str]]
) -> tuple[str, str]:
    """A name for both columns, with the unit in brackets if the cells or a second row have one."""
    names = []
    for k, found in zip(columns, units, strict=True):
        titles = [line[k].strip().strip('"') for line in header if k < len(line)]
        name, unit = (*titles, "", "")[:2]
        unit = unit or next((one for one in found if one), "")
        whole = f"{name} ({unit.strip('()[]')})" if name and unit else name or unit
        names.append(" ".join(whole.split())[:30])
    return names[0], names[1]


def _why_not(row: int, which: str, cell: str, decimal: Decimal) -> str:
    if not cell:
        return f"Row {row} has no {which}, and is left out."
    size = "is too large or too small" if _too_far(cell, decimal) else "is not a number"
    return f"Row {row} is left out: its {which}, “{cell}”, {size}."


def _too_far(cell: str, decimal: Decimal) -> bool:
    return NUMBERS[decimal].fullmatch(GROUPS.sub("", cell)) is not None


def _no_columns(rows: Sequence[tuple[int, str]], body: Sequence[Sequence[_Cell]]) -> str:
    if any(any(map(_is_number, line)) for line in body):
        return "Two columns of numbers are needed, x and y; only one was found."
    number, line = rows[0]
    return f"No two columns of numbers were found. Row {number} is “{line.strip()[:40]}”."


def as_text(x: Sequence[float], y: Sequence[float], between: str = "\t", row: str = "\n") -> str:
    """The points as text that `read` understands."""
    return row.join(f"{a:.15g}{between}{b:.15g}" for a, b in zip(x, y, strict=True))
