"""Listings as programs: without what the page needs to look into them."""

from __future__ import annotations

from textwrap import dedent

from engines.listing import body


def part(source: str, first: str, last: str) -> str:
    """The lines of a listing from one to another, without comments and indentation.

    first, last: how they begin. Raises StopIteration where there is no such line.
    """
    lines = source.splitlines()
    begins = [line.strip() for line in lines]
    start = next(i for i, line in enumerate(begins) if line.startswith(first))
    end = next(i for i, line in enumerate(begins) if i >= start and line.startswith(last))
    pairs = zip(lines[start : end + 1], begins[start : end + 1], strict=True)
    return dedent("\n".join(line for line, begin in pairs if begin and begin[0] != "#")) + "\n"


def program(source: str) -> str:
    """What a listing does: without its heading, `try`, and what closes the session at the end.

    A listing hands out each result with `yield`; a program prints it. A listing that hands out
    nothing only waits there, and what it returns at its end is for the page.
    """
    kept, inside = [], False
    for line in body(source).splitlines():
        if line == "try:":
            inside = True
        elif line == "finally:":
            break
        elif line.strip() != "yield None" and not line.startswith("return "):
            kept.append(line.removeprefix("    ") if inside else line)
    return "\n".join(map(_printed, kept)) + "\n"


def _printed(line: str) -> str:
    indent, is_result, result = line.partition("yield ")
    return f"{indent}print({result})" if is_result and not indent.strip() else line
