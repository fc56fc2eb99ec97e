"""Home: one problem, every engine's run of it side by side, and the way to each page.

A string that stands alone in this file is text on the page, as is usual with Streamlit.
"""

from importlib import import_module

import streamlit as st

from engines.problem import preset
from engines.trace import record
from views.player import Timeline, cached, player, show
from views.regression import agreement
from views.regression import settings as regression
from views.ui import shell
from views.ui.palette import ENGINES

FILE = "app.py"
REFERENCE, *OTHERS = ENGINES
NEED_NO_FRAMEWORK = ["numpy_loops"]


@cached
def run(engine, problem, steps, learning_rate):
    """The engine's run. Its framework is imported here, once somebody asks for it."""
    train = import_module(f"engines.regression.{engine}").train
    shell.settle(engine)
    return record(train(problem, steps=steps, learning_rate=learning_rate))


controls = shell.open_page(FILE)
"""
Each page trains a small model for real, in NumPy, PyTorch or TensorFlow, and records every step.
Press **play** and watch a parabola learn its two numbers w and b; then drag the handle and run time
backwards.
"""
problem = preset("numpy_article")
settings = problem.steps, problem.learning_rate
trace = run(REFERENCE, problem, *settings)
ready = st.session_state.get("frameworks") and "frameworks are ready" in st.session_state
runs = {
    engine: run(engine, problem, *settings) for engine in (OTHERS if ready else NEED_NO_FRAMEWORK)
}
compared = agreement.followed({REFERENCE: trace, **runs}, ("w", "b"))
timeline = Timeline(regression.followed(trace) | compared, last_step=len(trace) - 1)
refused = st.container()
player(timeline)
regression.overview(problem, trace, timeline)

"""
### One problem, five engines
The same descent, written five times. Twice in NumPy, with the gradient worked out by hand. Once in
PyTorch, whose **autograd** follows the operations as they run and finds the gradient itself. Twice
in TensorFlow: with a **tape** that writes the operations down as they run, and as a graph drawn up
beforehand and run in a **session**. Laid over each other the runs would be one line. So here is
what is left when one is subtracted from another: the last of their sixteen digits, where the order
of additions shows. (Relative: divided by the largest value so far.)
"""
asked = controls.flag("Train it in PyTorch and TensorFlow too", "frameworks")
with refused:
    controls.say_refused(timeline)
busy = st.empty()
left, right = st.columns([4, 5])
with left:
    agreement.digits([REFERENCE, *runs], ("w", "b"))
    worst = max(timeline.series[f"{engine}_apart"].values.max() for engine in runs)
    f"""
    The largest relative difference in loss, w, b or gradient, over all {len(trace)} steps and
    {len(runs) + 1} engines: **{worst:.1e}**.
    """
with right:
    differences = agreement.differences(list(runs), timeline, allowed=1e-12)
    show(differences, key="differences", height=340, in_hall=600)

"### The path"
shell.path_to_pages(FILE)

# The page is painted. Only now, and only if somebody asked, are the frameworks imported.
if asked and not ready:
    with busy, st.spinner("Loading PyTorch and TensorFlow and training in both: a few seconds."):
        for engine in OTHERS:
            run(engine, problem, *settings)
    st.session_state["frameworks are ready"] = True
    st.rerun()
