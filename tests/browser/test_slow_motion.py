"""Slow motion through every moment of the three pages that have it, and all the way back."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import pytest

from tests.support.playing import alike, graph, press, step, story, walk


class Way(NamedTuple):
    """What slow motion shows from a page's first moment to its last.

    phases: how many moments each has. lines: of some moments, the line that is marked. told: of
    some, what the story says. apart: pixels by which the same moment may differ when seen again.
    """

    phases: dict[str, int]
    lines: dict[int, str]
    told: dict[int, str]
    apart: int = 20


RUN = "print(session.run(c, {a: a_value, b: b_value}))"
WAYS = {
    "/dynamic_graph?chapter=backward&moment=0": Way(
        {"predict": 2, "loss": 4, "gradient": 8, "update": 4},
        {
            **dict.fromkeys(range(6, 14), "loss.backward()"),
            17: "b.grad.zero_()",
        },
        {},
    ),
    "/static_graph_and_sessions?chapter=build_and_run&moment=0": Way(
        {"build": 6, "walk back": 4, "run": 3},
        {
            0: 'a = tf.compat.v1.placeholder(tf.float32, shape=(), name="a")',
            1: 'b = tf.compat.v1.placeholder(tf.float32, shape=(), name="b")',
            **dict.fromkeys((5, *range(9, 13)), RUN),
        },
        {
            0: "placeholder",
            4: "4 operations, and not one number has been computed",
            11: "has run: 6",
            12: "c = 6.",
        },
    ),
    "/custom_relu_backward?moment=0": Way(
        {"forward": 4, "backward": 6},
        {1: "ctx.save_for_backward(x)", 2: "return x.clamp(min=0)", 8: "grad_x[x < 0] = 0"},
        {},
        apart=2000,  # a row of text may stand half a pixel lower than before
    ),
}


@pytest.mark.parametrize("path", WAYS)
def test_slow_motion_goes_through_every_moment_and_back(visit, path):
    page, way = visit(path), WAYS[path]
    moments = sum(way.phases.values())
    told, chips, lines, pictures = walk(page, moments)
    assert chips == [f"{name} {k}/{n}" for name, n in way.phases.items() for k in range(1, n + 1)]
    assert {moment: lines[moment] for moment in way.lines} == way.lines
    for moment, text in way.told.items():
        assert text in told[moment]
    assert len(set(told)) == moments
    assert not any(alike(one, other) for one, other in pairwise(pictures))
    if not path.startswith("/dynamic_graph"):  # where another step follows
        press(page, "ArrowRight")
        assert story(page) == told[-1]
    for moment in reversed(range(moments - 1)):
        press(page, "ArrowLeft")
        assert story(page) == told[moment]
        if moment % 4 == 0:  # a picture takes long
            assert alike(graph(page).screenshot(), pictures[moment], most=way.apart)
    assert step(page) == 0


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_the_story_moves_nothing_on_a_wide_screen_and_wastes_none_of_a_small_one(
    visit, width, height
):
    page = visit("/static_graph_and_sessions?moment=0", viewport={"width": width, "height": height})
    tops, empty = [], []
    for moment in range(23):
        if moment:
            press(page, "ArrowRight")
        tops.append(graph(page).bounding_box()["y"] + page.evaluate("scrollY"))
        told = page.locator(".story p.on")
        line = float(told.evaluate("told => parseFloat(getComputedStyle(told).lineHeight)"))
        room, used = page.locator(".story").bounding_box(), told.bounding_box()
        empty.append((room["height"] - used["height"]) / line)
    if width > 640:
        assert max(tops) - min(tops) < 1
    else:
        assert max(empty) < 2.5  # one line of text in room for three, and the padding
        assert sorted(tops)[-4] - tops[-1] < 1  # only the longest moments take more
