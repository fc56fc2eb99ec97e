"""Tables in HTML and in Markdown."""

from views.ui.table import html_table, markdown_table


def test_html_has_a_heading_for_each_column_and_each_row():
    assert html_table(["", "w"], [("one", "<b>1</b>"), ("other", "2")], kind="wide") == (
        '<table class="digits wide"><tr><td></td><th>w</th></tr>'
        "<tr><th>one</th><td><b>1</b></td></tr><tr><th>other</th><td>2</td></tr></table>"
    )


def test_html_without_headings_and_rows_is_an_empty_table():
    assert html_table([], []) == '<table class="digits"></table>'


def test_markdown_puts_numbers_to_the_right_but_not_the_names_of_rows():
    assert markdown_table(["a", "b"], [("one", "1")], numbers=True) == (
        "| a | b |\n| --- | --: |\n| one | 1 |\n"
    )
    assert markdown_table(["a", "b", "c"], []) == "| a | b | c |\n| --- | --- | --- |\n"
