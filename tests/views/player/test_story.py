"""What slow motion tells belongs to its moments, and marks the lines that run."""

from __future__ import annotations

import re

from tests.support.visit import live_texts, visit_section
from views.player import Computed, Moment, Story, paragraphs

STORY = Story(
    [
        Moment(0, "It predicts.", "y ="),
        Moment(2, "It goes <b>back</b>.", "loss.backward"),
        Moment(2, "Further back.", "loss.backward"),
        Moment(3, "Nothing in the listing does this."),
    ],
    whole="All of it.",
)


def test_a_story_has_as_many_parts_as_moments_and_a_phase_may_be_empty():
    assert STORY.parts == (1, 0, 2, 1)


def test_a_line_is_marked_at_all_its_moments_and_none_where_none_runs():
    assert STORY.computed == {"y =": Computed([0]), "loss.backward": Computed([1, 2])}


def test_each_moment_has_a_paragraph_and_the_last_is_for_outside_slow_motion():
    assert paragraphs(["one", "other"]) == (
        '<p data-moments="0">one</p><p data-moments="1">other</p>'
    )

    def page():
        from tests.views.player.test_story import STORY

        STORY.show(key="story")

    told = re.findall(r'<p data-moments="(\d)">(.*?)</p>', live_texts(visit_section(page)))
    texts = [*(moment.text for moment in STORY.moments), "All of it."]
    assert told == [(str(m), text) for m, text in enumerate(texts)]
