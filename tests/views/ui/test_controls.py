"""An address that makes no sense is bounded and told, once for each kind of control."""

from __future__ import annotations

import json

import pytest

from tests.support.visit import visit_section

NONSENSE = [
    "abc",
    "",
    "nan",
    "inf",
    "-inf",
    "1e999",
    "-1",
    "<script>",
    "0x10",
    "٣",
    "5,6",
    "x" * 500,
]
DEFAULTS = {
    "whole": 20, "real": 0.5, "rate": 0.001, "one": "a", "none": None,
    "some": ["a", "b"], "word": "hello", "flag": False,
}  # fmt: skip


def page():
    import json

    import streamlit as st

    from views.ui.controls import Controls

    controls, options = Controls("this page"), {"a": "First", "b": "Second"}
    used = {
        "whole": controls.number("Whole", "whole", 20, 1, 100),
        "real": controls.number("Real", "real", 0.5, 0.0, 1.0),
        "rate": controls.rate("Rate", "rate", 0.001, limit=0.1, limit_label="limit"),
        "one": controls.choice(st.selectbox, "One", "one", options, "a"),
        "none": controls.choice(st.pills, "None", "none", options, None),
        "some": controls.several("Some", "some", options, ["a", "b"]),
        "word": controls.text(
            "Word", "word", "hello", clean=lambda text: "".join(filter(str.islower, text))[:9]
        )[0],
        "flag": controls.flag("Flag", "flag"),
    }
    st.text(json.dumps(used))
    st.text(json.dumps(controls.refused))
    controls.say_refused()


def used_and_refused(at):
    used, refused = (json.loads(text.value) for text in at.text)
    return used, [name for name, *_ in refused]


def test_without_an_address_each_control_has_its_default():
    assert used_and_refused(visit_section(page)) == (DEFAULTS, [])


def test_an_address_that_makes_sense_is_used():
    asked = {
        "whole": "7", "real": "0.25", "rate": "0.01", "one": "b", "none": "a",
        "some": "b", "word": "abc", "flag": "true",
    }  # fmt: skip
    used, refused = used_and_refused(visit_section(page, **asked))
    assert used == {
        "whole": 7, "real": 0.25, "rate": 0.01, "one": "b", "none": "a",
        "some": ["b"], "word": "abc", "flag": True,
    }  # fmt: skip
    assert refused == []


@pytest.mark.parametrize("text", NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_is_never_used(text):
    at = visit_section(page, **dict.fromkeys(DEFAULTS, text))
    used, refused = used_and_refused(at)
    assert 1 <= used["whole"] <= 100
    assert isinstance(used["whole"], int)
    assert 0 <= used["real"] <= 1
    assert {name: used[name] for name in ("rate", "one", "none", "flag")} == {
        name: DEFAULTS[name] for name in ("rate", "one", "none", "flag")
    }
    assert used["some"] in (["a", "b"], [])
    assert used["word"].islower()
    if text:
        assert {"rate", "one", "flag"} <= set(refused)
        [warning] = at.warning
        assert "The address asks for rate" in warning.value
        assert "x" * 41 not in warning.value
        # Once told, it is not told again, and the address has been corrected.
        assert not at.run().warning


def test_a_number_beyond_its_bounds_is_told_and_bounded():
    used, refused = used_and_refused(visit_section(page, whole="500", real="-3"))
    assert refused == ["whole", "real"]
    assert 1 <= used["whole"] <= 100
    assert 0 <= used["real"] <= 1
