"""What cannot be recorded is refused in words; an error is told as Python tells it without us."""

import subprocess
import sys

import pytest

from engines.own_training import recorder
from engines.own_training.functions import record_function
from engines.own_training.run import RefusedError, record_file
from engines.problem import preset
from engines.regression.torch_autograd import train

BEGIN = "import torch\nw = torch.ones(2, requires_grad=True)\n"
REFUSED = {
    "is not Python: expected ':'.\n  line 1: for i in range(3)": "for i in range(3)\n  pass",
    "never names torch": "print(1)",
    "nothing in it called backward": BEGIN,
    "train_a, train_b": "import torch\ndef train_a(): x.backward()\ndef train_b(): x.backward()",
    "Around line 1 of <string>, in the loop whose passes are the steps": BEGIN
    + "exec('for i in range(60): w.sum().backward()')",
}


def record(tmp_path, source, **how):
    file = tmp_path / "my_training.py"
    file.write_text(source)
    return record_file(file, **how)


@pytest.mark.parametrize("words", REFUSED)
def test_what_cannot_be_recorded_is_refused_in_words(words, tmp_path):
    with pytest.raises(RefusedError) as refused:
        record(tmp_path, REFUSED[words])
    assert words in str(refused.value)


def test_files_and_functions_that_are_not_there_are_refused(tmp_path):
    with pytest.raises(RefusedError, match="There is no file"):
        record_file(tmp_path / "none.py")
    with pytest.raises(RefusedError, match=r"has no function fit\. It has train"):
        record(tmp_path, "def train(): pass", function="fit")


def test_an_endless_loop_is_ended_and_may_tidy_up(tmp_path):
    source = BEGIN + "end = []\ntry:\n  while True: (w * w).sum().backward()\n"
    source += "except Exception: end.append('never')\nfinally: print('tidied', end)\n"
    recording = record(tmp_path, source, steps=7)
    assert (recording.ended, len(recording.passes)) == ("enough", 7)


ERROR = (
    BEGIN
    + """
def half(x):
    return x / torch.ones(3)

for i in range(10):
    (w * w).sum().backward()
    if i == 2:
        half(w)
"""
)


def test_an_error_is_told_as_without_the_recorder_and_with_what_was_until_then(tmp_path):
    recording = record(tmp_path, ERROR)
    assert recording.ended == "error"
    assert (recording.failure.line, recording.failure.step) == (5, 2)
    assert len(recording.passes) == 3
    assert recording.graphs[-1].error.line == 5
    assert recording.graphs[-1].error.text == "x / torch.ones(3)"
    plain = subprocess.run(
        [sys.executable, tmp_path / "my_training.py"], capture_output=True, text=True, check=False
    )
    assert recording.failure.told == plain.stderr


def test_a_graph_that_is_too_large_is_left_out_and_its_loss_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(recorder, "MOST_NODES", 40)
    loop = "  for k in range(50): x = x * 1\n  x.sum().backward()\n"
    recording = record(tmp_path, f"{BEGIN}for i in range(2):\n  x = w\n{loop}")
    assert recording.too_many == 40
    assert recording.graphs == []
    assert [one.losses for one in recording.passes] == [{"loss": 2.0}] * 2


def test_the_command_line_and_the_main_module_are_the_programs(tmp_path):
    source = BEGIN + "import sys, __main__\nassert __main__.w is w and __name__ == '__main__'\n"
    source += "for i in range(int(sys.argv[1])): w.sum().backward()\nsys.exit(2)\n"
    before = sys.argv, sys.modules["__main__"], sys.path[:]
    assert len(record(tmp_path, source, arguments=["4"]).passes) == 4
    assert (sys.argv, sys.modules["__main__"], sys.path) == before


# ---- Functions


def descend(w, steps=3):
    for _ in range(steps):
        loss = (w * w).sum()
        loss.backward()
        yield loss.item()


class Trainer:
    def __init__(self, w):
        self.w, self.rate = w, 0.1

    def fit(self):
        for _ in range(4):
            (self.w**2).sum().backward()
            self.w.data -= self.rate * self.w.grad
            self.w.grad = None


def test_functions_generators_and_methods_are_recorded_where_they_are():
    import torch

    w = torch.ones(2, requires_grad=True)

    def closes_over(rate=0.5):
        for _ in range(5):
            (rate * w * w).sum().backward()

    for training, given, steps in (
        (descend, (w,), 3),
        (descend(w, steps=2), (), 2),
        (train(preset("autograd_article"), steps=3, learning_rate=1e-3), (), 4),
        (closes_over, (), 5),
        (Trainer(w).fit, (), 4),
    ):
        recording = record_function(training, *given)
        assert len(recording.passes) == steps
        lines = recording.source.splitlines()
        assert all("for _ in range" in lines[line - 1] for line in recording.loops)
        back = [one for one in recording.graphs[0].events if one.kind == "backward"]
        assert back
        assert all("backward" in lines[one.line - 1] for one in back)
    assert not [name for name in globals() if name.startswith("__backstep")]


def test_a_function_that_cannot_be_called_so_is_refused():
    for training, words in (
        (descend, "missing a required argument: 'w'"),
        (3, "int is no function"),
    ):
        with pytest.raises(RefusedError, match=words):
            record_function(training)
