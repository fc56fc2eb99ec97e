"""Dynamic graph (E3, E4, E5, E9). A string that stands alone in this file is text on the page."""

import streamlit as st

from engines import torch_autograd, torch_looked, torch_mistakes, torch_recurrent
from views import (
    agreement,
    control_flow,
    lifetime,
    regression,
    shell,
    step_graph,
    step_numbers,
    step_story,
    stream,
)
from views import torch_mistakes as mistakes
from views.figure import cached, show
from views.live import listing, source_of
from views.player import player

FILE = "pages/dynamic_graph.py"
PRESETS = {"autograd_article": "Parabola, as in the article", "own": "Your own data"}
ENGINES, GRADS = ["numpy_vectorized", "torch_autograd"], ["grad_w", "grad_b"]
shell.settle("torch")
look, count = cached(torch_looked.look), cached(torch_looked.count)
broken, word_of = cached(torch_mistakes.run), cached(torch_recurrent.look_at)


@cached
def streamed(batch, learning_rate):
    trace, batches = torch_looked.stream(batch, learning_rate)
    return trace, stream.shown(batches)


@cached
def timeline_of(problem, mistake, of_stream, **settings):
    looked = look(problem, **settings)
    series = regression.followed(looked.trace)
    series |= step_numbers.followed(looked.steps, looked.checks, point=looked.point)
    series |= agreement.followed(
        dict(zip(ENGINES, (looked.by_hand, looked.trace), strict=True)), GRADS
    )
    lasts = [len(looked.trace) - 1]
    if mistake and (wrong := broken(mistake, problem, **settings)).trace:
        series |= regression.followed(wrong.trace, wrong.check, run="wrong_", keep=801)
        lasts.append(len(wrong.trace) - 1)
    series |= stream.followed(*streamed(*of_stream), last_step=max(lasts))
    return step_numbers.timeline(looked.steps, series, max(lasts), prediction="y_pred")


controls, lecture = shell.open_page(FILE)
tall = 560 if lecture else 300
with shell.settings(lecture):
    problem, rate, steps = regression.choose(controls, PRESETS, max_steps=2000)
mistake = controls.chosen("mistake", mistakes.MISTAKES)
settings = {"steps": steps, "learning_rate": rate}
looked = look(problem, **settings)
of_stream = stream.chosen(controls)
timeline = timeline_of(problem, mistake, of_stream, **settings)
first, point = looked.steps[0], looked.point
with st.container():  # what may come and go must not move what follows
    controls.say_refused(timeline)
player(timeline, readout={"loss": 1, "w": 0, "b": 0})

code, graph = st.columns(2)
with code:
    step_story.story(first, timeline)
    source = source_of(torch_autograd.train)
    computed = step_story.computed(first, source)
    listing(source, computed, title="torch_autograd.py", key="listing")
with graph:
    node = step_graph.chosen(controls, first)
    step_graph.show_step(first, timeline, node=node, lecture=lecture)
    """
    None of this was drawn by hand: these are PyTorch's own objects, read while the listing ran.
    Going forward, each operation hangs a new object on its result. `backward()` walks from the
    loss to the leaves. Each object on the way multiplies what it is handed by its **local
    derivative** (how fast its result grows with its input) and hands that on. Until then a gradient
    is none. The bars are entries of the array, from the first to the last.
    """
f"""
#### Look into one of them
Click it in the graph, or choose it here. Data point {point} of {len(problem.x)}, at x =
{problem.x[point]:.3g}, is followed on its own, so that the **chain rule** can be read in numbers.
"""
step_graph.choose(controls, first)
step_story.node_details(first, node, timeline, points=len(problem.x))

step_story.predict_second_backward(*torch_mistakes.without_zeroing(problem))

"""
### The graph is new each time
The next step builds everything again: the same shape, other objects. Only the two accumulators are
the same, because they belong to w and b, which live on. The old graph goes in two moments.
`backward()` lets go of what was kept for it; that is why it cannot run twice. And when the name
`loss` is given to the next result, nothing holds the old objects any more. By then the new graph is
complete, so for a moment both are there.
"""
lifetime.two_graphs(looked.steps[:2], lecture=lecture)
show(lifetime.lifetime(looked.steps[:3], timeline, lecture=lecture), key="lifetime", height=tall)
if st.button("Count them over the whole run", on_click=controls.moved):
    lifetime.count(*count(problem, **settings))

"### The training"
regression.overview(problem, looked.trace, timeline, lecture=lecture)
left, right = st.columns(2)
with left:
    agreement.digits(ENGINES, GRADS, shown=9)
with right:
    apart = agreement.differences(ENGINES[1:], timeline, lecture=lecture, allowed=1e-5)
    show(apart, key="differences", height=tall)

"""
### Control flow is Python
A **recurrent cell** reads a word letter by letter. For each letter it makes a new state h of the
old one and of the letter x_t, with the same parameters u, w and b every time. How often the line in
the loop runs depends on the word; after the loop an `if` asks a value which line runs next. PyTorch
sees neither the `for` nor the `if`. It sees the operations that they lead to, and makes an object
for each as it runs.
"""
st.code(source_of(torch_recurrent.read), language="python")
if control_flow.ask(word_of):
    control_flow.compare(controls, word_of, longest=torch_recurrent.LONGEST, lecture=lecture)

"""
### The stream: no two batches alike
No data set here, but a source that never ends: each step draws a **minibatch**, a few fresh points
of y = 2x + 3 with noise of standard deviation 3, uses it once and throws it away. The article takes
8 points at a time, 8000 times; the player plays them all beside the run above.
"""
stream.choose(controls)
streams = [streamed(*settings)[0] for settings in (of_stream, stream.ARTICLE)]
stream.overview(of_stream, streams[0], timeline, lecture=lecture)
"""
Even at the true line the gradient of a batch is not zero: its points have noise of their own, and
each step kicks w and b by the rate times that. So at a constant rate the last bit of noise never
goes away. The distance falls, and then it wanders: about 3·√rate away, where 3 is the noise. A
smaller rate comes nearer, and takes longer.
"""
stream.verdict(of_stream, *streams)

"### Is every gradient right? Ask the loss"
step_story.check_in_numbers(first)

"""
### Where it breaks
Each of these is the listing with some lines changed, and it is really run. Choose one, say how you
think it ends, then look.
"""
mistakes.choose(controls)
if mistake:
    ran = broken(mistake, problem, **settings)
    mistakes.tell(mistake, ran, problem, timeline, rate, lecture=lecture)

shell.close_page(FILE, lecture=lecture)
