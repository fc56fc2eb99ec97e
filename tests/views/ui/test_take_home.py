"""What is taken home of a stage: a notebook, a table, pictures, a page."""

import io
import json
import re
import subprocess
import sys
import zipfile

import nbformat
import numpy as np
import pytest
from PIL import Image

from engines.standalone import program
from tests.support.visit import visit
from views.manual_gradients import one_step
from views.player import Part, Series, Timeline, every_step
from views.player.figure import CONFIG
from views.regression import charts
from views.ui import offline, pictures, take_home, vega_files


def stage():
    trace, timeline = one_step.run()
    player = Part("player", {}, {"begin": (0, 2), "atEnd": False})
    figure = charts.fit(one_step.PROBLEM, timeline)
    spec = {**figure, "params": [*figure["params"], {"name": "lecture", "value": False}]}
    spec["params"].append({"name": "screen", "expr": "1"})
    spec["config"] = CONFIG
    return trace, timeline, {"player": player, "the fit": Part("", {}, spec)}


def test_the_notebook_is_valid_and_its_cells_run_in_order(tmp_path):
    trace, *_ = stage()
    text = take_home.as_notebook(program(trace, title="What happens in one step?"))
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    head, *cells = notebook.cells
    assert (head.cell_type, head.source) == ("markdown", "What happens in one step?")
    # As a kernel does: each cell is compiled by itself, and keeps what `__future__` has changed.
    kernel = """
import codeop, json, sys
compiler, names = codeop.Compile(), {}
for cell in json.load(sys.stdin):
    exec(compiler(cell, "cell", "exec"), names)
"""
    sources = [cell.source for cell in cells]
    done = subprocess.run(
        [sys.executable, "-I", "-c", kernel],
        input=json.dumps(sources),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "These are the numbers of the run." in done.stdout


def test_the_table_has_the_digits_of_the_run_and_what_was_played_besides():
    trace, timeline, _ = stage()
    more = every_step({"apart": np.arange(len(trace), dtype=float)})
    rare = {"rare": Series(np.array([1.0, 2.0]), np.array([0, 5]))}
    played = Timeline(timeline.series | more | rare, timeline.last_step)
    table = take_home.table({"": trace}, played)
    assert list(table)[:4] == ["step", "loss", "w", "b"]
    assert table["loss"].tolist() == trace.losses.tolist()
    assert table["apart"].iloc[-1] == len(trace) - 1
    assert table["rare"].dropna().to_dict() == {0: 1.0, 5: 2.0}


def test_runs_with_names_have_columns_of_their_own():
    trace, *_ = stage()
    table = take_home.table({"right": trace, "wrong": trace}, None)
    assert {"right: loss", "wrong: w"} <= set(table)


@pytest.mark.parametrize(
    ("query", "at"),
    [
        ({}, (0, 2)),
        ({"step": "3"}, (3, 0)),
        ({"step": "3", "moment": "1"}, (3, 1)),
        ({"step": "3", "moment": "all"}, (3, None)),
        ({"step": "999", "moment": "99"}, (60, 3)),
        ({"step": "x"}, (0, 2)),
    ],
)
def test_the_place_is_the_one_that_the_address_names(query, at):
    _, timeline, parts = stage()
    assert pictures.place(parts, timeline, query) == at


def test_pictures_are_drawn_at_the_moment_shown_and_large():
    _, timeline, parts = stage()
    folders = [
        zipfile.ZipFile(io.BytesIO(pictures.as_files(parts, timeline, {"step": step})))
        for step in ("0", "60")
    ]
    first, last = (folder.read("the_fit.png") for folder in folders)
    assert folders[0].namelist() == ["the_fit.svg", "the_fit.png"]
    assert Image.open(io.BytesIO(first)).size == (1800, 1280)
    assert first != last  # the curve has moved
    assert b'font-size="24px"' in folders[0].read("the_fit.svg")


def cut_off(svg):
    return vega_files.LINE.sub(lambda line: vega_files.in_sight(line, 900, 640), svg)


def test_a_long_line_is_cut_where_nobody_sees_it():
    seen = "M10,10L20,20L5000,5000L6000,6000L30,30"
    svg = f'<path aria-hidden="true" d="{seen}" stroke="#123"/>'
    cut = cut_off(svg)
    assert 'd="M10,10L20,20L5000,5000M6000,6000L30,30"' in cut
    filled = svg.replace("stroke=", 'fill="red" stroke=')
    assert cut_off(filled) == filled


# Stages on which Streamlit's own elements write: a chapter, and the question that is answered.
WRITTEN = [
    ("manual_gradients", {"chapter": "mistakes"}, "input_forgotten"),
    ("custom_relu_backward", {"chapter": "mistakes", "mistake": "too_many"}, "mistake too_many"),
    ("dynamic_graph", {"chapter": "mistakes", "mistake": "detached"}, "detached"),
    ("dynamic_graph", {"chapter": "stream", "stream_rate": "same", "batch": "64"}, ""),
    ("gpu_speedup", {"chapter": "traps"}, "trap first_call"),
]


@pytest.mark.parametrize(("page", "query", "question"), WRITTEN, ids=lambda one: str(one)[:40])
def test_all_that_is_written_on_a_stage_is_taken_home_in_the_column_it_stands_in(
    page, query, question, monkeypatch
):
    taken = {}

    def offer(_here, parts, _timeline, ran):
        taken.update(parts=parts, ran=ran)

    monkeypatch.setattr(take_home, "offer", offer)
    at = visit(page, **query)
    if question:
        at.session_state[f"guess of {question}"] = "show"
        at.run()
    assert not at.exception
    stage = next(one for one in blocks(at.main) if one.proto.id.endswith("-stage"))
    kinds = (stage.markdown, stage.code, stage.caption, stage.warning)
    written = [element.value.strip() for kind in kinds for element in kind]
    kept = [part for part in taken["parts"].values() if part.name == "words"]
    noted = [str(one.data.get("markdown") or one.data.get("code")).strip() for one in kept]
    assert written
    assert sorted(written) == sorted(one for one in noted if one != "None")
    places = {part.column for part in taken["parts"].values()}
    assert places - {None}
    assert taken["ran"]
    file = offline.page(taken["parts"], title="A stage", told="from a test")
    told = re.sub("<[^>]+>", "", file)  # without the marks of Markdown and of colours in code
    for text in written:
        last = json.dumps(re.split(r"[\s`*|]+", text.strip("`*.| \n"))[-1])[1:-1]
        assert last in told


def blocks(of):
    for one in getattr(of, "children", {}).values():
        if hasattr(one, "children"):
            if getattr(one, "proto", None) is not None and hasattr(one.proto, "id"):
                yield one
            yield from blocks(one)


def test_words_are_written_as_streamlit_writes_them():
    table = "| What | Why |\n| --- | --- |\n| `x` | **it** <b>is</b> |\n"
    html = offline._words({"markdown": table})
    assert "<table>" in html
    assert "<td><code>x</code></td>" in html
    assert "<strong>it</strong> &lt;b&gt;is&lt;/b&gt;" in html
    assert "&lt;b&gt;" in offline._words({"code": "<b>", "language": ""})
    assert '<span class="k">return</span>' in offline._words(
        {"code": "return 1", "language": "python"}
    )
    assert offline._words({"html": "<i>ours</i>"}) == "<i>ours</i>"


def test_nothing_ends_the_script_of_the_offline_page():
    for end in ("</script", "</SCRIPT", "</Script", "<!--"):
        assert end not in offline._inside(json.dumps(f"{end}> it goes on"))
        assert json.loads(offline._inside(json.dumps("</SCRIPT>"))) == "</SCRIPT>"
