"""What the three update styles of E8 build, and what a session runs of it."""

import pytest

from engines.problem import preset
from engines.static_graph_and_sessions import update_graphs
from engines.static_graph_and_sessions.update_graphs import build
from engines.static_graph_and_sessions.update_styles import STYLES

ARTICLE = preset("update_styles_article")


def test_apply_gradients_and_minimize_build_one_graph_and_assign_another():
    texts = {style: build(ARTICLE, style).text for style in STYLES}
    assert texts["apply_gradients"] == texts["minimize"]
    assert texts["assign"] != texts["minimize"]
    assert texts["assign"] == build(ARTICLE, "assign").text


def test_an_optimiser_has_one_operation_for_three():
    by_hand, at_once = build(ARTICLE, "assign"), build(ARTICLE, "minimize")
    assert by_hand.ran["AssignVariableOp"] == at_once.ran["ResourceApplyGradientDescent"] == 2
    assert "ResourceApplyGradientDescent" not in by_hand.ran
    for kind in ("Mul", "Sub", "ReadVariableOp"):
        assert by_hand.ran[kind] - at_once.ran[kind] == 2


@pytest.mark.parametrize(("style", "written"), [("assign", 104), ("minimize", 110)])
def test_an_update_runs_less_than_half_of_what_was_written(style, written):
    built = build(ARTICLE, style)
    assert sum(built.written.values()) == written
    assert sum(built.ran.values()) < written / 2


def test_an_update_ends_at_the_gradient():
    assert build(ARTICLE, "assign").update.splitlines() == [
        "AssignVariableOp",
        "├─ variable w",
        "└─ Sub",
        "   ├─ ReadVariableOp",
        "   │  └─ variable w",
        "   └─ Mul",
        "      ├─ the gradient",
        "      └─ 0.001",
    ]
    one = "ResourceApplyGradientDescent\n├─ variable w\n├─ 0.001\n└─ the gradient"
    assert build(ARTICLE, "apply_gradients").update == build(ARTICLE, "minimize").update == one


@pytest.mark.parametrize("style", ["assign", "apply_gradients"])
@pytest.mark.parametrize(
    ("between", "added"), [("clip", {"Minimum", "Maximum"}), ("replace", {"Sign"})]
)
def test_what_is_put_in_between_stands_between_the_gradient_and_the_update(style, between, added):
    plain, built = build(ARTICLE, style), build(ARTICLE, style, between)
    assert set(built.ran) - set(plain.ran) == added
    lines = built.update.splitlines()
    depth = {word: next(line.index(word) for line in lines if word in line) for word in added}
    [gradient] = (line.index("the gradient") for line in lines if "the gradient" in line)
    assert all(0 < at < gradient for at in depth.values())


def test_minimize_has_no_room_in_between():
    with pytest.raises(ValueError, match="no room"):
        build(ARTICLE, "minimize", "clip")


def test_its_session_is_closed_when_something_fails(monkeypatch):
    seen = []

    def fails(session, *_):
        seen.append(session)
        raise RuntimeError("while it looked")

    monkeypatch.setattr(update_graphs, "executed", fails)
    with pytest.raises(RuntimeError, match="while it looked"):
        build(ARTICLE, "assign")
    with pytest.raises(RuntimeError, match="closed"):
        seen[0].run(seen[0].graph.get_operations()[0])
