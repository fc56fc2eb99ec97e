"""Listings as programs: without what the page needs to look into them."""

from __future__ import annotations

from engines.listing import body


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
