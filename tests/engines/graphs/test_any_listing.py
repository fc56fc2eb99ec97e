"""Listings that were not written for this: what they use is read, and their numbers stay theirs."""

import numpy as np
import pytest
import torch

from engines.graphs.read_torch import record


def leaf(*numbers, dtype=torch.float32):
    return torch.tensor(numbers, dtype=dtype, requires_grad=True)


def ending_in(value, *leaves):
    """A listing of one step that goes backward from what is computed of the leaves."""

    def listing(*leaves):
        loss = value(*leaves)
        loss.sum().backward()
        yield

    return listing(*leaves)


# Kinds of numbers and of tensors


def quantized(a):
    return torch.quantize_per_tensor(a, 0.5, 0, torch.qint8).dequantize()


def on_the_diagonal(a):
    return torch.sparse_coo_tensor([[0, 1], [0, 1]], a, (2, 2))


def ragged(a):
    return torch.nested.as_nested_tensor([a, a[:0]], layout=torch.jagged).values()


def half(z):
    return z.to(torch.complex32).to(torch.complex64)


KINDS = {
    "bfloat16": lambda a: a.bfloat16() * a.bfloat16(),
    "float8": lambda a: a * a.detach().to(torch.float8_e4m3fn).float(),
    "quantized": lambda a: a * quantized(a.detach()),
    "sparse": lambda a: torch.sparse.mm(on_the_diagonal(a * a), torch.ones(2, 1)),
    "csr": lambda a: (a * a)[None].to_sparse_csr() @ torch.ones(2, 1),
    "mkldnn": lambda a: a * a.detach().to_mkldnn().to_dense(),
    "meta": lambda a: a * a * torch.empty(2, device="meta").shape[0],
    "nested": lambda a: ragged(a * a),
    "complex32": lambda a: half(torch.complex(a, a)).real,
}


@pytest.mark.filterwarnings("ignore")  # some are in beta state, and say so
@pytest.mark.parametrize("kind", KINDS)
def test_what_numpy_has_not_is_read_as_what_it_has(kind):
    plain, recorded = leaf(1.5, 2.0), leaf(1.5, 2.0)
    list(ending_in(KINDS[kind], plain))
    [step] = record(ending_in(KINDS[kind], recorded))
    assert step.error is None
    torch.testing.assert_close(recorded.grad, plain.grad, rtol=0, atol=0)
    np.testing.assert_array_equal(step.graph.leaves[0].gradient, plain.grad)


def test_views_whose_base_has_changed_do_not_stop_the_recorder():
    w = leaf(1.5, 2.0)

    def listing():
        for _ in range(2):
            first, second = w.split(1)
            (first * second).sum().backward()
            with torch.no_grad():
                w.sub_(w.grad)  # PyTorch no longer says where first and second come from
            w.grad = None
            yield

    steps = list(record(listing()))
    assert [step.error for step in steps] == [None, None]
    for step, gradient in zip(steps, ([2.0, 1.5], [0.5, -0.5]), strict=True):
        np.testing.assert_array_equal(step.graph.leaves[0].gradient, gradient)


@pytest.mark.parametrize(
    "go_back",
    [lambda _, lost: lost.backward(), lambda w, lost: torch.autograd.grad(w.sum(), [lost])],
)
def test_going_back_to_a_view_that_is_lost_is_the_listings_error(go_back):
    def listing(w):
        h = w * 1.0
        lost, _ = h.split(1)
        with torch.no_grad():
            h.mul_(2)
        go_back(w, lost)
        yield

    [step] = record(listing(leaf(1.0, 2.0)))
    assert (
        "is a view and its base or another view of its base has been modified" in step.error.message
    )


def test_whoever_reads_a_view_whose_base_has_changed_does_not_renew_its_node():
    """PyTorch does, when it goes on with the view; gradients are summed in that order."""

    def listing(w):
        h = w * 1.1
        a, b, c = h[:], h[:], h[:]
        h.mul_(1.3)
        with torch.no_grad():
            _ = c.mean() + b.mean()  # which asks of none where it comes from
        x = (a * 0.123457).sin().sum()
        y = (b * 1.3e3).sum()
        z = (c * 7.77).cos().sum()
        (x + y + z + h.sum()).backward()
        yield

    numbers = torch.linspace(-3, 3, 1000)
    plain, recorded = (numbers.clone().requires_grad_() for _ in range(2))
    next(listing(plain))
    [step] = record(listing(recorded))
    assert step.error is None
    torch.testing.assert_close(recorded.grad, plain.grad, rtol=0, atol=0)
    anew = [node for node in step.graph.nodes if node.kind == "AsStridedBackward0"]
    assert [node.text for node in anew] == ["a * 0.123457", "b * 1.3e3", "c * 7.77"]


@pytest.mark.parametrize("how", ["(a, b)", "[a, b]", "tensors=[a, b]", "[a, b], [None, 2 * one]"])
def test_one_call_goes_backward_from_several(how):
    source = f"""def listing(w, one, torch):
    for _ in range(2):
        w.grad = None
        a, b = (w ** 2).sum(), (w ** 3).sum()
        torch.autograd.backward({how})
        yield
"""
    names = {}
    exec(compile(source, "several", "exec"), names)
    w, one = leaf(1.0, 2.0), torch.tensor(1.0)
    steps = list(record(names["listing"](w, one, torch), source=source))
    assert [step.error for step in steps] == [None, None]
    twice = 2 if "one" in how else 1  # of w³
    for step in steps:
        np.testing.assert_array_equal(
            step.graph.leaves[0].gradient, [2 + 3 * twice, 4 + 12 * twice]
        )
        ran = [node for node in step.graph.nodes if node.backward is not None]
        assert [node.kind for node in sorted(ran, key=lambda node: node.backward)] == [
            "SumBackward0", "PowBackward0", "SumBackward0", "PowBackward0", "AccumulateGrad"
        ]  # fmt: skip


def test_complex_numbers_keep_their_imaginary_part():
    z = leaf(1 + 2j, dtype=torch.complex64)
    [step] = record(ending_in(lambda z: (z * z.conj()).real, z))
    assert step.graph.leaves[0].gradient == 2 + 4j
    assert "value 1+2j  gradient 2+4j" in step.graph.to_text()


@pytest.mark.parametrize(
    "value",
    [
        lambda w: torch.vmap(lambda row: (w * row).sum())(torch.ones(3, 2)),
        lambda w: torch.func.grad(lambda u: (u * u).sum())(w) * w,
        lambda w: torch.autograd.functional.jacobian(lambda u: u * u, w, create_graph=True),
    ],
    ids=["vmap", "grad", "jacobian"],
)
def test_inside_a_transform_nothing_is_seen_and_outside_everything(value):
    plain, recorded = leaf(2.0, 5.0), leaf(2.0, 5.0)
    list(ending_in(value, plain))
    [step] = record(ending_in(value, recorded))
    assert step.error is None
    np.testing.assert_array_equal(recorded.grad, plain.grad)
    [ours] = [node for node in step.graph.leaves if node.name == "leaves[0]"]
    np.testing.assert_array_equal(ours.gradient, plain.grad)


def test_a_sparse_gradient_is_read_and_the_listing_goes_on():
    def listing(model, words):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
        for _ in range(2):
            optimizer.zero_grad()
            model(words).sum().backward()
            optimizer.step()
            yield

    model = torch.nn.Embedding.from_pretrained(torch.ones(3, 2), freeze=False, sparse=True)
    steps = list(record(listing(model, torch.tensor([0, 2]))))
    assert [step.error for step in steps] == [None, None]
    gradient = steps[0].graph.leaves[0].gradient
    np.testing.assert_array_equal(gradient, [[1, 1], [0, 0], [1, 1]])
    np.testing.assert_array_equal(model.weight.detach(), 1 - gradient)  # two steps of a half


# What no operation is seen to make


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        twice = x * 2
        ctx.save_for_backward(x + 100)  # which is not what it returns
        return twice

    @staticmethod
    def backward(ctx, grad):
        return grad * 2


@torch.jit.script
def scripted(x):
    return x * 2


def node_of(step, kind):
    [node] = [node for node in step.graph.nodes if kind in node.kind]
    event = step.events[node.forward]
    assert node.id in event.nodes
    assert (event.line, event.text) == (node.line, node.text)
    return node, event


def test_a_custom_function_stands_where_it_is_applied_and_not_where_it_is_used():
    def listing(a, x):
        y = Doubled.apply(a)
        t = x + 1  # which has nothing to do with y
        (y * t).sum().backward()
        yield

    [step] = record(listing(leaf(5.0), torch.tensor([1.0])))
    node, event = node_of(step, "Doubled")
    assert (node.line, node.text, node.name) == (2, "Doubled.apply(a)", "y")
    assert (event.kind, event.name, event.value.tolist()) == ("forward", "y", [10])
    assert [event.live for event in step.events][:4] == [0, 2, 2, 3]  # 0 while it ran
    assert node.gradient.tolist() == [2]


def test_two_in_one_line_are_two():
    def listing(a):
        Doubled.apply(Doubled.apply(a)).sum().backward()
        yield

    [step] = record(listing(leaf(5.0)))
    nodes = [node for node in step.graph.nodes if "Doubled" in node.kind]
    assert [node.text for node in nodes] == [
        "Doubled.apply(a)",
        "Doubled.apply(Doubled.apply(a))",
    ]
    assert [node.value.tolist() for node in nodes] == [[10], [20]]


def test_what_a_script_makes_is_in_the_line_of_the_only_call():
    def listing(a, x):
        y = scripted(a)
        t = x + 1
        (y - t).sum().backward()
        yield

    [step] = record(listing(leaf(5.0), torch.tensor([1.0])))
    node, event = node_of(step, "MulBackward")
    assert (node.line, node.text) == (2, "scripted(a)")
    assert (event.kind, event.name, event.value.tolist()) == ("forward", "y", [10])


def test_where_it_could_be_one_of_two_calls_no_line_is_said():
    def listing(a, x):
        y = scripted(a)
        len([])
        t = x + 1
        (y - t).sum().backward()
        yield

    [step] = record(listing(leaf(5.0), torch.tensor([1.0])))
    node, event = node_of(step, "MulBackward")
    assert (node.line, node.text) == (None, "")
    assert event.value.tolist() == [10]


# Names


class Line:
    def __init__(self):
        self.w = leaf(1.0)
        self.parts = {"bias": [leaf(2.0)]}


def changes(step):
    return [(event.kind, event.name) for event in step.events if event.kind in ("update", "zero")]


def test_parameters_of_an_object_are_named_as_the_listing_reaches_them():
    def listing(line):
        bias = line.parts["bias"]
        (line.w * 2 + bias[0]).sum().backward()
        yield
        line.w.data -= 0.1 * line.w.grad
        line.w.grad.zero_()

    [step] = record(listing(Line()))
    assert changes(step) == [("update", "line.w"), ("zero", "line.w.grad")]
    assert {leaf.name for leaf in step.graph.leaves} == {"line.w", "line.parts['bias'][0]"}


def test_parameters_of_a_dictionary_have_no_loop_variables_name():
    def listing(p):
        for _ in range(2):
            (p["a"] * p["b"]).sum().backward()
            yield
            for q in p.values():
                q.data -= 0.1 * q.grad
                q.grad = None

    for step in record(listing({"a": leaf(1.0), "b": leaf(1.0)})):
        assert {leaf.name for leaf in step.graph.leaves} == {"p['a']", "p['b']"}
        assert [name for kind, name in changes(step) if kind == "update"] == ["p['a']", "p['b']"]


MODEL = torch.nn.Linear(2, 1)


def test_a_model_of_the_module_is_named():
    def listing(x):
        MODEL(x).sum().backward()
        yield

    [step] = record(listing(torch.ones(1, 2)))
    assert {leaf.name for leaf in step.graph.leaves} == {"MODEL.weight", "MODEL.bias"}


# torch.compile


def compiled(run, **how):
    """The losses and the last weight of a listing that calls a compiled function."""

    def listing(w, function):
        for _ in range(2):
            loss = function(w)
            told.append(loss.item())
            loss.backward()
            yield
            w.data -= 0.01 * w.grad
            w.grad = None

    def function(w):
        return (torch.sin(w * 2) + 1) ** 2

    torch._dynamo.reset()
    told, w = [], torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    steps = run(listing(w, torch.compile(function, backend="eager", **how)))
    return [*told, w.item()], steps


@pytest.mark.filterwarnings("ignore:Dynamo does not know how to trace")
def test_a_compiled_function_computes_what_it_computes_and_is_read():
    plain, _ = compiled(list)
    recorded, steps = compiled(lambda listing: list(record(listing)))
    assert recorded == plain
    kinds = [node.kind for node in steps[0].graph.nodes]
    assert kinds == ["AccumulateGrad", "MulBackward0", "SinBackward0", "AddBackward0", "PowBackward0"]  # fmt: skip  # noqa: E501


def test_one_that_may_not_be_interrupted_is_refused():
    with pytest.raises(NotImplementedError, match="fullgraph=True cannot be recorded"):
        compiled(lambda listing: list(record(listing)), fullgraph=True)
