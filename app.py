"""Home: what this is, and the way to each page.

A string that stands alone in this file is text on the page, as is usual with Streamlit.
"""

from views.home import start
from views.ui import shell

FILE = "app.py"

here = shell.open_chapter(FILE)
match here.name:
    case "start":
        start.show_stage(here)
        """
        Each page trains a small model for real, in NumPy, PyTorch or TensorFlow, and records every
        step. Nothing is a film: change a setting, and the run is another one. A page is a few
        chapters, and a chapter is one screen. The keys PageDown and PageUp of a lecturer's clicker
        go through them in order, moment by moment, once lecture mode is on.
        """
    case "engines":
        with shell.loading("PyTorch and TensorFlow"):
            from views.home import five_engines
        five_engines.show_stage(here)
        """
        Twice in NumPy, with the gradient worked out by hand. Once in PyTorch, whose **autograd**
        follows the operations as they run and finds the gradient itself. Twice in TensorFlow: with
        a **tape** that records the operations as they run, and as a graph that is built beforehand
        and run in a **session**.

        In one chart the five runs would be one line. So the chart shows what is left when NumPy's
        run is subtracted from another one's. A sum of a hundred numbers comes out a little
        different in another order, for each addition is rounded. *Relative* means divided by the
        largest value so far: of a gradient that has come near zero, the last digits say nothing.
        """
here.controls.say_refused()
shell.close_page(FILE)
