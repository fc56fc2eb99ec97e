"""What there is to read: the pages, and the chapters of each, in the order of thought."""

from __future__ import annotations

from typing import NamedTuple


class Chapter(NamedTuple):
    """A chapter is one screen. name: in the address. question: what the chapter answers."""

    name: str
    title: str
    question: str


class Page(NamedTuple):
    """A page that is built. file: as Streamlit knows it. question: what the page answers."""

    file: str
    title: str
    question: str
    chapters: tuple[Chapter, ...] = ()

    @property
    def path(self) -> str:
        """Where a browser finds it, below the address of the app; "" for Home."""
        return "" if self.file == "app.py" else self.file.removeprefix("pages/").removesuffix(".py")

    def chapter(self, name: str) -> Chapter:
        """The chapter of that name. Raises StopIteration where there is none."""
        return next(one for one in self.chapters if one.name == name)


PAGES = (
    Page(
        "app.py",
        "Home",
        "Small models really train here. Play a run, stop it, step it back.",
        (
            Chapter(
                "start",
                "Start here",
                "Small models really train here. Play a run, stop it, step it back.",
            ),
            Chapter(
                "engines", "Five engines", "Do five programs for one descent find the same numbers?"
            ),
        ),
    ),
    Page(
        "pages/manual_gradients.py",
        "Manual gradients",
        "What is a gradient, and what does following it do?",
        (
            Chapter("one_step", "One step", "What happens in one step of training?"),
            Chapter("pulls", "Who pulls", "Which points pull at w and b, and how hard?"),
            Chapter("rate", "The rate and its limit", "How long may a step be?"),
            Chapter("loss", "The loss and its factor", "Does a factor before the loss matter?"),
            Chapter("code", "Formulas and code", "Which line computes which number?"),
            Chapter("check", "Ask the loss", "How do you know that a gradient is right?"),
            Chapter("mistakes", "Where it breaks", "What does a wrong gradient look like?"),
            Chapter("two_futures", "Two futures", "What if the rate changes half way?"),
            Chapter("own_data", "Your own data", "Does it work on your own data?"),
        ),
    ),
    Page(
        "pages/dynamic_graph.py",
        "Dynamic graph",
        "Where is the graph, who builds it, and what does backward() do?",
        (
            Chapter("forward", "Forward builds it", "Where is the graph, and who builds it?"),
            Chapter("backward", "Backward walks it", "What does backward() do?"),
            Chapter("freed", "When it is let go", "How long does a graph live?"),
            Chapter("adds_up", "w.grad adds up", "Why must gradients be zeroed?"),
            Chapter("training", "The training", "Does it train like the gradient by hand?"),
            Chapter("control_flow", "Control flow", "What does the graph know of for and if?"),
            Chapter("stream", "A stream", "Can it learn from data that never come twice?"),
            Chapter("tape", "TensorFlow’s tape", "How does TensorFlow remember what ran?"),
            Chapter("mistakes", "Where it breaks", "What happens to those who get it wrong?"),
            Chapter("check", "Ask the loss", "How do you know that every gradient is right?"),
        ),
    ),
    Page(
        "pages/static_graph_and_sessions.py",
        "Static graph and sessions",
        "Why is there a graph when nothing has been computed, and what does a session do with it?",
    ),
    Page(
        "pages/custom_relu_backward.py",
        "Custom ReLU backward",
        "What does autograd need from you, and what if you get it wrong?",
    ),
    Page(
        "pages/gpu_speedup.py",
        "GPU speedup",
        "When is a GPU faster, by how much, and how do people fool themselves measuring it?",
    ),
)


def page_of(file: str) -> Page:
    """The page in a file. Raises StopIteration where none is."""
    return next(page for page in PAGES if page.file == file)


def neighbour(file: str, chapter: str, by: int) -> tuple[Page, Chapter | None] | None:
    """The chapter after (by = 1) or before (by = −1) this one, on this page or the next; or None.

    A page without chapters counts as one.
    """
    places = [(page, one) for page in PAGES for one in page.chapters or (None,)]
    here = next(
        i for i, (p, c) in enumerate(places) if p.file == file and (not c or c.name == chapter)
    )
    there = here + by
    return places[there] if 0 <= there < len(places) else None
