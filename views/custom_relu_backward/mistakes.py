"""Mistakes in a backward: predict what becomes of each, and see it trained and checked.

The names and stories of the mistakes are in mistakes.toml.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engines.custom_relu_backward import mistakes as engine
from engines.custom_relu_backward.gradcheck import Check
from engines.custom_relu_backward.mistakes import InMemory, Outcome, Training
from engines.listing import Crash
from engines.network import torch_own_relu
from engines.network.compare import RATE, STEPS, draw
from engines.standalone import Called, Ran
from views.custom_relu_backward.runs import network
from views.player import Figure, cached, listing, say, show, wording
from views.ui import errors, mistakes
from views.ui.line_chart import Line, lines
from views.ui.numbers import number
from views.ui.palette import MISTAKE, MODEL, Look
from views.ui.prediction import asked, opening, read_out
from views.ui.shell import Here
from views.ui.slow_run import Follow, slow
from views.ui.staging import beside, stage
from views.ui.table import markdown_table

TOLD = mistakes.told_in(__file__)
OPENS, ALL = "mask_forgotten", "all"
ASKED = (
    "Each of these is the Function with some lines changed, and the article's network of two "
    "layers is really trained with it. <b>Read the lines, say how it ends, and look.</b>"
)
ON_STAGE = 2  # phrases of a message that are explained there
LONG = 14  # lines that do not fit there
COUNTED = (1, 2, 5, 10)  # the steps after which memory is shown
ENDS = {
    "crash": "it crashes",
    "stuck": "it explodes or gets stuck",
    "trains": "it trains; only gradcheck objects",
    "memory": "right numbers, wasted memory",
}
BRIEFLY = {
    "crash": "crashes",
    "stuck": "explodes",
    "trains": "trains",
    "memory": "trains correctly",
}


def show_stage(here: Here) -> None:
    """Choose a mistake and say how it ends; then see its loss, or its error, and gradcheck's word.

    Or compare all of them.
    """
    with stage(here) as play:
        labels = {name: told.label for name, told in TOLD.items()} | {ALL: "All of them"}
        name = here.controls.pills(
            "A mistake in the backward", "mistake", labels, OPENS, label_visibility="collapsed"
        )
        if name == ALL:
            _show_all()
            return
        outcome = run(name)
        story = read_out("mistake")
        guess = asked("How it ends", ENDS, key=f"mistake {name}", label_visibility="collapsed")
        shown = outcome if guess else None
        crash = shown.crash if shown else None
        # A message needs room, and has no picture: gradcheck's word stands below the lines.
        words, result, *verdict = beside([5, 7] if crash else [6, 5, 4] if guess else [6, 8])
        with words:
            _edit(outcome)
            if shown:
                wording.markdown(TOLD[name].story.partition("\n\n")[0])
        with story:
            say(f"{_opens(guess, shown)} {_how_it_went(name, shown)}" if guess and shown else ASKED)
        with result:
            if crash:
                _message(crash)
            else:
                show(_losses(outcome, wrong=bool(guess)), key="losses")
        if shown:
            play(ran={"": _program(shown)})
            with verdict[0] if verdict else words:
                wording.markdown(_verdict(shown.check))


def _program(outcome: Outcome) -> Ran:
    """The listing with the mistake in it, to be taken home."""
    train: Any = outcome.listing.names["train"]
    trace = network(train, outcome.losses, dtype="float64", steps=STEPS, rate=RATE)
    return Called(trace.made, fails=True) if outcome.crash and trace.made else trace


def tell() -> None:
    """Below the stage, once it is answered: what there was no room for on it, and the listing."""
    name = str(st.session_state["mistake"])
    if name == ALL:
        st.markdown(_lesson({one: run(one) for one in TOLD}))
    elif mistakes.answered(f"mistake {name}"):
        _tell(name, run(name))


def _tell(name: str, outcome: Outcome) -> None:
    st.markdown(TOLD[name].story.partition("\n\n")[2])
    right, wrong, source, _ = outcome.listing
    if outcome.crash:
        phrases, mend = errors.explanation(outcome.crash.message)
        if len(phrases) > ON_STAGE:
            st.markdown("**All that PyTorch says:**")
            st.code(_said(outcome.crash), language=None, wrap_lines=True)
            errors.explain_phrases(phrases)
        if mend:
            st.markdown(f"**To mend it.** {mend}")
    else:
        st.markdown(_why_it_went(outcome))
    if outcome.end == "memory":
        st.markdown(_memory(_ways(name)))
    if outcome.check.message:
        st.markdown("### gradcheck in its own words")
        st.code(outcome.check.message, language=None)
    mistakes.listing_that_ran(source, right, wrong, key="wrong backward")


def _edit(outcome: Outcome) -> None:
    """The lines that differ; of long ones only those that were written, the changed ones marked."""
    right, wrong, *_ = outcome.listing
    if len(f"{right}\n{wrong}".splitlines()) <= LONG:
        mistakes.show_edit(right, wrong)
        return
    kept = right.splitlines()
    changed = "\n".join(line for line in wrong.splitlines() if line not in kept)
    listing(wrong, {}, title="As it was written", key="edit", changed=changed, follows=True)


def _message(crash: Crash) -> None:
    """The line that it stops at, and PyTorch's words, taken apart."""
    wording.code(crash.text, language="python")
    shown, phrases = errors.up_to_explained(_said(crash), most=ON_STAGE)
    wording.code(shown)
    errors.explain_phrases(phrases)


def _said(crash: Crash) -> str:
    return f"{crash.error}: {crash.message}"


# ---- Runs


def _arrays() -> tuple[NDArray[np.float64], ...]:
    """In 64 bits: with 32, the losses end where nothing but rounding is left to compare."""
    return draw(0, np.float64)


@slow
def _trained_rightly(follow: Follow) -> Training:
    steps: Any = torch_own_relu.train(*_arrays(), steps=STEPS, learning_rate=RATE)
    return engine.trained(follow(steps, STEPS, "The right listing: step {:,} of {:,}."))


@slow
def run(follow: Follow, name: str) -> Outcome:
    """What becomes of a mistake in the training of E10, with 64-bit numbers."""
    right, listing = _trained_rightly(), engine.make(name)
    steps = listing.names["train"](*_arrays(), steps=STEPS, learning_rate=RATE)
    said = f"{TOLD[name].label}: step {{:,}} of {{:,}}."
    return engine.run(listing, follow(steps, STEPS, said), right)


_inputs_in_memory = cached(engine.inputs_in_memory)


@cached
def _largest_rate_for_w2() -> float:
    """The learning rate up to which w2 alone could be trained: 2/λ with the first h_relu."""
    x, _, w1, _ = draw(0, np.float64)
    h_relu = np.maximum(x @ w1, 0)
    return 2 / float(np.linalg.eigvalsh(2 * h_relu.T @ h_relu).max())


# ---- One of them


def _losses(outcome: Outcome, *, wrong: bool) -> Figure:
    """wrong: whether the loss of the wrong run is shown beside that of the right one."""
    shown = [Line(Look("the right backward", MODEL), outcome.right_losses)]
    if wrong:
        shown.append(Line(Look("the wrong one", MISTAKE, (6, 4)), outcome.losses))
    return lines(
        shown,
        title="The loss",
        y="loss",
        description="The loss against step, on a logarithmic axis; the wrong one dashed.",
    )


def _opens(guess: str, outcome: Outcome) -> str:
    return f"{opening(guess, outcome.end)} <b>{ENDS[outcome.end]}</b>."


def _how_it_went(name: str, outcome: Outcome) -> str:
    """HTML: how far the loss came, and how far the first gradient is off."""
    losses, off = outcome.losses, outcome.gradient_off
    if outcome.crash:
        return (
            f"It stops in the first step, at line {outcome.crash.line} of the listing. Nothing is "
            "trained with a wrong gradient: an error is the kindest end."
        )
    assert off is not None, "this one did not crash"
    last, end = len(losses) - 1, losses[-1]
    if outcome.end == "memory":
        kept, saved = (
            way.after_backward[COUNTED[-1] - 1] for way in reversed(_ways(name).values())
        )
        each = _ways(name)[name].bytes_each / 1000
        return (
            f"Both losses end at <b>{number(end, 2)}</b>. After step {COUNTED[-1]} there are "
            f"<b>{number(kept * each)} kB</b> of hidden values still in memory; with "
            f"<code>save_for_backward</code> there are {number(saved * each)} kB."
        )
    told = f"The first gradient of w1 is <b>{off:.3%}</b> of its length away from the right one. "
    if not np.isfinite(end):
        return f"{told}The loss overflows at step <b>{last}</b>."
    return (
        f"{told}In {last} steps the loss goes from {number(losses[0], 2)} to "
        f"<b>{number(end, 2)}</b>; with the right backward it reaches "
        f"<b>{number(outcome.right_losses[-1], 2)}</b>."
    )


def _why_it_went(outcome: Outcome) -> str:
    """Why a run that did not crash could go on, or could not."""
    told, off = [], outcome.gradient_off
    if off is not None and 0 < off < 1:
        told.append(
            "Anything less than 100% away makes an angle of less than 90° with the right gradient, "
            f"here at most {math.degrees(math.asin(off)):.1f}°. So a first step that is short "
            "enough still goes downhill."
        )
    if outcome.end == "stuck" and (largest := _largest_rate_for_w2()) < RATE:
        told.append(
            "w1 hardly moves, and leaves all the work to w2. With the first hidden values, "
            f"w2 alone can be trained at learning rates up to {number(largest, 3)}, "
            f"and this one is {number(RATE, 3)}. With the right backward w1 learns as well."
        )
    return " ".join(told)


def _verdict(check: Check) -> str:
    """What gradcheck found, in words."""
    if check.passed:
        return (
            "**gradcheck passes.** It checks the Function alone, on inputs of its own, and there "
            "every derivative is right."
        )
    if check.analytical is None:
        return (
            "**gradcheck objects.** It never gets to compare numbers: on its own small input the "
            "backward raises an error, too."
        )
    count, wrong = check.numerical.size, check.wrong
    if not check.message.startswith("Jacobian mismatch"):
        return (
            "**gradcheck objects.** It stops with an error before it compares anything. A "
            f"comparison of our own finds {len(wrong)} of {count} derivatives wrong."
        )
    i, j = wrong[0]
    return (
        f"**gradcheck objects.** {check.x.size} inputs and as many outputs have {count} "
        f"derivatives, and {len(wrong)} of them are wrong. The first is the slope of output "
        f"{j + 1} by input {i + 1}, which is {number(check.x.flat[i])}: a central difference "
        f"gives {number(round(check.numerical[i, j], 6))}, and the backward "
        f"{number(check.analytical[i, j])}."
    )


def _ways(name: str) -> dict[str, InMemory]:
    """What stays in memory, kept as it should be and as in the mistake."""
    return {"save_for_backward": _inputs_in_memory(None), name: _inputs_in_memory(name)}


def _memory(ways: Mapping[str, InMemory]) -> str:
    """How many bytes of inputs are in memory after some steps, by the way to keep them."""
    kilobytes = next(iter(ways.values())).bytes_each / 1000
    counts = {f"step {k}": [way.after_backward[k - 1] for way in ways.values()] for k in COUNTED}
    counts["the last loss is gone"] = [way.after_loss for way in ways.values()]
    rows = [
        (after, *(f"{number(count * kilobytes)} kB" for count in counted))
        for after, counted in counts.items()
    ]
    return (
        f"**What is still in memory** after the backward of a step, of hidden values that take "
        f"{number(kilobytes)} kB each:\n\n"
        + markdown_table(("after", *(f"`{name}`" for name in ways)), rows)
    )


# ---- All of them


def _show_all() -> None:
    outcomes = {name: run(name) for name in TOLD}
    say(f"<b>A loss that falls proves nothing.</b> {_counts(outcomes)}")
    (table,) = beside(1)
    with table:
        wording.markdown(_compared(outcomes))


def _compared(outcomes: Mapping[str, Outcome]) -> str:
    """Markdown: a table of how each one ends."""
    right_end = _right_end(outcomes)
    rows = [("none: the right listing", "trains correctly", "passes", number(right_end, 2), "0%")]
    for name, outcome in outcomes.items():
        checked = "passes" if outcome.check.passed else "**objects**"
        end, off = "none", "none"
        if outcome.gradient_off is not None:
            end, off = number(outcome.losses[-1], 2), f"{outcome.gradient_off:.1%}"
            if not np.isfinite(outcome.losses[-1]):
                end = f"overflow at step {len(outcome.losses) - 1}"
        rows.append((TOLD[name].label, BRIEFLY[outcome.end], checked, end, off))
    heads = ("mistake", "it", "gradcheck", "loss at the end", "first gradient of w1 off by")
    return markdown_table(heads, rows)


def _right_end(outcomes: Mapping[str, Outcome]) -> float:
    return float(next(iter(outcomes.values())).right_losses[-1])


def _counts(outcomes: Mapping[str, Outcome]) -> str:
    """How many raise no error, how many of those learn, and how many gradcheck objects to."""
    ended = {name: outcome.end for name, outcome in outcomes.items()}
    objected = [name for name, outcome in outcomes.items() if not outcome.check.passed]
    quiet = [name for name in ended if ended[name] != "crash"]
    return (
        f"{len(quiet)} of the {len(ended)} mistakes raise no error in training, and "
        f"{[*ended.values()].count('trains')} of those learn with a wrong gradient. gradcheck "
        f"objects to {len(objected)}, among them {len({*objected} & {*quiet})} that raise no error."
    )


def _lesson(outcomes: Mapping[str, Outcome]) -> str:
    """Markdown: what follows where some ended lower than the right listing."""
    right_end = _right_end(outcomes)
    lower = [
        f"*{TOLD[name].label}* ({number(outcome.losses[-1], 2)})"
        for name, outcome in outcomes.items()
        if outcome.end == "trains" and outcome.losses[-1] < right_end
    ]
    if not lower:
        return ""
    return (
        f"**Ended lower than the right listing ({number(right_end, 2)}):** "
        f"{' · '.join(lower)}. A loss that falls says that the steps go downhill. It does not "
        "say that they follow the gradient: 101,000 weights have many ways to fit the 640 "
        "numbers of y. Only a comparison with differences of the function itself tells a right "
        "backward from one that is good enough today."
    )
