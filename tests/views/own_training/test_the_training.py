"""The numbers of all steps: sizes of whole modules where there are many, losses that overflow."""

import numpy as np
import pytest

from engines.own_training.recording import Pass, Recording
from views.own_training import the_training
from views.own_training.sizes import MOST, practically_zero, summed


def recording(passes, **more):
    empty = {"source": "", "loops": [3], "graphs": [], "modules": {}, "calls": {}}
    return Recording("mine.py", passes=passes, ended="finished", **empty, **more)


def test_many_parameters_are_summed_up_to_as_many_lines_as_can_be_told_apart():
    names = [f"model.{i}.{kind}" for i in range(MOST) for kind in ("weight", "bias")]
    first = dict.fromkeys(names, 3.0) | dict.fromkeys(names[1::2], 4.0)
    shown = summed(recording([Pass(gradients=first), Pass()]), "gradients")
    assert list(shown) == [f"model.{i}" for i in range(MOST)]
    for values in shown.values():
        assert values[0] == pytest.approx(5)
        assert np.isnan(values[1])  # of that step nothing is known
    few = summed(recording([Pass(gradients={"w": 1.0, "layer.b": 2.0})]), "gradients")
    assert {name: values.tolist() for name, values in few.items()} == {"w": [1], "layer.b": [2]}


def test_it_is_said_where_a_loss_overflows_and_that_a_step_has_several():
    run = [Pass({"loss": value}, backward=["loss"]) for value in (1.0, np.inf, np.nan)]
    told = the_training.told(recording([*run, Pass()]))
    assert "at step 1 it became infinite" in told
    assert "several times" not in told
    run = [Pass({"a": np.nan, "b": 1.0}, backward=["a", "b", "a"])]
    told = the_training.told(recording(run))
    assert "at step 0 it became not a number" in told
    assert told.count("became") == 1
    assert "of one name this is the last" in told
    assert told.endswith("A step is one pass of the loop in line 3.")


def test_a_gradient_of_nothing_but_rounding_is_named_and_does_not_press_the_others_flat():
    columns = {"w": np.array([3.0, np.nan, 1.0]), "dead": np.array([1e-9, 2e-9, np.nan])}
    assert practically_zero(columns) == {"dead"}
    assert practically_zero({"w": columns["w"], "late": np.array([1e-9, 1e-4, 0.0])}) == set()
    assert practically_zero({"w": np.zeros(3)}) == practically_zero({}) == set()


def test_the_same_function_recorded_again_shows_its_new_numbers():
    for loss in (1.0, 2.0):  # as in a notebook, where a cell is run again
        timeline, _ = the_training.played(recording([Pass({"loss": loss}, backward=["loss"])]))
        assert timeline.series["loss"].values.tolist() == [loss]
