"""Static graph and sessions (E6, E7, E8, E9, E11). A string that stands alone is page text."""

from functools import partial
from importlib import import_module
from types import SimpleNamespace

import numpy as np
import streamlit as st

from engines.problem import preset
from engines.trace import record
from views.player import Timeline, cached, in_lecture, player, source_of
from views.regression import agreement
from views.regression import settings as regression
from views.static_graph_and_sessions import ask, sections, story, watching
from views.static_graph_and_sessions import printed_table as printed
from views.static_graph_and_sessions.drawing import show_both
from views.static_graph_and_sessions.moments import PHASES, moments, parts
from views.ui import shell

FILE = "pages/static_graph_and_sessions.py"
PRESETS = {"session_article": "Parabola, as in the article", "own": "Your own data"}
ENGINES, GRADIENTS = ("numpy_vectorized", "tf_session"), ("grad_w", "grad_b")
LOADED = {
    "numpy_vectorized": "engines.regression.numpy_vectorized",
    "tf_looked": "engines.static_graph_and_sessions.one_run",
    "tf_session": "engines.regression.tf_session",
    "tf_sum": "engines.static_graph_and_sessions.adding",
    "tf_two_layers": "engines.network.tf_session",
    "tf_two_sessions": "engines.static_graph_and_sessions.two_sessions",
    "torch_two_layers": "engines.network.torch_two_layers",
    "two_layers": "engines.network.compare",
}


@st.cache_resource(show_spinner="Loading TensorFlow and PyTorch: some seconds, once.")
def load():
    engines = {name: import_module(module) for name, module in LOADED.items()}
    shell.settle("TensorFlow and PyTorch")
    return SimpleNamespace(**engines)


@cached
def look(problem, rate, asked):
    about = {"numbers": asked.numbers, "learning_rate": rate, "fetches": asked.fetches}
    how = {"feeds": asked.feeds, "rewrite": asked.rewrite}
    return engines.tf_looked.look(asked.listing, problem, **about, **how)


@cached
def trained(engine, problem, **settings):
    return record(getattr(engines, engine).train(problem, **settings))


@cached
def play(problem, in_parts, **settings):
    runs = [trained(engine, problem, **settings) for engine in ENGINES]
    series = agreement.followed(dict(zip(ENGINES, runs, strict=True)), GRADIENTS)
    series |= regression.followed(runs[1])
    return Timeline(series, len(runs[1]) - 1, parts=in_parts, slow_at=np.array([0]), slow=True)


controls, lecture = shell.open_page(FILE), in_lecture()
with shell.loading("PyTorch and TensorFlow"):
    engines = load()
    from views.static_graph_and_sessions import (
        baked_in,
        control_flow,
        first_calls,
        race,
        tracing,
        update_styles,
    )
article = preset("session_article").astype("float32")
"""
In a **static graph** two things happen at two times. First the lines of a program *build*: each
adds operations to a graph, and nothing is computed. Then a **session** *runs* what it is asked to
**fetch**, with what it is **fed**. Go through both with the arrow keys.
"""
with shell.settings():
    asked = ask.choose(
        controls,
        engines.tf_looked.FETCHES,
        engines.tf_looked.FEEDS,
    )
refused, stage = st.container(), st.container()  # filled when the data below are known
with st.expander("Data, rate and steps of the regression"):
    problem, rate, steps = regression.choose(controls, PRESETS, max_steps=4000)
problem = problem.astype("float32")  # as the article's placeholders
settings = {"steps": steps, "learning_rate": rate}
looked = look(problem, rate, asked)
happened = moments(looked, initialized=asked.initialized)
timeline = play(problem, parts(happened), **settings)
readout = story.readout(happened, loss=asked.hands_out_loss and not looked.message)
with stage:
    with player(timeline, readout=readout, phases=PHASES, of=asked.listing):
        story.story(looked, happened, asked.call, asked.names)
    show_both(looked, happened, key=(str(asked), problem, rate), lecture=lecture)
    code, told = st.columns(2)
    with code:
        listing = engines.tf_looked.LISTINGS[asked.listing]
        story.code(looked, happened, source_of(listing), asked.call)
    with told:
        ask.tell(looked, asked)
        ask.at_once(engines.tf_sum.at_once, asked)

"""
### What runs is what you fetch
Choose **the regression** above: y_pred = w·x² + b through 100 points, the loss the mean of its
squared errors. Fetch and feed what you like. Where something is missing, the session says so.
"""
look_at_article = partial(look, article, article.learning_rate)
watching.predict(look_at_article)
"#### Watching changes what runs"
watching.choose(controls, look_at_article, lecture=lecture)

"### What lives in a session"
sections.two_sessions(engines, *asked.numbers, lecture=lecture)

"""
### The training
One run of the session for each step of the player, without slow motion. Each run fetches the loss,
both gradients and both updates; the curve is computed outside, from w and b.
"""
trace = trained("tf_session", problem, **settings)
regression.overview(problem, trace, timeline, lecture=lecture)
regression.verdict(problem, trace, rate)
"#### By hand and by the graph: the same gradients"
agreement.compare(ENGINES, GRADIENTS, timeline, lecture=lecture)
"#### The table that the article printed"
how = {"steps": article.steps, "learning_rate": article.learning_rate}
printed.compare(trained("tf_session", article, **how))

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
sections.two_networks(controls, engines, lecture=lecture)

"""
### Where it breaks
In a loop of TensorFlow 1 a line that looks like arithmetic adds operations to the graph. Here
`tf.reduce_mean(tf.abs(y_pred - y))`, meant for a log, stands inside the training loop. Every number
it prints is right.
"""
sections.mistakes(controls, engines, article, *asked.numbers, lecture=lecture)

with refused:
    controls.say_refused(timeline)
st.info(
    "A graph says how; only a session computes. It starts at what you fetch, walks back, leaves "
    "out what is not needed, rewrites the rest, and keeps the values of variables until it closes."
)
shell.close_page(FILE)
measuring.run()  # when all of the page is there
