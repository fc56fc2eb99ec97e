"""Manual gradients (E1, E2). A string that stands alone in this file is text on the page."""

import streamlit as st

from engines.experiments import EXPERIMENTS
from engines.problem import preset
from views.manual_gradients import (
    check,
    code,
    loss,
    mistakes,
    one_step,
    own_data,
    pulls,
    rate,
    runs,
    timing,
    two_futures,
)
from views.ui import shell

FILE = "pages/manual_gradients.py"

here = shell.open_chapter(FILE)
match here.name:
    case "one_step":
        one_step.show_stage(here)
        """
        The **model** is a curve with two numbers to learn, w and b. The yellow lines are its
        **residuals**, and the **loss** is one number for all of them: half the sum of their
        squares. The **gradient** says how fast the loss grows when w, or b, grows a little. So the
        way downhill is against it, at a right angle to the curves of equal loss. The **learning
        rate** η says how far to go: the orange arrow is −η times the gradient, and the dot lands on
        its tip; the dotted line goes on in its direction. The star is where the loss is smallest.

        Step on and watch the arrow shrink. Nobody turns the rate down; the slope gets flatter as
        the valley is reached.
        """
    case "pulls":
        pulls.show_stage(here)
        """
        The gradient is a sum with one term for each point. The loss squares the distance ŷ − y, and
        the slope of ½·d² is d; what moves the prediction when w does is x². So a point's term of
        the gradient by w is (ŷ − y)·x², and its term by b is ŷ − y alone. (Where the loss has no ½,
        both are twice that.)

        Points far from the curve pull hardest. Points near x = 0 have hardly any say in w: there
        x² is small, and turning w moves the curve very little. Play on: early in training all pull
        the same way, later some up and some down, and training rests when they cancel. The axes
        follow the bars as they shrink.
        """
    case "rate":
        rate.show_stage(here)
        """
        Look at the bowl of the loss along its two axes, the long one and the short one of an
        ellipse. Along each of them the loss is a parabola, and its **curvature** λ says how steep
        it gets. A step of gradient descent subtracts η·λ times the error along that axis, so what
        is left of the error is (1 − η·λ) of it. That one number says all:

        - between 0 and 1 the error shrinks and keeps its side: it **glides**;
        - between −1 and 0 it changes sides and shrinks: it **zig-zags**;
        - below −1 it changes sides and grows: it **explodes**.

        The limit is where the steeper axis reaches −1: η = 2/λ. The best compromise lies below it,
        for the flat axis still wants a long step. With one rate for both, a long narrow valley is
        slow to walk; that is why people scale their data, and use optimisers such as Adam.
        """
    case "loss":
        loss.show_stage(here)
        """
        All three losses add up the squares of the same residuals, and put another factor before the
        sum: ½, one over the number of points n (the **mean**), or ¼ of that. Where the loss is
        smallest does not depend on it, nor which way is downhill. How *steep* it is does: gradient
        and curvature have the same factor. So a rate that works with a sum is far too small with a
        mean, and one that works with a mean explodes with a sum. The ½ is there for looks: it
        cancels the 2 that comes from differentiating a square.
        """
    case "code":
        code.show_stage(here)
        """
        w moves the predictions ŷ, and the predictions move the loss L. The **chain rule**
        multiplies the two slopes, point by point, and adds them up: that is all of
        "backpropagation" here, worked out on paper and typed in. `yield` hands each step to a
        recorder before the update is made; without that line it is the program that a reader would
        write.
        """
        if st.button("Time both listings on this machine", on_click=here.controls.moved):
            timing.compare(one_step.PROBLEM, 0.001)
        variants = preset("numpy_article_straight"), preset("numpy_article")
        once, thrice = (runs.run(p, p.steps, p.learning_rate).trace.final.params for p in variants)
        digits = EXPERIMENTS["E1"].printed
        f"""
        #### The digits that would not come out
        The article prints w = {digits["w"]} and b = {digits["b"]}. Run its notebook from top to
        bottom and you get w = {once["w"]:.8f} and b = {once["b"]:.8f}. Run the cell that draws the
        first w and b three times, and then train: **w = {thrice["w"]:.8f}, b = {thrice["b"]:.7f}**,
        every digit. The seed was set in another cell, so each run of this one drew new numbers. A
        notebook remembers what its page no longer shows.
        """
    case "check":
        check.show_stage(here)
        """
        A slope can be measured without calculus. The **central difference**,
        (L(w + h) − L(w − h)) / 2h, knows nothing of the formulas, so its agreement means something.

        How wide should h be? The one-sided **forward difference** is off by h times half the
        curvature: a wide h is bad. A narrow one is bad too: two nearly equal losses, each known to
        16 digits, are subtracted and the rest is divided by h. Together they make a V. The central
        difference has only one arm here: the other comes from the third derivative, and a quadratic
        loss has none. The shaded band is what rounding excuses. A circle above it means a wrong
        gradient. (h is relative to the larger of 1, |w| and |b|; the table has h = 0.00001.)

        Why not train like this? Two losses are needed for each parameter, so a million parameters
        take two million. By hand, all slopes together cost about as much as a few losses.
        """
    case "mistakes":
        mistakes.show_stage(here)
        """
        Each is a real run with one thing wrong. The dashed path is the one with the mistake. Where
        its data differ, it has a best answer of its own, and a star of its own. "Gradient off by"
        is what central differences say of it: a gradient may be right and the update wrong, or the
        data.
        """
    case "two_futures":
        two_futures.show_stage(here)
        """
        A **schedule** for the rate is just that: long steps first, shorter ones later, or the other
        way round. Try a branch at step 0 and above the limit; then branch late, when hardly any
        error is left along the steep axis. It explodes all the same, only later: what grows by a
        factor grows from however little. To change the loss half way would be the same game: a
        factor before the loss is that factor on the rate.
        """
    case "own_data":
        own_data.show_stage(here)
        """
        The noisy line is the one that an article drew and learnt point by point, with a mean and a
        rate of 0.01. **Paste data** takes two columns as a spreadsheet copies them, with tabs,
        semicolons, commas or spaces between them, with a header and units or without, up to a
        thousand rows. What cannot be read is named by its row. Where 1,5 may mean two things, you
        are asked.

        Why do years train so badly? The model multiplies x by w and adds b. With x near 2020, a
        small turn of w lifts the whole line by 2020 times as much, and b can undo that: w and b
        pull at the same thing. The bowl of the loss is then a long narrow valley. The rate must be
        small enough for its steep side, and so it is far too small for its floor. The
        **condition** of the bowl, its largest curvature λ over its smallest, says how bad that is.

        To **standardise** is to subtract the mean and to divide by the standard deviation, for x
        and for y (for a parabola, for x² and y). Then w turns the line around the middle of the
        data, where b does not notice: the two no longer disturb each other, the curvatures are
        equal, and the bowl is round. Its line is the same line, written in other units.
        """
here.controls.say_refused()
shell.close_page(FILE)
