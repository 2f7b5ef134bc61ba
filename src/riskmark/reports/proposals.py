"""Trades that a what-if proposes: a hedge of beta, and a scaling to a volatility.

Each is computed in closed form from the book as it is, and made in whole units; what is
reached in the end is among the numbers after the trades.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np

from riskmark.calc.arrays import BoolArray, IntArray, reason_of
from riskmark.calc.hedging import hedge_quantity, scale_to_volatility
from riskmark.domain.instruments import InstrumentKind
from riskmark.domain.reasons import MarkKind, NullReason
from riskmark.errors import InputError
from riskmark.reports.what_if_book import ComputedBook, TradedBook
from riskmark.reports.words import NULL_WORDS, in_words
from riskmark.valuation.factors import MARKET_MODEL
from riskmark.valuation.numbers import MARK_KINDS, PositionRows, ShardNumbers
from riskmark.valuation.panels import Panel

MEASURE = "vol_63"
"""The volatility that a scaling aims at."""
_WITHOUT_RISK = frozenset({MarkKind.STALE, MarkKind.COST, MarkKind.MANUAL})
"""Marks that say themselves why no risk is computed from a position."""

Trades: TypeAlias = tuple[tuple[int, float], ...]
"""Columns of the panel, and the units to buy (> 0) or sell (< 0) of each."""


@dataclass(frozen=True, slots=True)
class Hedge:
    """How much of a symbol brings beta to 0; ``beta`` and ``quantity`` are the symbol's."""

    kind: ClassVar[str] = "hedge_beta"
    symbol: str
    beta: float
    quantity: float
    trades: Trades

    def document(self) -> dict[str, Any]:
        """Return the proposal as JSON has it."""
        return {
            "kind": self.kind,
            "symbol": self.symbol,
            "beta_of_symbol": self.beta,
            "quantity": self.quantity,
        }


@dataclass(frozen=True, slots=True)
class Scaling:
    """The factor of all quantities that brings ``MEASURE`` to ``target``, a fraction a year.

    ``left_alone`` are symbols that no risk is computed from, each with the kind of its mark
    or, where that is not why, with the reason why it has no beta.
    """

    kind: ClassVar[str] = "target_vol"
    target: float
    factor: float
    left_alone: tuple[tuple[str, MarkKind | NullReason], ...]
    trades: Trades

    def document(self) -> dict[str, Any]:
        """Return the proposal as JSON has it."""
        return {
            "kind": self.kind,
            "measure": MEASURE,
            "target": self.target,
            "factor": self.factor,
            "left_alone": [{"symbol": symbol, "reason": why} for symbol, why in self.left_alone],
        }


Proposal: TypeAlias = Hedge | Scaling


def propose_hedge(book: TradedBook, numbers: ShardNumbers, column: int) -> Hedge:
    """Propose how much of an instrument to trade, so that the book's beta becomes 0."""
    symbol = book.panel.instruments[column].symbol
    _refuse_option(book.panel, column)
    market = next(one for one in numbers.exposures if one.model == MARKET_MODEL).money
    reason = reason_of(int(market.nulls[0, 0]))
    if reason is not None:
        raise InputError(f"beta cannot be hedged: it is null ({_words(reason)})")
    beta = book.market_beta(column)
    if isinstance(beta, NullReason):
        raise InputError(f"{symbol} cannot hedge beta: its own is null ({_words(beta)})")
    if beta == 0:
        raise InputError(f"{symbol} cannot hedge beta: its own is 0")
    mark = book.mark(column)
    quantity = hedge_quantity(
        float(market.values[0, 0]), price=mark.price, multiplier=mark.multiplier, beta=beta
    )
    return Hedge(symbol, beta, quantity, ((column, quantity),) if quantity else ())


def _refuse_option(panel: Panel, column: int) -> None:
    facts, options = panel.instruments[column], panel.options
    if facts.kind is not InstrumentKind.OPTION:
        return
    which = -1 if options is None else int(options.place[column])
    name = "its underlying"
    if options is not None and which >= 0:
        name += f" {panel.instruments[int(options.contracts.underlying[which])].symbol}"
    raise InputError(
        f"{facts.symbol} cannot hedge beta: an option cannot be the hedge; name {name}"
    )


def propose_scaling(book: TradedBook, computed: ComputedBook, target: float) -> Scaling:
    """Propose the trades that scale every position so that volatility becomes ``target``."""
    if not book.keeps_cash:
        raise InputError(
            f"{book.portfolio.name!r} keeps no cash, so its NAV grows with its positions and "
            "scaling them changes no volatility; state an opening equity, or trades"
        )
    found = computed.numbers.measures[MEASURE]
    reason = reason_of(int(found.nulls[0]))
    if reason is not None:
        raise InputError(f"there is no {MEASURE} to bring to {target}: {_words(reason)}")
    volatility = float(found.values[0])
    if volatility == 0:
        raise InputError(f"{MEASURE} is 0: scaling what is held does not change it")
    rows = computed.numbers.position_rows
    in_x = _in_x(computed)
    scaled = scale_to_volatility(rows.quantity[in_x], volatility=volatility, wanted=target)
    pairs = zip(rows.column[in_x].tolist(), scaled.trades.tolist(), strict=True)
    return Scaling(
        target=target,
        factor=scaled.factor,
        left_alone=_left_alone(book.panel, rows, np.flatnonzero((rows.kind >= 0) & ~in_x)),
        trades=tuple((column, quantity) for column, quantity in pairs if quantity),
    )


def _in_x(computed: ComputedBook) -> BoolArray:
    """Tell which positions the series x is made of, which volatility is measured on."""
    exposures, held = computed.cell.cells.exposures, computed.cell.held
    excluded = held.included.indices[held.series.excluded]
    found: BoolArray = exposures.counts & ~np.isin(exposures.instrument, excluded)
    return found


def _left_alone(
    panel: Panel, rows: PositionRows, places: IntArray
) -> tuple[tuple[str, MarkKind | NullReason], ...]:
    """Return the symbols of positions, each with the reason why no risk is computed from it."""
    found = []
    for place in places.tolist():
        kind = MARK_KINDS[rows.kind[place]]
        reason = reason_of(int(rows.beta.nulls[place]))
        why = kind if kind in _WITHOUT_RISK or reason is None else reason
        found.append((panel.instruments[int(rows.column[place])].symbol, why))
    return tuple(found)


def _words(reason: NullReason) -> str:
    return in_words(NULL_WORDS, reason)
