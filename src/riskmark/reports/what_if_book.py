"""A book on one session, to which trades can be made that were never made.

The arithmetic is that of a run: the stored lots with the trades among them are cut, valued
and analysed like those of any book. Nothing is written.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection

from riskmark.calc.arrays import reason_of
from riskmark.calc.book_trades import Trade, make_trade
from riskmark.calc.model_fits import fit_model
from riskmark.domain.instruments import InstrumentKind, OptionType, parse_occ
from riskmark.domain.portfolio import ONE, OPTION_MULTIPLIER, Portfolio
from riskmark.domain.reasons import STALE_AFTER, MarkKind, NullReason
from riskmark.domain.sectors import sector_of
from riskmark.domain.sessions import Calendar
from riskmark.errors import InputError, UnknownSymbol
from riskmark.intake.symbols import canonical_symbol
from riskmark.reports.recomputed import Recomputed, first_session
from riskmark.reports.replays import first_replayed
from riskmark.settings import Settings
from riskmark.storage.contracts import Contract
from riskmark.storage.instruments import find_instrument
from riskmark.storage.symbol_scope import public_ids
from riskmark.valuation.analytics import analyse_held
from riskmark.valuation.cells import Cells
from riskmark.valuation.factors import MARKET_MODEL
from riskmark.valuation.held import hold
from riskmark.valuation.inputs import InputCutter, Inputs, load_inputs
from riskmark.valuation.numbers import ShardNumbers
from riskmark.valuation.option_panel import UnstoredOption
from riskmark.valuation.panels import InstrumentFacts, Panel, load_instruments
from riskmark.valuation.shard import value


class NoClose(InputError):
    """What is to be traded has no mark on the session."""

    def __init__(self, symbol: str, session: object, why: str) -> None:
        super().__init__(f"{symbol} cannot be traded at the close of {session}: {why}")
        self.symbol = symbol


class Mark(NamedTuple):
    """What one share of an instrument is traded at; ``age`` in sessions."""

    price: float
    kind: MarkKind
    age: int
    multiplier: float


class ComputedBook(NamedTuple):
    """The cell of a book as a run has it at hand, and its numbers."""

    cell: Recomputed
    numbers: ShardNumbers


@dataclass(frozen=True, slots=True)
class TradedBook:
    """A book as of a session (its ordinal), with the trades made so far in its lots."""

    settings: Settings
    portfolio: Portfolio
    ordinal: int
    inputs: Inputs

    @property
    def panel(self) -> Panel:
        """Prices of all that is held or may be traded."""
        return self.inputs.panel

    @property
    def row(self) -> int:
        """The session's row of the panel."""
        return self.ordinal - self.panel.first

    @property
    def keeps_cash(self) -> bool:
        """Whether cash pays for trades; otherwise they are flows."""
        return not np.isnan(self.inputs.books.books.opening_equity[0])

    def mark(self, column: int) -> Mark:
        """Return what an instrument is traded at; raise ``NoClose`` if nothing is known."""
        panel, row = self.panel, self.row
        facts, session = panel.instruments[column], panel.sessions[self.row]
        price = float(panel.marks.mark[row, column])
        if panel.cost_only[column]:
            why = "it is in another currency" if facts.is_foreign else "it has no closes"
            raise NoClose(facts.symbol, session, why)
        if np.isnan(price):
            has_expired = panel.options is not None and panel.options.has_expired(
                panel, row, column
            )
            why = f"no close of the {row + 1} sessions up to it is stored"
            why = "it has expired" if has_expired else why
            raise NoClose(facts.symbol, session, why)
        age = int(panel.marks.age[row, column])
        multiplier = OPTION_MULTIPLIER if facts.kind is InstrumentKind.OPTION else ONE
        if panel.manual[column]:
            return Mark(price, MarkKind.MANUAL, age, float(multiplier))
        if age > STALE_AFTER:
            raise NoClose(facts.symbol, session, f"its last close is {age} sessions old")
        kind = MarkKind.CARRIED if age else MarkKind.CLOSE
        if panel.options is not None and panel.options.is_modelled(row, column):
            kind = MarkKind.MODEL
        return Mark(price, kind, age, float(multiplier))

    def trade(self, column: int, quantity: float) -> "TradedBook":
        """Return the book after a trade at the mark."""
        mark = self.mark(column)
        books = self.inputs.books
        lots = make_trade(
            books.lots,
            Trade(column, quantity, mark.price, mark.multiplier),
            portfolio=0,
            row=self.row,
            split_index=self.panel.marks.split_index[:, column],
        )
        bounds = np.array([0, lots.quantity.size], dtype=np.int64)
        arrays = replace(books, lots=lots, lot_start=bounds)
        own = self.portfolio.portfolio_id
        return replace(
            self, inputs=replace(self.inputs, books=arrays, lots_of={own: int(bounds[1])})
        )

    def compute(self) -> "ComputedBook":
        """Compute the book's cell."""
        cutter = InputCutter(self.inputs, self.settings)
        inputs = cutter.cut([self.portfolio.portfolio_id], [[self.ordinal]])
        valued = value(inputs)
        cells = Cells(inputs, valued)
        held = hold(inputs, cells)
        numbers = analyse_held(inputs, valued, cells=cells, held_here=held)
        return ComputedBook(Recomputed(inputs, valued, cells, held), numbers)

    def market_beta(self, column: int) -> float | NullReason:
        """Return an instrument's beta to the Market, as a run fits it, or why there is none."""
        model = self.settings.model(MARKET_MODEL)
        fits = fit_model(
            self.panel.marks.returns[:, [column]],
            self.panel.factor_returns(model),
            model=model,
            rows=range(self.row, self.row + 1),
            risk_free=self.panel.risk_free(model),
        ).parts[0]
        reason = reason_of(int(fits.nulls[0, 0]))
        return float(fits.beta[0, 0, 0]) if reason is None else reason


def load_traded_book(
    connection: Connection,
    calendar: Calendar,
    settings: Settings,
    *,
    portfolio: Portfolio,
    ordinal: int,
    symbols: Collection[str],
) -> tuple[TradedBook, dict[str, int]]:
    """Read a book as of the session ``ordinal``, with prices of ``symbols`` too.

    The second is the panel's column of each of ``symbols``. An option need not be stored, if
    its underlying is. Raises ``UnknownSymbol``.
    """
    found: dict[str, int] = {}
    unstored: list[UnstoredOption] = []
    for symbol in dict.fromkeys(symbols):
        try:
            one = find_instrument(connection, symbol, owner_id=portfolio.owner_id)
            found[symbol] = one.instrument_id
        except UnknownSymbol:
            found[symbol] = -1 - len(unstored)
            unstored.append(_unstored(connection, settings, symbol, key=found[symbol]))
    beside = {one for one in found.values() if one >= 0}
    key = portfolio.portfolio_id
    first = first_session(connection, calendar, key)
    inputs = load_inputs(
        connection,
        calendar,
        settings,
        first_sessions={key: ordinal if first is None else min(first, ordinal)},
        first_cell=ordinal,
        last=ordinal,
        back_to=first_replayed(settings.replay, calendar, session=calendar.sessions[ordinal]),
        beside=beside,
        unstored=unstored,
    )
    column_of = inputs.panel.column_of
    book = TradedBook(settings, portfolio, ordinal, inputs)
    return book, {symbol: column_of[one] for symbol, one in found.items()}


def _unstored(
    connection: Connection, settings: Settings, symbol: str, *, key: int
) -> UnstoredOption:
    """Make an option of a symbol that has all its terms; raise ``UnknownSymbol`` if it has not."""
    name = canonical_symbol(symbol)
    terms = None if name is None else parse_occ(name)
    if name is None or terms is None:
        raise UnknownSymbol(symbol)
    under = public_ids(connection, [terms.underlying]).get(terms.underlying)
    if under is None:
        raise InputError(
            f"{name} cannot be traded: no instrument has the symbol of its underlying "
            f"{terms.underlying!r}"
        )
    (facts,) = load_instruments(connection, [under], base_currency=settings.base_currency)
    kind = InstrumentKind.OPTION
    return UnstoredOption(
        InstrumentFacts(
            instrument_id=key,
            symbol=name,
            kind=kind,
            sector=sector_of(kind, None),
            is_foreign=facts.is_foreign,
            is_accepted=False,
            quarantined_from=None,
        ),
        Contract(
            instrument_id=key,
            underlying_id=under,
            is_call=terms.option_type == OptionType.CALL,
            strike=float(terms.strike),
            expiry=terms.expiry,
        ),
    )
