"""What is said of the three ways' times follows from the times, or is not said."""

import pytest

from engines.benchmark.clock import Timing
from engines.static_graph_and_sessions.warm_runs import Warm
from tests.support.visit import live_texts, visit
from views.static_graph_and_sessions import watching
from views.static_graph_and_sessions.watching import times

ALONE = Timing(0.108, 0.113, 0.121)


def found(other, on_core=1.0):
    return Warm([ALONE, other, other], on_core)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (Timing(0.122, 0.129, 0.14), "this way is the slower one here."),
        (Timing(0.09, 0.1, 0.107), "this way is the faster one here."),
        (Timing(0.12, 0.129, 0.14), "it cannot be told which is faster."),
        (Timing(0.12104, 0.129, 0.14), "it cannot be told which is faster."),  # 121, as written
        (Timing(0.1, 0.105, 0.108), "it cannot be told which is faster."),
    ],
)
@pytest.mark.parametrize("way", ["watched", "as_written"])
def test_only_quartiles_that_lie_apart_give_a_verdict(way, other, said):
    assert times(way, found(other)).endswith(said)
    assert "<b>113 µs</b> (108 to 121)" in times(way, found(other))


def test_alone_there_is_nothing_to_compare():
    assert times("alone", found(ALONE)) == "A warm run takes <b>113 µs</b> (108 to 121)."


def test_a_starved_machine_gives_no_times():
    said = times("watched", found(Timing(0.2, 0.3, 0.4), on_core=0.6))
    assert "µs" not in said
    assert said.startswith("No times are given")


def test_a_measurement_is_kept_unless_the_server_was_starved(monkeypatch):
    kept, taken = [], []

    def measure(*_, **how):
        taken.append(how)
        return found(ALONE, on_core=0.5 if len(taken) < 3 else 1.0)

    now = iter([100, 110, 140, 140, 180, 180])
    monkeypatch.setattr(watching, "warm", measure)
    monkeypatch.setattr(watching, "_kept", lambda: kept)
    monkeypatch.setattr(watching.time, "monotonic", lambda: next(now))
    counts = []
    for _ in range(5):
        watching.measured()
        counts.append(len(taken))
    assert counts == [1, 1, 2, 3, 3]


@pytest.mark.parametrize("way", watching.REQUESTS)
def test_the_stage_says_what_was_measured(way):
    at = visit("static_graph_and_sessions", chapter="watching", loss_fetched=way)
    assert not at.exception
    assert times(way, watching.measured()) in live_texts(at)
