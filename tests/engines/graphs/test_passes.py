"""A listing has as many steps as it yields, and each is one pass of its loop."""

from itertools import islice

import pytest
import torch

from engines.graphs.read_torch import record


def the_loop(w):
    for _ in range(3):
        w + 1
        yield
        w + 2


def yield_first(w):
    for _ in range(3):
        yield
        w + 1
        w + 2


def yield_first_of_endless(w):
    while True:
        yield
        w + 1


def on_one_line(w):
    for _ in range(3): w + 1; yield; w + 2  # fmt: skip  # noqa: E701, E702


def until(w):
    v = w + 1
    while v < 4:
        v = v + 10
        yield
        v = v - 9


def one_after_the_other(w):
    for _ in range(2):
        w + 1
        yield
        w + 2
    w + 3
    for _ in range(2):
        w + 4
        yield
        w + 5


def in_another(w):
    for _ in range(2):
        w + 1
        for _ in range(2):
            w + 2
            yield
            w + 3
        w + 4


def in_branches(w):
    for k in range(4):
        w + 1
        if k % 2:
            w + 2
            yield
        else:
            w + 3
            yield
        if k == 0:
            continue
        w + 4


def without_a_loop(w):
    w + 1
    yield
    w + 2
    yield
    w + 3


def broken_off(w):
    for k in range(5):
        w + 1
        if k == 2:
            break
        yield
        w + 2
    w + 3


def returned_from(w):
    while True:
        w + 1
        yield
        w + 2
        if w.sum() > 0:
            return


def tidied_up(w):
    try:
        for _ in range(2):
            w + 1
            with torch.no_grad():
                w + 2
            yield
    finally:
        w + 3


def handed_on(w):
    yield from the_loop(w)


def never(w):
    w + 1
    return
    yield


# Of each step, what is added in it.
STEPS = {
    the_loop: ["12", "12", "12"],
    yield_first: ["12", "12", "12"],
    on_one_line: ["12", "12", "12"],
    one_after_the_other: ["12", "123", "45", "45"],
    in_another: ["123", "234", "123", "234"],
    in_branches: ["13", "124", "134", "124"],
    without_a_loop: ["1", "23"],
    broken_off: ["12", "1213"],
    returned_from: ["12"],
    tidied_up: ["12", "123"],
    never: ["1"],
}


def added(step):
    return "".join(event.text.split("+ ")[1] for event in step.events if "+" in event.text)


@pytest.mark.parametrize("listing", STEPS, ids=lambda listing: listing.__name__)
def test_each_step_is_a_pass(listing):
    w = torch.ones(1)
    yields = len(list(listing(w)))
    steps = list(record(listing(w)))
    assert [step.step for step in steps] == list(range(max(yields, 1)))
    assert [added(step) for step in steps] == STEPS[listing]


def test_the_steps_of_an_endless_listing_come_one_by_one():
    first = list(islice(record(yield_first_of_endless(torch.ones(1))), 3))
    assert [added(step) for step in first] == ["1", "1", "1"]


def test_what_a_loop_asks_before_it_ends_is_no_step_of_its_own():
    steps = list(record(until(torch.ones(1))))
    assert len(steps) == 2
    assert [event.text for event in steps[0].events] == [
        "w + 1",
        "v < 4",
        "v + 10",
        "v - 9",
        "v < 4",
    ]
    assert [event.text for event in steps[1].events] == ["v + 10", "v - 9", "v < 4"]


def test_where_another_generator_yields_there_are_as_many_steps():
    assert len(list(record(handed_on(torch.ones(1))))) == 3


@pytest.mark.parametrize("wanted", [{0}, {1}, {2}, {0, 2}])
def test_a_step_is_the_same_whichever_others_are_read(wanted):
    for listing in (the_loop, yield_first):
        steps = list(record(listing(torch.ones(1)), wanted=wanted))
        assert [(step.step, added(step)) for step in steps] == [(k, "12") for k in sorted(wanted)]


def test_what_follows_the_last_loop_belongs_to_the_last_step_with_its_graph():
    def listing(w):
        for _ in range(2):
            loss = (w * 3).sum()
            loss.backward()
            yield
            w.grad = None
        late = (w * 5).sum()
        late.backward()

    *_, last = record(listing(torch.ones(2, requires_grad=True)))
    kinds = [last.graph[number].kind for event in last.events for number in event.nodes]
    assert kinds.count("MulBackward0") == 4  # each is made, and runs
    for node in last.graph.nodes:
        made = node.id in last.events[node.forward].nodes
        assert made or node in last.graph.leaves  # which are older
        assert node.id in last.events[node.backward].nodes
