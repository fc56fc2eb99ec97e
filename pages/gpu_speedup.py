"""GPU speedup (E12, and E10 as a training step). A string that stands alone is page text."""

from pathlib import Path

import streamlit as st

from views.ui import shell
from views.ui.measuring import Measuring

FILE = "pages/gpu_speedup.py"
RECORDINGS = Path(__file__).parent.parent / "recordings"

controls = shell.open_page(FILE)
with shell.loading("the measuring tools"):
    from engines.benchmark import child
    from views.gpu_speedup import (
        recordings,
        roof,
        speed,
        this_machine,
        timing_code,
        training_step,
        traps,
    )

    machine = this_machine.inspected()

measuring = Measuring(child.in_child)
recorded = recordings.all_of(RECORDINGS)
"""
A GPU computes with thousands of small units at once. But every operation has to be sent there and
waited for: a small one is done sooner where it is. A second **thread** of a processor, another
worker who has to be told what to do, is no different. So the answer is a size. Say which, then
measure it.
"""
speed.section(controls, measuring, machine, recorded)
with st.expander("The devices of this machine, and those that were not found"):
    this_machine.devices(machine)

"""
### Why a row times a column is a poor case
The article compares a CPU and a GPU by a row times a column of growing length. No device can shine
at that: for each number that is read, there is one addition or multiplication to do.

A **flop** is one addition or multiplication of two numbers with a decimal point; **GFLOP/s** counts
billions of them a second. Before anything can be computed, its numbers have to come from memory.
How many flops an operation does for each byte that it reads or writes is its **intensity**. An
operation of I flops a byte cannot be faster than I times what memory hands over in a second, nor
faster than arithmetic goes. These two limits lie over all operations like a roof, and a picture of
the roof and of the operations below it is called a **roofline**.
"""
roof.section(controls, measuring, machine, recorded)

"""
### A training step, not just a product
The network of two layers: a **batch** of 64 inputs of 1,000 numbers, a hidden layer with a ReLU, 10
outputs. A step predicts, finds the gradients and updates the weights. Its size is the number of
**hidden units**, the width of the network. With the **transfer**, each step brings a new batch from
main memory to the device and the loss, one number, back, as training does; the weights stay on the
device. On a CPU the transfer is a copy.
"""
training_step.section(controls, measuring, machine, recorded)

"""
### How to fool yourself
Each of these has fooled somebody who knew what a GPU is. Choose one and measure it both ways, on
this machine. The result stays hidden until you have said how far off it is.
"""
traps.section(controls, measuring, device=machine.device)

"### The code"
timing_code.code()
"""
#### Check it
PyTorch has a timer of its own, `torch.utils.benchmark`. Here both time the same operations in the
same process, in turn. **How far apart will they be?**
"""
timing_code.check(measuring)

"""
### A machine that is not here
A **recording** is what one command has measured on some machine, with the machine, the versions and
the time written into it. Choose one at the top of the page: its lines are drawn thin and with
hollow marks, beside what is measured here.
"""
recordings.listed(recorded)
recordings.add(recorded)

controls.say_refused()
st.info(
    "A GPU wins where there is much to compute for each number that is moved, and enough of it to "
    "pay for the overhead of each call. How much it wins is known only to those who warm up, wait "
    "for the device, count the transfer, compare like with like, and measure more than once."
)
shell.close_page(FILE)
measuring.run()  # when all of the page is there
