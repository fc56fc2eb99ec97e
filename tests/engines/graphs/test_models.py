"""Models as people write them: one step a pass, the loss to the bit, parameters by their names."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint
from torch.utils.data import DataLoader, TensorDataset

from engines.graphs.read_torch import record


def classifier():
    model = nn.Sequential(
        nn.Linear(4, 8), nn.ReLU(), nn.BatchNorm1d(8), nn.Dropout(), nn.Linear(8, 3)
    )
    optimizer = torch.optim.AdamW(model.parameters())
    x, y = torch.randn(16, 4), torch.randint(3, (16,))
    for _ in range(3):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        yield loss.item()


class Attention(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.q, self.k, self.v, self.out = (nn.Linear(width, width) for _ in range(4))
        self.norm = nn.LayerNorm(width)

    def forward(self, x):
        scores = torch.softmax(self.q(x) @ self.k(x).transpose(1, 2) / 8**0.5, -1)
        return self.norm(x + self.out(scores @ self.v(x)))


def attention():
    model = Attention()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    x = torch.randn(2, 5, 8)
    for _ in range(3):
        loss = (model(x) - x.roll(1, 1)).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        yield loss.item()


def lstm_cell():
    cell, head = nn.LSTMCell(3, 6), nn.Linear(6, 1)
    optimizer = torch.optim.Adam([*cell.parameters(), *head.parameters()])
    sequence = torch.randn(7, 4, 3)
    for _ in range(2):
        h = c = torch.zeros(4, 6)
        for x in sequence:
            h, c = cell(x, (h, c))
        loss = head(h).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()


def lstm():
    model = nn.LSTM(3, 6, 2)
    optimizer = torch.optim.RMSprop(model.parameters())
    sequence = torch.randn(7, 4, 3)
    for _ in range(2):
        out, (h, _c) = model(sequence)
        loss = out.mean() + h.pow(2).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()


def embedding():
    table, head = nn.Embedding(10, 4), nn.Linear(4, 2)
    optimizer = torch.optim.SGD([*table.parameters(), *head.parameters()], lr=0.1)
    for _ in range(3):
        words = torch.randint(10, (6,))
        loss = F.cross_entropy(head(table(words)), words % 2)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()


def batches():
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    data = TensorDataset(torch.randn(20, 3), torch.randn(20, 1))
    for x, y in DataLoader(data, batch_size=5, shuffle=True):
        loss = F.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()


def accumulated():
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        for _part in range(3):
            loss = model(torch.randn(4, 3)).pow(2).mean() / 3
            loss.backward()
        optimizer.step()
        yield loss.item()


def checkpointed():
    block = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 4))
    optimizer = torch.optim.SGD(block.parameters(), lr=0.1)
    for _ in range(2):
        loss = checkpoint(block, torch.randn(3, 4), use_reentrant=False).pow(2).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()


def mixed_precision():
    model = nn.Linear(8, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(2):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = model(torch.randn(5, 8)).float().pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()


def convolution():
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 10))
    optimizer = torch.optim.Adam(model.parameters())
    x, y = torch.randn(4, 1, 8, 8), torch.randint(10, (4,))
    for _ in range(2):
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()


MODELS = {
    classifier: {"model": [f"{i}.{kind}" for i in (0, 2, 4) for kind in ("weight", "bias")]},
    attention: {"model": [name for name, _ in Attention().named_parameters()]},
    lstm_cell: {
        "cell": [n for n, _ in nn.LSTMCell(1, 1).named_parameters()],
        "head": ["weight", "bias"],
    },
    lstm: {"model": [name for name, _ in nn.LSTM(1, 1, 2).named_parameters()]},
    embedding: {"table": ["weight"], "head": ["weight", "bias"]},
    batches: {"model": ["weight", "bias"]},
    accumulated: {"model": ["weight", "bias"]},
    checkpointed: {"block": ["0.weight", "0.bias", "2.weight", "2.bias"]},
    mixed_precision: {"model": ["weight", "bias"]},
    convolution: {"model": ["0.weight", "0.bias", "3.weight", "3.bias"]},
}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_model_is_read_with_its_names_and_trains_to_the_same_losses(model):
    torch.manual_seed(0)
    plain = list(model())
    torch.manual_seed(0)
    steps = list(record(model()))
    assert [step.error for step in steps] == [None] * len(plain)
    names = {f"{one}.{name}" for one, inside in MODELS[model].items() for name in inside}
    for step, loss in zip(steps, plain, strict=True):
        graph = step.graph
        assert {leaf.name for leaf in graph.leaves} == names
        assert [node.value.item() for node in graph.nodes if node.name == "loss"][-1] == loss
        told = {event.name: event.value for event in step.events if event.kind == "backward"}
        assert {name.removesuffix(".grad") for name in told if name} == names
        assert all(np.isfinite(value).all() for value in told.values() if value is not None)


def test_five_thousand_nodes_are_read():
    def listing():
        w = torch.full((2, 2), 0.1, requires_grad=True)
        h = torch.ones(2, 2)
        for _ in range(1250):
            h = torch.tanh(h @ w) + h * 0.5
        h.sum().backward()
        yield

    [step] = record(listing())
    assert len(step.graph.nodes) == len(step.graph.backward_order) == 4 * 1250 + 1
    assert max(node.repetition for node in step.graph.nodes) == 1249
