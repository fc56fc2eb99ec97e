"""The training in a session in a browser: the table fills as the player goes, and empties again."""

from __future__ import annotations

from tests.support.playing import press, readout, scrub, settle, step
from tests.support.server import wait_until_idle

PAGE = "/static_graph_and_sessions?chapter="
ROWS = """() => [...document.querySelectorAll('.digits tr')].slice(1).map(row => ({
    name: row.querySelector('th').innerText,
    filled: [...row.querySelectorAll('.own')].every(own => getComputedStyle(own).visibility === 'visible'),
    marked: !!row.querySelector('.on') && getComputedStyle(row).backgroundColor !== 'rgba(0, 0, 0, 0)',
}))"""  # noqa: E501


def rows(page):
    """The names of the rows that are filled in, and of those that are marked."""
    found = page.evaluate(ROWS)
    return [[row["name"] for row in found if row[what]] for what in ("filled", "marked")]


def test_each_row_of_the_printed_table_waits_for_its_step(visit):
    page = visit(PAGE + "training")
    assert rows(page) == [["0", "200", "400"], ["400"]]
    scrub(page, 1199)
    assert rows(page)[1] == ["1000"]
    press(page, "ArrowRight")
    assert rows(page)[1] == ["1200"]
    press(page, "End")
    assert rows(page)[1] == ["end"]
    assert len(rows(page)[0]) == 11
    press(page, "Home")
    assert rows(page) == [["0"], ["0"]]
    press(page, "PageDown")  # a clicker goes from row to row
    assert (step(page), rows(page)[1]) == (200, ["200"])


def test_where_a_step_has_no_phases_there_is_no_slow_motion(visit):
    page = visit(PAGE + "training&step=600&moment=2")
    assert readout(page).startswith("the session  ·  step 600 of 2000")
    assert not page.get_by_text("slow motion").is_visible()


def test_calls_of_a_traced_function_are_played_one_by_one(visit):
    page = visit(PAGE + "tf_function", player=False)
    page.get_by_text("just show me").click()
    wait_until_idle(page)
    settle(page)
    assert readout(page) == "call 3 of 7"
    page.locator("#player-step").focus()
    press(page, "ArrowRight")
    assert rows(page)[1] == ["square(tf.constant([1.0, 2.0]))"]
    press(page, "Home")
    assert rows(page) == [[], []]
