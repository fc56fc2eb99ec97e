"""Static graph and sessions (E6, E7, E8, E9, E11). A string that stands alone is page text."""

import streamlit as st

from engines.problem import preset
from views.player import player
from views.ui import shell

FILE = "pages/static_graph_and_sessions.py"
PRESETS = {"session_article": "Parabola, as in the article", "own": "Your own data"}

controls = shell.open_page(FILE)
with shell.loading("TensorFlow and PyTorch"):
    from views.network import comparison
    from views.regression import agreement, sections, settings
    from views.static_graph_and_sessions import (
        ask,
        baked_in,
        control_flow,
        drawing,
        first_calls,
        growing_graph,
        mistakes,
        printed_table,
        race,
        runs,
        story,
        tracing,
        two_sessions,
        update_styles,
        watching,
    )
article = preset("session_article").astype("float32")
"""
In a **static graph** two things happen at two times. First the lines of a program *build*: each
adds operations to a graph, and nothing is computed. Then a **session** *runs* what it is asked to
**fetch**, with what it is **fed**. Go through both with the arrow keys.
"""
with shell.settings():
    request = ask.choose(controls)
refused, stage = st.container(), st.container()  # filled when the data below are known
with st.expander("Data, rate and steps of the regression"):
    problem, rate, steps = settings.choose(controls, PRESETS, max_steps=4000)
problem = problem.astype("float32")  # as the article's placeholders
run = runs.run(request, problem, rate)
told = story.story_of(run)
timeline = runs.timeline(problem, steps, rate, told.parts)
with stage:
    readout = story.readout(run)
    with player(timeline, readout=readout, phases=story.PHASES, of=request.listing):
        told.show(key="story")
    drawing.show_both(run)
    left, right = st.columns(2)
    with left:
        story.code(run, told)
    with right:
        ask.tell(run)
        ask.eager(run)

"""
### What runs is what you fetch
Choose **the regression** above: y_pred = w·x² + b through 100 points, the loss the mean of its
squared errors. Fetch and feed what you like. Where something is missing, the session says so.
"""
watching.predict(article)
"#### Watching changes what runs"
watching.section(controls, article)

"""
### What lives in a session
A **variable** is a part of the graph that may change its value. Here it is a total, and each run
adds to it an amount that is fed. Two sessions run the same graph.
"""
two_sessions.section(*request.numbers)

"""
### The training
One run of the session for each step of the player, without slow motion. Each run fetches the loss,
both gradients and both updates; the curve is computed outside, from w and b.
"""
trace = runs.trained(problem, steps, rate)
sections.overview(problem, trace, timeline)
sections.verdict(problem, trace, rate)
"#### By hand and by the graph: the same gradients"
agreement.compare(runs.ENGINES, runs.GRADIENTS, timeline)
"#### The table that the article printed"
printed_table.compare(runs.trained(article, article.steps, article.learning_rate))

"""
### A race that no edge decides
The listing that printed this table fetches w and b beside their assignments, in one run. Its row
for step 0 is the start, so there they were read first. Did it have to be so?
"""
race.section(controls, article)

"""
### The data baked in
The article's first listing ran and printed good numbers, and its data could not be changed.
"""
baked_in.section(controls, problem, steps=steps, learning_rate=rate)

"""
### Three ways to update
An **optimiser** is an object that adds the update to the graph. It can be asked to do that in two
ways, and one can do without it. Each listing has the loss of the same straight line, y_pred =
w·x + b; `between` is what may be done to a gradient before it is used: so far, nothing.
"""
update_styles.section(controls)

"""
### Paid once, used often
A static graph is built, pruned, optimised and placed **once**, and then run many times. Eager code
has nothing to prepare, and decides everything anew at each operation. Which is faster depends on
how many steps follow. So here both parts are timed, for a session that runs a graph, for
`tf.function`, which **traces** a Python function (runs it once to record its operations) and keeps
a graph of them, and for the eager modes of TensorFlow and PyTorch. All take the same step: predict,
find the gradients, update, read the loss. Each of the 8 measurements starts a process of its own;
together they take about half a minute.
"""
measuring = first_calls.section(controls)

"""
### Control flow inside the graph
A **recurrent cell** reads a word letter by letter: from its state h and the letter x_t it makes the
next state, each time with the same parameters u, w and b. On the dynamic page Python's `for` and
`if` see to that, because PyTorch builds its graph while the word is read. A static graph is
finished before there is a word. Either the loop and the branch are **operations** of the graph, as
in the first listing. Or Python's loop runs while the graph is built and leaves a copy of the cell
for each letter, as in the second: the loop is **unrolled**.
"""
control_flow.section(controls)
"#### `tf.function`: traced, then reused"
tracing.section(controls)

"""
### A network of two layers
A larger model, y_pred = relu(x·w1)·w2 with 101,000 weights, in both frameworks, from one start.
"""
comparison.in_both_frameworks(controls)

"""
### Where it breaks
Each mistake is really made, and the error is TensorFlow's own.
"""
mistakes.in_a_session(controls, *request.numbers)
"""
In a loop of TensorFlow 1 a line that looks like arithmetic adds operations to the graph. Here
`tf.reduce_mean(tf.abs(y_pred - y))`, meant for a log, stands inside the training loop. Every number
it prints is right.
"""
growing_graph.section(controls, article)

with refused:
    controls.say_refused(timeline)
st.info(
    "A graph says how; only a session computes. It starts at what you fetch, walks back, leaves "
    "out what is not needed, rewrites the rest, and keeps the values of variables until it closes."
)
shell.close_page(FILE)
measuring.run()  # when all of the page is there
