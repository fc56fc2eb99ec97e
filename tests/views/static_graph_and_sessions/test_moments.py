"""The moments of a static graph, and where its operations are drawn."""

from functools import cache

import pytest

from engines.graphs.static import source_of
from engines.problem import preset
from engines.static_graph_and_sessions.one_run import Request, run
from views.static_graph_and_sessions.layout import places_of, tables_of
from views.static_graph_and_sessions.moments import events, runs_as
from views.static_graph_and_sessions.story import readout, story_of

PROBLEM = preset("session_article").astype("float32")


@cache
def seen_of(listing, *fetches, **options):
    return run(Request(listing, fetches, **options), PROBLEM, 0.01)


def test_a_sum_is_built_line_by_line_and_then_run():
    seen = seen_of("sum", "c")
    happened = events(seen)
    kinds = [moment.kind for moment in happened]
    assert kinds == [*["build"] * 4, "open", "initialize", "given", "run", "fetch"]
    assert story_of(seen).parts == (4, 2, 3, 0)
    assert [moment.ops for moment in happened[:4]] == [("a",), ("b",), ("c",), ("init",)]
    assert happened[7].ops == ("c",)


def test_every_operation_is_built_once_and_runs_once():
    seen = seen_of("regression", "loss", "new_w", "new_b")
    happened = events(seen)
    built = [name for one in happened if one.kind == "build" for name in one.ops]
    assert built == [op.name for op in seen.written.ops]
    ran = [n for one in happened if one.kind in ("given", "run", "fetch") for n in one.ops]
    assert sorted(ran) == sorted(op.name for op in seen.executed.ops)
    starts = [seen.executed.timings[m.ops[0]].start for m in happened if m.kind == "run"]
    assert starts == sorted(starts)
    assert sum(story_of(seen).parts) == len(happened)


def test_the_initialiser_runs_what_it_needs_and_nothing_else():
    happened = events(seen_of("regression", "loss"))
    [first] = [moment for moment in happened if moment.kind == "initialize"]
    assert set(first.ops) == {
        *(
            f"{name}{part}"
            for name in "wb"
            for part in ("", "/Initializer/initial_value", "/Assign")
        ),
        "init",
    }


def test_a_run_that_fails_has_one_moment_and_hands_out_nothing():
    seen = seen_of("regression", "loss", feeds="not_initialized")
    happened = events(seen)
    assert [moment.kind for moment in happened[-3:]] == ["initialize", "fail", "fetch"]
    assert happened[-3].ops == ()
    assert story_of(seen).parts[2:] == (2, 0)


def test_a_fused_operation_runs_in_another():
    seen = seen_of("regression", "loss")
    written = seen.written
    assert runs_as(seen, written["sub"]) == "sub"
    assert seen.executed["sub"].kind == "SquaredDifference"
    assert runs_as(seen, written["pow_1"]) == "sub"
    assert seen.executed[runs_as(seen, written["x"])].kind == "_Arg"
    assert runs_as(seen, written["init"]) == ""


@pytest.mark.parametrize(
    ("listing", "fetches"),
    [("sum", ("a", "b", "c", "initialize")), ("regression", ("loss", "new_w")), ("baked_in", ())],
)
def test_no_two_boxes_share_a_place_and_each_stands_in_the_band_of_its_line(listing, fetches):
    seen = seen_of(listing, *fetches)
    places, bottom = places_of(seen)
    boxes = {key: at for key, at in places.items() if key[0] != "line"}
    assert len(set(boxes.values())) == len(boxes) == len(seen.written.ops) + len(seen.executed.ops)
    assert max(y for _, y in places.values()) < bottom
    tops = {key[1]: y for key, (_, y) in places.items() if key[0] == "line"}
    for op in seen.written.ops:
        below = [top for top in tops.values() if top > tops[str(op.line)]]
        assert tops[str(op.line)] < places["written", op.name][1] < min(below, default=bottom)
    for op in seen.executed.ops:
        of = seen.match.sources[op.name].written
        line = seen.written[source_of(of[0])[0]].line
        assert places["executed", op.name][1] > tops[str(line)]


def test_a_box_lights_up_when_what_stands_for_it_runs():
    seen = seen_of("regression", "loss")
    happened = events(seen)
    chips = tables_of(seen, places_of(seen)[0])["chips"]
    of = {(chip["side"], chip["name"]): chip for chip in chips}
    fused, square = of["written", "sub"], of["executed", "sub"]
    assert fused["ran"] == square["made"] < len(happened)
    assert (fused["look"], square["look"], of["written", "mul"]["look"]) == (
        "changed", "changed", "kept"
    )  # fmt: skip
    assert of["written", "mul_2"]["ran"] > len(happened)
    assert of["executed", "_arg_x_0_0"]["look"] == "runtime"


def test_the_operation_that_an_error_names_is_marked():
    seen = seen_of("regression", "loss", feeds="short_y")
    chips = tables_of(seen, places_of(seen)[0])["chips"]
    assert [chip["name"] for chip in chips if chip["failed"]] == ["sub"]


def test_a_run_that_did_not_compute_the_loss_does_not_tell_it():
    runs = {
        fetch: seen_of("regression", fetch, feeds=feeds)
        for fetch, feeds in (("loss", "all"), ("y_pred", "all"), ("new_w", "short_y"))
    }
    moments = {fetch: len(events(seen)) for fetch, seen in runs.items()}
    loss = {fetch: readout(seen)["loss"][0] for fetch, seen in runs.items()}
    assert loss["loss"] == moments["loss"] - 1
    assert loss["y_pred"] == moments["y_pred"]  # not before slow motion is over
    failed = seen_of("regression", "loss", feeds="short_y")
    assert readout(failed)["loss"][0] == len(events(failed))
    assert readout(seen_of("sum", "c")) == {}
