"""A run as a program by itself: one for each family of listings, really run, away from here."""

import json
import subprocess
import sys

import numpy as np
import pytest

from engines.definitions import NotStandaloneError
from engines.digit_classifier import layers
from engines.digit_classifier import torch_autograd as digits_in_torch
from engines.digit_classifier.digits import scans
from engines.manual_gradients.mistakes import with_mistake
from engines.network import compare, torch_own_relu
from engines.problem import preset
from engines.regression import numpy_vectorized, tf_session, torch_autograd
from engines.standalone import program
from engines.trace import Drawn, Trace, made_by, record

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
