"""Two columns of numbers out of whatever people copy."""

import math
import random

import pytest

from engines.manual_gradients.table import LARGEST, MOST_ROWS, SMALLEST, as_text, read

PAIRS = ((1.5, 2.25), (-3, 40), (1000.5, 0.125))


def points(text, decimal=None):
    table = read(text, decimal)
    assert not table.question
    return list(zip(table.x, table.y, strict=True))


def written(pairs, between, mark=".", group=""):
    def number(value):
        return (
            f"{value:{',' if group else ''}}".replace(",", "g")
            .replace(".", mark)
            .replace("g", group)
        )

    return "\n".join(between.join(map(number, pair)) for pair in pairs)


@pytest.mark.parametrize("between", ["\t", ";", ",", " ", " , ", "; ", "   "])
def test_columns_are_separated_by_tabs_semicolons_commas_or_spaces(between):
    assert points(written(PAIRS, between)) == list(PAIRS)


@pytest.mark.parametrize("between", ["\t", ";", " "])
def test_decimal_commas_are_understood(between):
    assert points(written(PAIRS, between, mark=",")) == list(PAIRS)


@pytest.mark.parametrize(
    ("mark", "group"),
    [(".", ","), (",", "."), (".", "'"), (",", "\u00a0"), (",", " "), (".", "\u202f")],
)
def test_thousands_may_be_grouped(mark, group):
    pairs = [(12345.5, 1234567.25), (1000, 0.5)]
    assert points(written(pairs, "\t", mark, group)) == pairs


@pytest.mark.parametrize("text", ["1,234\t5", "1,5,2,5\n3,1,4,1", "1,234;5,678", "1,234,5,678"])
def test_what_has_two_readings_is_asked_about(text):
    table = read(text)
    assert table.question.startswith("Is the comma a decimal comma?")
    assert not table.x
    one, other = points(text, "point"), points(text, "comma")
    assert len(one) == len(other) > 0
    assert one != other


def test_a_point_in_three_digits_is_a_decimal_point_and_that_is_said():
    table = read("1.234\t5\n2.5\t6")
    assert table.x == (1.234, 2.5)
    ambiguous = read("1.234\t5")
    assert ambiguous.x == (1.234,)
    assert ambiguous.notes == ("Points were read as decimal points.",)
    assert points("1.234\t5", "comma") == [(1234, 5)]


def test_one_comma_that_can_only_be_decimal_decides_for_all():
    assert points("1,234\t5\n1,5\t6") == [(1.234, 5), (1.5, 6)]


def test_headers_units_and_blank_lines():
    table = read('\n"length"\tmass\n(cm)\tkg\n\n1\t2 \n\t\n3\t4\n\n')
    assert (table.x, table.y) == ((1, 3), (2, 4))
    assert table.names == ("length (cm)", "mass (kg)")
    assert not table.notes


def test_units_beside_the_numbers_are_taken_into_the_name():
    table = read("time,way\n1 s,2.5m\n2 s,3m/s²\n")
    assert table.notes == ("y has several units: m and m/s². Make them one.",)
    table = read("time,way\n1 s,2.5m\n2,3m\n")
    assert (table.x, table.y, table.names) == ((1, 2), (2.5, 3), ("time (s)", "way (m)"))


def test_what_is_no_number_is_named_by_its_row():
    table = read("x\ty\n1\t2\n\n2\tn/a\n3\t\n4\t5")
    assert (table.x, table.y) == ((1, 4), (2, 5))
    assert table.notes == (
        "Row 4 is left out: its y, “n/a”, is not a number.",
        "Row 5 has no y, and is left out.",
    )


@pytest.mark.parametrize(
    "cell",
    ["nan", "inf", "-inf", "Infinity", "1e400", "1e16", "1e-300", "2024-01-05", "12:30", "1/2"],
)
def test_what_looks_like_a_number_and_is_none(cell):
    left_out(cell)


@pytest.mark.parametrize(
    "cell", ["--1", "1..2", "1e", "0x10", "1_000", "٣", "½", "TRUE", "#DIV/0!", "=A1", "<b>", "1·2"]
)
def test_what_is_nearly_a_number(cell):
    left_out(cell)


def left_out(cell):
    table = read(f"1\t2\n3\t4\n{cell}\t5")
    assert (table.x, table.y) == ((1, 3), (2, 4))
    assert table.notes[0].startswith("Row 3 is left out: its x, “")


def test_text_columns_are_passed_over_and_more_than_two_numbers_are_told():
    table = read("name\tage\tsize\tmass\nAnna\t20\t170\t60\nBen\t30\t180\t80")
    assert (table.x, table.y, table.names) == ((20, 30), (170, 180), ("age", "size"))
    assert table.notes == ("Of 3 columns of numbers the first two are used.",)


def test_a_thousand_rows_at_most():
    table = read("\n".join(f"{i}\t{2 * i}" for i in range(4211)))
    assert len(table.x) == len(table.y) == MOST_ROWS
    assert table.notes == ("Of 4,211 rows the first 1,000 are used.",)


@pytest.mark.parametrize(
    "text", ["", "\n\n", " \t ;\n", "x,y", "a\nb\nc", "1\n2\n3", "\0", "x" * 200_000]
)
def test_nothing_to_read_is_said_in_a_sentence(text):
    table = read(text)
    assert not table.x
    [note] = table.notes
    assert note.endswith((".", "”."))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_all_systems_and_a_byte_order_mark(end):
    assert points(f"\ufeff1\t\u22122{end}3\t4{end}") == [(1, -2), (3, 4)]


def test_points_survive_being_written_and_read():
    drawn = random.Random(1)
    for _ in range(200):
        pairs = [
            tuple(
                float(f"{drawn.choice([-1, 1]) * 10 ** drawn.uniform(-14, 14):.10g}") for _ in "xy"
            )
            for _ in range(drawn.randint(1, 20))
        ]
        x, y = zip(*pairs, strict=True)
        assert points(as_text(x, y), "point") == pairs


def test_no_text_makes_it_fail_and_all_that_is_read_can_be_trained_on():
    drawn = random.Random(2)
    for _ in range(3000):
        text = "".join(drawn.choices("0123456789.,;\t \n-+eE%kgx'\u2212\"", k=drawn.randint(0, 60)))
        for decimal in (None, "point", "comma"):
            table = read(text, decimal)
            assert len(table.x) == len(table.y) <= MOST_ROWS
            assert table.x or table.notes or table.question
            for value in (*table.x, *table.y):
                assert math.isfinite(value)
                assert value == 0 or SMALLEST <= abs(value) <= LARGEST
