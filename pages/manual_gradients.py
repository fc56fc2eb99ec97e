"""Manual gradients (E1, E2). A string that stands alone in this file is text on the page."""

import streamlit as st

from engines.experiments import EXPERIMENTS
from engines.problem import preset
from engines.regression import numpy_loops, numpy_vectorized
from engines.regression.gradient_check import WIDTHS
from views.manual_gradients import mistakes, runs, timing
from views.player import listing, player, show, source_of
from views.regression import agreement, charts, sections, settings
from views.ui import shell

FILE = "pages/manual_gradients.py"
PRESETS = {
    "numpy_article": "Parabola, as printed",
    "numpy_article_straight": "Parabola, run top to bottom",
    "loops_article": "Line through noisy points",
    "own": "Your own data",
}

controls = shell.open_page(FILE)
with shell.settings():
    problem, rate, steps = settings.choose(controls, PRESETS, max_steps=8000)
mistake = controls.chosen("mistake", mistakes.MISTAKES)
trace = runs.run(problem, steps, rate).trace
timeline = runs.timeline(problem, steps, rate, mistake)
with st.container():  # what may come and go must not move what follows
    controls.say_refused(timeline)
player(timeline)

sections.overview(problem, trace, timeline)
sections.verdict(problem, trace, rate)
"""
The **model** is a curve with two numbers to learn, w and b. The yellow lines are its **residuals**,
and the **loss** is one number for all of them: their squares, added up in one of three ways.
**Least squares** is the w and b with the smallest loss. The **gradient** says how fast the loss
grows when w, or b, grows a little. The orange arrow points the other way: downhill, at a right
angle to the curves of equal loss. It shrinks with the gradient (with its square root, to stay
visible).

### Who pulls?
The gradient is a sum with one term for each point: the residual, times what the parameter is
multiplied by in the model, times the factor of the loss. The update subtracts it, so a bar below
zero pulls the parameter up. Points far from the curve pull hardest; points near x = 0 have little
say in w. Training rests when the pulls cancel (the axis follows them as they shrink).
"""
for place, parameter in zip(st.columns(2), ("w", "b"), strict=True):
    pulls = charts.contributions(problem, timeline, to=parameter)
    with place:
        show(pulls, key=f"pull_{parameter}", height=300, in_hall=560)
"""
### The formulas, with this step's numbers
w moves the predictions ŷ, and the predictions move the loss L. The **chain rule** multiplies the
two slopes, point by point, and adds them up. Then each parameter takes a step against its gradient;
the **learning rate** η says how long a step.
"""
sections.formulas(problem, rate)

"""
### The code that ran
Beside each line stands what it computed at the step shown (in the loop, after its last point).
Switch on slow motion in the player to go through a step phase by phase.
"""
listings = {
    "numpy_vectorized.py: whole arrays at once": numpy_vectorized.train,
    "numpy_loops.py: one point at a time": numpy_loops.train,
}
places = shell.side_by_side(2)
for place, (title, train) in zip(places, listings.items(), strict=True):
    with place:
        listing(source_of(train), sections.COMPUTED, title=title, key=title)
if st.button("Time both on this machine", on_click=controls.moved):
    timing.compare(problem, rate)

"### Is the gradient right? Ask the loss"
left, right = st.columns(2)
with left:
    """
    A slope can be measured without calculus: move w a little to both sides and see how the loss
    changes. This **central difference**, (L(w + h) − L(w − h)) / 2h, knows nothing of the formulas
    above, so its agreement means something.

    How wide should h be? The one-sided **forward difference** is off by h times half the curvature:
    a wide h is bad. A narrow one is bad too: two nearly equal losses, each known to 16 digits, are
    subtracted and the rest is divided by h. Together they make a V. The central difference has only
    one arm here: the other comes from the third derivative, and a quadratic loss has none. The
    shaded band is what rounding excuses. A circle above it means a wrong gradient. (h is relative
    to the larger of 1, |w| and |b|; the table has h = 0.00001.)
    """
    sections.check_in_numbers()
with right:
    error = agreement.gradient_error(timeline, WIDTHS)
    show(error, key="gradient_error", height=400, in_hall=660)

"""
### Where it breaks
Each of these is a real run with one thing wrong. Choose one, say how you think it ends, then look.
"""
mistakes.choose(controls)
if mistake:
    mistakes.tell(mistake, runs.run(problem, steps, rate, mistake), trace, problem, timeline)

variants = preset("numpy_article_straight"), preset("numpy_article")
once, thrice = (runs.run(p, p.steps, p.learning_rate).trace.final.params for p in variants)
digits = EXPERIMENTS["E1"].printed
f"""
### The digits that would not come out
The article prints w = {digits["w"]} and b = {digits["b"]}. Run its notebook from top to bottom and
you get w = {once["w"]:.8f} and b = {once["b"]:.8f}. Run the cell that draws the first w and b three
times, and then train: **w = {thrice["w"]:.8f}, b = {thrice["b"]:.7f}**, every digit. The seed was
set in another cell, so each run of this one drew new numbers. A notebook remembers what its page no
longer shows. Both variants are among the data at the top.
"""

st.info(
    "A gradient is a sum of pulls, and following it is a subtraction. A framework finds the sum."
)
shell.close_page(FILE)
