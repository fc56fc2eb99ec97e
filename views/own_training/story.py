"""What happens at each moment of one's own step, in words and numbers that follow the player."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from engines.graphs.autograd import Node
from views.graphs.small_graph import FOLD, short
from views.own_training.boxes import LEAF, Boxes
from views.own_training.moments import Moment
from views.player import during, live, now
from views.ui.table import html_table

NAMED = 4  # parameters that one sentence names


def told(happened: Sequence[Moment], m: int, boxes: Boxes, classes: Mapping[str, str]) -> str:
    """HTML: the sentence of a moment. classes: of modules, by their paths."""
    moment = happened[m]
    code, line = _code(moment.text), f"line {moment.line}"
    if moment.kind in ("zero", "update"):
        does = "empties .grad of" if moment.kind == "zero" else "changes"
        return f"{code} in {line} {does} {_names(moment)}."
    if moment.kind == "error":
        return f"Here it ends, at {line}: {code} raises <b>{escape(moment.message)}</b>."
    assert moment.box is not None
    box = next(node for node in boxes.graph.nodes if node.id == moment.box)
    what = called(box, boxes, classes)
    if moment.kind == "forward":
        name = f" {_code(moment.names[0])}" if moment.names else ""
        value = f": {_reach('value', m)}" if moment.value is not None else ""
        result = f"its result{name}{value}{_shape(moment)}."
        if _size(box):
            return f"{code} in {line} runs {what}; {result}"
        return f"{code} in {line} hangs {what} on {result}"
    begins = m == 0 or happened[m - 1].kind != "backward"
    begin = f"{code} in {line} begins at the end. " if begins else ""
    if box.kind == LEAF:
        return (
            f"{begin}{what} adds what arrives to its .grad, which is now {_reach('gradient', m)}."
        )
    of = _code(moment.names[0]) if moment.names else "its result"
    handed = f"it is handed the gradient with respect to {of}, {_reach('gradient', m)}"
    return f"{begin}Backward, {what} runs: {handed}, and hands on what it makes of it."


def called(box: Node, boxes: Boxes, classes: Mapping[str, str]) -> str:
    """HTML: what a box is called in a sentence."""
    path = boxes.closed.get(box.id)
    if path:
        return f"<b>{escape(path)}</b> ({escape(classes[path])}, {_size(box)} nodes)"
    if box.kind == FOLD:
        count = int(box.settings["repetitions"])
        return f"<b>{count} repetition{'s' * (count > 1)}</b> ({_size(box)} nodes)"
    if box.kind == LEAF:
        return f"The leaf <b>{escape(box.name)}</b>"
    if _size(box):
        return f"<b>{_size(box)} nodes</b>"
    return f"<b>{escape(box.kind)}</b>"


def details(happened: Sequence[Moment], boxes: Boxes, classes: Mapping[str, str]) -> None:
    """What is known of the box of each moment, as a table that follows the player."""
    nodes = {node.id: node for node in boxes.graph.nodes}
    shown = []
    for m, moment in enumerate(happened):
        box = nodes.get(moment.box or -1)
        rows = _changed(moment) if box is None else _rows(moment, m, box, boxes, classes)
        table = html_table((), rows, kind="details")
        shown.append(f'<div data-moments="{during([m])}">{table}</div>')
    live(f'<div class="of-moment">{"".join(shown)}</div>', key="details")


def _rows(
    moment: Moment, m: int, box: Node, boxes: Boxes, classes: Mapping[str, str]
) -> list[tuple[str, str]]:
    path = boxes.closed.get(box.id) or box.module
    name = box.name if box.kind == LEAF else path if _size(box) else short(box.kind)
    origin = (
        "a leaf: no operation made it"
        if box.kind == LEAF
        else _code(moment.text if _size(box) else box.text)
    )
    rows = [(f"<b>{escape(name)}</b>", origin)]
    if path and box.kind != LEAF:
        rows.append(("module", f"{escape(path)}: {escape(classes.get(path, ''))}"))
    if moment.value is not None:
        rows.append(("as the step began" if box.kind == LEAF else "its result", _reach("value", m)))
    rows.append(("shape", " × ".join(map(str, moment.shape)) or "a single number"))
    if box.saved:
        rows.append(("keeps for backward", escape(", ".join(box.saved))))
    if moment.kind == "backward":
        label = ".grad is now" if box.kind == LEAF else "gradient that arrived"
        rows.append((label, f"<b>{_reach('gradient', m)}</b>"))
    return rows


def _changed(moment: Moment) -> list[tuple[str, str]]:
    does = {"zero": "emptied", "update": "changed", "error": "raised"}[moment.kind]
    return [(does, escape(moment.message) or _names(moment))]


def _reach(name: str, m: int) -> str:
    low, high = f"{name}_low_{m}", f"{name}_high_{m}"
    return now(low, to=high, digits=4)


def _names(moment: Moment) -> str:
    names = [escape(name) for name in moment.names if name]
    more = len(moment.names) - NAMED
    told = ", ".join(names[:NAMED])
    return f"{told} and {more} more" if more > 0 else told


def _shape(moment: Moment) -> str:
    return f", shape {' × '.join(map(str, moment.shape))}" if moment.shape else ""


def _size(box: Node) -> int:
    return int(box.settings.get("nodes", 0)) if box.kind in ("Module", "Line", FOLD) else 0


def _code(text: str, most: int = 70) -> str:
    return f"<code>{escape(text if len(text) <= most else text[: most - 2] + ' …')}</code>"
