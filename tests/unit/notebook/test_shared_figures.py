"""Figures of pages and reports in a notebook."""

import json

import altair as alt
import pytest

from riskmark.errors import InputError
from riskmark.reports.figures import NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_has_the_figures_of_pages_and_reports(growth, name):
    chart = growth.figure(name)

    found = chart.to_dict()
    assert isinstance(chart, alt.Chart | alt.LayerChart)
    assert found["title"]["text"].startswith(f"{growth.name}: ")
    assert "var(--" not in json.dumps(found)


def test_a_figure_of_a_past_session_ends_there(growth):
    found = growth.figure("nav", "2022-06-30").to_dict()

    assert "to 2022-06-30" in found["title"]["subtitle"]


def test_an_unknown_figure_is_an_error(growth):
    with pytest.raises(InputError, match="there is no figure 'candles'"):
        growth.figure("candles")
