"""Texts stand beside the code, in files that can be edited."""

import pytest

from tests.support.visit import ROOT
from views.ui import texts


def test_lines_of_a_paragraph_flow_and_paragraphs_stay(tmp_path):
    module = tmp_path / "page.py"
    module.with_suffix(".toml").write_text(
        '[one]\nlabel = "A label"\nstory = """\nOne line,\nand another.\n\nA paragraph.\n"""\n'
        'names = ["a\\nb"]\ncount = 3\n'
    )
    expected = {
        "label": "A label",
        "story": "One line, and another.\n\nA paragraph.",
        "names": ["a b"],
        "count": 3,
    }
    assert texts.read(str(module)) == {"one": expected}
    assert texts.read(module.with_suffix(".toml")) == {"one": expected}


@pytest.mark.parametrize(
    "file", sorted((ROOT / "views").rglob("*.toml")), ids=lambda file: file.stem
)
def test_every_file_of_texts_can_be_read_and_leaves_nothing_empty(file):
    def leaves(value):
        if isinstance(value, dict):
            return [leaf for one in value.values() for leaf in leaves(one)]
        if isinstance(value, list):
            return [leaf for one in value for leaf in leaves(one)]
        return [value]

    found = leaves(texts.read(file))
    assert found
    assert all(leaf != "" for leaf in found)


def test_as_html_code_is_marked_and_nothing_else_is_read_as_markup():
    assert texts.as_html("`a < b` & <i>") == "<code>a &lt; b</code> &amp; &lt;i&gt;"


def test_of_somebody_elses_text_only_marks_of_markdown_are_escaped():
    assert texts.as_markdown("Intel® Core™, 2 “x” a/b") == "Intel® Core™, 2 “x” a/b"
    assert texts.as_markdown("[a](b) *c* <d> _e") == r"\[a\]\(b\) \*c\* \<d\> \_e"
    assert texts.as_markdown("www.a") == "www\u2060\\.a"  # else a link is made of it
