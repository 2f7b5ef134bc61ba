"""A small world to run Riskmark in: symbols with generated prices, books, and a clock.

Prices are random walks from a seed that depends on the symbol alone, so a world can be
built again, in another order or on another database, with the same prices.
"""

import zlib
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal

import numpy as np

from riskmark.app import App, FixedClock
from riskmark.domain.measures import SNAPSHOT
from riskmark.domain.portfolio import Lot
from riskmark.domain.reasons import Source
from riskmark.engine.run import RunResult
from riskmark.intake.lot_rows import InstrumentHint
from riskmark.intake.market_data import Action, ActionKind, make_bars
from riskmark.settings import load_settings
from riskmark.storage import books
from riskmark.storage.books import Account
from riskmark.storage.calendar import load_calendar
from riskmark.storage.engines import open_database, read_rows
from riskmark.storage.instruments import guess_kind
from riskmark.storage.lots import BookEditor
from riskmark.storage.positions import Moment, Positions, create_book
from riskmark.storage.prices import import_prices

FIRST = date(2024, 6, 3)
"""The first session with prices."""
LAST = date(2026, 1, 8)
"""The last session that a world knows."""
FACTORS = ("SPY", "VTV", "VUG", "IWM", "MTUM", "QUAL", "USMV", "TLT")


def at_close(session: date) -> datetime:
    """Return an instant at which the session's prices are published, and no later session's."""
    return datetime.combine(session, time(23, 0), UTC)


class World:
    """An installation, and what a test does with it."""

    def __init__(self, url: str, now: datetime = at_close(LAST)) -> None:  # noqa: B008
        loaded = load_settings(None, {}, database_url=url)
        self.url = url
        self.app = App(loaded, open_database(url), FixedClock(now))
        with self.app.database.read() as connection:
            self.calendar = load_calendar(connection)

    def close(self) -> None:
        """Close the database."""
        self.app.database.close()

    def at(self, session: date) -> "World":
        """Move the clock to a session's evening."""
        self.app = replace(self.app, clock=FixedClock(at_close(session)))
        return self

    def sessions(self, first: date, last: date) -> list[date]:
        """Return the sessions from ``first`` to ``last``."""
        begin, end = self.calendar.on_or_after(first), self.calendar.on_or_before(last)
        return list(self.calendar.sessions[begin : end + 1])

    def closes(self, symbol: str, first: date = FIRST, last: date = LAST) -> dict[date, float]:
        """Return the closes of a symbol's random walk."""
        every = self.sessions(FIRST, LAST)
        random = np.random.default_rng(zlib.crc32(symbol.encode()))
        walk = 100 * np.exp(np.cumsum(random.normal(0.0003, 0.012, len(every))))
        return {
            day: float(price)
            for day, price in zip(every, walk.round(4), strict=True)
            if first <= day <= last
        }

    def add_prices(
        self,
        *symbols: str,
        first: date = FIRST,
        last: date = LAST,
        changed: dict[date, float] | None = None,
    ) -> None:
        """Import the closes of ``symbols``; ``changed`` replaces some of them."""
        rows = [
            (symbol, day, (changed or {}).get(day, close))
            for symbol in symbols
            for day, close in self.closes(symbol, first, last).items()
        ]
        self._import(rows)

    def add_bars(
        self, symbol: str, closes: dict[date, float], *, volume: float | None = None
    ) -> None:
        """Import the given closes of one symbol, each with the same ``volume``, if any."""
        self._import([(symbol, day, close) for day, close in closes.items()], volume=volume)

    def add_action(self, symbol: str, day: date, kind: str, value: float) -> None:
        """Import one action."""
        self._import([], actions=(Action(symbol, day, ActionKind(kind), value),))

    def _import(
        self,
        rows: list[tuple[str, date, float]],
        actions: tuple[Action, ...] = (),
        *,
        volume: float | None = None,
    ) -> None:
        bars = make_bars(rows)
        if volume is not None:
            bars = replace(bars, volume=np.full(len(bars), volume))
        target = self.calendar.sessions[self.app.target(self.calendar)]
        with self.app.database.write() as connection:
            import_prices(
                connection,
                bars,
                provider="test",
                calendar=self.calendar,
                target=target,
                base_currency="USD",
                at=self.app.clock.now(),
                actions=actions,
            )

    def add_book(
        self,
        name: str,
        symbols: tuple[str, ...],
        entry: date,
        *,
        quantity: int = 10,
        equity: int | None = 100_000,
    ) -> str:
        """Create a portfolio that bought each of ``symbols`` on ``entry``; return its id."""
        lots = tuple(self.lot(symbol, entry, quantity=quantity) for symbol in symbols)
        hints = tuple(
            InstrumentHint(symbol, guess_kind(symbol), None) for symbol in dict.fromkeys(symbols)
        )
        with self.app.database.write() as connection:
            portfolio = create_book(
                connection,
                self.app.principal,
                Account(name, opening_equity=None if equity is None else Decimal(equity)),
                Positions(lots, hints),
                calendar=self.calendar,
                currency="USD",
                moment=Moment(self.app.today, self.app.clock.now()),
            )
        return portfolio.portfolio_id

    def lot(self, symbol: str, entry: date, *, quantity: int = 10) -> Lot:
        """Return a lot bought near the close of ``entry``."""
        known = self.closes(symbol)
        price = known.get(self.calendar.sessions[self.calendar.on_or_after(entry)], 100.0)
        return Lot(symbol, Decimal(quantity), entry, Decimal(str(round(price, 2))))

    def editor(self, connection, name: str) -> BookEditor:
        """Return an editor of a book in the transaction of ``connection``."""
        portfolio = books.find_portfolio(connection, self.app.principal, name)
        return BookEditor(
            connection,
            portfolio,
            self.calendar,
            today=self.app.today,
            at=self.app.clock.now(),
        )

    def run(self, *portfolios: str, source: Source = Source.CLI, **how) -> RunResult:
        """Run the batch for some portfolios, or for all."""
        return self.app.run(source, portfolios=portfolios or None, **how)

    def rows(self, statement: str, *values) -> list:
        """Run a SELECT."""
        with self.app.database.read() as connection:
            return read_rows(connection, statement, values)

    def stored_sessions(self, name: str) -> list[date]:
        """Return the sessions that a portfolio has snapshots of."""
        rows = self.rows(
            "SELECT s.session FROM snapshot s JOIN portfolio p ON p.id = s.portfolio_id "
            "WHERE p.name = ? ORDER BY s.session",
            name,
        )
        return [_date(row[0]) for row in rows]

    def dump(self) -> "Dump":
        """Return every result row, by table, without run ids, ids and times.

        Portfolios and instruments are named, so that two databases can be compared.
        """
        tables = (
            "snapshot", "position_value", "factor_exposure", "stress_result", "sector_exposure",
        )  # fmt: skip
        return {table: self._named(table) for table in tables}

    def _named(self, table: str) -> list[dict[str, object]]:
        left_out = {
            "portfolio_id",
            "instrument_id",
            "booked_to",
            "run_id",
            "computed_at",
            "inputs_revision",
        }
        with self.app.database.read() as connection:
            result = connection.exec_driver_sql(f'SELECT * FROM "{table}" WHERE 1 = 0')
            columns = [key for key in result.keys() if key not in left_out]  # noqa: SIM118
        listed = ", ".join(f't."{name}"' for name in columns)
        symbol = ", i.symbol" if table == "position_value" else ""
        join = "JOIN instrument i ON i.id = t.instrument_id" if symbol else ""
        rows = self.rows(
            f"SELECT p.name{symbol}, {listed} FROM {table} t "
            f"JOIN portfolio p ON p.id = t.portfolio_id {join}"
        )
        names = ["portfolio", *(["symbol"] if symbol else []), *columns]
        found = [dict(zip(names, map(_plain, row), strict=True)) for row in rows]
        keys = [name for name in _KEYS if name in names]
        return sorted(found, key=lambda row: [str(row[name]) for name in keys])


Dump = dict[str, list[dict[str, object]]]

_KEYS = ("portfolio", "session", "symbol", "model", "factor", "sector", "scenario")
_MONEY = frozenset(SNAPSHOT) - {"return", "excluded_weight", "proxied_weight"} | {
    "market_value",
    "money",
    "direct",
    "predictive",
    "beyond_delta",
}
GROSS = 1e6
"""The size of the books of a world, for the tolerance of money."""


def assert_equal_results(one: Dump, other: Dump) -> None:
    """Assert that two dumps are *equal*: texts exactly, numbers within the stated tolerance."""
    for table, rows in one.items():
        assert len(rows) == len(other[table]), table
        for mine, theirs in zip(rows, other[table], strict=True):
            for name, left in mine.items():
                right = theirs[name]
                where = (table, [mine.get(key) for key in _KEYS], name)
                if isinstance(left, float) and isinstance(right, float):
                    allowed = 1e-12 * (GROSS if name in _MONEY else 1.0)
                    assert abs(left - right) <= max(1e-9 * abs(left), allowed), where
                else:
                    assert left == right, where


def _date(value: object) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))


def _plain(value: object) -> object:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, date):
        return value.isoformat()
    return value
