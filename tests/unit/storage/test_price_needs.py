"""What runs need of prices, and what providers were asked for."""

import pytest
from tests.market import AT, CALENDAR, add_lot, add_portfolio, closes_of, instrument_id, load

from riskmark.planning.price_ranges import Span
from riskmark.storage.engines import as_date, read_rows
from riskmark.storage.price_needs import load_price_needs, save_check

TARGET = 400
SESSIONS = CALENDAR.sessions


def needs(connection, order=("yfinance", "fmp")):
    found = load_price_needs(
        connection, CALENDAR, scope=None, target=TARGET, factor_symbols=(), order=order
    )
    return {need.symbol: need for need in found}


def hold(connection, closes, *, first, provider="yfinance"):
    """Store closes from a session on, held from then on."""
    load(connection, closes_of("AAA", SESSIONS[first], closes), provider=provider)
    add_lot(connection, add_portfolio(connection), "AAA", SESSIONS[first])


def check(connection, first, last):
    key = instrument_id(connection, "AAA")
    save_check(connection, key, first=SESSIONS[first], target=SESSIONS[last], at=AT)
    rows = read_rows(connection, 'SELECT "first", target FROM price_check')
    return Span(*(SESSIONS.index(as_date(day)) for day in rows[0]))


def test_closes_of_the_provider_that_is_asked_first_are_not_in_doubt(database):
    with database.write() as connection:
        hold(connection, [100.0] * 30, first=TARGET - 29)

        assert needs(connection)["AAA"].doubted is None


def test_a_recent_close_of_another_provider_is_in_doubt(database):
    with database.write() as connection:
        hold(connection, [100.0] * 30, first=TARGET - 29)
        other = closes_of("AAA", SESSIONS[TARGET - 7], [101.0, 102.0])
        load(connection, other, provider="fmp")

        assert needs(connection)["AAA"].doubted == TARGET - 7
        assert needs(connection, order=("fmp",))["AAA"].doubted is None


def test_a_quarantine_is_in_doubt(database):
    with database.write() as connection:
        hold(connection, [100.0] * 10 + [50.0] * 20, first=TARGET - 29)

        assert needs(connection)["AAA"].doubted == TARGET - 19


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (Span(150, 250), Span(100, 250)),
        (Span(50, 150), Span(50, 200)),
        (Span(120, 130), Span(100, 200)),
        (Span(220, 230), Span(220, 230)),
        (Span(10, 20), Span(100, 200)),
    ],
    ids=str,
)
def test_of_two_ranges_their_union_is_remembered_or_the_later_where_they_lie_apart(
    database, second, expected
):
    with database.write() as connection:
        hold(connection, [100.0], first=TARGET)
        check(connection, 100, 200)

        assert check(connection, *second) == expected
