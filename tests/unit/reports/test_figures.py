"""Figures: valid documents of what ``show`` says, with a table of the same numbers."""

import json
import re
import subprocess
import sys

import altair as alt
import pytest
from tests.unit.reports import drawn_books
from tests.unit.reports.shown_books import show

from riskmark.domain.reasons import NullReason
from riskmark.reports.documents import to_json
from riskmark.reports.extras import MissingExtra, load_extra
from riskmark.reports.figures import DARK, LIGHT, NAMES, UnknownFigure, draw, load_numbers
from riskmark.reports.figures.static import NothingToDraw, static_svg, still
from riskmark.reports.history import load_history

DRAWN = ("growth", "ruined", drawn_books.MARKUP)
"""Books whose figures are drawn as well, which takes longer than all the rest."""
MEANT = re.compile(r"var\((--c-[a-z0-9-]+)\)")


def numbers_of(world, name, **chosen):
    with world.app.database.read() as connection:
        return load_numbers(
            connection,
            world.app.principal,
            name,
            settings=world.app.settings,
            calendar=world.calendar,
            **chosen,
        )


def rows_of(figure):
    names = [column.name for column in figure.table.columns]
    return [dict(zip(names, row, strict=True)) for row in figure.table.rows]


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("book", drawn_books.NAMES)
def test_every_figure_is_valid_and_drawn_or_has_a_reason(drawn, book):
    numbers = numbers_of(drawn, book)

    for name in NAMES:
        figure = draw(name, numbers)

        json.loads(to_json(figure.document()))
        assert all(len(row) == len(figure.table.columns) for row in figure.table.rows)
        assert (figure.spec is None) == isinstance(figure.reason, NullReason), name
        if figure.spec is None:
            with pytest.raises(NothingToDraw):
                static_svg(figure)
            continue
        alt.Chart.from_dict(figure.spec)
        written = json.dumps(figure.spec)
        assert set(MEANT.findall(written)) <= set(LIGHT) == set(DARK)
        assert not re.search(r"#[0-9a-fA-F]{3,8}\b", written.replace(book, ""))
        assert figure.spec["width"] == "container"
        if book not in DRAWN:
            continue
        drawing = static_svg(figure, LIGHT, width=400)
        assert drawing.startswith("<svg")
        assert "var(--" not in drawing
        assert "style=" not in drawing
        assert "NaN" not in drawing


def test_tables_have_the_numbers_of_show(drawn):
    shown = show(drawn, "growth")
    numbers = numbers_of(drawn, "growth")

    def table(name):
        return rows_of(draw(name, numbers))

    model = shown["factor_risk"]["model"]
    factors = [one for one in shown["factors"] if one["model"] == model]
    assert [(one["factor"], one["exposure"], one["stderr"]) for one in table("factors")] == [
        (one["factor"], one["exposure"], one["stderr"]) for one in factors
    ]
    assert [(one["direct"], one["predictive"]) for one in table("stress")] == [
        (one["direct"], one["predictive"]) for one in shown["stress"]
    ]
    assert table("sectors") == shown["sectors"]
    assert [one["weight"] for one in table("concentration")] == [
        one["weight"] for one in shown["positions"]
    ]
    shares = {one["factor"]: one["share"] for one in table("risk_shares")}
    assert shares.pop("Specific") == shown["factor_risk"]["specific_share"]
    assert shares == shown["factor_risk"]["contributions"]
    assert [one["exceptions"] for one in table("backtest")] == [
        one["exceptions"] for one in shown["backtests"]["var"]
    ]
    order = [symbol for cluster in shown["correlation"]["clusters"] for symbol in cluster]
    assert [one["symbol"] for one in table("correlation")] == order


def test_lines_have_the_numbers_of_history(drawn):
    fields = ("nav", "twr_inception", "drawdown", "vol_21", "vol_63", "vol_har_21d")
    with drawn.app.database.read() as connection:
        stored = load_history(connection, drawn.app.principal, "growth", fields=fields)
    numbers = numbers_of(drawn, "growth")

    for name in ("nav", "performance", "drawdown", "volatility"):
        for row, line in zip(stored.rows, rows_of(draw(name, numbers)), strict=True):
            known = row.document()
            assert line == {field: known[field] for field in line}


def test_a_figure_of_var_marks_the_exceptions_of_the_back_test(drawn):
    shown = show(drawn, "growth")
    figure = draw("var", numbers_of(drawn, "growth"))

    (line, *_) = shown["backtests"]["var"]
    marked = [str(one["session"]) for one in rows_of(figure) if one["exception"]]
    assert marked == line["exception_sessions"]
    for one in rows_of(figure):
        if one["exception"]:
            assert -one["pnl_hypothetical"] > one["var_95_money"]


def test_attribution_has_every_line_and_says_its_range(drawn):
    numbers = numbers_of(drawn, "growth")

    figure = draw("attribution", numbers)

    lines = numbers.attribution["positions"]
    assert rows_of(figure) == [{"name": one["symbol"], "pnl": one["pnl"]} for one in lines]
    assert "from 2026-01-02 to 2026-01-08" in figure.note


def test_a_session_that_is_not_stored_breaks_the_line(drawn):
    numbers = numbers_of(drawn, "growth")
    gone = numbers.history.rows[20].session
    rows = (*numbers.history.rows[:20], *numbers.history.rows[21:])
    holed = type(numbers)(
        numbers.snapshot,
        type(numbers.history)(numbers.history.portfolio, rows, numbers.history.fields),
        None,
        (gone,),
    )

    figure = draw("nav", holed)

    (line,) = [one for one in figure.spec["data"]["values"] if one["session"] == gone.isoformat()]
    assert line["nav"] is None
    assert "1 sessions between them are not stored" in figure.note


def test_a_past_session_and_a_later_beginning_can_be_chosen(drawn):
    sessions = drawn.stored_sessions("growth")

    numbers = numbers_of(drawn, "growth", session=sessions[-5], first=sessions[-30])

    rows = rows_of(draw("nav", numbers))
    assert (rows[0]["session"], rows[-1]["session"]) == (sessions[-30], sessions[-5])


def test_only_what_is_drawn_is_computed(drawn):
    numbers = numbers_of(drawn, "growth", names=("nav", "stress"))

    assert numbers.attribution is None
    assert "backtests" not in numbers.snapshot
    assert draw("stress", numbers).spec is not None


def test_a_static_figure_has_nothing_for_a_pointer(drawn):
    spec = draw("volatility", numbers_of(drawn, "growth")).spec

    kept = still(spec)

    assert "params" in json.dumps(spec)
    assert "params" not in json.dumps(kept)
    assert [one.get("name") for one in kept["layer"]] == [None] * 3


def test_an_unknown_figure_is_an_error_that_lists_the_others(drawn):
    with pytest.raises(UnknownFigure, match="no figure 'naw'; there are nav, performance"):
        draw("naw", numbers_of(drawn, "growth", names=("nav",)))


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_colours_stand_out_on_their_page(palette):
    for name in ("--c-blue", "--c-vermilion", "--c-teal", "--c-bar"):
        assert contrast(palette[name], palette["--c-surface"]) >= (2 if name == "--c-bar" else 3)
    for name in ("--c-text", "--c-label"):
        assert contrast(palette[name], palette["--c-surface"]) >= 4.5


def test_figures_are_read_from_either_database(world):
    drawn_books.add_books(world)

    numbers = numbers_of(world, "growth")

    assert all(draw(name, numbers).spec is not None for name in NAMES)


def test_a_missing_package_is_named_with_its_extra():
    with pytest.raises(MissingExtra, match=r"pip install 'riskmark\[pdf\]'"):
        load_extra("nobody_has_this", "pdf")


def test_drawing_loads_neither_altair_nor_what_makes_pictures():
    code = (
        "import sys, riskmark.reports.figures as f; from riskmark.reports.figures import "
        "series, tails, risks, matrix, holdings, attributed; "
        "print({'altair', 'vl_convert', 'typst'} & set(sys.modules))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"
