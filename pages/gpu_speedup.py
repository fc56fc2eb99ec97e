"""GPU speedup (E12, and E10 as a training step). A string that stands alone is page text."""

from pathlib import Path

import streamlit as st

from views.ui import shell

FILE = "pages/gpu_speedup.py"
RECORDINGS = Path(__file__).parent.parent / "recordings"

here = shell.open_chapter(FILE)
with shell.loading("the measuring tools"):
    from engines.benchmark import child
    from views.gpu_speedup import (
        clock,
        machines,
        recordings,
        roof,
        speed,
        this_machine,
        training_step,
        traps,
    )
    from views.ui.measuring import Measuring

    server = this_machine.inspected()

measuring = Measuring(child.in_child)
recorded = recordings.all_of(RECORDINGS)
match here.name:
    case "speed":
        speed.show_stage(here, measuring, server, recorded)
        """
        ### Why a size is the answer
        A GPU has thousands of small units, and they pay off only if there is something to do for
        all of them. Before they can begin, the call has to reach the device, and for data in main
        memory there is the **transfer** there and back. Both cost about the same for a small
        operation as for a large one. So the curve begins below the level line, where the CPU is
        done sooner, and rises with n. Where it crosses depends on the machine, the operation and
        the library: choose others in the settings, and guess again.
        """
    case "traps":
        why = traps.show_stage(here, measuring, device=server.device)
        st.markdown(why)
        """
        Each of these has fooled somebody who knew what a GPU is. Say first how far off the naive
        number is; then both ways are measured on the server that runs this page, one after the
        other.
        """
    case "roof":
        roof.show_stage(here, measuring, server, recorded)
        """
        ### How to read the picture
        The article compares a CPU and a GPU by a row times a column of growing length. No device
        can shine at that: for each number that is read, there is one addition or multiplication to
        do.

        A **flop** is one addition or multiplication of two numbers with a decimal point;
        **GFLOP/s** counts billions of them a second. Before anything can be computed, its numbers
        have to come from memory. How many flops an operation does for each byte that it reads or
        writes is its **intensity**. An operation of I flops a byte cannot be faster than I times
        what memory hands over in a second, nor faster than arithmetic goes. These two limits lie
        over all operations like a roof, and a picture of the roof and of the operations below it is
        called a **roofline**.
        """
    case "training_step":
        training_step.show_stage(here, measuring, server, recorded)
        """
        ### What a step is
        The network of two layers: a **batch** of 64 inputs of 1,000 numbers, a hidden layer with a
        ReLU, 10 outputs. A step predicts, finds the gradients and updates the weights. Its size is
        the number of **hidden units**, the width of the network. With the **transfer**, each step
        brings a new batch from main memory to the device and the loss, one number, back, as
        training does; the weights stay on the device. On a CPU the transfer is a copy.
        """
    case "clock":
        below = clock.show_stage(here, measuring)
        """
        ### What the listing does
        This is what measured every honest number on this page, as it ran. **The first call** is
        timed and kept apart (`first`). **`wait()`** stands before the clock starts and before it is
        read: a GPU hands an operation back before it is done.
        """
        st.markdown(below)
        """
        ### Why not the minimum?
        The shortest call is the most repeatable of the three, and where nothing but the code is to
        be judged it is a fair choice; Python's own `timeit` recommends it. But it is what happens
        when everything goes well at once, and it only falls the longer you look. Here the question
        is how long somebody waits, usually: that is the median. The quartiles around it say how
        much "usually" is worth, and a mean says more about the worst moment of the machine than
        about the code.
        """
    case "machines":
        machines.show_stage(here, server, recorded)
here.controls.say_refused()
st.info(
    "A GPU wins where there is much to compute for each number that is moved, and enough of it to "
    "pay for the overhead of each call. How much it wins is known only to those who warm up, wait "
    "for the device, count the transfer, compare like with like, and measure more than once."
)
shell.close_page(FILE)
measuring.run()  # when all of the page is there
