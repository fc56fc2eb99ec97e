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
    "child": "engines.benchmark.child",
    "numpy_vectorized": "engines.regression.numpy_vectorized",
    "tf_baked_in": "engines.static_graph_and_sessions.baked_in",
    "tf_baked_in_graph": "engines.static_graph_and_sessions.baked_in_graph",
    "tf_control_flow": "engines.recurrent.tf_cells",
    "tf_control_flow_graph": "engines.recurrent.tf_graphs",
    "tf_growth": "engines.static_graph_and_sessions.growing_graph",
    "tf_looked": "engines.static_graph_and_sessions.one_run",
    "tf_race": "engines.static_graph_and_sessions.race",
    "tf_race_graph": "engines.static_graph_and_sessions.race_graph",
    "tf_session": "engines.regression.tf_session",
    "tf_sum": "engines.static_graph_and_sessions.adding",
    "tf_traced": "engines.static_graph_and_sessions.tracing",
    "tf_two_layers": "engines.network.tf_session",
    "tf_two_sessions": "engines.static_graph_and_sessions.two_sessions",
    "tf_update_graphs": "engines.static_graph_and_sessions.update_graphs",
    "tf_update_styles": "engines.static_graph_and_sessions.update_styles",
    "torch_recurrent": "engines.recurrent.torch_cell",
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
sections.hidden_race(controls, engines, article, lecture=lecture)

"""
### The data baked in
The article's first listing ran and printed good numbers, and its data could not be changed.
"""
sections.data_baked_in(controls, engines, problem, **settings, lecture=lecture)

"""
### Three ways to update
An **optimiser** is an object that adds the update to the graph. It can be asked to do that in two
ways, and one can do without it. Each listing has the loss of the same straight line, y_pred =
w·x + b; `between` is what may be done to a gradient before it is used: so far, nothing.
"""
sections.three_updates(controls, engines, lecture=lecture)

"### Paid once, used often"
measuring = sections.first_and_later_calls(controls, engines, lecture=lecture)

"### Control flow inside the graph"
sections.control_flow(controls, engines, lecture=lecture)
"#### `tf.function`: traced, then reused"
sections.traced_functions(controls, engines, lecture=lecture)

"""
### A network of two layers
A larger model, y_pred = relu(x·w1)·w2 with 101,000 weights, in both frameworks, from one start.
"""
sections.two_networks(controls, engines, lecture=lecture)

"### Where it breaks"
sections.mistakes(controls, engines, article, *asked.numbers, lecture=lecture)

with refused:
    controls.say_refused(timeline)
st.info(
    "A graph says how; only a session computes. It starts at what you fetch, walks back, leaves "
    "out what is not needed, rewrites the rest, and keeps the values of variables until it closes."
)
shell.close_page(FILE)
measuring.run()  # when all of the page is there
