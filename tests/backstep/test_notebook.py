"""In a notebook the player stands below the cell: a real kernel runs one here."""

import html
import re
import subprocess
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[2]
EXECUTE = """
import sys, nbformat, nbclient
notebook = nbformat.read(sys.argv[1], 4)
nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
nbformat.write(notebook, sys.argv[1])
"""
CELLS = (
    "import torch\nfrom backstep import play",
    """
def train(steps=3):
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    for step in range(steps):
        loss = (w * w).sum()
        loss.backward()
        w.data -= 0.1 * w.grad
        w.grad = None
        print(loss.item())
""",
    "play(train)",
    "play(print)",
)


def test_a_function_of_a_notebook_is_played_below_its_cell(tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[*map(nbformat.v4.new_code_cell, CELLS)])
    file = tmp_path / "own.ipynb"
    nbformat.write(notebook, file)
    subprocess.run([sys.executable, "-c", EXECUTE, file], cwd=ROOT, check=True, timeout=180)
    *_, played, refused = nbformat.read(file, 4).cells
    printed, shown = played.outputs
    assert printed.text == "5.0\n3.200000286102295\n2.047999858856201\n"
    frame = shown.data["text/html"]
    page = html.unescape(re.fullmatch(r'<iframe .* srcdoc="(.*)"></iframe>', frame, re.DOTALL)[1])
    assert page.startswith("<!doctype html>")
    assert all(word in page for word in ("MulBackward0", "w.data -= ", "loss", "player-step"))
    assert "3 steps recorded" in shown.data["text/plain"]
    assert [one.text for one in refused.outputs] == [
        "backstep: builtin_function_or_method is no function. play(train) calls `train` and "
        "records it.\n"
    ]
