"""Graphs of any size in few boxes, and what slow motion tells of them."""

from pathlib import Path

import numpy as np
import pytest

from engines.own_training.run import record_file
from views.graphs.small_graph import FOLD
from views.own_training import story
from views.own_training.boxes import FEW, LINE, MODULE, in_boxes
from views.own_training.moments import PHASE_OF, moments_of
from views.own_training.played import groups, play

PROGRAMS = Path(__file__).parents[2] / "engines" / "own_training" / "programs"
DEEP = """
import torch
from torch import nn

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner, self.norm = nn.Linear(4, 4), nn.LayerNorm(4)

    def forward(self, x):
        return x + torch.tanh(self.inner(self.norm(x)))

model = nn.Sequential(*[Block() for _ in range(60)])
for step in range(1):
    loss = model(torch.ones(2, 4)).sum()
    loss.backward()
"""


@pytest.fixture(scope="module")
def transformer():
    return record_file(PROGRAMS / "transformer_block.py", steps=2)


def of_kind(drawn, kind):
    return [node for node in drawn.graph.nodes if node.kind == kind]


def test_every_node_is_in_one_box_and_no_box_comes_before_what_it_needs(transformer):
    for within in ("", *transformer.modules):
        graph = transformer.graphs[0].graph
        drawn = in_boxes(graph, transformer.modules, within)
        assert set(drawn.of) == {node.id for node in graph.nodes}
        assert set(drawn.of.values()) == {node.id for node in drawn.graph.nodes}
        order = {node.id: i for i, node in enumerate(drawn.graph.nodes)}
        assert all(order[edge.source] < order[edge.target] for edge in drawn.graph.edges)
        crossing = {(drawn.of[e.source], drawn.of[e.target]) for e in graph.edges}
        assert {(e.source, e.target) for e in drawn.graph.edges} == {
            pair for pair in crossing if pair[0] != pair[1]
        }


def test_a_large_graph_is_few_boxes_by_the_names_of_its_modules_until_one_is_opened(transformer):
    graph = transformer.graphs[0].graph
    drawn = in_boxes(graph, transformer.modules)
    assert len(graph.nodes) > 150
    assert len(drawn.graph.nodes) <= FEW
    assert {f"model.layers.{i}" for i in range(3)} <= set(drawn.closed.values())
    sizes = [box.settings["nodes"] for box in of_kind(drawn, MODULE) if "layers" in box.text]
    assert len(set(sizes)) == 1  # alike layers, alike boxes

    inside = in_boxes(graph, transformer.modules, "model.layers.1.attn")
    assert "model.layers.1.attn.q" in inside.closed.values()
    assert "model.layers.1" not in inside.closed.values()
    assert "model.layers.0" in inside.closed.values()


def test_many_layers_alike_are_the_first_and_the_last_of_them(tmp_path):
    file = tmp_path / "deep.py"
    file.write_text(DEEP)
    recording = record_file(file)
    drawn = in_boxes(recording.graphs[0].graph, recording.modules)
    [fold] = of_kind(drawn, FOLD)
    assert fold.settings["repetitions"] == 54
    assert list(drawn.closed.values()) == [f"model.{i}" for i in (0, 1, 2, 57, 58, 59)]
    sizes = sum(box.settings["nodes"] for box in drawn.graph.nodes if box.settings.get("nodes"))
    assert sizes + 1 == len(recording.graphs[0].graph.nodes)  # the last sum is a box by itself

    opened = in_boxes(recording.graphs[0].graph, recording.modules, "model.30")
    assert {"model.29", "model.31"} <= set(opened.closed.values())
    assert "model.30.inner.weight" in {leaf.name for leaf in of_kind(opened, "AccumulateGrad")}
    assert [box.text for box in of_kind(opened, LINE)] == ["27 boxes before", "27 boxes after"]
    assert of_kind(opened, FOLD) == []


def test_the_moments_go_through_forward_backward_and_update_once(transformer):
    shown = play(transformer)
    kinds = [one.kind for one in shown.happened if one.kind != "zero"]
    assert kinds == sorted(kinds, key=lambda kind: PHASE_OF[kind])
    boxes = {node.id for node in shown.boxes.graph.nodes}
    for kind in ("forward", "backward"):
        told = [one.box for one in shown.happened if one.kind == kind]
        assert len(told) == len(set(told))
        assert set(told) <= boxes
    assert shown.happened[shown.opens].names == ("loss",)
    assert shown.happened[-1].kind == "update"
    assert len(shown.happened[-1].names) == sum(
        node.kind == "AccumulateGrad" for node in transformer.graphs[0].graph.nodes
    )


def test_the_numbers_at_each_step_are_those_of_its_own_graph(transformer):
    shown = play(transformer)
    assert [step.step for step in shown.steps] == [0, 1]
    for k, step in enumerate(shown.steps):
        mine = moments_of(step, in_boxes(step.graph, transformer.modules), transformer.calls)
        loss = transformer.passes[k].losses["loss"]
        at = shown.timeline.series[f"value_low_{shown.opens}"]
        assert at.value_at(step.step) == np.float32(loss)
        assert sum(one.kind == "backward" for one in mine) == sum(
            one.kind == "backward" for one in shown.happened
        )


def test_each_moment_is_told_in_a_sentence_with_its_line(transformer):
    shown = play(transformer)
    lines = transformer.source.splitlines()
    for m, one in enumerate(shown.happened):
        told = story.told(shown.happened, m, shown.boxes, transformer.modules)
        assert told.endswith(".")
        if one.kind == "forward":
            assert f"line {one.line}" in told
            assert one.text[:10].strip("( ") in lines[one.line - 1]


def test_steps_that_go_another_way_are_a_group_of_their_own(tmp_path):
    file = tmp_path / "branches.py"
    file.write_text(
        "import torch\nw = torch.ones(2, requires_grad=True)\nfor i in range(4):\n"
        "  y = (w * 2).sum() if i % 2 else (w + 2).exp().sum()\n  y.backward()\n"
    )
    recording = record_file(file)
    steps = [[recording.graphs[i].step for i in group] for group in groups(recording)]
    assert steps == [[0, 2], [1, 3]]


def test_steps_that_differ_only_within_a_module_are_alike_until_it_is_opened(tmp_path):
    file = tmp_path / "flips.py"
    flips = DEEP.replace(
        "return x +", "self.odd = not getattr(self, 'odd', False)\n        return x +"
    )
    flips = flips.replace("torch.tanh(", "(torch.tanh if self.odd else torch.relu)(")
    file.write_text(flips.replace("range(1)", "range(4)"))
    recording = record_file(file)
    assert groups(recording) == [[0, 1, 2, 3]]
    assert [step.step for step in play(recording).steps] == [0, 1, 2, 3]
    opened = play(recording, within="model.30")
    assert [step.step for step in opened.steps] == [0, 2]
    assert "TanhBackward0" in {node.kind for node in opened.boxes.graph.nodes}
