"""Tables: in HTML, for what follows the player or is marked, and in Markdown for all else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def html_table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, kind: str = "") -> str:
    """A table as HTML for `live`. Cells are HTML; the first of each row is its heading.

    heads: one for each column, or none. kind: a further class for its style.
    """
    lines = [f"<tr>{''.join(map(_heading, heads))}</tr>"] if heads else []
    for first, *others in rows:
        cells = "".join(f"<td>{cell}</td>" for cell in others)
        lines.append(f"<tr>{_heading(first)}{cells}</tr>")
    return f'<table class="{f"digits {kind}".strip()}">{"".join(lines)}</table>'


def _heading(text: str) -> str:
    return f"<th>{text}</th>" if text else "<td></td>"  # an empty heading names nothing


def markdown_table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: bool = False
) -> str:
    """A table as Markdown for `st.markdown`. numbers: whether all columns but the first are."""
    align = ["---", *[("--:" if numbers else "---")] * (len(heads) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, align, *rows)) + "\n"
