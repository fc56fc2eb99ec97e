"""Mistakes in a backward: predict what becomes of each, and see it trained and judged."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from engines.custom_relu_backward import mistakes as engine
from engines.network import torch_own_relu
from engines.network.compare import RATE, STEPS, draw
from views.player import Figure, cached, listing, show
from views.ui.controls import Controls
from views.ui.errors import explain_phrases
from views.ui.line_chart import Line, lines
from views.ui.palette import MISTAKE, MODEL, Look
from views.ui.prediction import predicted
from views.ui.shell import side_by_side


class Told(NamedTuple):
    """What a visitor reads of a mistake.

    label: its name. story: what it did, once it has run. phrases: by phrase of the message in
    which it ends, what that means.
    """

    label: str
    story: str
    phrases: Mapping[str, str] = {}


COUNTED = (1, 2, 5, 10)  # the steps after which memory is told, of those that `kept` takes
SAME = 1e-6  # what only rounding differs in

ENDS = {
    "crash": "it crashes",
    "stuck": "it runs, and the loss explodes or gets stuck",
    "trains": "it trains anyway, and only gradcheck objects",
    "memory": "the numbers are right, and only memory is wasted",
}
BRIEFLY = {"crash": "crashes", "stuck": "explodes", "trains": "trains", "memory": "trains rightly"}

MISTAKES = {
    "mask_forgotten": Told(
        "The mask forgotten",
        "The gradient now passes where x was negative, too, where ReLU is flat and the loss does "
        "not depend on x. The right gradient is still a part of it. The rest moves hidden values "
        "that are switched off; it can switch some of them on that the right gradient never "
        "reaches, and more hidden values then share the work.",
    ),
    "mask_from_gradient": Told(
        "The mask from the wrong sign",
        "The slope of ReLU depends on the sign of x. Here the sign of the gradient decides: every "
        "wish to raise a hidden value is thrown away, and every wish to lower one is passed on, "
        "even where x was negative. So hidden values can only be pushed down, and `w2`, whose "
        "gradient is right, has to make up for it. gradcheck lets only ones and zeros arrive. "
        "None of them is negative, so to gradcheck this looks as if there were no mask.",
    ),
    "overwritten": Told(
        "The gradient overwritten",
        "The chain rule *multiplies* what arrives by the slope. Here the slope, 1, is put in its "
        "place, and what the loss had to say is lost: `w1` takes the same small step whether the "
        "loss is large or zero.",
    ),
    "too_many": Told(
        "One value too many",
        "A backward returns one gradient for each argument of its forward, `ctx` apart, in their "
        "order, and None for an argument that needs no gradient. Autograd counts them before it "
        "uses them.",
        {
            "MyReLUBackward": "The node of the graph in which autograd calls our backward.",
            "an incorrect number of gradients": "How many values the backward returned does not "
            "fit its forward.",
            "expected 1": "The forward has one argument after ctx: x.",
            "got 2": "The backward returned grad_x, and x behind it.",
        },
    ),
    "wrong_shape": Told(
        "A wrong shape",
        "The gradient has one number for each number of x, and so the shape of x. A sum over the "
        "batch is right for something that the whole batch shares, such as a bias. Autograd "
        "compares the shapes before it passes the gradient on.",
        {
            "MyReLUBackward": "The node of the graph in which autograd calls our backward.",
            "an invalid gradient at index 0": "The fault is in the first value that the backward "
            "returned. Counting begins at 0.",
            "got [100]": "Its shape: one number for each hidden unit, because the 64 examples were "
            "summed up.",
            "expected shape compatible with [64, 100]": "The shape of x. Compatible: a gradient "
            "that is too large would be summed to fit, but one that is too small is not stretched.",
        },
    ),
    "saved_in_place": Told(
        "The saved tensor changed later",
        "Somebody wanted the largest hidden value for a log. With its underscore, `abs_()` "
        "overwrites `h`, and `h` is what our forward has saved. Each tensor counts how often it "
        "was changed in place, and `ctx.saved_tensors` compares: rather than a mask from the wrong "
        "signs there is an error. The Function is innocent here, so gradcheck has no objection.",
        {
            "one of the variables needed for gradient computation": "A tensor that was saved for "
            "the backward pass: our x, which the listing calls h.",
            "has been modified by an inplace operation": (
                "Somebody overwrote it before the backward pass began."
            ),
            "which is output 0 of Abs": ("The operation that overwrote it: abs_()."),
            "is at version 1; expected version 0 instead": (
                "It has been changed once. It was saved when it had never been changed."
            ),
            "Hint: enable anomaly detection": (
                "A slow mode that also tells the line of the forward pass. It changes the whole"
                " process, so it stays off here, where many visitors share one."
            ),
            "[torch.FloatTensor [64, 100]]": "What is known of it: numbers of 32 bits, 64 rows, "
            "100 columns.",
        },
    ),
    "in_place_in_forward": Told(
        "The input changed in forward",
        "`clamp_` was to save memory. It overwrites x itself, and what was saved is x: no entry is "
        "negative any more, so the mask cuts nothing, and every step is that of the forgotten "
        "mask. Autograd notes the count of changes when forward returns, and this change comes "
        "before that. gradcheck calls forward again and again on one tensor, so there the count "
        "does give it away. A forward that changes its input must say so, with "
        "`ctx.mark_dirty(x)`, and must save the mask before.",
    ),
    "attribute": Told(
        "An attribute instead of saving",
        "`ctx` is an object of Python, so any attribute can be hung on it, and the numbers are "
        "right. But what `save_for_backward` keeps is let go of by `backward()`, and an attribute "
        "stays as long as the graph does, and so as long as anybody holds the loss. Nor is its "
        "count of changes compared: if something overwrote it before the way back, the gradient "
        "would be wrong without an error.",
    ),
    "closure": Told(
        "A closure instead of saving",
        "backward finds x among the names around it, as `tf.custom_gradient` would have it, and "
        "the numbers are right. But each call now makes a class that holds its x, and a class of "
        "Python refers to itself. Such a circle is not freed when the last name for it is gone, "
        "but when the garbage collector comes by.",
    ),
}


def tell(controls: Controls) -> None:
    """Choose a mistake, predict what becomes of it, and see; or see what becomes of all.

    What is not known yet takes some tenths
    of a second for each mistake.
    """
    labels = {name: told.label for name, told in MISTAKES.items()}
    name = controls.choice(
        st.pills, "A mistake in the backward", "wrong", labels, None, label_visibility="collapsed"
    )
    if name is not None:
        _one(name)
    if controls.flag("Run all of them", "all_wrong"):
        _all()


# ---- Runs

_kept = cached(engine.kept)


@cached
def _known() -> dict[str, Any]:
    """By name, what has been run, kept for all visitors."""
    return {}


def _ran(name: str) -> Any:
    known = _known()
    if name not in known:
        arrays = draw(0)
        settings: dict[str, Any] = {"steps": STEPS, "learning_rate": RATE}
        if "right" not in known:
            known["right"] = engine.follow(torch_own_relu.train, *arrays, **settings)
        known[name] = engine.run(name, *arrays, **settings, without=known["right"])
    return known[name]


def _end(ran: Any) -> str:
    """Which of ENDS a run has come to."""
    if ran.crash:
        return "crash"
    if ran.gradient_off < SAME:
        return "memory"
    return "trains" if ran.learns else "stuck"


@cached
def _limit() -> float:
    """The learning rate up to which w2 alone could be trained: 2/λ_max with the first h_relu."""
    x, _, w1, _ = draw(0, np.float64)
    h_relu = np.maximum(x @ w1, 0)
    return 2 / float(np.linalg.eigvalsh(2 * h_relu.T @ h_relu).max())


# ---- One of them


def _one(name: str) -> None:
    ran, told = _ran(name), MISTAKES[name]
    blocks = {"As it should be": ran.right, "As it was written": ran.wrong}
    for place, (caption, block) in zip(side_by_side(2), blocks.items(), strict=True):
        with place:
            st.caption(caption)
            st.code(block, language="python", wrap_lines=True)
    question = "Before you look: what becomes of it in 500 steps?"
    if not predicted(question, ENDS, _end(ran), key=f"wrong {name}"):
        return
    st.markdown(told.story)
    left, right = side_by_side(2)
    with left:
        if ran.crash:
            st.markdown(f"It stops at line {ran.crash.line} of the listing, with these words:")
            said = f"{ran.crash.text}\n\n{ran.crash.kind}: {ran.crash.message}"
            st.code(said, language=None, wrap_lines=True)
        else:
            drawing = _losses(ran)
            show(drawing, key="losses of a wrong backward", height=300, in_hall=480)
    with right:
        if ran.crash:
            in_order = sorted(told.phrases, key=ran.crash.message.find)
            explain_phrases({phrase: told.phrases[phrase] for phrase in in_order})
        else:
            st.markdown(_trained(ran))
        st.markdown(_judged(ran.check))
        if ran.check.message:
            with st.expander("gradcheck in its own words"):
                st.code(ran.check.message, language=None)
    if _end(ran) == "memory":
        st.markdown(_memory({"save_for_backward": _kept(None), name: _kept(name)}))
    title = "network/torch_own_relu.py, with the mistake in it"
    with st.expander("The whole listing that ran"):
        listing(ran.source, {}, title=title, key="wrong backward", changed=_changed(ran))


def _changed(ran: Any) -> str:
    """The wrong lines that are not among the right ones, whatever their indentation."""
    right = {line.strip() for line in ran.right.splitlines()}
    return "\n".join(line for line in ran.wrong.splitlines() if line.strip() not in right)


def _trained(ran: Any) -> str:
    """How far the loss came, and how far the first gradient is off."""
    last, end, off = len(ran.losses) - 1, ran.losses[-1], ran.gradient_off
    if off < SAME:
        return (
            f"Both losses end at **{end:.2g}**, and the first gradients of `w1` differ by "
            f"{off:.2g} of their length."
        )
    told = [f"The first gradient of `w1` is **{off:.3%}** of its length away from the right one."]
    if off < 1:
        told.append(
            "Whatever is less than 100% away makes an angle of less than 90° with it, here "
            f"{math.degrees(math.asin(off)):.1f}° at most. A first step that is short enough goes "
            "downhill all the same."
        )
    if np.isfinite(end):
        told.append(
            f"In {last} steps the loss goes from {ran.losses[0]:.2g} to **{end:.2g}**; with the "
            f"right backward it comes to **{ran.right_losses[-1]:.2g}**."
        )
    else:
        told.append(f"The loss overflows at step **{last}**.")
    if not ran.learns and (limit := _limit()) < RATE:
        told.append(
            "`w1` hardly moves, and leaves all the work to `w2`. With the hidden values of the "
            f"start, `w2` alone can be trained with learning rates up to 2/λ_max = {limit:.2e}, "
            f"and this one is {RATE:.2e}. With the right backward `w1` learns as well."
        )
    return " ".join(told)


def _judged(check: Any) -> str:
    """gradcheck's verdict, in words."""
    if check.passed:
        return (
            "**gradcheck passes.** It judges the Function alone, on inputs of its own, and there "
            "every derivative is right."
        )
    if check.analytical is None:
        return (
            "**gradcheck objects.** It comes to no number: on its own small input it ends in an "
            "error, too."
        )
    off = np.argwhere(~check.agrees)
    if not check.message.startswith("Jacobian mismatch"):
        return (
            "**gradcheck objects.** It stops with an error before it compares anything. A "
            f"comparison of our own finds {len(off)} of {check.agrees.size} derivatives wrong."
        )
    i, j = off[0]
    measured, given = (round(float(one[i, j]), 6) for one in (check.numerical, check.analytical))
    return (
        f"**gradcheck objects.** {check.x.size} inputs and as many outputs have "
        f"{check.agrees.size} derivatives, and {len(off)} of them are wrong. The first is the "
        f"slope of output {j + 1} by input {i + 1}, which is {check.x.flat[i]:g}: a central "
        f"difference says {measured:g}, and the backward says {given:g}."
    )


def _memory(kept: dict[str, Any]) -> str:
    """How many bytes of inputs are alive after some steps of each way to keep them."""
    each = next(iter(kept.values())).bytes_each
    counts = {f"step {k}": [one.after_backward[k - 1] for one in kept.values()] for k in COUNTED}
    counts["the last loss is gone"] = [one.after_loss for one in kept.values()]
    rows = [
        [after, *(f"{count * each / 1000:g} kB" for count in counted)]
        for after, counted in counts.items()
    ]
    return (
        f"**What is still in memory** after the backward of a step, of hidden values that take "
        f"{each / 1000:g} kB each:\n\n{_table(['after', *map('`{}`'.format, kept)], rows)}"
    )


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _losses(ran: Any) -> Figure:
    return lines(
        [
            Line(Look("the right backward", MODEL), ran.right_losses),
            Line(Look("the wrong one", MISTAKE, (6, 4)), ran.losses),
        ],
        title="The loss, right and wrong",
        y="loss",
        description="Both losses against step, on a logarithmic axis; the wrong one dashed.",
    )


# ---- All of them


def _all() -> None:
    """Run what has not been run yet, and compare how each one ends."""
    missing = [name for name in MISTAKES if name not in _known()]
    bar = st.empty()
    for k, name in enumerate(missing):
        bar.progress(k / len(missing), f"{MISTAKES[name].label}: {k + 1} of {len(missing)}")
        _ran(name)
    bar.empty()
    ran = {name: _ran(name) for name in MISTAKES}
    right_end = next(iter(ran.values())).right_losses[-1]
    rows = [["none: the right listing", "trains rightly", "passes", f"{right_end:.2g}", "0%"]]
    for name, one in ran.items():
        checked = "passes" if one.check.passed else "**objects**"
        end, off = ("none", "none") if one.crash else (_end_of(one), f"{one.gradient_off:.1%}")
        rows.append([MISTAKES[name].label, BRIEFLY[_end(one)], checked, end, off])
    heads = ["mistake", "it", "gradcheck", "loss at the end", "first gradient of w1 off by"]
    st.markdown(_table(heads, rows))
    st.markdown(_lesson(ran, float(right_end)))


def _end_of(ran: Any) -> str:
    end = ran.losses[-1]
    return f"{end:.2g}" if np.isfinite(end) else f"overflow at step {len(ran.losses) - 1}"


def _lesson(ran: dict[str, Any], right_end: float) -> str:
    trained = [name for name, one in ran.items() if _end(one) == "trains"]
    lower = [name for name in trained if ran[name].losses[-1] < right_end]
    objected = sum(not one.check.passed for one in ran.values())
    quiet = sum(not one.crash and not one.check.passed for one in ran.values())
    told = (
        f"{len(ran) - sum(bool(one.crash) for one in ran.values())} of the {len(ran)} mistakes "
        f"raise no error in training, and {len(trained)} of those learn with a wrong gradient. "
        f"gradcheck objects to {objected}, among them {quiet} that raise no error."
    )
    if lower:
        names = " · ".join(
            f"*{MISTAKES[name].label}* ({ran[name].losses[-1]:.2g})" for name in lower
        )
        told += (
            f"\n\n**Ended lower than the right listing ({right_end:.2g}):** {names}. A loss that "
            "falls says that the steps go downhill. It does not say that they follow the gradient: "
            "101,000 weights have many ways to fit the 640 numbers of y. Only a comparison with "
            "differences of the function itself tells a right backward from one that is good "
            "enough today."
        )
    return told
