"""The player, and what follows it in the browser without asking the server. Knows no engines.

    timeline = Timeline(every_step({"loss": losses, "w": ws}), last_step=800)
    player(timeline)                                    # the bar: play, pause, step back
    live(f"w is now {now('w')}", key="sentence")        # text
    listing(source, {"w = w -": Computed([3], "w_next")}, title="The listing", key="code")
    show(loss_curve(trace, timeline), key="curve", height=300)      # a picture, see figure.py
    wording.markdown("Words that stay as they are.")                # see wording.py

Each number that changes with the step is a Series. All of them are sent once, by `player`; charts
name their value at the step shown with `timeline.now(name)`, texts and listings with `now(name)`.
"""

from views.player.bar import READOUT, SPEEDS, WORDS, Readout, player
from views.player.caching import cached
from views.player.figure import (
    DECADES,
    FAINT,
    INK,
    LABEL,
    NOW,
    POWER,
    STATE,
    TEXT,
    Drawing,
    Figure,
    Filling,
    between,
    decades,
    drawing,
    frame,
    in_lecture,
    mark,
    picture,
    readable,
    show,
    sized,
)
from views.player.listings import Computed, highlighted, listing, part
from views.player.parts import Part, Parts, columns, component, note, noting, on_page
from views.player.story import Moment, Story, paragraphs, say, show_story
from views.player.text import during, live, now, reached
from views.player.timeline import (
    MOMENT,
    NEXT,
    PHASE,
    STEP,
    WHOLE_STEPS,
    Phase,
    Series,
    Timeline,
    every_step,
    some_steps,
)

__all__ = [
    "DECADES",
    "FAINT",
    "INK",
    "LABEL",
    "MOMENT",
    "NEXT",
    "NOW",
    "PHASE",
    "POWER",
    "READOUT",
    "SPEEDS",
    "STATE",
    "STEP",
    "TEXT",
    "WHOLE_STEPS",
    "WORDS",
    "Computed",
    "Drawing",
    "Figure",
    "Filling",
    "Moment",
    "Part",
    "Parts",
    "Phase",
    "Readout",
    "Series",
    "Story",
    "Timeline",
    "between",
    "cached",
    "columns",
    "component",
    "decades",
    "drawing",
    "during",
    "every_step",
    "frame",
    "highlighted",
    "in_lecture",
    "listing",
    "live",
    "mark",
    "note",
    "noting",
    "now",
    "on_page",
    "paragraphs",
    "part",
    "picture",
    "player",
    "reached",
    "readable",
    "say",
    "show",
    "show_story",
    "sized",
    "some_steps",
]
