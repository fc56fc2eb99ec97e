"""Custom ReLU backward (E10, E11). A string that stands alone in this file is text on the page."""

import streamlit as st

from views.ui import shell

FILE = "pages/custom_relu_backward.py"

here = shell.open_chapter(FILE)
with shell.loading("PyTorch"):
    from views.custom_relu_backward import (
        check,
        design,
        double_backward,
        mistakes,
        one_pass,
        training,
    )
match here.name:
    case "one_pass":
        watched = one_pass.show_stage(here)
        """
        Autograd differentiates what is made of PyTorch's operations. It does not look into a custom
        **Function**: that may be NumPy, or C. So you write two halves. **forward** computes, and
        keeps what will be needed. **backward** is handed the gradient of the loss by what came out,
        and returns the gradient by what went in. Here it is a **ReLU**, which lets positive numbers
        pass and makes 0 of all others.

        Teal entries are positive, brown ones negative; the stronger the colour, the farther from
        zero. An entry that is struck through is cut by the ReLU. A thick edge marks what the moment
        is about. Point at an entry to see it in all four matrices. With **Settings** you send a
        matrix of your own through it. The four matrices, row
        by row:
        """
        st.markdown(one_pass.in_numbers(watched))
    case "design":
        designed = design.show_stage(here)
        """
        What you choose becomes a Function, which is run, checked and trained with as it stands on
        the stage. Pull a handle of the orange curve, or move it with the arrow keys. The dotted
        curve is the slope that the forward really has, as differences measure it: where the orange
        one lies on it, the backward is right. **gradcheck** is PyTorch's own judge: it moves each
        input a little, sees how the output moves, and compares that with what your backward says.

        The **angle** is the one between two gradients of w1 at the start of training: the one that
        your backward gives, and the one that belongs to the forward. Less than 90° is still
        downhill. The network here is a small one, of 20, 30 and 5 units, so that it answers at
        once.
        """
        design.tell(designed)
    case "mistakes":
        mistakes.show_stage(here)
        """
        Some of these crash, some fail without a word, and some train anyway. Autograd counts what
        your backward returns, compares shapes, and notices a saved tensor that was changed. Whether
        the numbers are right it cannot know. Let the function itself be the judge.
        """
        mistakes.tell()
    case "slope_at_zero":
        with shell.loading("TensorFlow"):
            from views.custom_relu_backward import slope_at_zero
        answered = slope_at_zero.show_stage(here)
        """
        At x = 0 a ReLU has a kink: its slope is 0 to the left and 1 to the right, and at the point
        itself there is none. A program has to return something. A straight line through the kink
        with any slope from 0 to 1 lies nowhere above the function; such a slope is called a
        **subgradient**, and none of them is wrong.

        It matters only where a ReLU is given many exact zeros: from whole numbers, or from weights
        that all start at zero. With numbers drawn from a continuous distribution, a sum of products
        is hardly ever exactly 0.
        """
        if answered:
            slope_at_zero.tell()
    case "training":
        training.show_stage(here)
        """
        The article trains a network of two layers: 64 inputs of 1000 numbers, 100 hidden **units**
        behind the ReLU, 10 outputs, 500 steps. A unit is **active** for an input where its ReLU
        lets something pass: the stronger the colour of its square, the more of the inputs that is.
        It is **dead** where it does so for no input at all. Then its output is
        0 for the whole batch, its mask cuts every gradient, and its weights in w1 stay where they
        are. A step that is too long throws units over that edge; the leaky ReLU, whose slope below
        zero is not 0, was made to bring them back.

        How many units are active for an input on average, and the lengths of both layers'
        gradients, stand in the table of the player. With 32 bits the
        article's run ends near 4e−5, where rounding is all that is left of the loss; with 64 bits
        it goes on falling.
        """
    case "double_backward":
        double_backward.show_stage(here)
        """
        Some methods need the derivative of a derivative. Then autograd has to go through your
        backward as it went through your forward: what backward does with tensors is recorded, what
        it does outside of PyTorch is not. The function is y = x · relu(x), which is x² to the right
        of zero, so its derivatives there are 2x and 2.
        """
        double_backward.tell(here)
    case "elsewhere":
        with shell.loading("TensorFlow"):
            from views.custom_relu_backward import elsewhere
        compared = elsewhere.show_stage(here)
        """
        By hand in NumPy every gradient is a line of its own. TensorFlow has `tf.custom_gradient`: a
        function that returns its result together with its backward, which finds what it needs in
        the names around it. In a static graph, forward and backward are both operations, and
        TensorFlow's own gradient of `tf.maximum` makes the second from the first.
        """
        elsewhere.tell(*compared)
    case "check":
        checked = check.show_stage(here)
        """
        A central difference is (f(x + h) − f(x − h)) / 2h, a forward difference
        (f(x + h) − f(x)) / h. Both are compared with what leaves the backward where 1 arrives. Too
        wide, and they reach beyond the point; too narrow, and rounding is all that is left: play
        on, and see the curve break into stairs. `gradcheck` uses 64-bit numbers for the same
        reason; 32 bits have too few digits for a difference of two nearly equal numbers.
        """
        check.tell(*checked)
here.controls.say_refused()
shell.close_page(FILE)
