"""Figures: valid, titled with their units, and readable on any page by anybody."""

import json

import altair as alt
import pytest

from riskmark.errors import InputError
from riskmark.notebook.figures import style

FIGURES = ("nav", "drawdown", "var", "exposures", "stress", "sectors", "correlation")
WHITE, BLACK = "#ffffff", "#121212"
CONTRAST = 3.0
"""What WCAG asks of graphics and of large text."""


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def lines_of(figure):
    """Return the lines that a figure draws."""
    (lines,) = figure["datasets"].values()
    return lines


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_a_valid_chart_of_every_portfolio(book, name):
    for portfolio in map(book.portfolio, book.portfolios().index):
        chart = getattr(portfolio.plot, name)()

        found = chart.to_dict()
        assert isinstance(chart, alt.Chart | alt.LayerChart)
        assert portfolio.name in found["title"]["text"]
        json.dumps(found, allow_nan=False)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_states_its_unit_and_has_no_background(growth, name):
    found = getattr(growth.plot, name)().to_dict()

    words = json.dumps([found[key] for key in ("title", "layer", "encoding") if key in found])
    assert any(unit in words for unit in ("USD", "%", "ratio", "no unit"))
    assert found["config"]["background"] == "transparent"
    assert found["config"]["axis"]["labelColor"] == style.INK


@pytest.mark.parametrize("colour", [style.INK, *style.COLOURS])
def test_a_colour_stands_out_on_white_and_on_black(colour):
    assert contrast(colour, WHITE) >= CONTRAST
    assert contrast(colour, BLACK) >= CONTRAST


def test_colours_differ_for_those_who_see_no_red_or_no_green():
    # Luminance is what is left where hues are confused: blue is darker than the other two.
    blue, vermillion, green = map(luminance, style.COLOURS)

    assert blue < 0.8 * min(vermillion, green)


def test_a_figure_takes_a_range_a_session_and_a_model(growth):
    short = growth.plot.nav(first="2022-12-01").to_dict()
    market = growth.plot.exposures("2022-06-30", model="market").to_dict()

    assert len(lines_of(short)) == 19
    assert lines_of(short)[0]["session"] == "2022-12-01T00:00:00"
    assert "model market, 2022-06-30" in market["title"]["subtitle"]
    with pytest.raises(InputError, match="no exposures to the model 'mine'; there are market"):
        growth.plot.exposures(model="mine")


def test_the_exceptions_of_the_var_figure_are_those_of_the_back_test(growth):
    found = growth.plot.var().to_dict()

    lines = lines_of(found)
    marked = [line for line in lines if line["exception"]]
    assert len(lines) == 250
    assert len(marked) == growth.backtests().loc["var_95", "exceptions"]
    assert all(line["pnl_hypothetical"] < line["var_95_money"] for line in marked)


def test_cells_of_the_heat_map_go_by_clusters(growth):
    found = growth.plot.correlation().to_dict()

    assert found["layer"][0]["encoding"]["x"]["sort"] == list(growth.correlation().index)
