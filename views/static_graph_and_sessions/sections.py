"""Until it is merged: what the sections of others will be, made of what they are now."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace as Sections
from typing import Any

from engines.benchmark import child
from engines.graphs.autograd import Graph
from engines.network import compare as networks
from engines.network import tf_session as tf_two_layers
from engines.network import torch_two_layers
from engines.problem import Problem, preset
from engines.recurrent import tf_cells, tf_graphs, torch_cell
from engines.static_graph_and_sessions import baked_in_graph, race_graph, update_graphs
from engines.static_graph_and_sessions import growing_graph as growth
from engines.static_graph_and_sessions import race as races
from engines.static_graph_and_sessions import tracing as traces
from engines.static_graph_and_sessions import update_styles as styles
from views.network import two_layers
from views.player import cached, in_lecture, kept
from views.static_graph_and_sessions import baked_in as baked
from views.static_graph_and_sessions import control_flow as loops
from views.static_graph_and_sessions import first_calls as calls
from views.static_graph_and_sessions import growing_graph as grown
from views.static_graph_and_sessions import mistakes
from views.static_graph_and_sessions import race as hidden_race
from views.static_graph_and_sessions import tracing as traced
from views.static_graph_and_sessions import update_styles as updates
from views.ui.controls import Controls
from views.ui.measuring import Measuring


def _race(controls: Controls, problem: Problem) -> None:
    around = kept(race_graph.around)
    hidden_race.tell(controls, around, partial(_count, problem), lecture=in_lecture())


@cached
def _count(problem: Problem, attempt: int, **settings: Any) -> Any:
    return races.watch(problem, learning_rate=problem.learning_rate, **settings)


def _baked_in(controls: Controls, problem: Problem, **settings: Any) -> None:
    if controls.flag("Bake the data into the graph", "baked_in"):
        train, inside = kept(baked_in_graph.train), kept(baked_in_graph.look_inside)
        listings = baked_in_graph.LISTINGS
        baked.tell(problem, listings, train, inside, **settings, lecture=in_lecture())


def _update_styles(controls: Controls) -> None:
    problem, build = preset("update_styles_article"), kept(update_graphs.build)
    updates.ask(problem, styles.STYLES, build, lecture=in_lecture())
    how: Any = {"between": styles.BETWEEN, "train": styles.train, "build": build}
    updates.compare(controls, problem, styles.STYLES, **how, lecture=in_lecture())


def _first_calls(controls: Controls) -> Measuring:
    measuring = Measuring(child.in_child)
    calls.section(controls, measuring, lecture=in_lecture())
    return measuring


def _control_flow(controls: Controls) -> None:
    count, lecture = kept(tf_graphs.count), in_lecture()
    if loops.ask((tf_cells.looped, tf_cells.unrolled), count, lecture=lecture):
        drawn = kept(tf_graphs.drawings)(loops.DRAWN_LETTERS)
        longest = torch_cell.LONGEST
        word = loops.compare(controls, count, drawn, _read, longest=longest, lecture=lecture)
        mistakes.while_building(controls, word)


@cached
def _read(word: str) -> tuple[Any, Graph]:
    return tf_graphs.look_at(*torch_cell.arrays(word)), torch_cell.look_at(word)[0]


def _tracing(controls: Controls) -> None:
    run = kept(traces.run)
    traced.tell(controls, traces.call_each, run, tf_cells.rewritten, lecture=in_lecture())


def _training(controls: Controls) -> None:
    def start(steps: int, dtype: str) -> tuple[Any, Any]:
        arrays = networks.draw(0, dtype)
        how: Any = {"steps": steps, "learning_rate": 1e-6}
        return tf_two_layers.train(*arrays, **how), torch_two_layers.train(*arrays, **how)

    listings = {
        "network/tf_session.py": tf_two_layers.train,
        "torch_two_layers.py": torch_two_layers.train,
    }
    lecture = in_lecture()
    two_layers.compare(controls, listings, start, tf_two_layers.compare, lecture=lecture)


def _growing_graph(controls: Controls, problem: Problem) -> None:
    start: Any = growth.start
    grown.watch(controls, start, problem, lecture=in_lecture())


race = Sections(section=_race)
baked_in = Sections(section=_baked_in)
update_styles = Sections(section=_update_styles)
first_calls = Sections(section=_first_calls)
control_flow = Sections(section=_control_flow)
tracing = Sections(section=_tracing)
training = Sections(in_both_frameworks=_training)
growing_graph = Sections(section=_growing_graph)
