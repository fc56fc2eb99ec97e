"""The graph read is PyTorch's own: its nodes, values and gradients, its order, its lifetime."""

import gc
import os
import re
import threading
import weakref
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode, _get_current_function_mode_stack

from engines.graphs import torch_recorder
from engines.graphs.read_torch import record
from engines.problem import preset
from engines.regression.torch_autograd import train
from engines.trace import record as record_plainly

GOLDEN = Path(__file__).parent / "golden"


# Listings


def article(steps=800):
    return train(preset("autograd_article"), steps=steps, learning_rate=0.001)


def random_tensors(*shapes, seed=0):
    random = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=random, dtype=torch.float64) for shape in shapes]


def two_layers(x, y, w1, w2):
    while True:
        h = x.mm(w1)
        h_relu = h.clamp(min=0)
        y_pred = h_relu.mm(w2)
        loss = (y_pred - y).pow(2).sum()
        loss.backward()
        yield loss.item()
        with torch.no_grad():
            w1 -= 1e-2 * w1.grad
            w2 -= 1e-2 * w2.grad
        w1.grad = w2.grad = None


def recurrent(x, h, u, w, b):
    for x_t in x:
        h = torch.tanh(x_t @ u + h @ w + b)
    loss = h.pow(2).sum()
    loss.backward()
    yield loss.item()


def classifier(x, y, w, b):
    scores = F.linear(x, w, b)
    loss = F.cross_entropy(scores, y)
    loss.backward()
    yield loss.item()


def in_place(a, b):
    h = a * b
    h += b
    h[0] = b * b
    h.mul_(0.5)
    loss = h.exp().sum()
    loss.backward()
    yield loss.item()


def several_outputs(a):
    top, bottom = torch.unbind(a * 2)
    largest, _ = bottom.sin().max(dim=0)
    low, high = torch.cummax(bottom, dim=0)[0].chunk(2)
    loss = (top.sum() + low.sum()) * largest * high.prod()
    loss.backward()
    yield loss.item()


def branches(a, b):
    s = torch.sigmoid(a * b)
    c = torch.cos(a).sum() * s
    loss = (c / b).sum() + torch.einsum("i,i->", s, a)
    loss.backward()
    yield loss.item()


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * 2

    @staticmethod
    def backward(ctx, grad):
        return grad * 2


class Broken(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 1

    @staticmethod
    def backward(ctx, grad):
        raise RuntimeError("broken on purpose")


def leaves(*shapes, seed=0):
    return [tensor.requires_grad_() for tensor in random_tensors(*shapes, seed=seed)]


def run_two_layers():
    return two_layers(*random_tensors((6, 4), (6, 2), seed=3), *leaves((4, 5), (5, 2)))


def run_recurrent(n):
    return recurrent(*random_tensors((n, 1, 2), (1, 3)), *leaves((2, 3), (3, 3), (3,), seed=1))


def run_classifier():
    [x] = random_tensors((6, 4))
    return classifier(x, torch.tensor([0, 1, 2, 0, 1, 2]), *leaves((3, 4), (3,), seed=2))


LISTINGS = {
    "autograd_article": article,
    "two_layers": run_two_layers,
    **{f"recurrent_{n}": lambda n=n: run_recurrent(n) for n in (1, 3, 7)},
    "classifier": run_classifier,
    "in_place": lambda: in_place(*leaves((3,), (), seed=4)),
    "several_outputs": lambda: several_outputs(*leaves((2, 4), seed=5)),
    "branches": lambda: branches(*leaves((3,), (3,), seed=6)),
}
every_listing = pytest.mark.parametrize("name", LISTINGS)


def first_step(name):
    return next(record(LISTINGS[name]()))


def named(step):
    """The node behind each of the listing's names; of several, the last."""
    return {output.name: node for node in step.graph.nodes for output in node.outputs}


def kinds(nodes):
    return [node.kind for node in nodes]


# Golden graphs


@every_listing
def test_a_graph_is_the_one_on_file(name):
    text = first_step(name).to_text()
    file = GOLDEN / f"{name}.txt"
    if "BACKSTEP_WRITE_GOLDEN" in os.environ:
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


def test_the_articles_graph_has_eight_nodes_two_of_them_accumulators():
    step = first_step("autograd_article")
    assert kinds(step.graph.leaves) == ["AccumulateGrad"] * 2
    assert [leaf.name for leaf in step.graph.leaves] == ["w", "b"]
    operations = [node.kind for node in step.graph.nodes if node not in step.graph.leaves]
    names = ["Mul", "Add", "Sub", "Pow", "Sum", "Mul"]
    assert operations == [f"{name}Backward0" for name in names]


@pytest.mark.parametrize("n", [1, 3, 7, 59])
def test_a_recurrent_cell_repeated_n_times_has_5n_plus_5_nodes(n):
    graph = next(record(run_recurrent(n))).graph
    assert len(graph.nodes) == 5 * n + 5
    tanh = [node for node in graph.nodes if node.kind == "TanhBackward0"]
    assert [node.repetition for node in tanh] == list(range(n))
    assert {node.name for node in tanh} == {"h"}
    assert {node.line for node in tanh} == {3}


# Values and gradients


def nudged(listing, place, by):
    """The loss of a listing in which the result of one operation is moved, everything after it."""

    class Nudge(TorchFunctionMode):
        count = -1

        def __torch_function__(self, func, types, args=(), kwargs=None):
            result = func(*args, **(kwargs or {}))
            target = args[0] if func is torch.Tensor.__setitem__ else result
            if isinstance(target, torch.Tensor) and target.grad_fn is not None:
                self.count += 1
                if self.count == place:
                    target.data += torch.as_tensor(by)
            return result

    with Nudge():
        return next(listing)


@pytest.mark.parametrize(
    "name", ["two_layers", "recurrent_1", "recurrent_7", "classifier", "branches"]
)
def test_gradients_are_what_finite_differences_of_the_run_say(name):
    step, checked = first_step(name), 0
    made = [event for event in step.events if event.kind == "forward"]
    for place, event in enumerate(made):
        node = step.graph[event.nodes[-1]]
        random = np.random.default_rng(place)
        way = 1e-6 * random.standard_normal(node.shape)
        up, down = (nudged(LISTINGS[name](), place, sign * way) for sign in (1, -1))
        assert (up - down) / 2 == pytest.approx(np.sum(node.gradient * way), rel=1e-5, abs=1e-13)
        np.testing.assert_array_equal(node.value, event.value)
        checked += 1
    assert checked >= 2


def test_every_number_of_the_articles_graph_is_the_one_worked_out_by_hand():
    problem = preset("autograd_article")
    x, y, w, b = (np.float64(v) for v in (problem.x, problem.y, problem.w, problem.b))
    y_pred = w * x**2 + b
    residual = y_pred - y
    expected = {  # text or name: value, gradient
        "w": (w, np.sum(residual * x**2)),
        "b": (b, np.sum(residual)),
        "w * x**power": (w * x**2, residual),
        "w * x**power + b": (y_pred, residual),
        "y_pred - y": (residual, residual),
        "(y_pred - y) ** 2": (residual**2, np.full(100, 0.5)),
        "torch.sum((y_pred - y) ** 2)": (np.sum(residual**2), 0.5),
        "factor * torch.sum((y_pred - y) ** 2)": (0.5 * np.sum(residual**2), 1),
    }
    nodes = {node.text or node.name: node for node in first_step("autograd_article").graph.nodes}
    assert set(nodes) == set(expected)
    for name, (value, gradient) in expected.items():
        np.testing.assert_allclose(nodes[name].value, value, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(nodes[name].gradient, gradient, rtol=1e-4, atol=1e-6)
    power = nodes["(y_pred - y) ** 2"]
    assert power.settings == {"exponent": 2}
    np.testing.assert_array_equal(power.saved["self"], nodes["y_pred - y"].value)


@every_listing
def test_leaves_get_what_torch_autograd_grad_computes(name):
    listing = LISTINGS[name]()
    step = next(record(LISTINGS[name]()))
    next(listing)
    for leaf in step.graph.leaves:
        tensor = listing.gi_frame.f_locals[leaf.name]
        np.testing.assert_array_equal(leaf.value, tensor.detach().numpy())
        np.testing.assert_array_equal(leaf.gradient, tensor.grad.numpy())


def test_intermediate_gradients_equal_those_of_torch_autograd_grad():
    a, b = leaves((3,), (), seed=4)
    h0 = a * b
    h1 = h0 + b
    h2 = torch.cat([(b * b).reshape(1), h1[1:]])
    h3 = h2 * 0.5
    by = dict(zip("0123", torch.autograd.grad(h3.exp().sum(), [h0, h1, h2, h3]), strict=True))
    chain = [node for node in first_step("in_place").graph.nodes if node.name == "h"]
    assert kinds(chain) == ["MulBackward0", "AddBackward0", "CopySlices", "MulBackward0"]
    for k, (node, value) in enumerate(zip(chain, [h0, h1, h2, h3], strict=True)):
        np.testing.assert_allclose(node.value, value.detach().numpy(), rtol=1e-14)
        np.testing.assert_allclose(node.gradient, by[str(k)].numpy(), rtol=1e-14)


@every_listing
def test_what_leaves_along_the_edges_is_what_arrives(name):
    graph = first_step(name).graph
    arriving = defaultdict(list)
    for edge in graph.edges:
        if edge.gradient is not None:
            arriving[edge.source, edge.output].append(edge.gradient)
    assert arriving
    for (source, output), gradients in arriving.items():
        arrived = graph[source].outputs[output]
        total = sum(summed_to(arrived.shape, gradient) for gradient in gradients)
        np.testing.assert_allclose(arrived.gradient, total, rtol=1e-5)


def summed_to(shape, gradient):
    """A gradient of something that was broadcast from this shape, as its source receives it."""
    return torch.tensor(gradient).sum_to_size(shape).numpy()


def test_each_of_several_outputs_has_its_own_value_and_gradient():
    [a] = leaves((2, 4), seed=5)
    unbind = next(n for n in first_step("several_outputs").graph.nodes if "Unbind" in n.kind)
    assert [output.name for output in unbind.outputs] == ["top", "bottom"]
    for output, row in zip(unbind.outputs, a.detach().numpy(), strict=True):
        np.testing.assert_array_equal(output.value, 2 * row)
    top, bottom = (output.gradient for output in unbind.outputs)
    assert np.ptp(top) == 0
    assert np.ptp(bottom) > 0
    edges = first_step("several_outputs").graph.edges
    assert {edge.output for edge in edges if edge.source == unbind.id} == {0, 1}


def test_an_output_that_reaches_no_loss_has_a_value_and_no_gradient():
    def listing(a):
        top, bottom = torch.unbind(a)
        unused = a * 3
        loss = bottom.sum()
        loss.backward()
        yield unused, top.sum()

    graph = next(record(listing(*leaves((2, 3))))).graph
    unbind, unused = graph[2], graph[3]
    assert [output.gradient is None for output in unbind.outputs] == [True, False]
    assert unused.value is not None
    assert (unused.gradient, unused.backward) == (None, None)


def test_nodes_inside_a_composite_operation_are_there_without_a_value():
    graph = first_step("classifier").graph
    inner = next(node for node in graph.nodes if node.kind == "LogSoftmaxBackward0")
    outer = next(node for node in graph.nodes if node.kind == "NllLossBackward0")
    assert inner.value is None
    assert (inner.line, inner.text) == (outer.line, outer.text)
    assert inner.text == "F.cross_entropy(scores, y)"
    probabilities = np.exp(inner.saved["result"])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert inner.gradient.shape == inner.shape == (6, 3)


def test_a_custom_function_is_in_its_place_with_what_it_saved():
    def listing(a):
        h = a + 1
        doubled = Doubled.apply(h)
        loss = doubled.sum()
        loss.backward()
        yield

    step = next(record(listing(*leaves((3,)))))
    node = named(step)["doubled"]
    assert (node.kind, node.line, node.text) == ("DoubledBackward", 3, "Doubled.apply(h)")
    assert step.events[node.forward].nodes == (node.id,)
    np.testing.assert_array_equal(node.value, 2 * named(step)["h"].value)
    np.testing.assert_array_equal(node.saved["saved_tensors[0]"], named(step)["h"].value)


# Order


def evaluated(listing):
    """The nodes that PyTorch's profiler saw the engine evaluate, in order."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profiler:
        next(listing)
    events = sorted(profiler.events(), key=lambda event: event.time_range.start)
    prefix = "autograd::engine::evaluate_function: "
    names = [event.name for event in events if event.name.startswith(prefix)]
    return [name.removeprefix(prefix).split("::")[-1] for name in names]


@every_listing
def test_backward_runs_in_the_order_that_the_profiler_reports(name):
    step = first_step(name)
    assert kinds(step.graph.backward_order) == evaluated(LISTINGS[name]())
    backward = [event.nodes[0] for event in step.events if event.kind == "backward"]
    assert backward == [node.id for node in step.graph.backward_order]


@every_listing
def test_a_node_is_made_after_its_inputs_and_runs_before_them(name):
    graph = first_step(name).graph
    for edge in graph.edges:
        source, target = graph[edge.source], graph[edge.target]
        assert source.id < target.id
        assert source.forward <= target.forward
        if target.backward is not None:
            assert target.backward < source.backward


def test_a_step_goes_from_its_forward_pass_to_its_zeroing():
    steps = list(islice(record(article()), 3))
    for step in steps[1:]:
        happened = [(event.kind, event.name) for event in step.events if event.kind != "plain"]
        assert [kind for kind, _ in happened] == (
            ["forward"] * 6 + ["backward"] * 8 + ["update"] * 2 + ["zero"] * 2
        )
        assert [name for _, name in happened if name] == (
            ["y_pred", "loss", "b.grad", "w.grad", "w", "b", "w.grad", "b.grad"]
        )


def test_events_hold_what_the_variables_held():
    plain = record_plainly(article(3))
    for step in islice(record(article(3)), 3):
        now = defaultdict(list)
        for event in step.events:
            now[event.name].append(event.value)
        _, params, grads = plain[step.step]
        assert now["loss"][0] == plain.losses[step.step]
        assert [float(value) for value in now["w.grad"]] == [grads["w"], 0]
        assert [float(value) for value in now["b.grad"]] == [grads["b"], 0]
        assert now["w"][-1] == plain.params["w"][step.step + 1]
        assert now["b"][-1] == plain.params["b"][step.step + 1]
        assert [leaf.value for leaf in step.graph.leaves] == [params["w"], params["b"]]


def test_lines_and_expressions_are_those_of_the_listing():
    source = Path(train.__code__.co_filename).read_text(encoding="utf-8").splitlines()
    first = train.__code__.co_firstlineno
    for event in next(record(article())).events:
        assert event.text in source[first - 1 + event.line - 1]
        assert event.text


def test_a_listing_that_python_cannot_find_is_read_from_its_source():
    source = (
        "def listing(w):\n    é = w * (\n        w)\n    loss = é.sum()\n    loss.backward()\n"
        "    yield\n"
    )
    namespace = {}
    exec(compile(source, "<listing>", "exec"), namespace)
    [w] = leaves((2,))
    step = next(record(namespace["listing"](w), source=source))
    texts = [(event.line, event.text) for event in step.events if event.kind == "forward"]
    assert texts == [(2, "w * ( w)"), (4, "é.sum()")]
    without = next(record(namespace["listing"](w)))
    assert [event.text for event in without.events if event.kind == "forward"] == ["", ""]


# Steps


@pytest.mark.parametrize("wanted", [{0}, {12}, {3, 4, 9}, range(5, 13)])
def test_steps_that_are_wanted_are_those_of_a_recording_of_all(wanted):
    def anonymous(step):
        return sorted(re.sub(r"#\d+", "#", step.to_text()).split("\n"))

    whole = [anonymous(step) for step in record(article(12))]
    assert len(whole) == 13
    some = list(record(article(12), wanted=wanted))
    assert [step.step for step in some] == sorted(wanted)
    assert [anonymous(step) for step in some] == [whole[k] for k in sorted(wanted)]


def test_steps_beyond_the_end_are_not_there():
    assert list(record(article(2), wanted={20})) == []


def test_an_error_in_a_step_that_was_not_wanted_is_told_all_the_same():
    def listing(w):
        for k in range(10):
            loss = (w * w).sum() if k < 6 else (w * torch.ones(3)).sum()
            loss.backward()
            yield

    *_, last = record(listing(*leaves((2,))), wanted={1})
    assert "must match the size" in last.error.message


def test_a_recorded_run_trains_as_a_plain_one():
    plain = record_plainly(article(20))
    losses = [event.value for step in record(article(20)) for event in step.events
              if event.name == "loss"]  # fmt: skip
    np.testing.assert_array_equal(losses, plain.losses)


def test_the_next_graph_is_new_but_for_its_accumulators():
    one, two = islice(record(article()), 2)
    shared = {node.id for node in one.graph.nodes} & {node.id for node in two.graph.nodes}
    assert (
        shared == {leaf.id for leaf in one.graph.leaves} == {leaf.id for leaf in two.graph.leaves}
    )
    assert sorted(kinds(one.graph.nodes)) == sorted(kinds(two.graph.nodes))


def test_an_optimizer_and_a_module_are_followed_by_name():
    def listing(x, y, model):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(2):
            optimizer.zero_grad()
            loss = F.mse_loss(model(x), y)
            loss.backward()
            optimizer.step()
            yield

    model = torch.nn.Linear(2, 1, dtype=torch.float64)
    _, step = record(listing(*random_tensors((5, 2), (5, 1)), model))
    names = {kind: [e.name for e in step.events if e.kind == kind] for kind in ("update", "zero")}
    assert names["update"] == ["model.weight", "model.bias"]
    assert names["zero"] == ["model.weight.grad", "model.bias.grad"]
    bias = next(event.value for event in step.events if event.name == "model.bias")
    np.testing.assert_array_equal(bias, model.bias.detach().numpy())


def test_an_edit_through_data_is_an_update():
    def listing(w):
        loss = (w * w).sum()
        loss.backward()
        yield
        w.data.sub_(0.1 * w.grad.data)
        w.grad.data.zero_()

    step = next(record(listing(*leaves((2,)))))
    assert [(e.kind, e.name) for e in step.events if e.kind in ("update", "zero")] == [
        ("update", "w"),
        ("zero", "w.grad"),
    ]


# Mistakes


def test_backward_twice_ends_in_an_event_with_the_frameworks_message():
    def listing(w):
        loss = (w * w).sum()
        loss.backward()
        loss.backward()
        yield

    [step] = record(listing(*leaves((2,))))
    assert [event.kind for event in step.events][-1] == "error"
    assert (step.events[-1].line, step.events[-1].text) == (4, "loss.backward()")
    assert step.events[-1].message.startswith("RuntimeError: Trying to backward through the graph")


def test_an_error_in_the_next_pass_belongs_to_the_next_step():
    def listing(w):
        for _ in range(3):
            loss = (w * w).sum()
            loss.backward()
            yield
            with torch.no_grad():
                w = w - 0.1 * w.grad

    steps = list(record(listing(*leaves((2,)))))
    assert [step.events[-1].kind for step in steps] == ["plain", "error"]
    assert steps[1].events[-1].line == 4
    assert "does not require grad" in steps[1].events[-1].message


def test_a_failure_of_the_recorder_is_not_told_as_one_of_the_listing(monkeypatch):
    def listing(w):
        yield (w * w).sum().backward()

    monkeypatch.setattr(torch_recorder, "version", lambda tensor: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        list(record(listing(*leaves((2,)))))
    assert _get_current_function_mode_stack() == []


def hooks_on(node):
    """How many hooks a node has, besides the one that asks."""
    handles = node.register_prehook(lambda *_: None), node.register_hook(lambda *_: None)
    counts = [len(handle.hooks_dict_ref()) - 1 for handle in handles]
    for handle in handles:
        handle.remove()
    return sum(counts)


def test_hooks_are_gone_after_fifty_steps():
    def listing(w):
        for _ in range(50):
            loss = (w * w).sum()
            loss.backward()
            yield

    [w] = leaves((2,))
    kept = (w * 1).grad_fn  # so that the accumulator is one and the same throughout
    accumulator = kept.next_functions[0][0]
    steps = list(record(listing(w)))
    assert len({leaf.id for step in steps for leaf in step.graph.leaves}) == 1
    assert hooks_on(accumulator) == 0
    accumulator.register_prehook(lambda *_: None)
    assert hooks_on(accumulator) == 1


def test_a_backward_that_fails_leaves_neither_hook_nor_mode():
    def listing(w, out):
        loss = (Broken.apply(w * 2) + w).sum()
        out.append(loss.grad_fn)
        loss.backward()
        yield

    out, [w] = [], leaves((2,))
    [step] = record(listing(w, out))
    assert step.events[-1].message == "RuntimeError: broken on purpose"
    assert kinds(step.graph.backward_order) == [
        "SumBackward0",
        "AddBackward0",
        "BrokenBackward",
    ]
    stack = out
    while stack:
        node = stack.pop()
        if "Broken" not in node.name():
            assert hooks_on(node) == 0
        stack += [origin for origin, _ in node.next_functions if origin]
    assert _get_current_function_mode_stack() == []


def test_a_caller_is_never_inside_the_recorder():
    for _ in islice(record(article()), 3):
        assert _get_current_function_mode_stack() == []
        assert torch.is_grad_enabled()
        assert not torch.is_anomaly_enabled()


def test_a_listing_is_closed_when_its_recording_is_dropped():
    closed = []

    def listing(w):
        try:
            while True:
                (w * w).sum().backward()
                yield
        finally:
            closed.append(True)

    recording = record(listing(*leaves((2,))))
    next(recording)
    assert not closed
    recording.close()
    assert closed


# Lifetime


def live(steps):
    return [event.live for step in steps for event in step.events]


def test_eight_nodes_live_and_fourteen_for_a_moment():
    counts = live(list(islice(record(article()), 40))[1:])
    assert (min(counts), max(counts)) == (8, 14)
    second = list(islice(record(article()), 2))[1]
    at = {event.name: event.live for event in second.events if event.kind == "forward"}
    assert at["loss"] == 14  # the new graph is complete before `loss` lets go of the old one
    assert {event.live for event in second.events if event.kind != "forward"} == {8}


def test_a_history_of_losses_keeps_every_graph():
    def listing(problem, losses):
        x, y = torch.tensor(problem.x), torch.tensor(problem.y)
        w = torch.tensor(problem.w, requires_grad=True)
        b = torch.tensor(problem.b, requires_grad=True)
        while True:
            y_pred = w * x**2 + b
            loss = 0.5 * torch.sum((y_pred - y) ** 2)
            losses.append(loss)
            loss.backward()
            yield
            w.grad = b.grad = None

    steps = islice(record(listing(preset("autograd_article"), [])), 40)
    assert [step.events[-1].live for step in steps] == [8 + 6 * k for k in range(40)]


@pytest.mark.parametrize("tidy", [False, True])
def test_nodes_are_freed_as_they_are_without_a_recorder(tidy):
    class Mark:
        pass

    def listing(w, marks):
        for _ in range(3):
            h = torch.sin(w * w)
            h += w
            loss = F.mse_loss(h, w)
            for tensor in (h, loss):
                tensor.grad_fn.metadata["mark"] = mark = Mark()
                marks.add(mark)
            del mark
            loss.backward()
            if tidy:
                del h, loss, tensor
            yield

    [w] = leaves((2,))
    gc.disable()  # nodes go when the last reference does, not when the collector comes by
    try:
        # A recorded step is complete only in the pass after it, and the last one when all is over.
        for run, expected in ((iter, [2, 2, 2]), (record, [2, 2, 0])):
            marks = weakref.WeakSet()
            steps = [(len(marks), step) for step in run(listing(w, marks))]
            assert [count for count, _ in steps] == ([0, 0, 0] if tidy else expected)
            assert len(marks) == 0
    finally:
        gc.enable()


# Many at once


def test_three_threads_at_once_get_the_graphs_of_one():
    alone = {n: next(record(run_recurrent(n))).to_text() for n in (1, 3, 7)}
    together = threading.Barrier(3, timeout=30)

    def record_with_the_others(n):
        together.wait()
        return {next(record(run_recurrent(n))).to_text() for _ in range(40)}

    with ThreadPoolExecutor(3) as pool:
        for n, texts in zip(alone, pool.map(record_with_the_others, alone), strict=True):
            assert texts == {alone[n]}


def test_two_recordings_of_one_parameter_taking_turns_are_right():
    def listing(w):
        while True:
            loss = (w * w).sum()
            loss.backward()
            yield
            w.grad.zero_()

    [w] = leaves((2,))
    recordings = record(listing(w)), record(listing(w))
    for one, other in islice(zip(*recordings, strict=True), 5):
        assert kinds(one.graph.nodes) == kinds(other.graph.nodes)
        for step in (one, other):
            assert len(step.graph.backward_order) == 3
            np.testing.assert_array_equal(step.graph.leaves[0].gradient, 2 * w.detach().numpy())


def test_an_accumulator_lives_only_as_long_as_a_graph_points_to_it():
    def accumulator(loss):
        return loss.grad_fn.next_functions[0][0]

    w, died = torch.tensor(2.0, requires_grad=True), []
    loss = w**2
    life = type("Life", (), {})()
    accumulator(loss).metadata["life"] = life
    weakref.finalize(life, died.append, "first")
    del life
    loss = w**2  # while the name still holds the old graph
    assert "life" in accumulator(loss).metadata
    del loss  # and now there is no graph between the two
    assert died == ["first"]
    assert "life" not in accumulator(w**2).metadata
