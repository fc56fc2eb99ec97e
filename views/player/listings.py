"""A listing with its values beside it, and the line marked that runs."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from textwrap import dedent
from typing import Any, NamedTuple

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from views.player.text import during, live, now

DOT = '<span class="o">.</span>'
# A name with dots, as pygments writes it, and the brackets and commas after it.
DOTTED = re.compile(
    r'<span class="n">\w+</span>(?:<span class="o">\.</span><span class="\w+">\w+</span>)+'
    r'(?:<span class="p">[^<]+</span>)?'
)


class Computed(NamedTuple):
    """What a line of a listing computes: at which moments, and the series that has the value.

    series: empty for what is many numbers, and has no room beside the line. known: the moment from
    which the value is; if not said, the last of them.
    """

    moments: Sequence[int]
    series: str = ""
    known: int | None = None


@lru_cache(maxsize=64)
def highlighted(source: str) -> list[str]:
    """The lines of a listing as HTML. What has a dot in it is one `.name`, broken only at dots."""
    colored = highlight(source, PythonLexer(stripnl=False), HtmlFormatter(nowrap=True))
    whole = DOTTED.sub(
        lambda name: f'<span class="name">{name[0].replace(DOT, "<wbr>" + DOT)}</span>', colored
    )
    return whole.rstrip("\n").split("\n")


def part(source: str, first: str, last: str, *, without: tuple[str, ...] = ()) -> str:
    """The lines of a listing from one to another, without comments and indentation.

    first, last: how they begin. without: how further lines begin that are left out. Raises
    StopIteration where there is no such line.
    """
    lines = source.splitlines()
    begins = [line.strip() for line in lines]
    start = next(i for i, line in enumerate(begins) if line.startswith(first))
    end = next(i for i, line in enumerate(begins) if i >= start and line.startswith(last))
    kept = [lines[i] for i in range(start, end + 1) if begins[i]]
    shown = [line for line in kept if not line.strip().startswith(("#", *without))]
    return dedent("\n".join(shown)) + "\n"


def listing(
    source: str,
    computed: Mapping[Any, Computed],
    *,
    title: str,
    key: str,
    run: str = "",
    changed: str = "",
    follows: bool = False,
) -> None:
    """Show a listing, and beside its lines what they computed at the step shown.

    computed: by how the line begins, or by its number, counted from 1. run: the prefix of the
    series. changed: lines to mark as different from the right ones. follows: whether to show a part
    only, that with the marked lines.
    """
    rows, wrong = [], {line.strip() for line in changed.splitlines()}
    lines = zip(source.rstrip("\n").split("\n"), highlighted(source), strict=True)
    for number, (line, code) in enumerate(lines, start=1):
        mark = ' class="changed"' if line.strip() in wrong else ""
        moments, value = "", ""
        for start, (at, series, known) in computed.items():
            if number == start or (isinstance(start, str) and line.strip().startswith(start)):
                moments = f' data-moments="{during(at)}"'
                begin = max(at) if known is None else known
                value = now(run + series, known=begin) if series else ""
        cells = f'<span class="value">{value}</span><code>{code}</code>'
        rows.append(f"<li{moments}{mark}>{cells}</li>")
    name = f'<div class="listing-name">{html.escape(title)}</div>'
    kind = "listing" + " follows" * follows
    live(f'<div class="{kind}">{name}<ol>{"".join(rows)}</ol></div>', key=key)
