"""One pass through MyReLU, as a visitor chooses it, reads of it and sees it."""

import altair as alt
import pytest

from engines.custom_relu_backward.one_pass import watch
from views.custom_relu_backward import one_pass, one_pass_drawing
from views.custom_relu_backward.one_pass_drawing import COMPARED, COPIED, CUT, NEVER, cells_of
from views.custom_relu_backward.runs import code_of

X, GRAD = ((1.5, -2.0), (0.0, -0.5)), ((-1.0, 2.0), (3.0, -4.0))


def cells(panel):
    return [cell for cell in cells_of(watch(X, GRAD)) if cell["panel"] == panel]


# ---- The matrix


def test_a_matrix_is_read_as_it_may_be_typed():
    assert one_pass.read("1 −2; 0,5\n -0 1e2") == (((1, -2), (0, 5), (0, 100)), "")
    for text in ("1 2;3 4", "0.12345 -1e3", "1e-7; 2"):
        assert one_pass.cleaned(one_pass.cleaned(text)) == one_pass.cleaned(text)
    assert one_pass.cleaned("-0; 0.123456") == "0; 0.1235"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "at least one"),
        (";;\n", "at least one"),
        ("1 2 3 4 5", "at most 4"),
        ("1;2;3;4;5", "at most 4"),
        ("1 2; 3", "equally many"),
        ("1 two", "`two` is not a number"),
        ("nan", "`nan`"),
        ("1000.1", "−1000 to 1000"),
        ("-inf", "`-inf`"),
    ],
)
def test_what_is_no_small_matrix_is_refused_with_its_reason(text, reason):
    rows, told = one_pass.read(text)
    assert rows == ()
    assert reason in told
    assert one_pass.cleaned(text) == ""


@pytest.mark.parametrize("matrix", one_pass.MATRICES)
def test_the_matrices_offered_are_what_they_are_called(matrix):
    numbers = [number for row in one_pass.MATRICES[matrix] for number in row]
    assert min(numbers) < 0
    assert (0 in numbers) == (matrix == "zeros")
    assert (max(numbers) > 0) == (matrix != "negative")


# ---- Its story and its picture


def test_the_story_counts_what_is_cut_and_what_is_zero():
    told = [moment.text for moment in one_pass.story(watch(X, GRAD)).moments]
    assert "The 2 negative entries of 4 become 0" in told[2]
    assert "True at 2 of 4 entries" in told[7]
    assert "exactly 0 (1 of 4) it is False" in told[7]
    told = [moment.text for moment in one_pass.story(watch(((-1.0,),), ((1.0,),))).moments]
    assert "exactly 0" not in told[7]


def test_slow_motion_has_four_moments_forward_and_six_back():
    assert one_pass.story(watch(X, GRAD)).parts == (4, 6, 0, 0)


def test_each_moment_has_its_line_and_some_lines_several():
    watched = watch(X, GRAD)
    computed = one_pass.story(watched).computed
    assert [one.moments for one in computed.values()] == [
        [0], [1], [2, 3], [4], [5], [6], [7, 8], [9],
    ]  # fmt: skip
    shown = [line.strip() for line in code_of(watched.source).splitlines()]
    for start in computed:
        assert sum(line.startswith(start) for line in shown) == 1
    assert not any('"""' in line for line in shown)


def test_the_four_matrices_stand_in_numbers_too():
    assert one_pass.in_numbers(watch(X, GRAD)).splitlines() == [
        "- `x`: 1.5, −2; 0, −0.5",
        "- `output`: 1.5, 0; 0, 0",
        "- `grad_output`: −1, 2; 3, −4",
        "- `grad_x`: −1, 0; 3, 0",
    ]


def test_a_gradient_is_copied_struck_through_and_only_then_cut():
    passes, cut, zero, negative = cells("grad_x")
    assert {cell["made"] for cell in (passes, cut, zero, negative)} == {COPIED}
    assert (cut["first"], cut["said"], cut["struck"]) == ("2", "0", COMPARED)
    assert (negative["first"], negative["said"], negative["struck"]) == ("−4", "0", COMPARED)
    assert (zero["first"], zero["said"], zero["struck"]) == ("3", "3", NEVER)
    assert (passes["first"], passes["said"], passes["struck"]) == ("−1", "−1", NEVER)
    assert str(CUT) in cut["lit"].split()
    assert str(CUT) not in zero["lit"].split()


def test_the_mask_is_shown_where_x_is_negative():
    lit = [str(COMPARED) in cell["lit"].split() for cell in cells("x")]
    assert lit == [False, True, False, True]
    assert [cell["said"] for cell in cells("output")] == ["1.5", "0", "0", "0"]
    assert [cell["struck"] == NEVER for cell in cells("output")] == [True, False, True, False]


def test_one_place_has_one_name_in_all_four_and_no_two_cells_share_a_place():
    found = [cells(panel) for panel in ("x", "output", "grad_output", "grad_x")]
    names = [[cell["cell"] for cell in panel] for panel in found]
    assert names == [names[0]] * 4
    assert len({(cell["x"], cell["y"]) for panel in found for cell in panel}) == 16


def test_the_picture_is_valid_and_only_moments_redraw_it():
    chart = one_pass_drawing._filled(watch(X, GRAD), key="a test")
    alt.Chart.from_dict({name: part for name, part in chart.items() if name != "datasets"})
    read_by = [param["name"] for param in chart["params"] if "now[" in str(param.get("expr"))]
    assert read_by == ["at", "here"]
    assert "now[" not in str({**chart, "params": []})
