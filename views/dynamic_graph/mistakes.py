"""Mistakes with autograd, as told to a visitor: choose, predict, look, and read what it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from engines.graphs.autograd import StepGraph, brief
from engines.problem import Problem
from engines.trace import Trace
from views.player import Figure, Timeline, cached, drawn, figure, listing, live, now, show, template
from views.regression import sections
from views.ui.controls import Controls
from views.ui.errors import explain_phrases
from views.ui.palette import MISTAKE, MODEL
from views.ui.prediction import predicted


class Told(NamedTuple):
    """What a visitor reads of a mistake.

    label: its name. story: what it did, once it has run. phrases: by phrase of the message in
    which it ends, what that means.
    """

    label: str
    story: str
    phrases: Mapping[str, str] = {}


class Ran(Protocol):
    """What is told of a run: engines.dynamic_graph.mistakes.Ran, which says what these are."""

    right: str
    wrong: str
    source: str
    end: str
    step: StepGraph
    trace: Trace | None
    live: NDArray[Any]
    live_right: NDArray[Any]


NO_GRADIENT = {
    "AttributeError": "It is Python that complains. PyTorch only left a None behind.",
    "'NoneType' object": "w.grad is None, which is not zero: no gradient has ever come to this w.",
    "has no attribute 'item'": "item() makes a Python number of a tensor. None cannot do that.",
}

MISTAKES = {
    "not_zeroed": Told(
        "Gradients not zeroed",
        "`backward()` adds to `.grad`, so each update subtracts the sum of all gradients so far. "
        "Think of that sum as a velocity: the gradient of the moment only changes it, and nothing "
        "ever brakes it. At the bottom of the valley the gradient is zero, but the sum is as large "
        "as it gets, and w and b run up the other side. This is a pendulum without friction. It is "
        "also, number by number, gradient descent with a momentum of 1, where 0.9 is usual.",
    ),
    "in_place_outside_no_grad": Told(
        "Update without no_grad, in place",
        "Outside `no_grad` autograd records what is done to w, and this line is something done to "
        "w. But w is a leaf: the graph begins there, and the gradient is kept there. It cannot be "
        "the result of a recorded operation as well, so PyTorch refuses before anything has "
        "changed. Inside `no_grad` nothing is recorded, and the same line only subtracts.",
        {
            "a leaf Variable": "A tensor that no recorded operation has made: w. Variable is the "
            "old name of a tensor that autograd follows.",
            "that requires grad": "It was made with requires_grad=True.",
            "is being used in an in-place operation": "The line wants to overwrite w instead of "
            "making a new tensor. That is what -= does, and what every method does whose name "
            "ends with an underscore.",
        },
    ),
    "rebound_outside_no_grad": Told(
        "Update without no_grad, rebinding",
        "`w = w - …` changes no tensor. It makes a new one, and the name w moves over to it. The "
        "new w is the result of an operation and not a leaf: the second `backward()` goes "
        "through it to the first w and leaves the gradient there, where no name of the listing "
        "reaches it. The zeroing was left out because a new tensor has nothing to zero. Had it "
        "stayed, it would have failed for the same reason a little earlier, right after the "
        "update.",
        NO_GRADIENT,
    ),
    "backward_twice": Told(
        "backward() twice",
        "To go backward through a square one must know what was squared, so the forward pass has "
        "each operation save what it will need. `backward()` frees all that on its way, and so "
        "memory stays small. The second call still finds the nodes, but no longer what they had "
        "saved. The gradients of the first call are in w.grad and b.grad, complete.",
        {
            "Trying to backward through the graph a second time": "backward() has already been "
            "through this graph. Each forward pass makes a new graph, for one backward().",
            "(or directly access saved tensors after they have already been freed)": "The same "
            "message comes when somebody reads by hand what a node had saved.",
            "Saved intermediate values of the graph are freed": "What the operations had saved "
            "was thrown away by the first call.",
            "Specify retain_graph=True": "Given to the first call, that would keep it. The second "
            "call would then add the same gradient once more, and the update would be twice as "
            "long.",
        },
    ),
    "saved_changed_in_place": Told(
        "A saved tensor changed in place",
        "Somebody wanted the worst error for a log. With its underscore, `abs_()` overwrites the "
        "residuals, and the square had saved them, because its slope is twice the residual. Each "
        "tensor counts how often it was changed in place, and what is saved remembers the count. "
        "`backward()` compares the two, and stops rather than compute with other numbers. "
        "`abs()` without the underscore makes a new tensor, and all is well.",
        {
            "one of the variables needed for gradient computation": "A tensor that an operation "
            "had saved for its way back: the residuals.",
            "has been modified by an inplace operation": "Somebody overwrote it before the way "
            "back began.",
            "which is output 0 of Abs": "The operation that overwrote it: abs_().",
            "is at version 1; expected version 0 instead": "It has been changed once. It was "
            "saved when it had never been changed.",
            "Hint: enable anomaly detection": "A slow mode that also tells the line of the "
            "forward pass. It changes the whole process, so it stays off here, where many "
            "visitors share one.",
        },
    ),
    "changed_through_data": Told(
        "The same through .data",
        "`.data` is the same memory, but without the count of changes. So `backward()` notices "
        "nothing and takes residuals that have lost their signs: each point now pulls the curve "
        "down, even where it is already too low. There is no error and no warning. Only the "
        "central difference, which asks the loss itself, knows better. `.detach()` instead of "
        "`.data` shares the memory and the count, and would have stopped.",
    ),
    "detached": Told(
        "detach() in the wrong place",
        "`detach()` gives the same numbers without the graph behind them. Here it cuts off the "
        "product with w, so `backward()` finds its way to b only. PyTorch sees no fault in that. "
        "The first line that needs w.grad to be a number does.",
        NO_GRADIENT,
    ),
    "all_detached": Told(
        "Everything detached",
        "Here the cut is behind both w and b, and nothing after it requires a gradient. The loss "
        "has its value, but no graph behind it, and `backward()` has nowhere to go.",
        {
            "element 0 of tensors": "The first of the tensors to go backward from. Here it is the "
            "only one: the loss.",
            "does not require grad": "Nothing that it was computed from requires a gradient.",
            "and does not have a grad_fn": "No recorded operation has made it. grad_fn would be "
            "its node in the graph.",
        },
    ),
    "integer": Told(
        "A whole number for w",
        "A gradient says what happens when w grows a little, and a whole number cannot grow a "
        "little. `torch.tensor(1)` is a tensor of whole numbers because 1 has no decimal point; "
        "`torch.tensor(1.0)` would have trained.",
        {
            "Only Tensors of floating point": "Tensors such as those of the types float32 and "
            "float64. This one has the type int64.",
            "and complex dtype": "Complex numbers are fine, too. dtype is the type of a tensor's "
            "numbers.",
            "can require gradients": "It was made with requires_grad=True, and that is refused.",
        },
    ),
    "history": Told(
        "The history of the loss kept",
        "Nothing is wrong with any number. But loss is a tensor, and behind it is its graph. The "
        "list keeps each loss, each loss keeps the six nodes that made it, and so no graph is "
        "ever freed. `losses.append(loss.item())` keeps a number, and the graph goes when the "
        "next loss takes the name. What the nodes had saved was at least freed by `backward()`. "
        "In a loop without it, such as one that measures the loss on other data, these arrays "
        "would stay as well, and they are the large part.",
    ),
}
ENDS = {
    "before": "it stops with an error before the first step",
    "first_step": "it stops with an error in the first step",
    "second_step": "it stops with an error in the second step",
    "wrong": "it runs, with wrong numbers",
    "right": "it runs, with the right numbers",
    "grows": "the numbers are right, but memory grows",
}


PLACES = {
    "before": "before the first step",
    "first_step": "in the first step",
    "second_step": "in the second step",
}


def choose(controls: Controls) -> None:
    """The row of mistakes to make; `Controls.chosen` says above it which one is."""
    labels = {name: told.label for name, told in MISTAKES.items()}
    controls.choice(
        st.pills, "A mistake to make", "mistake", labels, None, label_visibility="collapsed"
    )


def tell(
    mistake: str,
    ran: Ran,
    problem: Problem,
    timeline: Timeline,
    learning_rate: float,
    *,
    lecture: bool,
) -> None:
    """Show the lines that differ and ask how the run ends; once answered, show how it did.

    timeline: follows, for a run that has a trace, the run and its check, prefixed with wrong_.
    """
    if not _predicted(mistake, ran):
        return
    if ran.trace is None:
        _message(ran)
        explain_phrases(MISTAKES[mistake].phrases)
    elif ran.end == "grows":
        st.markdown(
            f"In {len(ran.live) - 1} steps that were looked at, the number of nodes alive went "
            f"from {ran.live[0]:.0f} to **{ran.live[-1]:.0f}**: "
            f"{(ran.live[-1] - ran.live[0]) / (len(ran.live) - 1):g} more with each step. The "
            f"right run ends them with {ran.live_right[-1]:.0f}."
        )
        nodes = nodes_alive(ran.live, ran.live_right, lecture=lecture)
        show(nodes, key="nodes_alive", height=480 if lecture else 300)
    else:
        if ran.end == "right":
            st.markdown("Here it does no harm: what was changed was as it should be.")
        _drift(problem, ran.trace)
        if mistake == "not_zeroed":
            _swing(problem, learning_rate)
        sections.overview(problem, ran.trace, timeline, run="wrong_")
        _gradient_in_numbers(timeline)
    changed = [line for line in ran.wrong.splitlines() if line not in ran.right.splitlines()]
    lines = "\n".join(changed)
    listing(ran.source, {}, title="The listing that ran", key="wrong_listing", changed=lines)


def _predicted(mistake: str, ran: Ran) -> bool:
    """Ask how the run ends; once answered, tell. Returns whether it is."""
    blocks = {"As it should be": ran.right, "As it was written": ran.wrong}
    for place, (caption, lines) in zip(st.columns(2), blocks.items(), strict=True):
        with place:
            st.caption(caption)
            st.code(lines, language="python", wrap_lines=True)
    if not predicted("Before you look: how does this run end?", ENDS, ran.end, key=mistake):
        return False
    st.markdown(MISTAKES[mistake].story)
    return True


def _message(ran: Ran) -> None:
    """The framework's own words, the line they came from, and the gradients left behind."""
    error = ran.step.error
    assert error, "a run without a trace has ended in one"
    assert error.line
    line = ran.source.splitlines()[error.line - 1].strip()
    st.markdown(f"It stops {PLACES[ran.end]}, at this line, with these words:")
    st.code(f"{line}\n\n{error.message}", language=None, wrap_lines=True)
    if leaves := ran.step.graph.leaves:
        arrived = {leaf.name: brief(leaf.gradient) for leaf in leaves}
        w, b = (arrived.get(name, "none") for name in ("w", "b"))
        st.markdown(f"At that line w.grad holds **{w}**, and b.grad holds **{b}**.")


def _drift(problem: Problem, trace: Trace) -> None:
    """Say between which numbers the loss of a run moves."""
    finite = trace.losses[np.isfinite(trace.losses)]
    best = float(problem.loss_at(*problem.least_squares()))
    last = len(trace) - 1
    st.markdown(
        f"From step 0 to step {last} its loss moves between **{finite.min():.3g}** and "
        f"**{finite.max():.3g}**. The smallest there is, by least squares, is {best:.3g}. Outside "
        "slow motion the player plays it, step for step."
    )
    if trace.final.non_finite:
        bits = 8 * problem.x.itemsize
        st.markdown(f"At step {last} it overflows: no number of {bits} bits is that large.")


def _swing(problem: Problem, learning_rate: float) -> None:
    """Say how often the pendulum of a gradient that is never zeroed swings, or that it cannot."""
    # Along an eigenvector of the Hessian the errors obey e[k+1] - 2 e[k] + e[k-1] = -rate λ e[k],
    # which is solved by cos(θ k) with cos θ = 1 - rate λ / 2 as long as there is such an angle.
    cosines = 1 - learning_rate * np.linalg.eigvalsh(problem.hessian) / 2
    if cosines.min() <= -1:
        st.markdown(
            f"This learning rate is beyond 4/λ_max = {4 / problem.lambda_max:.3g}. There even a "
            f"pendulum breaks: each swing is longer than the last."
        )
        return
    flat, steep = 2 * np.pi / np.arccos(cosines)
    st.markdown(
        f"Along the steepest direction of the valley one swing, there and back, takes "
        f"**{steep:.3g}** steps, along the flattest **{flat:.3g}**. Both follow from the learning "
        f"rate and the two curvatures of the loss."
    )


def _gradient_in_numbers(timeline: Timeline) -> None:
    """What .grad holds at the step shown, and what the loss says."""
    known = sum(timeline.parts[:3]) - 1
    rows = "".join(
        f"<tr><th>{name}.grad</th><td>{now(f'wrong_hand_{name}', known=known)}</td>"
        f"<td>{now(f'wrong_numeric_{name}', known=known)}</td></tr>"
        for name in ("w", "b")
    )
    step = f"step {now('wrong_checked', digits=0)}"
    error = now("wrong_error", known=known, digits=2)
    live(
        f'<table class="digits"><tr><th>{step}</th><th>it holds, in 64 bits</th>'
        f"<th>central difference</th></tr>{rows}"
        f"<tr><th>relative error</th><td><b>{error}</b></td><td></td></tr></table>",
        key="wrong_gradients",
    )


@cached
def nodes_alive(live: NDArray[Any], live_right: NDArray[Any], *, lecture: bool) -> Figure:
    """How many nodes exist at the end of each step: where the losses are kept, and where not."""
    runs = {"losses.append(loss)": live, "the right listing": live_right}
    rows = [
        pd.DataFrame({"step": np.arange(len(counts)), "nodes": counts, "run": run})
        for run, counts in runs.items()
    ]
    return figure(_draw_nodes_alive(tuple(runs), lecture=lecture), {"counts": pd.concat(rows)})


@drawn
def _draw_nodes_alive(runs: tuple[str, ...], *, lecture: bool) -> Figure:
    legend = alt.Legend(labelLimit=0)
    colors = alt.Scale(domain=runs, range=[MISTAKE, MODEL])
    shapes = alt.Scale(domain=runs, range=["circle", "square"])
    kept = {
        "color": alt.Color("run:N", legend=legend, scale=colors),
        "shape": alt.Shape("run:N", legend=legend, scale=shapes),
    }
    nodes = alt.Y("nodes:Q", title="nodes alive", axis=alt.Axis(format="d"))
    step = alt.X("step:Q", title="step", axis=alt.Axis(tickCount=5))
    lines = alt.Chart(alt.NamedData("counts")).mark_line(point=True)
    return template(
        lines.encode(x=step, y=nodes, tooltip=["run:N", "step:Q", "nodes:Q"], **kept),
        (),
        title="Nodes alive at the end of each step",
        description=(
            "Number of graph nodes alive against step: it stays the same in the right listing, and "
            "grows along a straight line where every loss is kept."
        ),
        lecture=lecture,
    )
