"""A mistake is chosen, how it ends is said first, and only then its story is told."""

from __future__ import annotations

import re

from tests.support.visit import edits, live_texts, visit_section, words
from views.ui.mistakes import Told, told_in


def test_mistakes_are_told_in_a_file_beside_the_module(tmp_path):
    (tmp_path / "mistakes.toml").write_text('[sign]\nlabel = "Wrong sign"\nstory = "It climbs."\n')
    assert told_in(str(tmp_path / "mistakes.py")) == {"sign": Told("Wrong sign", "It climbs.")}


def page():
    from views.ui import mistakes
    from views.ui.controls import Controls

    told = {
        "sign": mistakes.Told("Wrong sign", "It climbs because it steps uphill."),
        "none": mistakes.Told("No step", "It stays."),
    }
    controls = Controls("this page")
    chosen = mistakes.choose(controls, told)
    if chosen:
        right, wrong = "w -= rate * grad", "w += rate * grad"
        ends = {"up": "the loss climbs", "down": "the loss falls"}
        if mistakes.predict(told[chosen], right, wrong, ends, "up", key="ends"):
            source = f"start()\n{wrong}\nend()\n"
            mistakes.listing_that_ran(source, right, wrong, key="ran")
    controls.say_refused()


def test_without_a_mistake_nothing_is_asked():
    at = visit_section(page)
    assert at.button_group[0].options
    assert len(at.button_group) == 1
    assert not at.code


def test_right_stands_beside_wrong_and_the_story_waits_for_an_answer():
    at = visit_section(page, mistake="sign")
    assert edits(at) == ["w -= rate * grad", "w += rate * grad"]
    assert "uphill" not in words(at)
    question = at.button_group[1]
    offered = list(question.options)
    assert offered == ["the loss climbs", "the loss falls", "just show me"]
    question.set_value("up").run()
    assert "Yes: **the loss climbs**." in words(at)
    assert "It climbs because it steps uphill." in words(at)
    listing = re.sub("<[^>]*>", "", live_texts(at))
    assert "w += rate * grad" in listing
    assert "start()" in listing


def test_an_address_that_names_no_mistake_is_refused():
    at = visit_section(page, mistake="<nonsense>")
    assert "The address asks for mistake" in at.warning[0].value
    assert not at.code
