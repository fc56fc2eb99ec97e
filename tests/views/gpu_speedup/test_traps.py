"""The traps of measuring, as a visitor meets them: asked, measured both ways, and told."""

import inspect
import re
from html import unescape

import altair as alt
import pytest

from engines.benchmark import naive_clock
from engines.benchmark import traps as engine
from engines.benchmark.child import answers
from engines.listing import body
from tests.support.chapters import chapter, measure, told
from tests.support.measurements import measurement
from tests.support.visit import charts, components
from views.gpu_speedup import traps
from views.gpu_speedup.contenders import written
from views.gpu_speedup.traps import TRAPS
from views.ui import measuring, shell

CORES = 4


@pytest.fixture(scope="module", autouse=True)
def settled():
    """As a page does it: else each visit would look through the frameworks for garbage."""
    shell.settle("the tests of a section")


@pytest.fixture(autouse=True)
def nothing_kept():
    measuring._latest.clear()
    yield
    measuring._latest.clear()


def measured(framework, median, spread=0.02, *, size=512, **more):
    """A measurement as the child prints it, its quartiles so far from the median."""
    return measurement(size, median, spread=spread, framework=framework, **more)._asdict()


def part(name, measurement, samples=()):
    return {"event": "part", "part": name, "measurement": measurement, "samples": list(samples)}


def loaded(framework, seconds):
    return {"event": "loaded", "framework": framework, "seconds": seconds}


# By trap: its parts with the times of machines on which the mistake shows.
ROW, STEP = {"operation": "row_by_column", "size": 2**20}, {"operation": "training_step"}
SHOWN = {
    "first_call": [
        part("product, naive", measured("torch", 4e-4, 0, size=64)),
        part("product, honest", measured("torch", 8e-6, size=64)),
        part("step, naive", measured("tensorflow", 9e-3, 0, **STEP, size=100)),
        part("step, honest", measured("tensorflow", 6e-4, **STEP, size=100)),
    ],
    "not_waiting": [
        part("naive", measured("tensorflow", 1e-4, size=1024)),
        part("honest", measured("tensorflow", 4e-3, size=1024)),
    ],
    "once": [part("naive", measured("torch", 9e-6, size=64), [2e-5, 9e-6, 8e-6, 1e-5, 4e-3])],
    "transfer": [
        part("naive", measured("torch", 1e-3, **ROW)),
        part("honest", measured("torch", 4e-3, **ROW, transfer=True)),
    ],
    "precision": [
        part("NumPy, 64 bits", measured("numpy", 6e-3, precision="float64")),
        part("NumPy, 32 bits", measured("numpy", 3e-3)),
        part("PyTorch, 32 bits", measured("torch", 4e-3)),
    ],
    "threads": [
        part("NumPy, one", measured("numpy", 3e-3)),
        part("PyTorch, all", measured("torch", 1e-3, threads=CORES)),
        part("PyTorch, one", measured("torch", 4e-3)),
    ],
    "others": [
        part("honest", measured("torch", 1e-3, threads=CORES)),
        part("naive", measured("torch", 5e-3, threads=CORES)),
    ],
}
LOADED = [loaded("torch", 2.0), loaded("tensorflow", 3.0)]
# What a visitor reads of them, who has guessed.
TOLD = {
    "first_call": ["**400 µs**", "**8 µs**", "**50**", "2 s, ", "**200 ms** each", "**309 ms**"],
    "not_waiting": ["takes 100 µs: **21,475 GFLOP/s**", "takes 4 ms: **537 GFLOP/s**", "**40**"],
    "once": ["**10 µs**", "call 1 took 2 times that", "**500 times**", "8 µs and the longest 4"],
    "transfer": ["**1 ms**", "1,048,576 numbers it is **4 ms**", "factor of **4**", "**75%**"],
    "precision": [
        "*PyTorch is 1.5 times as fast as NumPy.*",
        "*NumPy is 1.33 times as fast as PyTorch.*",
        "**2 times** as long with 64 bits",
    ],
    "threads": [
        "*PyTorch is 3 times as fast as NumPy.*",
        "*NumPy is 1.33 times as fast as PyTorch.*",
        "**4 times** as fast with 4 threads as with one",
    ],
    "others": ["takes **5 ms**", "takes **1 ms**", "factor of **5**", "in a queue"],
}
RIGHT = {  # the factor that is guessed at: 15, 40, 500, 4, 2, 4, 5
    "first_call": "between 3 and 20",
    "not_waiting": "by more than 20",
    "once": "by more than 20",
    "transfer": "between 3 and 20",
    "precision": "between 1.2 and 3",
    "threads": "between 3 and 20",
    "others": "between 3 and 20",
}


FAILS = ChildProcessError("/a/path")


def visit(trap, events=(), *, device="cpu", guess="show", **query):
    """The chapter with this trap chosen; measured, and guessed, if there are events."""
    devices = {"torch": [device]} if device != "cpu" else {}
    at = chapter("traps", [*LOADED, *events], {"devices": devices}, **{"trap": trap, **query})
    if events:
        measure(at)
        if guess:
            at.segmented_control[0].set_value(guess).run()
    assert not at.exception
    return at


def listings(at):
    """The code on the stage."""
    shown = [one["html"] for one in components(at) if "listing" in one.get("html", "")]
    codes = ["\n".join(re.findall("<code>(.*?)</code>", one)) for one in shown]
    return [unescape(re.sub("<[^>]*>", "", code)) for code in codes]


def scaled(events, **factors):
    """The same events, with the times of these parts multiplied."""
    times = ("least", "low", "median", "high", "most")
    changed = []
    for event in events:
        factor = factors.get(event["part"], 1)
        times_now = {name: factor * event["measurement"][name] for name in times}
        changed.append({**event, "measurement": {**event["measurement"], **times_now}})
    return changed


def alike(trap):
    """The events of a trap whose naive parts come out like the honest ones."""
    medians = {event["part"]: event["measurement"]["median"] for event in SHOWN[trap]}
    pairs = TRAPS[trap].pairs
    return scaled(SHOWN[trap], **{p.naive: medians[p.honest] / medians[p.naive] for p in pairs})


def reversed_in_time(trap):
    """The events of a trap whose naive parts are twice as far off, in the other direction."""
    return scaled(
        alike(trap),
        **{pair.naive: 0.5 if pair.slower == "naive" else 2.0 for pair in TRAPS[trap].pairs},
    )


# The question


def test_every_trap_of_the_engine_can_be_chosen():
    assert tuple(TRAPS) == engine.NAMES


@pytest.mark.parametrize("trap", TRAPS)
def test_before_it_is_measured_there_is_a_claim_and_a_question_and_no_number(trap):
    at = visit(trap)
    assert TRAPS[trap].claim in told(at)
    assert at.segmented_control[0].label == TRAPS[trap].asked
    assert charts(at) == []
    assert not any(unit in told(at) for unit in (" ms", " µs", " GFLOP/s"))
    others = [other.claim for name, other in TRAPS.items() if name != trap]
    assert not any(claim in told(at) for claim in others)


def test_a_trap_that_does_not_exist_is_refused():
    at = visit("<script>")
    assert "asks for trap = `<script>`" in told(at)
    assert TRAPS["first_call"].claim in told(at)


@pytest.mark.parametrize("trap", TRAPS)
def test_every_part_that_is_compared_or_drawn_is_measured_by_the_engine(trap):
    parts = engine.parts_of("cpu", CORES)[trap]
    for pair in TRAPS[trap].pairs:
        assert {pair.naive, pair.honest, pair.beside} <= {*parts, ""}
    assert set(TRAPS[trap].rows) == (set() if trap == "once" else set(parts))
    assert [event["part"] for event in SHOWN[trap]] == list(parts)


@pytest.mark.parametrize(
    ("trap", "how"),
    [
        ("first_call", naive_clock.without_warm_up),
        ("not_waiting", naive_clock.without_waiting),
        ("once", naive_clock.one_by_one),
    ],
)
def test_the_code_shown_is_the_code_that_runs(trap, how):
    naive, honest = listings(visit(trap))
    assert naive == body(inspect.getsource(how)).strip()
    assert "def " + how.__name__ not in naive
    waited = "wait()  # a GPU gives" in honest
    assert waited if trap == "not_waiting" else "known(samples)" in honest


# The answer


@pytest.mark.parametrize("trap", TRAPS)
def test_where_the_mistake_shows_the_measured_numbers_say_so(trap):
    at = visit(trap, SHOWN[trap])
    arguments = ("traps", "--trap", trap, "--device", "cpu")
    assert at.session_state["ran"] == [arguments]
    missing = [text for text in TOLD[trap] if text not in told(at)]
    assert not missing, told(at)
    [chart] = charts(at)
    alt.Chart.from_dict(chart)


@pytest.mark.parametrize("trap", TRAPS)
def test_the_numbers_come_after_a_guess(trap):
    at = visit(trap, SHOWN[trap], guess="")
    assert charts(at) == []
    assert TOLD[trap][-1] not in told(at)
    at.segmented_control[0].set_value(RIGHT[trap]).run()
    assert f"Yes: **{RIGHT[trap]}**" in told(at)
    assert TOLD[trap][-1] in told(at)


@pytest.mark.parametrize("trap", [name for name in TRAPS if name != "once"])
def test_where_the_two_are_alike_nothing_is_claimed(trap):
    at = visit(trap, alike(trap))
    assert "cannot be told apart" in told(at)
    assert "You would have said" not in told(at)


@pytest.mark.parametrize("trap", [name for name in TRAPS if name != "once"])
def test_where_it_is_the_other_way_round_nothing_is_claimed(trap):
    at = visit(trap, reversed_in_time(trap))
    for pair in TRAPS[trap].pairs:
        assert pair.opposite.split("{")[0] in told(at)
    assert "You would have said" not in told(at)
    assert "cannot be told apart" not in told(at)


def test_an_honest_comparison_that_is_too_close_is_called_so():
    events = scaled(SHOWN["precision"], **{"PyTorch, 32 bits": 0.75})
    assert "*NumPy and PyTorch are too close to tell apart.*" in told(visit("precision", events))


def test_on_one_core_there_is_nothing_to_be_unequal():
    events = [
        {**event, "measurement": {**event["measurement"], "threads": 1}}
        for event in SHOWN["threads"]
    ]
    at = visit("threads", events)
    assert "one core" in told(at)
    assert "You would have said" not in told(at)
    assert charts(at) == []


# Once


def test_timing_once_more_shows_the_next_call_and_begins_again_after_the_last():
    at = visit("once", SHOWN["once"], guess="")
    said = []
    for _ in range(6):
        said.append(next(m.value for m in at.markdown if m.value.startswith("n = 64")))
        next(one for one in at.button if one.label == "Time it once more").click().run()
    samples = SHOWN["once"][0]["samples"]
    for text, seconds in zip(said, [*samples, samples[0]], strict=True):
        assert f"**{written(seconds, 'time')}**" in text


def test_calls_that_hardly_differ_are_said_to():
    even = [part("naive", measured("torch", 9e-6, size=64), [9e-6, 9.1e-6, 9.05e-6])]
    assert "timing once would have done" in told(visit("once", even))
    assert "timing once would have done" not in told(visit("once", SHOWN["once"]))


# On a GPU, stopped, failed


def test_on_a_gpu_the_words_and_the_code_are_about_the_gpu():
    at = visit("not_waiting", SHOWN["not_waiting"], device="cuda")
    assert at.session_state["ran"][0][-1] == "cuda"
    assert "`torch.cuda.synchronize`" in told(at)
    assert "no GPU" not in told(at)
    at = visit("transfer", device="cuda")
    assert all('device="cuda"' in code for code in listings(at))
    assert "Without a GPU" not in told(at)
    assert "PyTorch is on the GPU here" in told(visit("first_call", device="cuda"))
    assert "PyTorch has no GPU here" in told(visit("not_waiting"))


def test_what_was_measured_before_a_stop_is_told():
    at = visit("first_call", [*SHOWN["first_call"][:3], FAILS])
    assert "**50**" in told(at)
    assert "TensorFlow takes" not in told(at)
    assert "This run ended early." in at.warning[-1].value


@pytest.mark.parametrize("trap", TRAPS)
def test_a_stop_before_anything_can_be_compared_claims_nothing(trap):
    events = SHOWN[trap][: 0 if trap == "once" else 1]
    at = visit(trap, [*events, loaded("numpy", 0.1), FAILS])
    assert charts(at) == []
    assert "You would have said" not in told(at)


def test_a_failure_is_said_and_what_came_before_it_stays():
    at = visit("transfer", [SHOWN["transfer"][0], FAILS], guess="")
    assert any("ended before it was done" in one.value for one in at.warning)
    assert "/a/path" not in told(at)
    assert charts(at) == []


def test_the_guess_comes_before_and_is_there_while_it_is_measured():
    at = chapter("traps", [*LOADED, *SHOWN["transfer"]], trap="transfer")
    at.segmented_control[0].set_value(RIGHT["transfer"]).run()
    assert "measure it" in told(at)
    assert charts(at) == []
    assert f"Yes: **{RIGHT['transfer']}**" in told(measure(at))
    assert len(charts(at)) == 1


def test_on_a_busy_server_the_points_are_drawn_and_nothing_is_claimed():
    at = visit("transfer", [{**event, "on_core": 0.5} for event in SHOWN["transfer"]])
    assert len(charts(at)) == 1
    assert "no verdict is given" in told(at)
    assert "You would have said" not in told(at)


# Measured


def test_what_the_engine_measures_is_what_the_view_reads():
    # In a process of its own: what it starts would run this process's script again, AppTest's.
    parts, load, samples = traps.read(answers(["traps", "--trap", "precision", "--quick"]))
    assert {name: (m.framework, m.precision) for name, m in parts.items()} == {
        "NumPy, 64 bits": ("numpy", "float64"),
        "NumPy, 32 bits": ("numpy", "float32"),
        "PyTorch, 32 bits": ("torch", "float32"),
    }
    assert set(load) == {"numpy", "torch"}
    assert samples == []
    assert all(0 < m.low <= m.median <= m.high < 1 and m.threads == 1 for m in parts.values())
    said = traps.told(TRAPS["precision"].pairs[0], parts, load)
    shown = parts["NumPy, 64 bits"].median / parts["NumPy, 32 bits"].median
    assert f"{shown:.3g} times" in said or "Here" in said
