"""Home: one problem, every engine's run of it side by side, and the path to each page.

A string that stands alone in this file is text on the page, as is usual with Streamlit.
"""

import streamlit as st

from engines.problem import preset
from engines.regression import numpy_loops, numpy_vectorized
from views.player import Timeline, player, show
from views.regression import agreement, sections
from views.regression.runs import trained
from views.ui import shell
from views.ui.numbers import number

FILE = "app.py"

controls = shell.open_page(FILE)
"""
Each page trains a small model for real, in NumPy, PyTorch or TensorFlow, and records every step.
Press **play** and watch a parabola learn its two numbers w and b; then drag the handle and run time
backwards.
"""
problem = preset("numpy_article")
settings = {"steps": problem.steps, "rate": problem.learning_rate}
trace = trained("numpy_vectorized", numpy_vectorized.train, problem, **settings)
runs = {
    "numpy_vectorized": trace,
    "numpy_loops": trained("numpy_loops", numpy_loops.train, problem, **settings),
}
ready = st.session_state.get("frameworks") and "frameworks are ready" in st.session_state
if ready:
    from views.regression import frameworks

    runs |= frameworks.runs(problem, **settings)
compared = agreement.followed(runs, ("w", "b"))
timeline = Timeline(sections.followed(trace) | compared, last_step=len(trace) - 1)
refused = st.container()
player(timeline)
sections.overview(problem, trace, timeline)

"""
### One problem, five engines
The same descent, written five times. Twice in NumPy, with the gradient worked out by hand. Once in
PyTorch, whose **autograd** follows the operations as they run and finds the gradient itself. Twice
in TensorFlow: with a **tape** that records the operations as they run, and as a graph that is built
beforehand and run in a **session**. In one chart the five runs would be one line. So here is what
is left when one is subtracted from another: the last of their sixteen digits, where the order of
additions shows. (Relative: divided by the largest value so far.)
"""
asked = controls.flag("Train it in PyTorch and TensorFlow too", "frameworks")
with refused:
    controls.say_refused(timeline)
busy = st.container()
left, right = st.columns([4, 5])
others = list(runs)[1:]
with left:
    agreement.digits(list(runs), ("w", "b"))
    worst = max(timeline.series[f"{engine}_apart"].values.max() for engine in others)
    f"""
    The largest relative difference in loss, w, b or gradient, over all {len(trace)} steps and
    {len(runs)} engines: **{number(worst, 2)}**.
    """
with right:
    differences = agreement.differences(others, timeline, allowed=1e-12)
    show(differences, key="differences", height=340, in_hall=600)

"### The path"
shell.path_to_pages(FILE)

# The page is painted. Only now, and only if somebody asked, are the frameworks imported.
if asked and not ready:
    with busy, shell.loading("PyTorch and TensorFlow"):
        from views.regression import frameworks
    with busy, st.spinner("Training in both"):
        frameworks.runs(problem, **settings)
    st.session_state["frameworks are ready"] = True
    st.rerun()
