"""Dynamic graph (E3, E4, E5, E9). A string that stands alone in this file is text on the page."""

import streamlit as st

from engines.experiments import EXPERIMENTS
from views.player import listing, player, show
from views.ui import shell
from views.ui.mistakes import choose as choose_mistake
from views.ui.numbers import number

FILE = "pages/dynamic_graph.py"
PRESETS = {"autograd_article": "Parabola, as in the article", "own": "Your own data"}

controls = shell.open_page(FILE)
with shell.loading("PyTorch"):
    from views.dynamic_graph import (
        graph_drawing,
        lifetime,
        mistakes,
        recurrent,
        runs,
        story,
        stream,
    )
    from views.regression import agreement, sections
    from views.regression.settings import choose

with shell.settings():
    problem, rate, steps = choose(controls, PRESETS, max_steps=2000)
problem = problem.astype("float32")  # as PyTorch computes unless it is told otherwise
settings = {"steps": steps, "learning_rate": rate}
mistake, streaming = controls.chosen("mistake", mistakes.MISTAKES), stream.chosen(controls)
trace, graphs, point, told, timeline = runs.play(problem, mistake, streaming, **settings)
first = graphs[0]
node = graph_drawing.chosen(controls, first)
refused = st.container()  # what may come and go must not move what follows
player(timeline, readout=story.readout(first))

code, graph = st.columns(2)
with code:
    told.show(key="story")
    listing(runs.LISTING, told.computed, title="torch_autograd.py", key="listing", follows=True)
    """
    These are PyTorch's own objects, read while the listing ran. Going forward, each operation
    attaches a new one to its result. `backward()` walks from the loss to the leaves: each object
    multiplies what it is handed by its **local derivative** (how fast its result grows with its
    input) and hands that on. Until then a gradient is none. The two numbers are the smallest and
    the largest entry of an array, the bars some of its entries, in order; () is a single number.
    """
with graph:
    graph_drawing.show_step(first, timeline, node=node)
f"""
#### Look into one of them
Click it in the graph, or choose it here. Data point {point + 1} of {len(problem.x)}, at x =
{number(problem.x[point], 3)}, is followed on its own: there the **chain rule** can be read in
numbers.
"""
graph_drawing.choose(controls, first)
story.node_details(first, node, points=len(problem.x))
story.predict_second_backward(*runs.without_zeroing(problem))

"### The graph is new each time"
one, other, words = st.columns(3)
lifetime.two_graphs(graphs[:2], (one, other))
with words:
    """
    The next step builds the same shape from other objects. Only the two accumulators are the same:
    they belong to w and b, which live on. The old graph goes in two moments. `backward()` lets go
    of what was kept for it, which is why it cannot run twice. And when the name `loss` is given to
    the next result, nothing holds the old objects any more; for a moment both graphs are there.
    """
show(lifetime.living_objects(graphs, timeline), key="lifetime", height=300, in_hall=560)
if controls.flag("Count them over the whole run", "count"):
    with st.spinner("Reading the graph of every step: some seconds."):
        made, most, left = runs.count(problem, **settings)
    f"""
    The whole run made **{made}** objects. Never were there more than **{most}** at a time, and
    **{left}** were there at the end.
    """

"### The training"
sections.overview(problem, trace, timeline)
sections.verdict(problem, trace, rate)
agreement.compare(runs.ENGINES, runs.GRADIENTS, timeline)
w, b = runs.published_end()
digits = EXPERIMENTS["E3"].printed
f"""
By hand, in NumPy, and by `backward()`: they differ by rounding, for 32 bits hold seven digits, and
late gradients are what is left of pulls that cancel. The article ends at w = {digits["w"]} and
b = {digits["b"]}. Run here, with its settings, it ends at w = **{w:.4f}** and b = **{b:.4f}**.
"""
"""
### Control flow is Python
A **recurrent cell** reads a word letter by letter: from its state h and the letter x_t it makes the
next state, each time with the same parameters u, w and b. PyTorch sees neither the `for` nor the
`if`. It sees the operations that they lead to, and makes an object for each as it runs.
"""
st.code(runs.CELL, language="python")
if recurrent.predict_nodes():
    recurrent.compare_words(controls)

"""
### The stream: no two batches alike
Each step draws a **minibatch**, a few fresh points of y = 2x + 3 with noise of standard deviation
3, uses it once and throws it away. The article draws 8 points, 8000 times. The player spreads these
batches over its steps: switch slow motion off and press play.
"""
stream.choose(controls)
own, article = (runs.streamed(*one)[0] for one in (streaming, stream.ARTICLE))
stream.overview(streaming, own, timeline)
stream.verdict(streaming, own, article)

"""
### The same in TensorFlow's eager mode
Its **tape** is a list of what ran, kept beside the results; PyTorch's graph hangs on them.
"""
if controls.flag("Run it in TensorFlow too", "tensorflow"):
    with shell.loading("TensorFlow"):
        from views.dynamic_graph import tape
    tape.compare(controls)

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
choose_mistake(controls, mistakes.MISTAKES)
if mistake:
    outcome = runs.with_mistake(mistake, problem, **settings)
    mistakes.tell(mistake, outcome, problem, timeline, rate)

with refused:
    controls.say_refused(timeline)
st.info(
    "The graph hangs on the loss. Your lines built it as they ran; backward() walks it once, from "
    "the loss to the leaves, multiplying as it goes, and leaves the sum in .grad."
)
shell.close_page(FILE)
