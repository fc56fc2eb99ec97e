"""Dynamic graph (E3, E4, E5, E9). A string that stands alone in this file is text on the page."""

from importlib import import_module

import streamlit as st

from engines.dynamic_graph import mistakes as torch_mistakes
from engines.dynamic_graph import run as torch_looked
from engines.recurrent import torch_cell
from engines.regression import torch_autograd
from views.dynamic_graph import graph_drawing, lifetime, mistakes, recurrent, story, stream, tape
from views.dynamic_graph.runs import ENGINES, GRADIENTS, dynamic_timeline
from views.player import cached, in_lecture, kept, player, show, source_of
from views.regression import sections as regression
from views.regression import settings as data_settings
from views.regression.agreement import compare
from views.ui import shell

FILE = "pages/dynamic_graph.py"
PRESETS = {"autograd_article": "Parabola, as in the article", "own": "Your own data"}
shell.settle("torch")
count, published_end = kept(torch_looked.count), kept(torch_looked.published_end)
broken, word_of = kept(torch_mistakes.run), kept(torch_cell.look_at)


@cached
def streamed(batch, learning_rate):
    trace, batches = torch_looked.stream(batch, learning_rate)
    return trace, stream.shown(batches)


@st.cache_resource(show_spinner="Loading TensorFlow: a few seconds.")
def recorders():
    engines = [
        import_module(f"engines.dynamic_graph.{name}") for name in ("tape", "torch_listings")
    ]
    shell.settle("tf_recorded")
    return engines


@cached
def in_both(*numbers):
    return [(engine.record(*numbers), engine.run_all(*numbers)) for engine in recorders()]


@cached
def run(problem, mistake, of_stream, **settings):
    looked = torch_looked.look(problem, **settings)
    wrong = broken(mistake, problem, **settings) if mistake else None
    return looked.trace, looked.steps[:3], dynamic_timeline(looked, wrong, *streamed(*of_stream))


controls, lecture = shell.open_page(FILE), in_lecture()
tall = 560 if lecture else 300
with shell.settings():
    problem, rate, steps = data_settings.choose(controls, PRESETS, max_steps=2000)
problem = problem.astype("float32")  # as PyTorch computes unless it is told otherwise
mistake, of_stream = controls.chosen("mistake", mistakes.MISTAKES), stream.chosen(controls)
settings = {"steps": steps, "learning_rate": rate}
trace, graphs, timeline = run(problem, mistake, of_stream, **settings)
first, point = graphs[0], torch_looked.followed_point(problem)
node = graph_drawing.chosen(controls, first)
refused = st.container()  # what may come and go must not move what follows
player(timeline, readout=story.readout(first))

code, graph = st.columns(2)
with code:
    story.story(first, timeline)
    story.code(first, source_of(torch_autograd.train), title="torch_autograd.py")
    """
    These are PyTorch's own objects, read while the listing ran. Going forward, each operation
    attaches a new one to its result. `backward()` walks from the loss to the leaves: each object
    multiplies what it is handed by its **local derivative** (how fast its result grows with its
    input) and hands that on. Until then a gradient is none. The two numbers are the smallest and
    the largest entry of an array, the bars some of its entries, in order; () is a single number.
    """
with graph:
    graph_drawing.show_step(first, timeline, node=node, lecture=lecture)
f"""
#### Look into one of them
Click it in the graph, or choose it here. Data point {point + 1} of {len(problem.x)}, at x =
{problem.x[point]:.3g}, is followed on its own: there the **chain rule** can be read in numbers.
"""
graph_drawing.choose(controls, first)
story.node_details(first, node, points=len(problem.x))
story.predict_second_backward(*torch_mistakes.without_zeroing(problem))

"### The graph is new each time"
one, other, words = st.columns(3)
lifetime.two_graphs(graphs[:2], (one, other), lecture=lecture)
with words:
    """
    The next step builds the same shape from other objects. Only the two accumulators are the same:
    they belong to w and b, which live on. The old graph goes in two moments. `backward()` lets go
    of what was kept for it, which is why it cannot run twice. And when the name `loss` is given to
    the next result, nothing holds the old objects any more; for a moment both graphs are there.
    """
show(lifetime.lifetime(graphs, timeline, lecture=lecture), key="lifetime", height=tall)
if controls.flag("Count them over the whole run", "count"):
    with st.spinner("Looking at every step: some seconds."):
        lifetime.count(*count(problem, **settings))

"### The training"
regression.overview(problem, trace, timeline)
regression.verdict(problem, trace, rate)
compare(ENGINES, GRADIENTS, timeline)
w, b = published_end()
f"""
By hand, in NumPy, and by `backward()`: they differ by rounding, for 32 bits hold seven digits, and
late gradients are what is left of pulls that cancel. The article ends at w = 2.9578 and b = 2.0990.
Run here, with its settings, it ends at w = **{w:.4f}** and b = **{b:.4f}**.
"""
"""
### Control flow is Python
A **recurrent cell** reads a word letter by letter: from its state h and the letter x_t it makes the
next state, each time with the same parameters u, w and b. PyTorch sees neither the `for` nor the
`if`. It sees the operations that they lead to, and makes an object for each as it runs.
"""
st.code(source_of(torch_cell.read), language="python")
if recurrent.ask(word_of):
    recurrent.compare(controls, word_of, longest=torch_cell.LONGEST, lecture=lecture)

"""
### The stream: no two batches alike
Each step draws a **minibatch**, a few fresh points of y = 2x + 3 with noise of standard deviation
3, uses it once and throws it away. The article draws 8 points, 8000 times. The player spreads these
batches over its steps: switch slow motion off and press play.
"""
stream.choose(controls)
streams = [streamed(*settings)[0] for settings in (of_stream, stream.ARTICLE)]
stream.overview(of_stream, streams[0], timeline, lecture=lecture)
stream.verdict(of_stream, *streams)

"""
### The same in TensorFlow's eager mode
Its **tape** is a list of what ran, kept beside the results; PyTorch's graph hangs on them.
"""
if controls.flag("Run it in TensorFlow too", "tensorflow"):
    recorders()  # here, because a spinner must not run inside a cached function
    tape.compare(controls, in_both, lecture=lecture)

f"""
### Is every gradient right? Ask the loss
This check knows nothing of graphs. It makes one entry of one result a little larger, then a little
smaller, runs the rest again, in 64 bits, and divides the change of the loss by the distance: the
gradient that should have arrived there. The entry is that of data point {point + 1}.
"""
story.check_in_numbers(first, point=point + 1)

"""
### Where it breaks
Each is the listing with some lines changed, really run. Choose one, say how it ends, then look.
"""
mistakes.choose(controls)
if mistake:
    ran = broken(mistake, problem, **settings)
    mistakes.tell(mistake, ran, problem, timeline, rate, lecture=lecture)

with refused:
    controls.say_refused(timeline)
st.info(
    "The graph hangs on the loss. Your lines built it as they ran; backward() walks it once, from "
    "the loss to the leaves, multiplying as it goes, and leaves the sum in .grad."
)
shell.close_page(FILE)
