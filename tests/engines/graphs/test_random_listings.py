"""Random small listings: recording changes no number, and what is recorded is what happened."""

import re
from functools import partial

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.graphs.read_torch import record

# What a line may do with two of the tensors so far, each 2 x 3; `old` is one that is no leaf.
WAYS = """
{new} = {x} * {y}
{new} = {x} / (1 + {y} ** 2)
{new} = {x} + c
{new} = {x} @ {y}.T @ {x}
{new} = torch.einsum("ij,kj->ik", {x}, {y}) @ {x}
{new} = torch.addmm({x}, {y}, torch.eye(3, dtype=torch.float64))
{new} = torch.cat([{x}[:1], {y}[1:]])
{new} = torch.stack([{x}, {y}]).mean(0)
{new} = torch.where({x} > 0, {x}, {y})
{new} = torch.maximum({x}, {y})
{new} = {x}.masked_fill({y} > 0, 0.5)
{new} = {x}.gather(1, torch.tensor([[0, 2, 1], [1, 1, 0]]))
{new}, {new}_ = {x}.split(1); {new} = torch.cat([{new}_, {new}])
{new}, {new}_ = {x}.unbind(0); {new} = torch.stack([{new}_, {new}])
{new}, {new}_ = {x}.topk(3); {new} = {new} * {new}_
{new}, {new}_ = torch.max({x}, 0, keepdim=True); {new} = {new} * {y}
{new} = {x}.reshape(3, 2).T.reshape(2, 3)
{new} = {x}.view(6).view(2, 3)
{new} = {x}.expand(2, 2, 3).sum(0)
{new} = {x}[:, [2, 0, 1]]
{new} = {x}.sum(1, keepdim=True) - {y}
{new} = {x}.cumsum(0)
{new} = {x}.softmax(1)
{new} = torch.nn.functional.dropout({x}, 0.5)
{new} = {x} * {y}.detach()
{new} = {x}.clone(); {new}[0] = {y}[1]
{new} = {x}.clone(); {new} += {y}
{new} = {x} * 1.0; {new}[:, 1] *= {y}[:, 0]
{new} = {x} * 2.0; {new}.view(6)[2:4].zero_()
{old}.mul_(0.5); {new} = {x} * {y}
{new} = layer({x})
{new} = Cube.apply({x}) + {y}
{new} = twice({x})
{new} = torch.utils.checkpoint.checkpoint(twice, {x}, use_reentrant=False)
{new} = sum([{x}, {y}, {x}])
{new} = {x}; for i in range(4):|    {new} = {new} * 0.5 + {y}|    if i == 2:|        break
with torch.no_grad():|    {new} = {x} * 2
""".strip().splitlines()
LOSSES = "loss = ({all}).sum()", "loss = ({all}).pow(2).mean()"
ENDS = (
    "optimizer.zero_grad()|loss.backward()|optimizer.step()",
    "loss.backward()|with torch.no_grad():|    a.sub_(0.01)|    a.grad = None",
    "a.grad = None|loss.backward()|torch.nn.utils.clip_grad_norm_([a, b], 1.0)|optimizer.step()",
    "grads = torch.autograd.grad(loss, [a, b], allow_unused=True)|a.data.mul_(0.9)",
)
HEAD = """def train():
    optimizer = torch.optim.Adam([a, b, c, *layer.parameters()], lr=0.01)
    for step in range(2):
"""


@st.composite
def listings(draw):
    """The text of a training loop of two passes."""
    pool, body = ["a", "b"], []
    for i in range(draw(st.integers(1, 6))):
        x, y = (draw(st.sampled_from(pool)) for _ in range(2))
        old = draw(st.sampled_from(pool[2:] or [""]))
        way = draw(st.sampled_from([way for way in WAYS if old or "{old}" not in way]))
        body.append(way.format(new=f"v{i}", x=x, y=y, old=old))
        pool.append(f"v{i}")
    used = [pool[-1], *draw(st.lists(st.sampled_from(pool), min_size=1, max_size=3))]
    body += [draw(st.sampled_from(LOSSES)).format(all=" + ".join(used))]
    body += [draw(st.sampled_from(ENDS)), "yield loss.item()"]
    lines = re.split(r"\||; ", "|".join(body))
    return HEAD + "".join(f"        {line}\n" for line in lines)


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * gradient


def made():
    """What a listing finds: the same numbers each time, and the same ones to come for dropout."""
    torch.manual_seed(0)
    shapes = {"a": (2, 3), "b": (2, 3), "c": (3,)}
    there = {n: torch.randn(*s, dtype=torch.float64).requires_grad_() for n, s in shapes.items()}
    layer = torch.nn.Linear(3, 3, dtype=torch.float64)
    there |= {"layer": layer, "torch": torch, "Cube": Cube}
    return there | {"twice": lambda x: torch.sin(x) * 2}


def ran(text, there, through=lambda steps: steps):
    """What a listing hands out, and its error, if any."""
    exec(compile(text, "<listing>", "exec"), there)
    steps = []
    try:
        steps.extend(through(there["train"]()))
    except RuntimeError as error:
        return steps, f"RuntimeError: {error}"
    return steps, ""


def numbers(there):
    """Every bit of the parameters and of what is in their .grad."""
    parameters = [there["a"], there["b"], there["c"], *there["layer"].parameters()]
    grads = [p.grad for p in parameters if p.grad is not None]
    return [tensor.detach().numpy().tobytes() for tensor in parameters + grads]


def kind(node):
    return node.name().split("::")[-1]


def watched(text):
    """By step: what each line assigned, with its number and node, and the nodes as they ran.

    Seen without the recorder: by calls between the lines, and PyTorch's own hooks.
    """
    there, hooks, steps = made(), [], [([], [])]
    before_backward = re.compile(r"^( +)(?=loss\.backward|grads = )", re.MULTILINE)
    text = before_backward.sub(r"\1watch(loss); ", text)
    text = re.sub(r"^( +)(?=yield)", r"\1turn(); ", text, flags=re.MULTILINE)
    lines = text.splitlines()
    for i, line in enumerate(lines):
        if assigned := re.match(r" +((?:v\d_?|loss)(?:, v\d_)?) = ", line):
            lines[i] += "".join(f"; log({i + 1}, {name})" for name in assigned[1].split(", "))

    def log(line, tensor):
        if tensor.grad_fn is not None:
            steps[-1][0].append((line, kind(tensor.grad_fn), tensor.detach().numpy().tobytes()))

    def watch(loss):
        order, known, nodes = steps[-1][1], set(), [loss.grad_fn]
        for node in nodes:
            if node is not None and node not in known:
                known.add(node)
                hooks.append(node.register_prehook(partial(_append, order, kind(node))))
                nodes += [origin for origin, _ in node.next_functions]

    def turn():
        steps.append(([], []))
        while hooks:
            hooks.pop().remove()

    _, error = ran("\n".join(lines), there | {"log": log, "watch": watch, "turn": turn})
    return steps, error


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(listings())
def test_recording_a_random_listing_changes_nothing_and_tells_what_happened(text):
    _, error = ran(text, plain := made())
    recorded = made()
    steps, own_error = ran(text, recorded, lambda steps: record(steps, source=text))
    assert own_error == ""
    assert numbers(recorded) == numbers(plain)
    assert [step.error.message for step in steps if step.error] == [error] * bool(error)

    happened, same_error = watched(text)
    assert same_error == error
    for step, (assigned, order) in zip(steps, happened, strict=False):
        if step.error:
            break
        assert [node.kind for node in step.graph.backward_order] == order
        read = {
            (node.line, node.kind, output.value.tobytes())
            for node in step.graph.nodes
            for output in node.outputs
            if output.value is not None
        }
        assert {one for one in assigned if not _is_older(one, read)} <= read


def _append(order, kind, _):
    order.append(kind)


def _is_older(one, read):
    """Whether a line gave a second name to what an earlier line had made."""
    line, kind, value = one
    return any(before < line and (kind, value) == rest for before, *rest in _lines(read))


def _lines(read):
    return [(line, *rest) for line, *rest in read if line is not None]
