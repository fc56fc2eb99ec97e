"""Every chart on every page is what the grammar of Vega-Lite allows."""

import altair as alt
import pytest
from jsonschema import ValidationError

from tests.support.server import pages
from tests.support.visit import charts, visit


@pytest.mark.parametrize("path", pages())
def test_every_chart_of_a_page_is_valid(path):
    shown = charts(visit(path.strip("/") or None, mistake="not_zeroed", train="true"))
    assert shown
    for chart in shown:
        alt.Chart.from_dict(chart)


def test_a_chart_that_is_not_valid_would_be_found():
    with pytest.raises(ValidationError):
        alt.Chart.from_dict({"mark": "circle", "encoding": {"x": {"field": "a", "scale": 7}}})
