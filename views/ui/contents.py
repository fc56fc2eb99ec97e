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
    chapters: tuple[Chapter, ...]

    @property
    def path(self) -> str:
        """Where a browser finds it, below the address of the app; "" for Home."""
        return (
            "" if self.file == "home.py" else self.file.removeprefix("pages/").removesuffix(".py")
        )

    def chapter(self, name: str) -> Chapter:
        """The chapter of that name. Raises StopIteration where there is none."""
        return next(one for one in self.chapters if one.name == name)


PAGES = (
    Page(
        "home.py",
        "Home",
        "Small models really train here. Play a run, stop it, step it back.",
        (
            Chapter(
                "start",
                "Start here",
                "Small models really train here. Play a run, stop it, step it back.",
            ),
            Chapter(
                "engines",
                "Five engines",
                "Do five programs for one descent get the same numbers?",
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
            Chapter("two_futures", "Two futures", "What if the rate changes halfway?"),
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
        (
            Chapter(
                "fetch", "What you fetch runs", "What runs when you ask a graph for one number?"
            ),
            Chapter(
                "build_and_run", "Two times", "Why is there a graph when nothing has been computed?"
            ),
            Chapter("session", "What lives in a session", "Where does a variable keep its value?"),
            Chapter(
                "training", "The training", "Does it print the table that the article printed?"
            ),
            Chapter("baked_in", "The data baked in", "Why do new data change nothing?"),
            Chapter(
                "updates",
                "Three ways to update",
                "What can you do to a gradient before it is used?",
            ),
            Chapter(
                "watching", "Watching changes it", "Does it matter to the session that you watch?"
            ),
            Chapter("paid_once", "Paid once, used often", "When does a graph pay for itself?"),
            Chapter("control_flow", "Control flow", "How does a finished graph loop and branch?"),
            Chapter("tf_function", "tf.function", "What became of sessions?"),
            Chapter("race", "The race", "Which of two operations runs first?"),
            Chapter("mistakes", "Where it breaks", "What happens to those who get it wrong?"),
            Chapter("growing", "A graph that grows", "Why does the training slow down?"),
        ),
    ),
    Page(
        "pages/custom_relu_backward.py",
        "Custom ReLU backward",
        "What does autograd need from you, and what if you get it wrong?",
        (
            Chapter("one_pass", "By hand", "What does autograd need from you?"),
            Chapter("design", "Design a backward", "What if you choose the slopes yourself?"),
            Chapter("mistakes", "Wrong backwards", "What happens to a wrong backward?"),
            Chapter("slope_at_zero", "The slope at zero", "What is the slope where there is none?"),
            Chapter("training", "The network trained", "Does a network train with this ReLU?"),
            Chapter("double_backward", "Backward again", "Can a gradient be differentiated again?"),
            Chapter(
                "elsewhere", "The same elsewhere", "How is it written in NumPy and TensorFlow?"
            ),
            Chapter("check", "Ask the output", "How do you know that a backward is right?"),
        ),
    ),
    Page(
        "pages/gpu_speedup.py",
        "GPU speedup",
        "When is a GPU faster, by how much, and how do people fool themselves measuring it?",
        (
            Chapter("speed", "When is it faster", "When is a GPU faster, and by how much?"),
            Chapter("traps", "How to fool yourself", "How do people fool themselves measuring it?"),
            Chapter("roof", "The roof", "Why is a row times a column a poor case?"),
            Chapter("training_step", "A training step", "Does a whole training step gain as much?"),
            Chapter("clock", "The clock", "How is time measured honestly?"),
            Chapter("machines", "Other machines", "What about a machine that is not here?"),
        ),
    ),
    Page(
        "pages/digit_classifier.py",
        "Digit classifier",
        "Does it still hold for a network that does something?",
        (
            Chapter("it_learns", "It learns", "Do the same four lines teach a network to read?"),
            Chapter("draw", "Draw a digit", "What does it read in a digit that you draw?"),
            Chapter("inside", "Inside", "What has it learnt to look at?"),
            Chapter("code", "The code", "Are these still the same four lines?"),
            Chapter("mistakes", "Where it breaks", "Which mistakes does nobody notice?"),
            Chapter("check", "Check it", "Is a gradient of so many numbers right?"),
        ),
    ),
)


def page_of(file: str) -> Page:
    """The page in a file. Raises StopIteration where none is."""
    return next(page for page in PAGES if page.file == file)


def neighbour(file: str, chapter: str, by: int) -> tuple[Page, Chapter] | None:
    """The chapter after (by = 1) or before (by = −1) this one, also on another page; or None."""
    places = [(page, one) for page in PAGES for one in page.chapters]
    here = next(i for i, (p, c) in enumerate(places) if p.file == file and c.name == chapter)
    there = here + by
    return places[there] if 0 <= there < len(places) else None
