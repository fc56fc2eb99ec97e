"""Dynamic graph (E3, E4, E5, E9). A string that stands alone in this file is text on the page."""

import streamlit as st

from engines.experiments import EXPERIMENTS
from views.ui import shell

FILE = "pages/dynamic_graph.py"

here = shell.open_chapter(FILE)
with shell.loading("PyTorch"):
    from views.dynamic_graph import (
        adds_up,
        backward,
        check,
        control_flow,
        forward,
        freed,
        mistakes,
        one_step,
        recurrent,
        runs,
        story,
        stream,
        training,
    )
match here.name:
    case "forward":
        forward.show_stage(here)
        """
        These are PyTorch's own objects, read while the listing ran. Going forward, each operation
        attaches a new one to its result, and that points to the objects of what it was computed
        from. So the whole graph hangs on its latest result: on `y_pred` while it
        is built, and in the end on the loss. Only names like these hold it.

        A **leaf** is where it begins: a tensor that no operation made, and whose gradient is asked
        for. Here w and b are leaves. x and y are not in the graph: nobody asked for their
        gradients, so `x**power` leaves no object behind. In a box … stands for what the object
        that it points to has made. Two numbers with dots between them are the
        smallest and the largest entry of an array, the bars some of its entries in order; () is a
        single number.
        """
    case "backward":
        backward.show_stage(here)
        """
        Each object multiplies what it is handed by its **local derivative**, how fast its result
        grows with its input, and hands that on along its pointers. A gradient on its way is kept
        nowhere: when it has been handed on, it is gone, and with it what the object had kept. Only
        the leaves keep theirs, in `.grad`. That is why `backward()` cannot run twice, unless it is
        told to keep what it needs (`retain_graph=True`).
        """
    case "freed":
        freed.show_stage(here)
        """
        The next step builds the same shape from other objects; compare the numbers on them. The old
        graph goes in two moments. `backward()` lets go of what was kept for it. And when the name
        `loss` is given to the next result, nothing holds the old objects any more; for a moment
        both graphs are there.

        Only the two accumulators are the same ones. PyTorch holds them weakly: they live as long as
        some graph points to them. When the new graph is built, the old one is still alive, and so
        are they; the new graph takes them over.
        """
        if here.controls.flag("Count the objects over a whole run", "count"):
            with st.spinner("Reading the graph of every step: some seconds."):
                made, most, left = runs.count(one_step.PROBLEM, **one_step.SETTINGS)
            f"""
            The whole run made **{made}** objects. Never were there more than **{most}** at a time,
            and **{left}** were there at the end.
            """
    case "adds_up":
        adds_up.show_stage(here)
        """
        An accumulator adds; it does not replace. That is what lets a parameter be used in several
        places, or a batch be taken in parts. It is also why a listing has to empty `.grad` before
        the next step. Where it does not, the update subtracts the sum of all gradients so far: a
        velocity that nothing brakes. At the bottom of the valley the gradient is zero, but the sum
        is as large as it gets, and w and b run up the other side: a pendulum without friction.
        """
        story.predict_second_backward(*runs.without_zeroing(one_step.PROBLEM))
    case "training":
        training.show_stage(here)
        w, b = runs.published_end()
        digits = EXPERIMENTS["E3"].printed
        f"""
        By hand, in NumPy, and by `backward()`: they differ by rounding. The chart divides by the
        largest value so far, for late gradients are what is left of pulls that cancel: compared
        with themselves, their last digits differ more.

        The parabola is from an article, {shell.article("E3")}. Its program ended at
        w = {digits["w"]} and b = {digits["b"]}. Run here, with the same settings, it ends at
        w = **{w:.4f}** and b = **{b:.4f}**.
        """
    case "control_flow":
        compared = control_flow.show_stage(here)
        """
        A **recurrent cell** reads a word letter by letter: from its state h and the letter x_t it
        makes the next state, each time with the same parameters u, w and b. PyTorch sees neither
        the `for` nor the `if`. It sees the operations that they lead to, and makes an object for
        each as it runs. Another word is another graph, and another value of h takes the other
        branch: a **Pow** or an **Abs** before the last Sum.
        """
        if compared:
            """
            To check it, each of the 18 numbers in u, w and b is moved by a millionth to both sides
            and the word is read again: the **relative error** compares these slopes with the
            gradients.
            """
            recurrent.tell_words(compared)
    case "stream":
        stream.show_stage(here)
        f"""
        Each step draws a **minibatch**, a few fresh points of y = 2x + 3 with noise of standard
        deviation 3. It draws 8 points, 8000 times, in the article that this is from,
        {shell.article("E4")}.
        """
        stream.verdict_of(here.controls)
    case "tape":
        with shell.loading("TensorFlow"):
            from views.dynamic_graph import tape
        answers = tape.show_stage(here)
        tape.tell(here.controls, answers)
    case "mistakes":
        mistakes.show_stage(here)
        mistakes.tell(here.controls)
        """
        Each is the listing of this page with some lines changed, really run. Where it ends in an
        error, the words are PyTorch's own, taken apart phrase by phrase.
        """
    case "check":
        check.show_stage(here)
        """
        This check knows nothing of graphs. It makes one entry of one result a little larger, then a
        little smaller, runs the rest again, in 64 bits, and divides the change of the loss by the
        distance. The entry is that of the data point which the page follows in numbers.
        """
here.controls.say_refused()
st.html('<div id="sources"></div>')
shell.close_page(FILE)
