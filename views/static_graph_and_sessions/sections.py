"""The sections of the page on static graphs and sessions, each with the engines that it runs.

engines: the modules of engines/ by their names, as the page has loaded them. What they compute is
kept for all visitors; what depends on a visitor's choices is computed when it is asked for.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from engines.graphs.autograd import Graph
from engines.problem import Problem, preset
from views.player import cached, kept, source_of
from views.static_graph_and_sessions import (
    baked_in,
    first_calls,
    growing_graph,
    race,
    tracing,
    update_styles,
)
from views.static_graph_and_sessions import control_flow as graph_loops
from views.static_graph_and_sessions import mistakes as unrolled_mistakes
from views.static_graph_and_sessions import two_sessions as sessions
from views.ui.controls import Controls
from views.ui.measuring import Measuring


def two_sessions(engines: Any, *numbers: float, lecture: bool) -> None:
    """One graph, two sessions: where the values of variables live. numbers: to add."""
    listing, look = (
        engines.tf_two_sessions.totals,
        kept(engines.tf_two_sessions.look),
    )
    sessions.watch(source_of(listing), look, *numbers, lecture=lecture)


def hidden_race(controls: Controls, engines: Any, problem: Problem, *, lecture: bool) -> None:
    """Variables fetched beside their assignments, counted on this problem."""

    watch = partial(_count, engines.tf_race, problem)
    race.tell(controls, kept(engines.tf_race_graph.around), watch, lecture=lecture)


@cached
def _count(_engine: Any, problem: Problem, attempt: int, **settings: Any) -> Any:
    # The key has the attempt, because another attempt is another count.
    return _engine.watch(problem, learning_rate=problem.learning_rate, **settings)


def data_baked_in(controls: Controls, engines: Any, problem: Problem, **settings: Any) -> None:
    """A graph that ignores what it is fed. settings: steps, learning_rate, lecture."""
    if controls.flag("Bake the data into the graph", "baked_in"):
        graphs = engines.tf_baked_in_graph
        train, inside = kept(graphs.train), kept(graphs.look_inside)
        baked_in.tell(problem, graphs.LISTINGS, train, inside, **settings)


def three_updates(controls: Controls, engines: Any, *, lecture: bool) -> None:
    """The styles of E8: which build the same graph, and what each lets in."""
    problem, styles = (
        preset("update_styles_article"),
        engines.tf_update_styles,
    )
    build = kept(engines.tf_update_graphs.build)
    update_styles.ask(problem, styles.STYLES, build, lecture=lecture)
    ways = {"between": styles.BETWEEN, "train": styles.train, "build": build}
    update_styles.compare(controls, problem, styles.STYLES, **ways, lecture=lecture)


def first_and_later_calls(controls: Controls, engines: Any, *, lecture: bool) -> Measuring:
    """What is paid once and what at every step. Returns what the page is to run at its end."""
    measuring = Measuring(engines.child.in_child)
    first_calls.section(controls, measuring, lecture=lecture)
    return measuring


def control_flow(controls: Controls, engines: Any, *, lecture: bool) -> None:
    """A loop and a branch as operations, and as Python while the graph is built."""
    cells, graphs = engines.tf_control_flow, engines.tf_control_flow_graph
    count = kept(graphs.count)
    if graph_loops.ask((cells.looped, cells.unrolled), count, lecture=lecture):
        drawn = kept(graphs.drawings)(graph_loops.DRAWN_LETTERS)
        about = {"longest": engines.torch_recurrent.LONGEST, "lecture": lecture}
        word = graph_loops.compare(controls, count, drawn, partial(_read, engines), **about)
        unrolled_mistakes.choose(controls, partial(_refused, engines), word)


@cached
def _read(_engines: Any, word: str) -> tuple[Any, Graph]:
    """A word read by the static graphs, and the graph that PyTorch builds for it."""
    recurrent = _engines.torch_recurrent
    static = _engines.tf_control_flow_graph.look_at(*recurrent.arrays(word))
    return static, recurrent.look_at(word)[0]


@cached
def _refused(_engines: Any, name: str, word: str) -> Any:
    return _engines.tf_control_flow.refused(name, *_engines.torch_recurrent.arrays(word))


def traced_functions(controls: Controls, engines: Any, *, lecture: bool) -> None:
    """What `tf.function` traces, and when it does so again."""
    run, rewritten = (
        kept(engines.tf_traced.run),
        engines.tf_control_flow.rewritten,
    )
    tracing.tell(
        controls,
        engines.tf_traced.call_each,
        run,
        rewritten,
        lecture=lecture,
    )


def two_networks(controls: Controls, engines: Any, *, lecture: bool) -> None:
    """The network of E11 in TensorFlow and in PyTorch, from the same arrays."""
    from views.network.comparison import in_both_frameworks  # noqa: PLC0415 (loads both)

    in_both_frameworks(controls)


def mistakes(
    controls: Controls, engines: Any, problem: Problem, *numbers: float, lecture: bool
) -> None:
    """What a session refuses, and a graph that grows while it trains. numbers: to add."""
    sessions.break_it(
        controls,
        engines.tf_sum.MISTAKES,
        kept(engines.tf_sum.run),
        *numbers,
    )
    growing_graph.watch(controls, engines.tf_growth.start, problem, lecture=lecture)
