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
        f"""
        The points are y = 3x² + 2 with a little noise on top. They, and the program, are from the
        article “{EXPERIMENTS["E1"].article.english}” (E1 at the foot of the page).

        The **model** is a curve with two numbers to learn, w and b. The yellow lines are its
        **residuals**, and the **loss** is one number for all of them: half the sum of their
        squares. The **gradient** says how fast the loss grows when w, or b, grows a little, so
        downhill is the opposite direction, at a right angle to the curves of equal loss. The
        **learning rate** η says how far to go: the orange arrow is −η times the gradient, and the
        dot lands on its tip. The star is where the loss is smallest. Step forward and watch the
        arrow shrink: the rate stays the same; it is the slope that gets gentler toward the floor.
        """
    case "pulls":
        pulls.show_stage(here)
        """
        Each part of the gradient is a sum with one term for each point. The loss squares the
        distance d = ŷ − y, and the slope of ½·d² is d. When w changes, the prediction changes x²
        times as much. So a point contributes (ŷ − y)·x² to ∂L/∂w, the slope of the loss along w,
        and simply ŷ − y to ∂L/∂b. (Without the ½ in the loss, both would be twice that.)

        Points far from the curve pull hardest. Points near x = 0 have almost no say in w: there x²
        is small. At first all points pull the same way, later some pull up and some down, and
        training comes to rest when they cancel. The axes zoom in as the bars shrink. A click on a
        point or on its bar puts the ring there; with the keyboard, the settings do.
        """
    case "rate":
        rate.show_stage(here)
        """
        The curves of equal loss are ellipses, and the bowl has the two axes of an ellipse: the
        steep one runs across the valley, the shallow one along its floor. Along each of them the
        loss is a parabola, and its **curvature** λ says how quickly it steepens. The **error** is
        the distance to the star, measured along that axis. A step of gradient descent takes η·λ
        times the error away, so a factor of 1 − η·λ is left. That one number tells you everything:

        - between 0 and 1 the error shrinks and stays on its side: it **glides**;
        - between −1 and 0 it shrinks and changes sides: it **zig-zags**;
        - below −1 it grows and changes sides: it **explodes**.

        The limit is where the factor of the steep axis reaches −1: η = 2/λ. The best rate lies a
        little below it, because the shallow axis still needs long steps. One rate must serve both;
        that is why people scale their data, and use optimisers such as Adam.
        """
    case "loss":
        loss.show_stage(here)
        """
        All three losses add up the squares of the same residuals and multiply the sum by a factor:
        ½, one over the number of points n (the **mean**), or a quarter of that. The factor changes
        neither where the loss is smallest nor which way is downhill. It does change how *steep* the
        loss is, since gradient and curvature are multiplied by it too. So a rate that works with a
        sum is far too small with a mean, and one that works with a mean explodes with a sum. The ½
        is only there for convenience: it cancels the 2 that comes from differentiating a square.
        """
    case "code":
        code.show_stage(here)
        """
        Change w, and the predictions ŷ change; change the predictions, and the loss L changes. The
        **chain rule** multiplies those two slopes for each point and adds up the products. Here
        that is all there is to "backpropagation", worked out on paper and typed in. `yield` hands
        each step to a recorder before the update; without that line, this is the program you would
        write yourself.
        """
        if st.button("Time both listings on this machine", on_click=here.controls.moved):
            timing.compare(one_step.PROBLEM, 0.001)
        variants = preset("numpy_article_straight"), preset("numpy_article")
        once, thrice = (runs.run(p, p.steps, p.learning_rate).trace.final.params for p in variants)
        digits = EXPERIMENTS["E1"].printed
        f"""
        ### The digits that would not come out
        The article “{EXPERIMENTS["E1"].article.english}” (E1) prints w = {digits["w"]} and
        b = {digits["b"]}. Run its notebook from top to bottom, though, and you get
        w = {once["w"]:.8f} and b = {once["b"]:.8f}. Run the cell that draws the first w and b three
        times before training, and you get **w = {thrice["w"]:.8f}, b = {thrice["b"]:.7f}**, every
        printed digit. The seed was set in a different cell, so each run of this one drew new
        numbers. A notebook remembers what its page no longer shows.
        """
    case "check":
        check.show_stage(here)
        """
        A slope can be measured without calculus. The **central difference**,
        (L(w + h) − L(w − h)) / 2h, is computed without the formulas, so when the two agree, that
        means something.

        How large should h be? The one-sided **forward difference** (L(w + h) − L(w)) / h is off by
        h times half the curvature, so a large h is bad. (The small picture shows it with h = 0.8:
        the central line is parallel to the slope by hand, the forward line is not.) A tiny h is bad
        too: it subtracts two nearly equal losses, each known to 16 digits, and divides the little
        that is left by h. Together the two errors make a V. The central difference has only one arm
        of it here: the other arm comes from the third derivative, and a quadratic loss has none.
        Inside the shaded band, rounding alone explains the difference. A circle above it means a
        wrong gradient. (h is relative to the larger of 1, |w| and |b|; the table uses h = 0.00001.)

        Why not train like this? It takes two losses for each parameter: two million of them for a
        million. Worked out by hand, all slopes together cost about as much as a few losses.
        """
    case "mistakes":
        mistakes.show_stage(here)
        """
        Each of these is a real run with one thing wrong. The dashed path belongs to the wrong run.
        Where its data differ, so does its best answer, and it gets its own star. "Gradient off by"
        is what central differences say about the gradient. It can be tiny although the run is
        wrong: then the mistake is in the update, in the rate or in the data.
        """
    case "two_futures":
        two_futures.show_stage(here)
        """
        A **schedule** for the rate does just this: long steps first and shorter ones later, or the
        other way round. Try branching at step 0 with a rate above the limit. Then branch late, when
        hardly any error is left along the steep axis: it explodes all the same, only later. To
        change the loss halfway would come to the same: a factor on it acts like one on the rate.
        """
    case "own_data":
        own_data.show_stage(here)
        f"""
        **Paste data** takes two columns as a spreadsheet copies them, with or without a header and
        units. Rows that cannot be read are named. Where 1,5 could mean two things, you are asked.
        (The noisy line is from “{EXPERIMENTS["E2"].article.english}”: E2 at the foot of the page.)

        Why do years train so badly? The model multiplies x by w and adds b. With x near 2020, a
        tiny change of w lifts the whole line 2020 times as far, and b can undo that: w and b pull
        at the same thing. The bowl of the loss is then a valley so narrow that on a map it is only
        a line; you see what is left of the error instead. The rate has to be small enough for the
        steep sides, which makes it far too small for the floor. The **condition number**, the
        largest curvature λ over the smallest, says how bad this is: the number of steps grows with
        it. (The valley's length divided by its width is its square root.)

        To **standardise** is to subtract the mean and divide by the standard deviation, for x and
        for y (for a parabola, for x² and y). Now w turns the line about the middle of the data,
        which leaves b alone: the two no longer get in each other's way, the curvatures are equal,
        and the bowl is round. It is still the same line, written in other units.
        """
here.controls.say_refused()
shell.close_page(FILE)
