"""Recordings from elsewhere: where they come from, what is said of them, and what is refused."""

import pytest
from streamlit.testing.v1 import AppTest

from engines.benchmark.recording import to_text
from tests.support.measurements import CARD, line, recording
from tests.support.visit import ROOT, words
from views.gpu_speedup import recordings


def section():
    """What a page shows of them, with a file that a visitor has brought."""
    from pathlib import Path

    import streamlit as st

    from views.gpu_speedup import recordings

    st.session_state["found"] = found = recordings.all_of(Path(st.session_state["folder"]))
    if found:
        recordings.listed(found)


@pytest.fixture
def shown(tmp_path):
    def show(own=None, **files):
        recordings.shipped.clear()
        for name, text in files.items():
            (tmp_path / f"{name}.json").write_text(text, encoding="utf-8")
        at = AppTest.from_function(section, default_timeout=30)
        at.session_state["folder"] = str(tmp_path)
        if own is not None:
            at.session_state[recordings.BROUGHT] = own.encode()
        return at.run()

    return show


ONE = recording(line(1e-6, 20), line(20e-6, 9000, device="cuda"), name="a tower", gpus=[CARD])
CPU = recording(line(1e-6, 20), name="a laptop")


def test_a_recording_in_the_folder_is_there_under_the_name_of_its_file(shown):
    at = shown(tower=to_text(ONE), laptop=to_text(CPU))
    assert not at.exception
    assert at.session_state["found"] == {"laptop": CPU, "tower": ONE}


def test_where_when_and_with_what_it_was_made_is_said(shown):
    text = words(shown(tower=to_text(ONE)))
    assert text.replace("\\", "").replace("\u2060", "") == (
        "- **a tower**: Some CPU, 4 cores, 8 GiB, Some Card (16 GiB, driver 550.1), Linux 6.1. "
        "8 measurements, 2026-03-01 14:05 UTC, with python 3.11.7, torch 2.13.0."
    )


def test_what_a_visitor_brings_is_one_more(shown):
    at = shown(own=to_text(CPU), tower=to_text(ONE))
    assert at.session_state["found"] == {"tower": ONE, recordings.OWN: CPU}


def test_what_cannot_be_read_is_none(shown):
    assert shown(own='{"format": "x"}').session_state["found"] == {}


def test_a_name_made_of_markdown_stays_what_it_is(shown):
    name = "**a** <b> $x$ :red[y] | `z` [link](https://example.org)"
    text = words(shown(odd=to_text(recording(line(1e-6, 20), name=name))))
    assert r"\*\*a\*\* \<b\>" in text
    assert r"\$x\$ \:red\[y\] \| \`z\`" in text.replace("\u2060", "")
    assert "](http" not in text


def test_a_file_that_is_refused_is_told_so_as_the_command_would():
    def page():
        from views.gpu_speedup import recordings

        recordings.add()

    at = AppTest.from_function(page, default_timeout=30)
    at.session_state[recordings.BROUGHT] = b'{"a": `1`}'
    [warning] = at.run().warning
    assert warning.value.startswith("The file is not JSON. `Expecting value")


def test_a_gpu_is_one_that_has_measured_something():
    assert recordings.has_gpu({"tower": ONE})
    assert not recordings.has_gpu({"laptop": CPU})
    assert not recordings.has_gpu({"card": CPU._replace(machine=ONE.machine)})


def test_the_recordings_that_come_with_the_app_can_be_read():
    shipped = recordings.shipped.__wrapped__(ROOT / "recordings")
    assert shipped
    for one in shipped.values():
        assert one.machine.name
        assert {measured.operation for measured in one.measurements} >= {"square", "row_by_column"}
