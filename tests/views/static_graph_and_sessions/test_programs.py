"""A listing as the program that a visitor would write."""

import pytest

from engines.listing import source_of
from engines.static_graph_and_sessions import adding
from views.player import part
from views.static_graph_and_sessions.programs import program


def test_a_program_prints_what_the_listing_hands_out_and_leaves_out_what_the_page_needs():
    lines = program(source_of(adding.add)).splitlines()
    assert lines[0] == "graph = tf.Graph()"
    assert lines[-1] == "print(session.run(c, {a: a_value, b: b_value}))"
    assert "session.run(initialize)" in lines
    text = "\n".join(lines)
    assert not [word for word in ("yield", "try:", "finally", "close", '"""') if word in text]


def test_a_program_whose_session_is_closed_too_early_says_so():
    assert "session.close()  # too early" in program(adding.run("closed", 2.0, 4.0).source)


def test_a_part_goes_from_one_line_to_another_without_comments():
    source = "def f():\n    # why\n    one = 1\n\n    # because\n    two = 2\n    three = 3\n"
    assert part(source, "one", "two") == "one = 1\ntwo = 2\n"
    with pytest.raises(StopIteration):
        part(source, "two", "one")
