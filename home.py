"""Home: what this is, and the way to each page.

A string that stands alone in this file is text on the page, as is usual with Streamlit.
"""

from engines.experiments import EXPERIMENTS
from views.home import start
from views.ui import shell

FILE = "home.py"

here = shell.open_chapter(FILE)
match here.name:
    case "start":
        start.show_stage(here)
        f"""
        Each page really trains a small model, in NumPy, PyTorch or TensorFlow, and records every
        step. None of it is a video: change a setting, and you get another run. A page has a few
        chapters, and each chapter is one screen. In lecture mode, a presenter's clicker (the keys
        PageDown and PageUp) walks through them in order, moment by moment.

        The curve above is the first program of an article,
        “{EXPERIMENTS["E1"].article.english}”: a parabola with 100 points, trained in 800 steps.
        The other pages start from such programs too, and each says which.
        """
    case "engines":
        with shell.loading("PyTorch and TensorFlow"):
            from views.home import five_engines
        five_engines.show_stage(here)
        """
        Two of them are in NumPy, with the gradient worked out by hand. One is in PyTorch, whose
        **autograd** follows the operations as they run and works out the gradient from them. Two
        are in TensorFlow: one with a **tape** that records the operations as they run, and one as
        a graph that is built first and then run in a **session**.

        Drawn together, the five runs would be a single line. So the chart shows by how much each
        run differs from the first. Add up a hundred numbers in another order, and the sum comes out
        slightly different, because every addition is rounded. *Relative* means divided by the
        largest value so far. (The last digits of a gradient that has come close to zero are only
        noise, so dividing by its present value would exaggerate.)
        """
here.controls.say_refused()
shell.close_page(FILE)
