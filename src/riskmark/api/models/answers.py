"""Answers to questions about sessions: why numbers changed, where P&L came from, what if."""

from datetime import date
from typing import Any

from pydantic import Field

from riskmark.api.models.common import Answer, Head, Nulls, Number
from riskmark.api.models.snapshot import CellNumbers


class Change(Answer):
    """What a number was and is, and the parts that sum to the change."""

    from_: Number = Field(alias="from")
    to: Number
    change: Number
    parts: dict[str, Number]
    null_side: str | None = None
    window: dict[str, Number] | None = None


class FactorChange(Change):
    """The change of an exposure."""

    factor: str


class FactorChanges(Answer):
    """The changes of the exposures to the factors of one model."""

    model: str
    lines: list[FactorChange]


class Explanation(Answer):
    """Why numbers changed between two sessions."""

    portfolio: Head
    from_: date = Field(alias="from")
    to: date
    sessions: int
    numbers: dict[str, Change]
    factors: FactorChanges
    nulls: Nulls


class PositionPnl(Answer):
    """What a position has made."""

    symbol: str
    sector: str
    held: bool
    pnl: float


class SectorPnl(Answer):
    """What the positions in a sector have made."""

    sector: str
    pnl: float


class FactorPnl(Answer):
    """What exposure to a factor has made."""

    factor: str
    exposure: Number
    return_: Number = Field(alias="return")
    pnl: Number


class Unexplained(Answer):
    """P&L that cannot be split, for one reason."""

    reason: str
    sessions: int
    pnl: float


class PnlByFactor(Answer):
    """P&L by the factors of a model, and what is left over."""

    model: str
    lines: list[FactorPnl]
    specific: Number
    excluded: Number
    beyond_delta: Number
    trading: Number
    unexplained: float
    unexplained_reasons: list[Unexplained]
    beyond_delta_reasons: list[Unexplained]


class Attribution(Answer):
    """Where the P&L of a range came from; ``by`` leaves out the other ways."""

    portfolio: Head
    from_: date = Field(alias="from")
    to: date
    sessions: int
    missing: int
    pnl: float
    realized: Number
    unrealized: Number
    income: float
    positions: list[PositionPnl] | None = None
    sectors: list[SectorPnl] | None = None
    factors: PnlByFactor | None = None
    nulls: Nulls


class MadeTrade(Answer):
    """A trade at the mark of the session."""

    symbol: str
    quantity: float
    price: float
    mark_kind: str
    money: float
    origin: str


class WhatIf(Answer):
    """A portfolio before and after trades that were not made."""

    portfolio: Head
    session: date
    trades: list[MadeTrade]
    proposals: list[dict[str, Any]]
    before: CellNumbers
    after: CellNumbers
    change: dict[str, Any] = Field(description="after − before, in their shape, where numbers are.")
    nulls: Nulls


class SymbolQuality(Answer):
    """The bars of a symbol."""

    symbol: str
    from_: date = Field(alias="from")
    to: date
    expected: int
    received: int
    providers: dict[str, int]
    delisted_since: date | None


class Held(Answer):
    """A symbol whose closes are stored and not used."""

    symbol: str
    from_: date = Field(alias="from")
    reason: str


class Quality(Answer):
    """What the stored prices of a portfolio's symbols are like."""

    symbols: list[SymbolQuality]
    corrections: list[dict[str, Any]]
    outliers: list[dict[str, Any]]
    quarantine: list[Held]
    held_actions: list[dict[str, Any]]
    comparisons: list[dict[str, Any]]
    differences: list[dict[str, Any]]
    conflicts: list[dict[str, Any]]
    denials: list[dict[str, Any]]
