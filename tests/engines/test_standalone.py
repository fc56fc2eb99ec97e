"""A run as a program by itself: one for each family of listings, really run, away from here."""

import json
import subprocess
import sys

import numpy as np
import pytest

from engines.benchmark import clock, operations_numpy
from engines.benchmark.own_timing import result_of, timed
from engines.custom_relu_backward import design, gradcheck
from engines.custom_relu_backward.design import Design
from engines.definitions import NotStandaloneError
from engines.digit_classifier import layers
from engines.digit_classifier import torch_autograd as digits_in_torch
from engines.digit_classifier.digits import scans
from engines.dynamic_graph import mistakes, stream, torch_listings
from engines.listing import EDITED_SOURCE
from engines.manual_gradients import two_rates
from engines.manual_gradients.mistakes import with_mistake
from engines.network import compare, torch_own_relu
from engines.problem import preset
from engines.recurrent import torch_cell
from engines.regression import numpy_vectorized, tf_session, torch_autograd
from engines.standalone import Called, calling, program
from engines.trace import Drawn, Made, Named, Trace, made_by, record

PROBLEM = preset("numpy_article")


def run(cells, folder):
    """Run the program in a folder where nothing of ours can be found; what it printed."""
    file = folder / "program.py"
    file.write_text("\n\n\n".join(cells), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", str(file)], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def regression():
    return record(numpy_vectorized.train(PROBLEM, steps=60, learning_rate=0.004))


def mistake():
    wrong = with_mistake("input_forgotten", PROBLEM, 0.005)
    return record(wrong.train(wrong.problem, steps=120, learning_rate=wrong.learning_rate))


def in_torch():
    problem = preset("autograd_article").astype("float32")
    return record(torch_autograd.train(problem, steps=50, learning_rate=problem.learning_rate))


def in_a_session():
    problem = preset("session_article").astype("float32")
    return record(tf_session.train(problem, steps=50, learning_rate=problem.learning_rate))


def network():
    """Of which the page keeps the losses, and how its arrays were drawn."""
    names = "x_value", "y_value", "w1_value", "w2_value"
    settings = {"steps": 20, "learning_rate": compare.RATE}
    steps = torch_own_relu.train(*compare.draw(0, "float64"), **settings)
    arrays = {name: Drawn(compare.draw, (0, "float64"), i) for i, name in enumerate(names)}
    made = made_by(torch_own_relu.train, **arrays, **settings)
    return Trace(np.array([step.loss for step in steps]), {}, {}, made)


def digits():
    settings = {
        "steps": 20,
        "learning_rate": 0.001,
        "batch": 128,
        "loss_of": digits_in_torch.cross_entropy,
        "optimizer": digits_in_torch.adam,
    }
    steps = digits_in_torch.train(scans(), layers.start(64), **settings)
    start = Drawn(layers.start, (64,))
    made = made_by(digits_in_torch.train, digits=scans(), start=start, **settings)
    return Trace(np.array([step.loss for step in steps]), {}, {}, made)


def answers():
    """Calls, runs of listings that were changed, and errors: one of each kind that pages offer."""
    numbers = {"a": 3.0, "b": 2.0, "c": 3.0, "w": 4.0}
    leaves = {name: Drawn(torch_cell.parameters, (), name) for name in ("u", "w", "b")}
    chosen = Design("slopes", below=0.2, at=0.5, above=1)
    drawn = {
        name: Drawn(design.arrays, (), i)
        for i, name in enumerate(("x_value", "y_value", "w1_value", "w2_value"))
    }
    tried = design.try_out(chosen, steps=20, learning_rate=1e-4)
    train = design.listing_of(chosen).names["train"]
    widths = {**vars(gradcheck), EDITED_SOURCE: design.source_of(chosen)}
    widths["Designed"] = design.function_of(chosen).__self__
    given = {"function": Named("Designed.apply"), "point": 0.3}
    length = result_of(operations_numpy.prepare, "square", 64)
    timing = {"prepare": operations_numpy.prepare, "clock": clock.measure, "size": 64}
    timing |= {"operation": "square", "device": "cpu", "seconds": 0.05}
    return {
        "a slope": calling(torch_listings.derivative, **numbers),
        "asked twice": calling(torch_listings.asked_again, fails=True, **numbers),
        "a word": calling(torch_cell.read, word="graph", **leaves),
        "a changed rate": two_rates.run(PROBLEM, 20, 0.004, at=3, then=0.008),
        "a stream": stream.run(8, 0.001)[0],
        "a mistake that crashes": calling(
            mistakes.make("backward_twice").names["train"],
            fails=True,
            problem=preset("autograd_article").astype("float32"),
            steps=3,
            learning_rate=0.001,
        ),
        "a design": Trace(
            tried.losses, {}, {}, made_by(train, **drawn, steps=20, learning_rate=1e-4)
        ),
        "widths": Called(Made("widths", widths, given)),
        "a measurement": calling(
            timed,
            varies=("first_call", "median", "samples"),
            answer={"size_of_result": length},
            **timing,
        ),
    }


ONE_BY_ONE = """
import runpy, sys
for name in sys.argv[1:]:
    print("#", name)
    runpy.run_path(name, run_name="__main__")
"""


def test_calls_changed_listings_and_errors_are_programs_too(tmp_path):
    made = answers()
    for name, ran in made.items():
        (tmp_path / f"{name}.py").write_text("\n\n\n".join(program(ran)), encoding="utf-8")
    done = subprocess.run(  # in one process: each would load PyTorch anew
        [sys.executable, "-I", "-c", ONE_BY_ONE, *(f"{name}.py" for name in made)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = {one.partition(".py")[0]: one for one in done.stdout.split("# ")[1:]}
    assert said.keys() == made.keys()
    ends = {name: text.strip().splitlines()[-1] for name, text in said.items()}
    fails = {name for name, ran in made.items() if isinstance(ran, Called) and ran.fails}
    assert {name for name, end in ends.items() if end == "It ends as the run did."} == fails
    assert {end for name, end in ends.items() if name not in fails} == {
        "These are the numbers of the run."
    }
    assert "answer.1 = 26.0" in said["a slope"]  # 2aw + b
    assert "backward through the graph a second time" in said["asked twice"]


def test_a_call_that_comes_out_otherwise_says_so(tmp_path):
    cells = program(calling(torch_listings.derivative, a=3.0, b=2.0, c=3.0, w=4.0))
    with pytest.raises(AssertionError, match="AssertionError"):
        run([cell.replace("\nw = 4.0", "\nw = 4.5") for cell in cells], tmp_path)
    ends = program(calling(torch_listings.asked_again, fails=True, a=3.0, b=2.0, c=3.0, w=4.0))
    with pytest.raises(AssertionError, match="It ran to its end"):
        run(
            [cell.replace("y.backward()\n", "y.backward(retain_graph=True)\n") for cell in ends],
            tmp_path,
        )


def test_who_says_that_a_call_fails_is_held_to_it():
    with pytest.raises(NotStandaloneError):
        program(calling(torch_listings.derivative, fails=True))


@pytest.mark.parametrize(
    "made", [regression, mistake, in_torch, in_a_session, network, digits], ids=lambda f: f.__name__
)
def test_the_program_runs_by_itself_and_prints_the_numbers_of_the_run(made, tmp_path):
    trace = made()
    cells = program(trace, title="A run")
    source = "\n".join(cells)
    assert "engines" not in source.replace("(engines", "")
    printed = run(cells, tmp_path).splitlines()
    assert printed[-1] == "These are the numbers of the run."
    last = printed[-2]
    assert last.startswith(f"step {len(trace) - 1}: loss = ")
    loss = float(last.partition("loss = ")[2].partition(",")[0])
    np.testing.assert_allclose(loss, trace.losses[-1], rtol=1e-3 if made is digits else 1e-6)


def test_the_program_of_a_mistake_has_the_mistake():
    assert "grad_w = np.sum(grad_y_pred)\n" in "\n".join(program(mistake()))
    assert "grad_w = np.sum(grad_y_pred)\n" not in "\n".join(program(regression()))


def test_a_program_whose_numbers_are_others_says_so(tmp_path):
    cells = [cell.replace("learning_rate = 0.004", "learning_rate = 0.0041") for cell in _cells()]
    with pytest.raises(AssertionError, match="AssertionError"):
        run(cells, tmp_path)


def test_a_run_that_overflowed_is_one_too(tmp_path):
    trace = record(numpy_vectorized.train(PROBLEM, steps=5000, learning_rate=0.1))
    assert trace.final.non_finite
    assert "These are the numbers" in run(program(trace), tmp_path)


def test_what_no_listing_made_is_refused():
    [*steps] = numpy_vectorized.train(PROBLEM, steps=3, learning_rate=0.004)
    with pytest.raises(NotStandaloneError):
        program(record(steps))


def _cells():
    return program(regression())


def test_data_are_written_to_the_last_digit():
    data = next(cell for cell in _cells() if cell.startswith("# What the run was given."))
    written = data.partition("x=np.array(")[2].partition(", dtype")[0]
    np.testing.assert_array_equal(np.array(json.loads(written)), PROBLEM.x)
