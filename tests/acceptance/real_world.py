"""An installation with real prices and the ten books in it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.acceptance.real_books import RealBook
from tests.acceptance.real_market import ACTIONS, PRICES, write_symbols

from riskmark import app as application
from riskmark.app import App
from riskmark.domain.reasons import Source
from riskmark.domain.sessions import Calendar
from riskmark.engine.run import RunResult
from riskmark.engine.version import current_version
from riskmark.reports.rules import Rules
from riskmark.reports.verify import Verification, verify
from riskmark.settings import load_settings
from riskmark.storage.books import Account, find_portfolio
from riskmark.storage.calendar import load_calendar
from riskmark.storage.engines import read_rows
from riskmark.storage.lots import BookEditor
from riskmark.storage.market_files import read_market_files
from riskmark.storage.positions import Moment, Positions, create_book
from riskmark.storage.prices import PriceImport, import_prices
from riskmark.storage.symbol_files import read_symbol_rows
from riskmark.storage.symbols import import_symbols


@dataclass
class RealWorld:
    """An installation and the date up to which it knows the world."""

    app: App
    calendar: Calendar
    today: date

    @property
    def target(self) -> date:
        """The last session."""
        return self.calendar.sessions[self.calendar.on_or_before(self.today)]

    def import_symbols(self, file: Path) -> None:
        """Import what is known of the symbols."""
        write_symbols(file)
        with self.app.database.write() as connection:
            import_symbols(
                connection, read_symbol_rows(file), currency="USD", at=self.app.clock.now()
            )

    def import_market(self) -> PriceImport:
        """Import every bar and action known by today."""
        files = read_market_files(PRICES, ACTIONS, split_adjusted=True)
        known = files.bars.session.astype("datetime64[D]") <= self.today
        return self.import_bars(
            files.bars.where(known),
            tuple(action for action in files.actions if action.ex_date <= self.today),
        )

    def import_bars(self, bars: Any, actions: tuple[Any, ...] = ()) -> PriceImport:
        """Import bars as traded."""
        with self.app.database.write() as connection:
            return import_prices(
                connection,
                bars,
                provider="vendor",
                calendar=self.calendar,
                target=self.target,
                base_currency="USD",
                at=self.app.clock.now(),
                actions=actions,
            )

    def add(self, book: RealBook) -> None:
        """Create a book with its lots and flows as of today."""
        lots, hints = book.read(self.today)
        moment = Moment(self.today, self.app.clock.now())
        equity = None if book.equity is None else Decimal(book.equity)
        with self.app.database.write() as connection:
            create_book(
                connection,
                self.app.principal,
                Account(book.name, opening_equity=equity),
                Positions(lots, hints),
                calendar=self.calendar,
                currency="USD",
                moment=moment,
            )
        with self.app.database.write() as connection:
            portfolio = find_portfolio(connection, self.app.principal, book.name)
            editor = BookEditor(
                connection, portfolio, self.calendar, today=self.today, at=moment.at
            )
            for flow in book.flows_until(self.today):
                editor.add_flow(flow.date, flow.amount)
            editor.finish()

    def run(self, **how: Any) -> RunResult:
        """Run the batch."""
        return self.app.run(Source.CLI, **how)

    def verify(self) -> Verification:
        """Recompute the invariants of what is stored."""
        settings = self.app.settings
        with self.app.database.read() as connection:
            rules = Rules(
                self.calendar,
                self.calendar.on_or_before(self.target),
                current_version(settings),
                settings.factor_symbols,
            )
            return verify(connection, rules=rules, settings=settings)

    def rows(self, statement: str, *values: object) -> list[Any]:
        """Run a SELECT."""
        with self.app.database.read() as connection:
            return read_rows(connection, statement, values)

    def series(self, book: str, *columns: str) -> dict[date, tuple[Any, ...]]:
        """Return columns of a book's snapshots by session."""
        listed = ", ".join(f's."{column}"' for column in columns)
        rows = self.rows(
            f"SELECT s.session, {listed} FROM snapshot s JOIN portfolio p "
            "ON p.id = s.portfolio_id WHERE p.name = ? ORDER BY s.session",
            book,
        )
        return {date.fromisoformat(str(row[0])): tuple(row[1:]) for row in rows}

    def close(self) -> None:
        """Close the database."""
        self.app.database.close()


def open_world(url: str, today: date, *, is_new: bool = True) -> RealWorld:
    """Open an installation at noon of ``today``; a new one is initialised."""
    clock = application.FixedClock(datetime.combine(today, time(12), UTC))
    app = application.build(load_settings(None, {}, database_url=url), clock)
    if is_new:
        application.initialise(app)
    with app.database.read() as connection:
        calendar = load_calendar(connection)
    return RealWorld(app, calendar, today)
