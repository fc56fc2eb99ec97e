"""A loop in another file of one's own is found, recorded there, and nothing of it stays."""

import sys

import pytest

from engines.own_training.run import RefusedError, record_file

MAIN = "import torch\nfrom lib.model import Net\nfrom lib import trainer\ntorch.manual_seed(0)\n"
MAIN += "print(trainer.fit(Net(), torch.randn(3, 4, 2)))\n"
MODEL = "from torch import nn\nclass Net(nn.Linear):\n  def __init__(s): super().__init__(2, 1)\n"
TRAINER = """
import torch
from .losses import criterion

def fit(model, data):
    opt = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(2):
        for x in data:
            loss = criterion(model(x))
            opt.zero_grad()
            loss.backward()
            opt.step()
    return loss.item()
"""
FILES = {"lib/__init__.py": "", "lib/model.py": MODEL, "lib/trainer.py": TRAINER}
FILES |= {"lib/losses.py": "def criterion(y):\n  return (y - 1).pow(2).mean()\n"}


def written(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder / "my_training.py"


def test_the_file_with_the_loop_is_shown_and_forgotten_afterwards(tmp_path, capsys):
    before = sys.meta_path[:], sys.path[:]
    path = written(tmp_path, {**FILES, "my_training.py": MAIN})
    for _ in range(2):  # as in a notebook, where the cell is run again
        recording = record_file(path)
        assert (recording.title, recording.loops, len(recording.passes)) == ("trainer.py", [8], 6)
        assert recording.source == TRAINER
        assert set(recording.passes[0].gradients) == {"model.weight", "model.bias"}
        update = next(event for event in recording.graphs[0].events if event.kind == "update")
        assert update.line == 12
        printed = capsys.readouterr().out
        assert float(printed) < recording.passes[0].losses["loss"]
        assert recording.passes[-1].losses["loss"] == float(printed)
    assert before == (sys.meta_path, sys.path)
    assert not [name for name in sys.modules if name.partition(".")[0] == "lib"]


def test_a_loop_that_steps_by_what_another_file_does_is_found_where_it_is(tmp_path):
    stepper = TRAINER.replace(".losses", "lib.losses").replace("fit", "make")
    stepper = stepper.partition("    for")[0]
    stepper += "    def one(x):\n        loss = criterion(model(x))\n        opt.zero_grad()\n"
    stepper += "        loss.backward()\n        opt.step()\n    return one\n"
    main = "import torch\nfrom lib.model import Net\nimport stepper\n"
    main += "one = stepper.make(Net(), None)\nfor x in torch.randn(5, 4, 2):\n    one(x)\n"
    path = written(tmp_path, {**FILES, "stepper.py": stepper, "my_training.py": main})
    recording = record_file(path)
    assert (recording.title, len(recording.passes)) == ("my_training.py", 5), recording.failure


def test_a_mark_in_another_file_counts_and_its_error_is_told_from_the_beginning(tmp_path):
    marked = "import torch, backstep\ndef go():\n  w = torch.ones(2, requires_grad=True)\n"
    marked += "  for i in backstep.steps(range(70)):\n    (w * w).sum().backward()\n  w.sum().x\n"
    files = {"marked.py": marked, "my_training.py": "import marked\n\nmarked.go()\n"}
    recording = record_file(written(tmp_path, files))
    assert (recording.title, len(recording.passes)) == ("marked.py", 70)
    assert (recording.failure.line, recording.failure.step) == (6, None)
    assert 'my_training.py", line 3' in recording.failure.told


def test_what_cannot_be_found_is_refused_with_the_line_that_goes_backward(tmp_path):
    hidden = "import torch\nw = torch.ones(2, requires_grad=True)\n"
    hidden += "def once():\n  (w * w).sum().backward()\n"
    hidden += "  if w.grad[0] < 200: globals()['once']()\n"
    files = {"hidden.py": hidden, "my_training.py": "import hidden\nhidden.once()\n"}
    words = r"Around line 4 of .*hidden\.py, in the loop .* write backstep\.steps"
    with pytest.raises(RefusedError, match=words):
        record_file(written(tmp_path, files))
