"""The page of one's own training. A string that stands alone in this file is text on the page."""

import os
from pathlib import Path

import streamlit as st

from engines.own_training.recording import Recording, load
from views.own_training import its_end, take_away, the_graph, the_training
from views.ui import shell
from views.ui.contents import Chapter

CHAPTERS = (
    Chapter("graph", "The graph", "What does a step of this training build, and walk back?"),
    Chapter("training", "The training", "What becomes of the loss, and of the gradients?"),
)


@st.cache_resource(show_spinner=False)
def recorded(file: str) -> Recording:
    return load(Path(file))


recording = recorded(os.environ["BACKSTEP_RECORDING"])
here = shell.open_alone(recording.title, CHAPTERS)
its_end.tell_error(here, recording)
match here.name:
    case "graph":
        the_graph.show_stage(here, recording)
        """
        These are PyTorch's own objects, read while the program ran. Going forward, each operation
        attaches one to its result, and that points to the objects of what it was computed from.
        `backward()` walks them from the loss to the **leaves**, the parameters, and adds to their
        `.grad`. A dashed box stands for all objects of a module; a click opens it. Where two
        numbers stand with dots between them, they are the smallest and the largest of an array.
        """
    case "training":
        the_training.show_stage(here, recording)
        """
        The size is the Euclidean norm: the root of the sum of all squares. Gradients are as
        `backward()` left them in `.grad`, before anything clips them; where several parameters
        have one line, it is the norm of all of them together. Practically 0 is what stays below a
        millionth of the largest at every step: float32 leaves no more of a gradient that is zero.
        """
here.controls.say_refused()
its_end.tell_end(recording)
take_away.offer(recording)
