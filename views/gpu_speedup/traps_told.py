"""Seven ways to fool oneself with a measurement, in words. views.gpu_speedup.traps shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from views.gpu_speedup.contenders import Unit

CLOSE = (
    "Here the two cannot be told apart: {naive} in the naive way, and {low} to {high} in the "
    "honest one, between the quartiles. The effect is small here, or lost in what else this "
    "machine was doing."
)
OPPOSITE = (
    "Here it came out the other way round: {naive} in the naive way, {honest} in the honest one. "
    "The mistake cannot do that. Something else slowed this machine down meanwhile."
)


class Pair(NamedTuple):
    """A naive part, the honest one that belongs in its place, and what is said of the two.

    sign: 1 if the naive one should take longer, -1 if less time. shown: said where it does; close:
    where the quartiles overlap; opposite: where it is the other way round; traps.py fills
    them in. beside: a part that both are compared with.
    """

    naive: str
    honest: str
    sign: int
    shown: str
    close: str = CLOSE
    opposite: str = OPPOSITE
    beside: str = ""


class Trap(NamedTuple):
    """One way to fool oneself. claim: what somebody says who has fallen into it.

    wrong: why, on a CPU and on a GPU. pairs: what is compared; the last one is guessed at. rows: of
    the picture, a label for each part. code: naive and honest lines, where no function of the
    engines is the difference.
    """

    label: str
    claim: str
    wrong: tuple[str, str]
    pairs: tuple[Pair, ...] = ()
    rows: Mapping[str, str] = {}
    code: tuple[()] | tuple[str, str] = ()
    language: str = "python"
    unit: Unit = "time"
    asked: str = "By what factor is the naive number wrong?"


WARM_UP = (
    "The first call does what no later one has to: it allocates memory, and chooses and loads the "
    "code for operands of this size (the **kernel**). TensorFlow also **traces** the training "
    "step: it runs the Python function once to record its operations. A mean of ten keeps a tenth "
    "of all that. So the first calls are made before the clock runs, as a **warm-up**."
)
HANDED_OVER = (
    "A GPU works by itself. A call hands an operation over to it, and Python goes on before that "
    "is done. A clock that does not wait for the device measures the handing over. The article's "
    "own listing does that: it times ten calls of `tf.matmul` on a GPU, and nobody waits for it. "
)
VARIES = (
    "The same call takes another time each time: the processor changes its clock, the system does "
    "something else in between. One number does not say where among all these it lies."
)
WAY = (
    "The numbers lie in NumPy's memory. They have to get to where PyTorch computes, and the result "
    "has to come back: the **transfer**. "
)
BITS = (
    "NumPy draws numbers of 64 bits, and PyTorch numbers of 32. Of those, twice as many fit into "
    "each instruction of the processor and into each read of its memory. Both compute on the CPU "
    "here, with one thread."
)
TEAM = (
    "A library takes as many threads as it finds cores, unless it is told otherwise. An "
    "environment variable set in one window and not in the other is enough, and many threads run "
    "against one. Both compute on the CPU here."
)
SHARED = (
    "A median says what was usual while it was measured. On a server, in a shared container or "
    "with a second program in the background, the cores belong to others as well. Here as many "
    "other processes as there are cores multiply matrices meanwhile, as if so many visitors of "
    "this page were measuring at the same time. All of it runs on the CPU."
)
TRAPS = {
    "first_call": Trap(
        "The first call",
        "I called it ten times and divided by ten. That is how long a call takes.",
        (WARM_UP, f"{WARM_UP} PyTorch is on the GPU here, and TensorFlow on the CPU."),
        (
            Pair(
                "product, naive",
                "product, honest",
                1,
                "You would have said that PyTorch takes **{naive}** for a product of two matrices "
                "with {size} rows each. Once it is warm it takes **{honest}**: wrong by a factor "
                "of **{factor}**. With the loading of PyTorch, {loaded}, ten calls in a script "
                "would come to **{script}** each.",
            ),
            Pair(
                "step, naive",
                "step, honest",
                1,
                "You would have said that TensorFlow takes **{naive}** for a training step with "
                "{size} hidden units. Once it is traced it takes **{honest}**: wrong by a factor "
                "of **{factor}**. With the loading of TensorFlow, {loaded}, ten steps in a script "
                "would come to **{script}** each.",
            ),
        ),
        {
            "product, naive": "PyTorch's product, the first ten calls",
            "product, honest": "PyTorch's product, warm",
            "step, naive": "TensorFlow's step, the first ten calls",
            "step, honest": "TensorFlow's step, warm",
        },
        asked="By what factor is the naive number of TensorFlow's step wrong?",
    ),
    "not_waiting": Trap(
        "Not waiting",
        "The call is back at once. This machine is faster than its data sheet says.",
        (
            f"{HANDED_OVER}PyTorch has no GPU here. So TensorFlow is told to do on the CPU what a "
            "GPU always does, to give operations back before they are done: "
            "`tf.config.experimental.set_synchronous_execution(False)`. Below, `wait` is "
            "`tf.test.experimental.sync_devices`.",
            f"{HANDED_OVER}Below, `wait` is `torch.{{device}}.synchronize`.",
        ),
        (
            Pair(
                "naive",
                "honest",
                -1,
                "You would have said that a product of two matrices with {size} rows each takes "
                "{naive}: **{naive_speed}**, so many billions of additions and multiplications a "
                "second. It takes {honest}: **{honest_speed}**. That is wrong by a factor of "
                "**{factor}**. The machine does not compute any faster than that. "
                "What you had timed is how long it takes to ask for it.",
            ),
        ),
        {"naive": "until Python goes on", "honest": "until the device has done its work"},
        unit="gflops",
    ),
    "once": Trap(
        "Timing once",
        "I have timed it. That is how long it takes.",
        (VARIES, VARIES),
        asked="By what factor do the longest and the shortest of some hundred calls differ?",
    ),
    "transfer": Trap(
        "Forgetting the transfer",
        "A row times a column, a million multiplications, and look how little time it takes.",
        (
            f"{WAY}Without a GPU it is a copy within the same memory, made by `torch.tensor`. "
            "To a GPU it goes over a bus, which is slower than the memory at either end.",
            f"{WAY}To a GPU with memory of its own it goes over a bus, which is slower than "
            "the memory at either end. A GPU that shares the processor's memory needs a copy.",
        ),
        (
            Pair(
                "naive",
                "honest",
                -1,
                "You would have said **{naive}**. With the transfer of its two times {size} "
                "numbers it is **{honest}**: wrong by a factor of **{factor}**. The transfer is "
                "**{share}** of the whole. It pays for data that then stays there and is used "
                "often.",
            ),
        ),
        {
            "naive": "with numbers that are there already",
            "honest": "with the transfer there and back",
        },
        (
            'a = torch.tensor(row, device="{device}")\n'
            'b = torch.tensor(column, device="{device}")\n\n'
            "measure(lambda: a @ b, wait, seconds=1)",
            'def product():\n    a = torch.tensor(row, device="{device}")\n'
            '    b = torch.tensor(column, device="{device}")\n    return (a @ b).cpu().numpy()\n\n'
            "measure(product, wait, seconds=1)",
        ),
    ),
    "precision": Trap(
        "Unequal precision",
        "I drew random matrices in both. PyTorch is faster than NumPy.",
        (BITS, BITS),
        (
            Pair(
                "NumPy, 64 bits",
                "NumPy, 32 bits",
                1,
                "You would have said: *{unfair}* With 32 bits on both sides: *{fair}* NumPy itself "
                "takes **{factor} times** as long with 64 bits as with 32, and by that factor you "
                "would be wrong.",
                beside="PyTorch, 32 bits",
            ),
        ),
        {one: one for one in ("NumPy, 64 bits", "NumPy, 32 bits", "PyTorch, 32 bits")},
        (
            "a = rng.random((n, n))  # NumPy: 64 bits\nb = torch.rand(n, n)  # PyTorch: 32 bits",
            "a = rng.random((n, n), dtype=numpy.float32)\nb = torch.tensor(a)  # 32 bits, as a",
        ),
    ),
    "threads": Trap(
        "Unequal threads",
        "The same matrices, the same 32 bits: PyTorch is faster than NumPy.",
        (TEAM, TEAM),
        (
            Pair(
                "PyTorch, all",
                "PyTorch, one",
                -1,
                "You would have said: *{unfair}* With one thread each: *{fair}* PyTorch itself is "
                "**{factor} times** as fast with {threads} threads as with one, and by that factor "
                "you would be wrong.",
                opposite="Here PyTorch was slower with {threads} threads, {naive}, than with one, "
                "{honest}. Threads wait for each other at the end of each product: when something "
                "else needs a core, all of them wait for the one that has lost it.",
                beside="NumPy, one",
            ),
        ),
        {
            "NumPy, one": "NumPy, one thread",
            "PyTorch, all": "PyTorch, all threads",
            "PyTorch, one": "PyTorch, one thread",
        },
        (
            "OMP_NUM_THREADS=1 python with_numpy.py\npython with_pytorch.py  # all cores",
            "OMP_NUM_THREADS=1 python with_numpy.py\nOMP_NUM_THREADS=1 python with_pytorch.py",
        ),
        "bash",
    ),
    "others": Trap(
        "Other visitors",
        "I have warmed it up, waited, and taken a median. This server needs that long.",
        (SHARED, SHARED),
        (
            Pair(
                "naive",
                "honest",
                1,
                "You would have said that PyTorch takes **{naive}** for a product of two matrices "
                "with {size} rows each. Without them it takes **{honest}**: wrong by a "
                "factor of **{factor}**, and all the care of the clock does not help. So this app "
                "measures for one visitor at a time, and the others wait in a queue.",
                opposite="Here the product was faster among others, {naive}, than alone, {honest}. "
                "So it was not alone: something else was busy, and this machine is shared, too.",
            ),
        ),
        {"naive": "with others computing", "honest": "alone"},
    ),
}
