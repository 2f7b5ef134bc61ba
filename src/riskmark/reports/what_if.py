"""What if: all numbers of a portfolio before and after trades that were not made.

Trades are made at the marks of the session shown, one after another: first those that are
stated, then a hedge, then the scaling of everything, which leaves a beta of 0 at 0. Cash pays
for them in equity mode; in holdings mode they are flows. Both sides are computed from what is
stored now, so that they differ by the trades alone; the stored numbers may be older.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Connection

from riskmark.domain.portfolio import Portfolio
from riskmark.domain.reasons import MarkKind
from riskmark.domain.sessions import Calendar
from riskmark.errors import InputError
from riskmark.reports.cell_numbers import CellNumbers, cell_numbers
from riskmark.reports.changes import Changes, subtract
from riskmark.reports.detail_lines import weights_in_force
from riskmark.reports.liquidity_lines import measure_liquidity
from riskmark.reports.proposals import Proposal, propose_hedge, propose_scaling
from riskmark.reports.replays import replay_cell
from riskmark.reports.snapshot import NotValued
from riskmark.reports.what_if_book import ComputedBook, TradedBook, load_traded_book
from riskmark.settings import Settings
from riskmark.storage.books import Principal, find_portfolio
from riskmark.storage.engines import as_date, bind_date, read_rows


class StatedTrade(NamedTuple):
    """Units of a symbol to buy (> 0) or to sell (< 0)."""

    symbol: str
    quantity: Decimal


class Wanted(NamedTuple):
    """What is asked for: trades, a volatility (``vol_63``, a fraction), a symbol to hedge with."""

    trades: Sequence[StatedTrade] = ()
    target_vol: float | None = None
    hedge_beta: str | None = None


class MadeTrade(NamedTuple):
    """A trade at the mark; ``origin`` is ``stated`` or the kind of the proposal behind it.

    ``money`` is what it costs (< 0) or brings.
    """

    symbol: str
    quantity: float
    price: float
    mark_kind: MarkKind
    money: float
    origin: str

    def document(self) -> dict[str, Any]:
        """Return the trade as JSON has it."""
        return self._asdict()


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A portfolio on a session, before and after trades."""

    portfolio: Portfolio
    session: date
    trades: tuple[MadeTrade, ...]
    proposals: tuple[Proposal, ...]
    before: CellNumbers
    after: CellNumbers

    def change(self) -> Changes:
        """Return what the trades change, number by number."""
        return subtract(
            self.after.document(),
            self.before.document(),
            nulls=(self.after.nulls, self.before.nulls),
        )

    def document(self) -> dict[str, Any]:
        """Return everything as JSON has it; nulls are named ``after.risk.beta``."""
        change = self.change()
        sides = {
            "before": (self.before.document(), self.before.nulls),
            "after": (self.after.document(), self.after.nulls),
            "change": (change.document, change.nulls),
        }
        return {
            "portfolio": {
                "id": self.portfolio.portfolio_id,
                "name": self.portfolio.name,
                "currency": self.portfolio.currency,
                "mode": self.portfolio.mode,
            },
            "session": self.session,
            "trades": [trade.document() for trade in self.trades],
            "proposals": [proposal.document() for proposal in self.proposals],
            **{side: document for side, (document, _) in sides.items()},
            "nulls": {
                f"{side}.{name}": reason
                for side, (_, nulls) in sides.items()
                for name, reason in nulls.items()
            },
        }


def what_if(
    connection: Connection,
    principal: Principal,
    name_or_id: str,
    wanted: Wanted,
    *,
    calendar: Calendar,
    settings: Settings,
    session: date | None = None,
) -> WhatIf:
    """Compute a portfolio's numbers of ``session`` (None: the newest) without and with trades."""
    if not wanted.trades and wanted.target_vol is None and wanted.hedge_beta is None:
        raise InputError("nothing to try: state a trade, a target volatility or a hedge")
    portfolio = find_portfolio(connection, principal, name_or_id)
    day = _stored_session(connection, portfolio, session)
    hedge = () if wanted.hedge_beta is None else (wanted.hedge_beta,)
    book, columns = load_traded_book(
        connection,
        calendar,
        settings,
        portfolio=portfolio,
        ordinal=calendar.on_or_before(day),
        symbols=[*(trade.symbol for trade in wanted.trades), *hedge],
    )
    desk = _Desk(book)
    for trade in wanted.trades:
        desk.trade(columns[trade.symbol], float(trade.quantity), "stated")
    if wanted.hedge_beta is not None:
        desk.follow(propose_hedge(desk.book, desk.computed.numbers, columns[wanted.hedge_beta]))
    if wanted.target_vol is not None:
        desk.follow(propose_scaling(desk.book, desk.computed, wanted.target_vol))
    show = _Shower(connection, calendar, settings, day)
    return WhatIf(
        portfolio=portfolio,
        session=day,
        trades=tuple(desk.trades),
        proposals=tuple(desk.proposals),
        before=show(book.compute()),
        after=show(desk.computed),
    )


class _Desk:
    """Makes trades, one after another, and computes the book between them only if asked."""

    def __init__(self, book: TradedBook) -> None:
        self.book = book
        self.trades: list[MadeTrade] = []
        self.proposals: list[Proposal] = []
        self._computed: ComputedBook | None = None

    @property
    def computed(self) -> ComputedBook:
        """The book as it is now, computed."""
        if self._computed is None:
            self._computed = self.book.compute()
        return self._computed

    def trade(self, column: int, quantity: float, origin: str) -> None:
        """Make a trade."""
        mark = self.book.mark(column)
        symbol = self.book.panel.instruments[column].symbol
        money = -quantity * mark.price * mark.multiplier
        self.book = self.book.trade(column, quantity)
        self.trades.append(MadeTrade(symbol, quantity, mark.price, mark.kind, money, origin))
        self._computed = None

    def follow(self, proposal: Proposal) -> None:
        """Make the trades of a proposal."""
        for column, quantity in proposal.trades:
            self.trade(column, quantity, proposal.kind)
        self.proposals.append(proposal)


class _Shower:
    """Takes the numbers of computed books of one session, with what is shown beside them."""

    def __init__(
        self, connection: Connection, calendar: Calendar, settings: Settings, session: date
    ) -> None:
        self._connection = connection
        self._calendar = calendar
        self._settings = settings
        self._weights = weights_in_force(connection, settings.benchmark, session)

    def __call__(self, computed: ComputedBook) -> CellNumbers:
        """Return the numbers of a book."""
        cell = computed.cell
        return cell_numbers(
            computed.numbers,
            cell.inputs.panel,
            default_model=self._settings.default_model,
            benchmark_weights=self._weights,
            replays=replay_cell(cell, self._settings.replay, self._calendar),
            liquidity=measure_liquidity(self._connection, self._calendar, cell),
        )


def _stored_session(connection: Connection, portfolio: Portfolio, session: date | None) -> date:
    """Return the session to look at; raise ``NotValued`` if it has no snapshot."""
    key = portfolio.portfolio_id
    statement = "SELECT MAX(session) FROM snapshot WHERE portfolio_id = ?"
    ((newest,),) = read_rows(connection, statement, (key,))
    if newest is None:
        raise NotValued(portfolio.name, session, None)
    if session is None:
        return as_date(newest)
    statement = "SELECT 1 FROM snapshot WHERE portfolio_id = ? AND session = ?"
    if not read_rows(connection, statement, (key, bind_date(connection, session))):
        raise NotValued(portfolio.name, session, as_date(newest))
    return session
