"""A small market for tests: weekdays as sessions, bars by symbol, lots by hand."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from sqlalchemy import insert, select
from tests.support import START

from riskmark.domain.sessions import Calendar
from riskmark.intake.market_data import Action, ActionKind, make_bars
from riskmark.storage import schema
from riskmark.storage.prices import import_prices

AT = datetime(2024, 6, 3, 15, tzinfo=UTC)
FIRST, LAST = date(2023, 1, 2), date(2024, 12, 31)
HOLIDAY = date(2024, 1, 15)


def weekdays():
    """Make a calendar of all weekdays of two years but one."""
    days = (FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1))
    sessions = tuple(day for day in days if day.weekday() < 5 and day != HOLIDAY)
    closes = tuple(datetime.combine(day, time(21), UTC) for day in sessions)
    return Calendar(sessions, closes)


CALENDAR = weekdays()


def closes_of(symbol, first, closes):
    """Give consecutive sessions from ``first`` on these closes, as rows of ``make_bars``."""
    start = CALENDAR.on_or_after(first)
    sessions = CALENDAR.sessions[start : start + len(closes)]
    return [(symbol, day, close) for day, close in zip(sessions, closes, strict=True)]


def load(connection, rows=(), actions=(), **options):
    """Import bars of these (symbol, session, close) and actions."""
    arguments = {
        "provider": "test",
        "calendar": CALENDAR,
        "target": LAST,
        "base_currency": "USD",
        "at": AT,
    } | options
    return import_prices(connection, make_bars(rows), actions=actions, **arguments)


def split(symbol, day, ratio):
    return Action(symbol, day, ActionKind.SPLIT, ratio)


def dividend(symbol, day, cash):
    return Action(symbol, day, ActionKind.DIVIDEND, cash)


def spinoff(symbol, day, ratio):
    return Action(symbol, day, ActionKind.SPINOFF, ratio)


def instrument_id(connection, symbol):
    return connection.execute(
        select(schema.instrument.c.id).where(schema.instrument.c.symbol == symbol)
    ).scalar_one()


def add_portfolio(connection, name="book"):
    """Store a portfolio whose id is its name."""
    connection.execute(
        insert(schema.portfolio).values(
            id=name, owner_id=schema.LOCAL_ACCOUNT, name=name, currency="USD", created_at=START
        )
    )
    return name


def add_lot(connection, portfolio, symbol, entry, leaving=None):
    """Store a lot of 10 at 100 of an instrument that exists."""
    price = None if leaving is None else Decimal(110)
    lots = connection.execute(select(schema.lot.c.id)).all()
    connection.execute(
        insert(schema.lot).values(
            id=f"lot-{len(lots)}",
            portfolio_id=portfolio,
            instrument_id=instrument_id(connection, symbol),
            quantity=Decimal(10),
            entry_date=entry,
            entry_price=Decimal(100),
            exit_date=leaving,
            exit_price=price,
            multiplier=Decimal(1),
            investment_class="PUBLIC",
            created_at=START,
        )
    )


def changes(connection):
    """List the ledger: revision, kind, symbol, first session."""
    change, instrument = schema.input_change, schema.instrument
    rows = connection.execute(
        select(change.c.revision, change.c.kind, instrument.c.symbol, change.c.from_session)
        .outerjoin(instrument, instrument.c.id == change.c.instrument_id)
        .order_by(change.c.id)
    )
    return [tuple(row) for row in rows]


def stored_closes(connection, symbol):
    """Return the stored closes of a symbol by session."""
    price = schema.price
    rows = connection.execute(
        select(price.c.session, price.c.close)
        .where(price.c.instrument_id == instrument_id(connection, symbol))
        .order_by(price.c.session)
    )
    return dict(map(tuple, rows))
