"""A chapter of the page on GPU speedup by itself, with a child that says what it is told to."""

from __future__ import annotations

import streamlit as st

from tests.support.visit import live_texts, visit_section, words
from views.ui.controls import Controls
from views.ui.measuring import Measuring
from views.ui.shell import Here


def chapter(name, answers=(), state=(), **query):
    """Visit it. answers: the events of what is measured; an exception among them is raised.

    state: more for the session: `devices` by framework, `cores`, `recordings` by name.
    """
    return visit_section(
        _section, {"chapter": name, "answers": list(answers), **dict(state)}, **query
    )


def measure(at):
    """Press the button that measures."""
    [button] = [one for one in at.button if (one.key or "").startswith("measure ")]
    button.click().run()
    assert not at.exception
    return at


def told(at):
    """All that is written on the page and on its stage, with bold words marked as in Markdown."""
    story = live_texts(at).replace("<b>", "**").replace("</b>", "**")
    return "\n".join([words(at), story, *(caption.value for caption in at.caption)])


def _section():
    from tests.support.chapters import run

    run()


def run():
    """The script of such a visit."""
    from views.gpu_speedup import clock, roof, training_step, traps
    from views.gpu_speedup.this_machine import Server

    state = st.session_state

    def in_child(arguments, *, seconds):
        state.setdefault("ran", []).append(arguments)
        answers = list(state["answers"])

        def results():  # in a thread, which has no session
            yield None
            for answer in answers:
                if isinstance(answer, Exception):
                    raise answer
                yield answer

        return results()

    measuring = Measuring(in_child)
    here = Here(Controls("section"), state["chapter"], "", False, st.container())
    kinds = state.get("devices", {})
    found = [
        {"framework": framework, "kind": kind, "found": True, "name": kind}
        for framework in ("numpy", "torch", "tensorflow")
        for kind in ("cpu", *kinds.get(framework, ()))
    ]
    server, recordings = Server(state.get("cores", 2), tuple(found)), state.get("recordings", {})
    match here.name:
        case "traps":
            st.markdown(traps.show_stage(here, measuring, device=server.device))
        case "clock":
            st.markdown(clock.show_stage(here, measuring))
        case "roof":
            roof.show_stage(here, measuring, server, recordings)
        case "training_step":
            training_step.show_stage(here, measuring, server, recordings)
    measuring.run()
