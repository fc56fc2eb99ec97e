"""Programs as people write them: recorded, they do as they do plainly, and that is what is kept."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch

from engines.own_training.run import record_file

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.py"))
# How often backward() is called in a step, where that is not once; of one name the last is kept.
TIMES = {"accumulation_nested": 3, "lbfgs_closure": 3, "marked": 2, "gan_two_optimizers": 2}
TIMES |= {"wgan_gradient_penalty": 5, "maml_inner_loop": 5}
NAMED = TIMES | {"wgan_gradient_penalty": 3}  # the penalty's gradient is of what has no name
STEPS = {
    "accumulation_if": 12,
    "accumulation_nested": 4,
    "checkpoint_blocks": 4,
    "autoencoder_loader": 12,
    "cnn_images": 6,
    "gan_two_optimizers": 6,
    "lbfgs_closure": 3,
    "lightning_like": 6,
    "maml_inner_loop": 4,
    "marked": 4,
    "trainer_class": 6,
    "wgan_gradient_penalty": 4,
}


def leaves_behind(node, found):
    if node is not None and node not in found:
        found[node] = getattr(node, "variable", None)
        for inner, _ in node.next_functions:
            leaves_behind(inner, found)
    return [leaf for leaf in found.values() if leaf is not None]


def run_plainly(path, monkeypatch):
    """What each backward() was called on, and all gradients that it left."""
    calls = []
    backward, grad = torch.Tensor.backward, torch.autograd.grad

    def seen_backward(self, *given, **named):
        leaves = leaves_behind(self.grad_fn, {})
        backward(self, *given, **named)
        calls.append((self.item(), [leaf.grad.numpy().copy() for leaf in leaves]))

    def seen_grad(outputs, *given, **named):
        gradients = grad(outputs, *given, **named)
        calls.append((outputs.item(), [one.detach().numpy().copy() for one in gradients]))
        return gradients

    names = {"__name__": "__main__", "__file__": str(path)}
    with monkeypatch.context() as patch:
        patch.setattr(torch.Tensor, "backward", seen_backward)
        patch.setattr(torch.autograd, "grad", seen_grad)
        exec(compile(path.read_text(), str(path), "exec"), names)
        if not calls:  # the file only defines the listing
            list(names["train"]())
    return calls


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_a_program_recorded_is_the_program_as_it_runs(path, monkeypatch, capsys):
    torch.manual_seed(0)
    calls = run_plainly(path, monkeypatch)
    printed, drawn = capsys.readouterr().out, (torch.rand(3).tolist(), random.getstate())
    torch.manual_seed(0)
    recording = record_file(path)
    assert capsys.readouterr().out == printed
    assert (torch.rand(3).tolist(), random.getstate()) == drawn  # nothing was drawn beside

    times = TIMES.get(path.stem, 1)
    assert len(recording.passes) == len(calls) // times
    assert len(recording.passes) == STEPS.get(path.stem, len(recording.passes))
    for step, passed in enumerate(recording.passes):
        mine = calls[step * times : (step + 1) * times]
        assert len(passed.backward) == NAMED.get(path.stem, 1)
        assert list(passed.losses.values())[-1] == mine[-1][0]  # to the bit
        left = [one for _, gradients in mine for one in gradients]
        norms = [np.linalg.norm(one.astype(float)) for one in left]
        measured = list(passed.gradients.values())
        assert measured
        assert all(np.isclose(norms, norm, rtol=1e-12).any() for norm in measured)
        assert all(name[0].isalpha() and "shape" not in name for name in passed.gradients)

    for graph in recording.graphs:
        mine = calls[graph.step * times : (graph.step + 1) * times]
        left = [one for _, gradients in mine for one in gradients]
        made = [node for node in graph.graph.nodes if node.kind != "AccumulateGrad"]
        assert all(node.line for node in made)  # also what backward() or a checkpoint made itself
        told = [e for e in graph.events if e.kind == "backward" and e.name.endswith(".grad")]
        assert told or path.stem == "while_autograd_grad"
        for event in told:
            assert any(is_sample(event.value, one) for one in left), event.name


def is_sample(shown, whole):
    if shown.shape == whole.shape:
        return np.array_equal(shown, whole)
    ends = (shown.min(), shown.max()) == (whole.min(), whole.max())
    return bool(ends and np.isin(shown, whole).all())


def test_parts_of_a_model_are_named_as_the_program_reaches_them():
    by_stem = {path.stem: path for path in PROGRAMS}
    transformer = record_file(by_stem["transformer_block"], steps=1)
    assert transformer.modules["model.layers.1.attn"] == "Head"
    assert {node.module for node in transformer.graphs[0].graph.nodes} >= {
        "model.tok",
        "model.layers.2.mlp.1",
        "model.head",
        "model",  # the loss, and what is added
    }
    assert record_file(by_stem["trainer_class"], steps=1).modules["trainer.model.0"] == "Linear"
    assert transformer.ended == "enough"
    fitted = record_file(by_stem["lightning_like"], steps=1)  # whose own forward() never runs
    assert fitted.modules["module.layer.self_attn"] == "MultiheadAttention"
