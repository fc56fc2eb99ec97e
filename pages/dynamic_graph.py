"""Dynamic graph (E3, E4, E5, E9). A string that stands alone in this file is text on the page."""

import streamlit as st

from engines import numpy_vectorized, torch_autograd, torch_mistakes
from engines.torch_check import differences
from engines.torch_graph import record as look
from engines.trace import record, thin
from views import agreement, regression, shell, step_graph, step_numbers, step_story
from views import torch_mistakes as mistakes
from views.figure import cached, show
from views.lifetime import lifetime
from views.live import listing, source_of
from views.player import player
from views.timeline import Timeline

FILE = "pages/dynamic_graph.py"
PRESETS = {"autograd_article": "Parabola, as in the article", "own": "Your own data"}
ENGINES, GRADS = ["numpy_vectorized", "torch_autograd"], ["grad_w", "grad_b"]
train = torch_autograd.train
shell.settle("torch")


def point_of(problem):
    """The data point that is followed in numbers."""
    return len(problem.x) // 5


@cached
def run(problem, steps, learning_rate):
    """The run, the steps of it whose graphs were looked at, and all the series of both."""
    settings = {"steps": steps, "learning_rate": learning_rate}
    trace, point = record(train(problem, **settings)), point_of(problem)
    looked = list(look(train(problem, **settings), of=set(thin(len(trace), 24).tolist())))
    places = [problem.starting_at(*trace[step.step].params.values()) for step in looked]
    checks = [
        differences(train, place, step.graph, point=point)
        for place, step in zip(places, looked, strict=True)
    ]
    by_hand = record(numpy_vectorized.train(problem, **settings))
    series = regression.followed(trace)
    series |= step_numbers.followed(looked, point=point)
    series |= step_numbers.checked(looked, checks, point=point)
    series |= agreement.followed(dict(zip(ENGINES, (by_hand, trace), strict=True)), GRADS)
    return trace, looked[:3], series


@cached
def broken(mistake, problem, steps, learning_rate):
    return torch_mistakes.run(mistake, problem, steps=steps, learning_rate=learning_rate)


@cached
def timeline_of(problem, steps, learning_rate, mistake):
    trace, looked, series = run(problem, steps, learning_rate)
    lasts = [len(trace) - 1]
    if mistake and (wrong := broken(mistake, problem, steps, learning_rate)).trace:
        series = series | regression.followed(wrong.trace, wrong.check, run="wrong_", keep=801)
        lasts.append(len(wrong.trace) - 1)
    parts = step_numbers.parts(looked[0], prediction="y_pred")
    slow_at = series["graph_step"].at
    return Timeline(series, max(lasts), parts=parts, slow_at=slow_at, slow=True)


@cached
def count(problem, steps, learning_rate):
    """How many objects a whole run made, the most alive at a time, and those alive at its end."""
    alive, made = [], 0
    for step in look(train(problem, steps=steps, learning_rate=learning_rate)):
        alive += [event.live for event in step.events]
        made = max(made, *(node.id for node in step.graph.nodes))
    return made, max(alive), alive[-1]


controls, lecture = shell.open_page(FILE)
tall = 560 if lecture else 300
with shell.settings(lecture):
    problem, rate, steps = regression.choose(controls, PRESETS, max_steps=2000)
mistake = controls.chosen("mistake", mistakes.MISTAKES)
trace, looked, _ = run(problem, steps, rate)
timeline = timeline_of(problem, steps, rate, mistake)
first, point = looked[0], point_of(problem)
with st.container():  # what may come and go must not move what follows
    controls.say_refused(timeline)
player(timeline, readout={"loss": 1, "w": 0, "b": 0})

code, graph = st.columns(2)
with code:
    step_story.story(first, timeline)
    source = source_of(train)
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

"""
### The graph is new each time
The next step builds everything again: the same shape, other objects. Only the two accumulators are
the same, because they belong to w and b, which live on. The old graph goes in two moments.
`backward()` lets go of what was kept for it; that is why it cannot run twice. And when the name
`loss` is given to the next result, nothing holds the old objects any more. By then the new graph is
complete, so for a moment both are there.
"""
show(lifetime(looked, timeline, lecture=lecture), key="lifetime", height=tall)
if st.button("Count them over the whole run", on_click=controls.moved):
    made, most, left = count(problem, steps, rate)
    f"""
    {len(trace)} steps made **{made}** objects. Never were there more than **{most}** at a time, and
    **{left}** were there at the end.
    """

"### The training"
regression.overview(problem, trace, timeline, lecture=lecture)
left, right = st.columns(2)
with left:
    agreement.digits(ENGINES, GRADS, shown=9)
with right:
    apart = agreement.differences(ENGINES[1:], timeline, lecture=lecture, allowed=1e-5)
    show(apart, key="differences", height=tall)

"### Is every gradient right? Ask the loss"
step_story.check_in_numbers(first)

"""
### Where it breaks
Each of these is the listing with some lines changed, and it is really run. Choose one, say how you
think it ends, then look.
"""
mistakes.choose(controls)
if mistake:
    ran = broken(mistake, problem, steps, rate)
    mistakes.tell(mistake, ran, problem, timeline, rate, lecture=lecture)

shell.close_page(FILE, lecture=lecture)
