"""Custom ReLU backward (E10, E11). A string that stands alone in this file is text on the page."""

import streamlit as st

from views.player import player
from views.ui import shell

FILE = "pages/custom_relu_backward.py"

controls = shell.open_page(FILE)
with shell.loading("PyTorch and TensorFlow"):
    from views.custom_relu_backward import (
        design,
        double_backward,
        mistakes,
        one_pass,
        one_pass_drawing,
        runs,
        slope_at_zero,
        widths,
    )
    from views.network import comparison, training
"""
Autograd differentiates what is made of PyTorch's operations. It does not look into a custom
**Function**: that may be NumPy, or C. So you write two halves. **forward** computes, and keeps what
will be needed. **backward** is handed the gradient of the loss by what came out, and returns the
gradient by what went in. Here it is a **ReLU**, which lets positive numbers pass and makes 0 of
all others.
"""
with shell.settings():
    chosen = one_pass.choose(controls)
watched = runs.watch(*chosen)
dtype = training.chosen(controls)  # None while nobody has asked for training
trained = training.trained(dtype)
story = one_pass.story(watched, trained=bool(trained))
timeline = runs.play(trained, dtype, story.parts)
refused = st.container()  # what may come and go must not move what follows
readout = training.readout(trained, len(watched.moments))
with player(timeline, readout=readout, phases=one_pass.PHASES, of=str(chosen)):
    story.show(key="relu_pass story")
drawing, code = shell.side_by_side([3, 2])
with drawing:
    one_pass_drawing.show_pass(watched)
with code:
    one_pass.code(watched, story)

"""
### The network of two layers
The article trains one: 64 inputs of 1000 numbers, 100 hidden **units** behind the ReLU, 10 outputs,
500 steps. A unit is **active** for an input where its ReLU lets something pass, and **dead** where
it does so for no input at all. Trained here with MyReLU, with PyTorch's own ReLU, and as a static
graph, from the same arrays.
"""
training.tell(controls, trained)

"""
### What is the slope at zero?
At x = 0 a ReLU has a kink: its slope is 0 to the left and 1 to the right, and at the point itself
there is none. A program has to return something.
"""
slope_at_zero.compare_slopes(controls)

"""
### Design a backward
Choose what backward returns. What you choose becomes a Function, which is run, checked and trained
with as it stands here. **gradcheck** is PyTorch's own judge: it moves each input a little, sees how
the output moves, and compares that with what your backward says.
"""
designed = design.choose_and_check(controls)
"""
#### Check it yourself
The same question with differences of many widths h, in 64 bits. Too wide, and they reach beyond
the point; too narrow, and rounding is all that is left.
"""
widths.compare(controls, designed)

"""
### Wrong backwards
Each is the Function above with some lines changed, really run. Some crash, some fail without a
word, and some train anyway. Choose one, say which, then look.
"""
mistakes.tell(controls)

"""
### The gradient of a gradient
Some methods need the derivative of a derivative. Then autograd has to go through your backward as
it went through your forward. The function is y = x · relu(x) at x = 3, where the first derivative
is 6 and the second is 2.
"""
double_backward.differentiate(controls)

"""
### The same network elsewhere
By hand in NumPy every gradient is a line of its own. TensorFlow has `tf.custom_gradient`: a
function that returns its result together with its backward. In a static graph, both are operations.
"""
comparison.five_engines(controls)

with refused:
    controls.say_refused(timeline)
st.info(
    "Autograd counts what your backward returns, compares shapes, and notices a saved tensor that "
    "was changed. Whether the numbers are right it cannot know. A wrong backward can train: let "
    "the function itself be the judge."
)
shell.close_page(FILE)
