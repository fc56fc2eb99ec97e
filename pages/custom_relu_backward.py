"""Custom ReLU backward (E10, E11). A string that stands alone in this file is text on the page."""

from importlib import import_module
from types import SimpleNamespace

import numpy as np
import streamlit as st

from views.custom_relu_backward import design as relu_design
from views.custom_relu_backward import double_backward, mistakes, one_pass, slope_at_zero, widths
from views.custom_relu_backward.one_pass_drawing import show_pass
from views.network import elsewhere, training
from views.player import Timeline, cached, kept, player
from views.ui import shell

FILE = "pages/custom_relu_backward.py"
LOADED = {
    "numpy_two_layers": "engines.network.numpy_by_hand",
    "tf_custom_gradient": "engines.network.tf_own_relu",
    "tf_slopes": "engines.custom_relu_backward.tf_slopes",
    "tf_two_layers": "engines.network.tf_session",
    "torch_designed": "engines.custom_relu_backward.design",
    "torch_double_backward": "engines.custom_relu_backward.double_backward",
    "torch_function": "engines.network.torch_own_relu",
    "torch_inside": "engines.custom_relu_backward.one_pass",
    "torch_judge": "engines.custom_relu_backward.gradcheck",
    "torch_slopes": "engines.custom_relu_backward.slope_at_zero",
    "torch_two_layers": "engines.network.torch_two_layers",
    "torch_wrong_backward": "engines.custom_relu_backward.mistakes",
    "two_layers": "engines.network.compare",
}


@st.cache_resource(show_spinner="Loading PyTorch and TensorFlow: some seconds, once.")
def load():
    engines = {name: import_module(module) for name, module in LOADED.items()}
    judge = engines["torch_designed"].judge  # the first check by gradcheck loads what it needs
    judge(engines["torch_designed"].Design("true"), [1.0])
    shell.settle("PyTorch, TensorFlow and gradcheck")
    return SimpleNamespace(**engines)


@cached
def play(_runs, dtype, in_parts):
    series, last_step = training.series(_runs), training.LAST_STEP if _runs else 0
    return Timeline(series, last_step, parts=in_parts, slow_at=np.array([0]), slow=True)


controls = shell.open_page(FILE)
with shell.loading("PyTorch and TensorFlow"):
    engines = load()
"""
Autograd differentiates what is made of PyTorch's operations. Into a **Function** of your own it
does not look: that may be NumPy, or C. So you write two halves. **forward** computes, and keeps
what will be needed. **backward** is handed the gradient of the loss by what came out, and returns
the gradient by what went in. Here it is a **ReLU**, which lets positive numbers pass and makes 0 of
all others.
"""
with shell.settings():
    chosen = one_pass.choose(controls)
watched = kept(engines.torch_inside.watch)(*chosen)
dtype = training.chosen(controls)  # None while nobody has asked for training
runs = training.trained(engines, dtype)
timeline = play(runs, dtype, one_pass.parts(watched))
refused = st.container()  # what may come and go must not move what follows
readout = training.readout(runs, len(watched.moments))
with player(timeline, readout=readout, phases=one_pass.PHASES, of=str(chosen)):
    one_pass.story(watched, trained=bool(runs))
drawing, code = shell.side_by_side([3, 2])
with drawing:
    show_pass(watched)
with code:
    one_pass.code(watched)

"""
### The network of two layers
The article trains one: 64 inputs of 1000 numbers, 100 hidden **units** behind the ReLU, 10 outputs,
500 steps. A unit is **active** for an input where its ReLU lets something pass, and **dead** where
it does so for no input at all. Trained here with MyReLU, with PyTorch's own ReLU, and as a static
graph, from the same arrays.
"""
training.tell(controls, runs)

"""
### What is the slope at zero?
At x = 0 a ReLU has a kink: its slope is 0 to the left and 1 to the right, and at the point itself
there is none. A program has to return something.
"""
slope_at_zero.slopes(controls, engines)

"""
### Design a backward
Choose what backward returns. What you choose becomes a Function, which is run, checked and trained
with as it stands here. **gradcheck** is PyTorch's own judge: it moves each input a little, sees how
the output moves, and compares that with what your backward says.
"""
design = relu_design.design(controls, engines)
"""
#### Check it yourself
The same question with differences of many widths h, in 64 bits. Too wide, and they reach beyond
the point; too narrow, and rounding is all that is left.
"""
widths.check(controls, engines, design)

"""
### Wrong backwards
Each is the Function above with some lines changed, really run. Some crash, some fail without a
word, and some train anyway. Choose one, say which, then look.
"""
mistakes.wrong(controls, engines)

"""
### The gradient of a gradient
Some methods need the derivative of a derivative. Then autograd has to go through your backward as
it went through your forward. The function is y = x · relu(x) at x = 3, where the first derivative
is 6 and the second is 2.
"""
double_backward.twice(controls, engines)

"""
### The same elsewhere
By hand in NumPy every gradient is a line of its own. TensorFlow has `tf.custom_gradient`: a
function that returns its result together with its backward. In a static graph, both are operations.
"""
elsewhere.elsewhere(controls, engines)

with refused:
    controls.say_refused(timeline)
st.info(
    "Autograd counts what your backward returns, compares shapes, and notices a saved tensor that "
    "was changed. Whether the numbers are right it cannot know. A wrong backward can train: let "
    "the function itself be the judge."
)
shell.close_page(FILE)
