"""Simulated nights: an installation that lives through years of a market and its providers.

Each evening a run asks the local provider server through the real clients, while books are
edited and the providers do what they do; afterwards every invariant must hold. At the end
everything must be complete, and equal to what a fresh installation computes that meets the
truth at once. ``python -m tests.acceptance.simulation --seed 7`` lives through one by hand.
"""

import argparse
import shutil
import tempfile
import warnings
from dataclasses import dataclass, field, replace
from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import numpy as np
from tests.acceptance.simulation_market import before_the_close, draw_outages, draw_symbol
from tests.acceptance.simulation_nights import NEW_YORK, connect_by_night, move
from tests.acceptance.soundness import assert_sound
from tests.acceptance.world import FACTORS, LAST, World, assert_equal_results, at_close
from tests.faults.provider_lab import forget_yahoo
from tests.faults.server import ProviderServer

from riskmark import app as application
from riskmark.app import FixedClock
from riskmark.domain.portfolio import Lot
from riskmark.engine.version import current_version
from riskmark.intake.lot_rows import InstrumentHint
from riskmark.reports.rules import Rules
from riskmark.reports.verify import verify
from riskmark.settings import load_settings
from riskmark.storage import books
from riskmark.storage.books import Account
from riskmark.storage.calendar import load_calendar
from riskmark.storage.engines import as_date
from riskmark.storage.instruments import guess_kind
from riskmark.storage.positions import Moment, Positions, add_lots, create_book

LOOK_BACK = 640
"""Sessions before the first night: the longest window, and entries before it."""
KINDS = ("EQUITY", "MUTUALFUND", "EQUITY", "ETF", *("EQUITY",) * 6)


@dataclass(frozen=True)
class Size:
    """How long and how big a simulation is."""

    nights: int
    books: int
    symbols: int
    has_style: bool = True
    """Whether all factor models are fitted, or those of the market and rates alone."""


@dataclass
class Simulation:
    """One installation, its market, and the nights."""

    seed: int
    size: Size
    world: World
    lots: dict[str, dict[str, Lot]] = field(default_factory=dict)
    closures: tuple = ()

    def __post_init__(self):
        self.rng = np.random.default_rng(self.seed)
        every = self.world.sessions(LAST - timedelta(days=365 * 7), LAST)
        self.nights = every[-self.size.nights :]
        whole = every[-self.size.nights - LOOK_BACK :]
        early, late = len(self.nights) // 4, len(self.nights) - 20
        self.closure = self.nights[int(self.rng.integers(early, late))]
        sessions = [day for day in whole if day != self.closure]
        nights = [day for day in self.nights if day != self.closure]
        half_days = {day for day in nights if self._close(day).astimezone(NEW_YORK).hour < 16}
        held = [f"S{place:02}" for place in range(self.size.symbols)]
        self.market = {
            symbol: draw_symbol(
                (self.seed, place),
                sessions,
                nights,
                kind="ETF" if symbol in FACTORS else KINDS[place % len(KINDS)],
                half_days=half_days,
            )
            for place, symbol in enumerate([*held, *FACTORS])
        }
        self.held = held
        self.outages = draw_outages(self.rng, nights)
        self.noticed = self.nights[self.nights.index(self.closure) + int(self.rng.integers(0, 3))]
        self.views = {}

    def live(self, template, folder):
        """Live through all nights and compare at the end."""
        forget_yahoo()
        with ProviderServer({}) as server:
            self.server = server
            self._connect(self.world)
            self._open_books()
            for day in self.nights:
                try:
                    self._spend(day)
                except Exception as error:
                    error.add_note(f"seed {self.seed}, {self.size}, on {day}")
                    raise
            try:
                self._compare(template, folder)
            except Exception as error:
                error.add_note(f"seed {self.seed}, {self.size}, at the end")
                raise

    def _connect(self, world):
        """Let a world ask the server, with the closures known by now."""
        connect_by_night(world, self.server)
        settings = world.app.settings
        calendar = msgspec.structs.replace(settings.calendar, closures=self.closures)
        changed = msgspec.structs.replace(settings, calendar=calendar)
        if not self.size.has_style:
            kept = [settings.model(name) for name in ("market", "market_1y", "rates")]
            style = settings.model("style")
            few = tuple(one for one in style.factors if one.name in {"Market", "Rates"})
            changed = msgspec.structs.replace(
                changed,
                factor_model=(*kept, replace(style, factors=few)),
                scenario=settings.scenario[:8],
            )
        world.app = replace(world.app, loaded=replace(world.app.loaded, settings=changed))

    def _close(self, day):
        return self.world.calendar.closes[self.world.calendar.on_or_after(day)]

    def _open_books(self):
        before = self.nights[0] - timedelta(days=1)
        move(self.world, self.server, before, time(18))
        for number in range(self.size.books):
            equity = None if number % 4 == 3 else Decimal(500_000)
            name = f"book {number}"
            lots = [self._draw_lot(before, back=90) for _ in range(int(self.rng.integers(3, 7)))]
            self.lots[name] = {}
            _create(self.world, name, equity, ())
            for lot in lots:
                self._buy(name, lot)

    def _draw_lot(self, today, *, back):
        entry = today - timedelta(days=int(self.rng.integers(0, back)))
        quantity = Decimal(int(self.rng.integers(1, 40)) * (-1 if self.rng.random() < 0.15 else 1))
        symbol = self.held[self.rng.integers(len(self.held))]
        return Lot(symbol, quantity, entry, Decimal(100))

    def _buy(self, name, lot):
        hints = (InstrumentHint(lot.symbol, guess_kind(lot.symbol), None),)
        with self.world.app.database.write() as connection:
            editor = self.world.editor(connection, name)
            portfolio = books.find_portfolio(connection, self.world.app.principal, name)
            (stored,) = add_lots(connection, editor, Positions((lot,), hints), portfolio)
            editor.finish()
        self.lots[name][stored.lot_id] = stored

    def _edit(self, day):
        """Buy, sell and delete now and then, not always as of today."""
        for name in self.lots:
            if self.rng.random() < 0.03:
                self._buy(name, self._draw_lot(day, back=30))
            still = [key for key, lot in self.lots[name].items() if lot.exit_date is None]
            if len(still) > 1 and self.rng.random() < 0.02:
                key = still[self.rng.integers(len(still))]
                with self.world.app.database.write() as connection:
                    editor = self.world.editor(connection, name)
                    if self.rng.random() < 0.6:
                        self.lots[name][key] = editor.close_lot(key, day=day, price=Decimal(101))
                    else:
                        editor.delete_lot(key)
                        del self.lots[name][key]
                    editor.finish()

    def _spend(self, day):
        """Live one date: perhaps a run at noon, the one of the evening, one in the morning."""
        self._publish(day)
        if self.rng.random() < 0.1:
            self._run_before_the_close(day, time(12))
        if day == self.noticed:
            self._close_for_good()
        close = self._close(day) if day != self.closure else None
        is_half = close is not None and close.astimezone(NEW_YORK).hour < 16
        move(self.world, self.server, day, time(13, 40) if is_half else time(18, 30))
        self._edit(day)
        self.server.play(*self.outages.get(day, (None, None)))
        self._run(self.world)

    def _publish(self, day):
        """Let the provider know what is known on the evening of ``day``."""
        self.server.shop.market = {
            symbol: self._view(symbol, one, day) for symbol, one in self.market.items()
        }

    def _view(self, symbol, one, day):
        news = {
            *(until for _, until in one.wrong.values()), *one.wrong, *one.late, *one.late.values(),
            *one.known.values(), *(act[0] for act in (*one.truth.splits, *one.truth.dividends)),
        }  # fmt: skip
        if symbol not in self.views or day in news:
            self.views[symbol] = one.seen(day)
        return self.views[symbol]

    def _run_before_the_close(self, day, at):
        """Run while the session is open: its bars are there, and must not be taken."""
        move(self.world, self.server, day, at)
        market = self.server.shop.market
        self.server.shop.market = {
            symbol: before_the_close(series, day) for symbol, series in market.items()
        }
        self.server.play()
        self._run(self.world)
        self.server.shop.market = market
        (taken,) = self.world.rows(
            "SELECT count(*) FROM price WHERE session >= ?", _bound(self.world, day)
        )[0]
        assert taken == 0, "a bar of an open session was stored"

    def _close_for_good(self):
        """Learn that the exchange was closed on a date that the calendar has."""
        self.closures = (self.closure,)
        self._connect(self.world)
        application.prepare(self.world.app)
        self._reload(self.world)

    def _reload(self, world):
        with world.app.database.read() as connection:
            world.calendar = load_calendar(connection)

    def _run(self, world):
        result = world.run()
        assert result.cells.failed == 0
        found = self._verify(world)
        assert not found.violations, found.violations[:5]
        return result

    def _verify(self, world):
        settings = world.app.settings
        rules = Rules(
            calendar=world.calendar,
            target=world.app.target(world.calendar),
            version=current_version(settings),
            factor_symbols=settings.factor_symbols,
        )
        with world.app.database.read() as connection:
            return verify(connection, rules=rules, settings=settings)

    def _compare(self, template, folder):
        assert_sound(self.world.rows)
        states = self.world.rows(
            "SELECT p.name, s.session, s.state FROM snapshot s "
            "JOIN portfolio p ON p.id = s.portfolio_id WHERE s.state <> 'complete'"
        )
        assert not states, states[:5]
        assert self.world.run().cells.planned == 0
        self._compare_closes()
        path = folder / "fresh.db"
        shutil.copy(template, path)
        fresh = World(f"sqlite:///{path}")
        try:
            self._tell(fresh)
            assert_equal_results(self.world.dump(), fresh.dump())
        finally:
            fresh.close()

    def _compare_closes(self):
        rows = self.world.rows(
            "SELECT i.symbol, p.session, p.close FROM price p "
            "JOIN instrument i ON i.id = p.instrument_id"
        )
        for symbol, day, close in rows:
            true = self.market[symbol].truth.closes[as_date(day)]
            assert abs(close / true - 1) < 1e-9, (symbol, day, close, true)

    def _tell(self, fresh):
        """Let a fresh installation meet the truth."""
        self._connect(fresh)
        move(fresh, self.server, self.nights[-1], time(18, 30))
        application.prepare(fresh.app)
        self._reload(fresh)
        self.server.shop.market = {symbol: one.truth for symbol, one in self.market.items()}
        self.server.play()
        for number, (name, lots) in enumerate(self.lots.items()):
            equity = None if number % 4 == 3 else Decimal(500_000)
            _create(fresh, name, equity, tuple(replace(lot, lot_id=None) for lot in lots.values()))
        result = self._run(fresh)
        assert result.cells.partial == 0


def main():
    """Live through what the arguments say, on SQLite in a temporary folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--nights", type=int, default=753)
    parser.add_argument("--books", type=int, default=20)
    parser.add_argument("--symbols", type=int, default=60)
    parser.add_argument("--few-factors", action="store_true")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    size = Size(chosen.nights, chosen.books, chosen.symbols, has_style=not chosen.few_factors)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        loaded = load_settings(None, {}, database_url=f"sqlite:///{path}")
        empty = application.build(loaded, FixedClock(at_close(LAST)))
        application.initialise(empty)
        empty.database.close()
        shutil.copy(path, Path(folder) / "lived.db")
        world = World(f"sqlite:///{Path(folder) / 'lived.db'}")
        Simulation(chosen.seed, size, world).live(path, Path(folder))
        world.close()
    print(f"seed {chosen.seed}, {size}: everything is complete and true")


def _bound(world, day):
    return day.isoformat() if world.app.database.is_sqlite else day


def _create(world, name, equity, lots):
    hints = {lot.symbol: InstrumentHint(lot.symbol, guess_kind(lot.symbol), None) for lot in lots}
    with world.app.database.write() as connection:
        create_book(
            connection,
            world.app.principal,
            Account(name, opening_equity=equity),
            Positions(lots, tuple(hints.values())),
            calendar=world.calendar,
            currency="USD",
            moment=Moment(world.app.today, world.app.clock.now()),
        )


if __name__ == "__main__":
    main()
