"""GPU speedup (E12, and E10 as a training step). A string that stands alone is page text."""

from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import streamlit as st

from views.gpu_speedup import recordings, speed, timing_code
from views.gpu_speedup.roof import roof
from views.gpu_speedup.this_machine import devices, look
from views.gpu_speedup.training_step import step
from views.gpu_speedup.traps import fooled
from views.ui import shell
from views.ui.measuring import Measuring

FILE = "pages/gpu_speedup.py"
LOADED = {
    "benchmark": "engines.benchmark.clock",
    "child": "engines.benchmark.child",
    "naive_timing": "engines.benchmark.naive_clock",
    "sweep": "engines.benchmark.sweep",
}
RECORDINGS = Path(__file__).parent.parent / "recordings"


@st.cache_resource(show_spinner="Looking for the devices of this machine: some seconds, once.")
def load():
    engines = {name: import_module(module) for name, module in LOADED.items()}
    shell.settle("measuring")
    return SimpleNamespace(**engines, here=look(engines["child"].answers))


controls = shell.open_page(FILE)
with shell.loading("the measuring tools"):
    engines = load()
machine, measuring = engines.here, Measuring(engines.child.in_child)
recorded = recordings.all_of(RECORDINGS)
"""
A GPU computes with thousands of small units at once. But every operation has to be sent there and
waited for: a small one is done sooner where it is. A second **thread** of a processor, another
worker who has to be told what to do, is no different. So the answer is a size. Say which, then
measure it.
"""
speed.section(controls, measuring, machine, recorded, engines.sweep.recorded)
with st.expander("The devices of this machine, and those that were not found"):
    devices(machine)

"""
### Why a row times a column is a poor case
The article compares a CPU and a GPU by a row times a column of growing length. No device can shine
at that: for each number that is read, there is one addition or multiplication to do.
"""
roof(controls, measuring, machine, recorded)

"### A training step, not just a product"
step(controls, measuring, machine, recorded)

"""
### How to fool yourself
Each of these has fooled somebody who knew what a GPU is. Choose one and measure it both ways, on
this machine. The result stays hidden until you have said how far off it is.
"""
fooled(controls, measuring, engines, device=machine.device)

"### The code"
timing_code.code(engines)
"#### Check it"
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
