"""The errors of a session, explained: what each phrase means, and how to mend it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple, Protocol

import streamlit as st

from views.ui import message


class Message(Protocol):
    """What TensorFlow said: Message of the engine adding."""

    error: str
    operation: str
    sentence: str


class Known(NamedTuple):
    """A kind of message that a session gives, as explained to a visitor.

    pattern: of its sentence, with names for its parts. phrases: by phrase, in Markdown, what it
    means; one that a sentence lacks is left out. mend: how to mend it. The parts stand in all of
    these in braces.
    """

    pattern: str
    phrases: Mapping[str, str]
    mend: str


NOT_INITIALISED = (
    "Run the initialiser in this session, once, before anything reads `{name}`: "
    "`session.run(initialize)`."
)
NOT_HERE = {
    "refers to an Operation not in the graph": "No operation of this graph has that name.",
    "refers to a Tensor which does not exist": "No operation of this graph has a result of that "
    "name.",
    "is not an element of this graph": "It belongs to another graph. A session knows only the one "
    "that it was opened for.",
}

KNOWN = (
    Known(
        r"You must feed a value for placeholder tensor '(?P<name>[^']+)' "
        r"with dtype (?P<dtype>\w+)(?: and shape (?P<shape>\[.*\]))?",
        {
            "You must feed a value": "What was fetched needs it, and nothing in the graph can "
            "compute it: it comes from outside, anew with each run.",
            "placeholder tensor '{name}'": "The placeholder with that name in the graph. Where "
            "several are missing, the message names one of them.",
            "with dtype {dtype}": "The type of its numbers: float has 32 bits, double has 64.",
            "and shape {shape}": "The length of each of its axes. A ? is a length that each run "
            "may choose.",
        },
        "Feed `{name}` as well, or fetch only what does not need it.",
    ),
    Known(
        r"Cannot feed value of shape (?P<given>\(.*?\)) for Tensor (?P<name>\S+):0, "
        r"which has shape (?P<shape>\(.*\))",
        {
            "Cannot feed value of shape {given}": "The length of each axis of what was handed in. "
            "A single number has no axis: ().",
            "for Tensor {name}:0": "The placeholder of that name. The 0 counts the results of an "
            "operation, and a placeholder has one.",
            "which has shape {shape}": "What was promised when the graph was written. None is a "
            "length that each run may choose.",
        },
        "Feed `{name}` a value of shape {shape}, or write the placeholder with the shape that you "
        "want to feed.",
    ),
    Known(
        r"Incompatible shapes: (?P<one>\[.*?\]) vs\. (?P<other>\[.*?\])",
        {
            "Incompatible shapes": "An operation that works entry by entry was given two arrays "
            "of different lengths.",
            "{one} vs. {other}": "The length of each axis of the two. Only a length of 1 is "
            "stretched to fit, and that without a word.",
        },
        "Feed arrays of the same length. The graph left the length open, so no line of it could "
        "notice before the run.",
    ),
    Known(
        r"Could not find variable (?P<name>\S+)\. This could mean",
        {
            "Could not find variable {name}": "This session has no value for it. The graph has "
            "only its description.",
            "the variable has been deleted": "One way to have no value. No listing on this page "
            "deletes a variable.",
            "In TF1": "With a graph and a session, as in TensorFlow 1, and as here.",
            "the variable is uninitialized": "The usual reason: the initialiser has not been run "
            "in this session.",
        },
        NOT_INITIALISED,
    ),
    Known(
        r"Attempting to use uninitialized value (?P<name>\S+)",
        {
            "uninitialized value {name}": "This session has no value for the variable, because "
            "the initialiser has not been run in it. A variable of TensorFlow 1's older kind says "
            "it in these words.",
        },
        NOT_INITIALISED,
    ),
    Known(
        r"Attempted to use a closed Session",
        {
            "a closed Session": "close() was called before. The values of its variables are gone, "
            "and the graph is as it was.",
        },
        "Run what is needed before `close()`, or open another session on the same graph and run "
        "the initialiser in it.",
    ),
    Known(
        r"The Session graph is empty",
        {
            "The Session graph is empty": "A session belongs to one graph, and there is no "
            "operation in this one's. The usual reason: it was opened without `graph=graph`, and "
            "so for TensorFlow's default graph.",
        },
        "Open the session for the graph that was written: `Session(graph=graph)`.",
    ),
    Known(
        r"Graph is finalized and cannot be modified",
        {
            "Graph is finalized": "finalize() was called: from then on the graph is complete.",
            "cannot be modified": "A line wanted to add an operation. Every `+` on a tensor of "
            "the graph does, and every call of a function of `tf`.",
        },
        "Write all operations before the loop, and only run them inside it.",
    ),
    Known(
        r'Argument `fetch` = None has invalid type "NoneType"',
        {
            'has invalid type "NoneType"': "What was to be fetched is None, so no tensor and no "
            "operation. It may be the answer of tf.gradients, which says None where the loss does "
            "not depend on the variable.",
        },
        "Fetch a tensor, an operation, or the name of one. An empty list fetches nothing, and is "
        "allowed.",
    ),
    Known(
        r'Argument `fetch` = .+ has invalid type "(?P<type>\w+)"',
        {
            'has invalid type "{type}"': "What was to be fetched is a thing of Python, and no "
            "part of the graph.",
            "must be a string or Tensor": "What a session can fetch: a tensor, an operation, or "
            "the name of one.",
        },
        "Fetch the tensor itself: `session.run(loss)`.",
    ),
    Known(
        r"Argument `fetch` = .+ cannot be interpreted as a Tensor",
        {"cannot be interpreted as a Tensor": "What was to be fetched was not found.", **NOT_HERE},
        "Fetch what stands in the graph of this session. A result has the name of its operation "
        "with its number behind it, as in `c:0`.",
    ),
    Known(
        r"Cannot interpret feed_dict key as Tensor",
        {
            "feed_dict key": "The left side of a feed says which tensor is to have the value.",
            "refers to an Operation, not a Tensor": "It is the name of an operation. Its first "
            "result has the same name with :0 behind it.",
            "Can not convert a Operation into a Tensor": "An operation is run for what it does, "
            "and this one has no value to replace.",
            **NOT_HERE,
        },
        "Write the placeholder itself on the left: `{{x: …}}`.",
    ),
    Known(
        r"Variable is unhashable",
        {
            "Variable is unhashable": "A dictionary cannot have a variable on its left side, so "
            "the feed was refused by Python, before TensorFlow saw it.",
            "use variable.ref() as the key": "Advice for dictionaries of another kind. A session "
            "does not take it.",
        },
        "A variable is not fed but assigned, by an operation of the graph such as "
        "`w.assign(value)`.",
    ),
    Known(
        r"The value of a feed cannot be a tf\.Tensor object",
        {
            "The value of a feed cannot be a tf.Tensor object": "What is fed must have its value "
            "already. A tensor of a graph is only a place where one will be.",
            "Python scalars, strings, lists, numpy ndarrays": "What may be fed: numbers that are "
            "there.",
        },
        "Run the tensor first and feed what comes back, or connect the two in the graph.",
    ),
    Known(
        r"Tensor .+ may not be fed",
        {"may not be fed": "The graph was told that nobody may replace this value."},
        "Feed a placeholder, or leave the value to the graph.",
    ),
    Known(
        r"could not convert string to float",
        {
            "could not convert string to float": "What was fed is a text, and the placeholder "
            "wants numbers. NumPy says so, which turns all feeds into arrays.",
        },
        "Feed numbers.",
    ),
)


def explain(said: Message) -> None:
    """Show TensorFlow's own sentence, what its phrases mean, and how to mend what it says.

    What is not KNOWN is shown as it is.
    """
    if said.operation:
        st.markdown(f"The run stopped at the operation `{said.operation}`, with these words:")
    elif refused(said):
        st.markdown("It was refused before any operation ran, with these words:")
    st.code(f"{said.error}: {said.sentence}", language=None, wrap_lines=True)
    phrases, mend = explanation(said.sentence)
    message.explain(phrases)
    if mend:
        st.markdown(f"**To mend it.** {mend}")


def explanation(sentence: str) -> tuple[dict[str, str], str]:
    """By phrase of a sentence, what it means; and how to mend it. Both empty if it is not KNOWN."""
    for known in KNOWN:
        if found := re.search(known.pattern, sentence):
            parts = found.groupdict()
            told = {
                phrase.format(**parts): meaning.format(**parts)
                for phrase, meaning in known.phrases.items()
            }
            phrases = {phrase: told[phrase] for phrase in told if phrase in sentence}
            return phrases, known.mend.format(**parts)
    return {}, ""


def refused(said: Message) -> bool:
    """Whether nothing ran: Python's own errors come from the door of the session or the graph."""
    return said.error in ("ValueError", "TypeError", "RuntimeError")
