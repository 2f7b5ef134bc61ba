"""What the server answers with, as structs: instants and dates as such, states as enumerations.

The sections of numbers stay mappings, with the names of ``riskmark show --json``: they are many,
there is one list of them (docs/reference/measures.md), and each version may add some. A number
that cannot be had is None; its reason stands in ``nulls`` under its place in the document.
"""

from datetime import date, datetime
from typing import Any, TypeAlias

import msgspec

from riskmark.domain.accounts import Role, Scope
from riskmark.domain.portfolio import AccountType, InvestmentClass, Mode, PortfolioKind
from riskmark.domain.reasons import PortfolioState, RunStatus, SnapshotState, Source

Numbers: TypeAlias = dict[str, Any]
"""A section or a line: numbers, and a few words, by name."""


class Me(msgspec.Struct, frozen=True):
    """Who is signed in."""

    id: str
    name: str
    email: str | None
    role: Role
    has_totp: bool
    scopes: list[Scope]


class Token(msgspec.Struct, frozen=True):
    """A token, without its secret."""

    id: str
    name: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None


class FreshToken(Token, frozen=True):
    """A token with its secret, which is told this once."""

    token: str


class Issue(msgspec.Struct, frozen=True):
    """A symbol whose mark is not what it should be."""

    symbol: str
    reason: str
    accepted: bool


class Member(msgspec.Struct, frozen=True):
    """A book that a combined book holds."""

    id: str
    name: str


class PortfolioLine(msgspec.Struct, frozen=True):
    """How up to date a portfolio is."""

    id: str
    name: str
    first_session: date | None
    valued_through: date | None
    missing: int
    stale: int
    partial: int
    rebuilding: int
    state: PortfolioState
    reasons: list[Issue]
    causes: dict[str, int]


class Portfolio(PortfolioLine, frozen=True):
    """A portfolio, how much was entered of it, and how far it is valued."""

    owner: str
    kind: PortfolioKind
    mode: Mode
    currency: str
    account_name: str | None
    account_type: AccountType | None
    opening_equity: float | None
    lots: int
    open_lots: int
    flows: int
    first_entry: date | None
    members: list[Member]


class PortfolioPage(msgspec.Struct, frozen=True):
    """A page of portfolios; ``next`` is what the next page comes after."""

    target: date
    portfolios: list[Portfolio]
    next: str | None


class Status(msgspec.Struct, frozen=True):
    """How up to date every portfolio is, the worst first."""

    target: date
    portfolios: list[PortfolioLine]


class Created(msgspec.Struct, frozen=True):
    """A new portfolio, and the run that computes its numbers."""

    id: str
    name: str
    run: str
    lots: int
    symbols: int
    warnings: list[dict[str, Any]]


class Combined(msgspec.Struct, frozen=True):
    """A combined book, and what changed of its members."""

    id: str
    name: str
    members: list[Member]
    added: list[str]
    removed: list[str]


class Deleted(msgspec.Struct, frozen=True):
    """A portfolio that was deleted, and until when that can be taken back."""

    id: str
    name: str
    deleted_at: datetime
    undo_until: datetime


class Lot(msgspec.Struct, frozen=True):
    """A purchase (quantity > 0) or short sale (< 0), and its end if it has ended."""

    id: str
    symbol: str
    quantity: float
    entry_date: date
    entry_price: float
    exit_date: date | None
    exit_price: float | None
    multiplier: float
    investment_class: InvestmentClass
    subtype: str | None


class Flow(msgspec.Struct, frozen=True):
    """Cash put in (> 0) or taken out (< 0)."""

    id: str
    date: date
    amount: float
    note: str


class Grant(msgspec.Struct, frozen=True):
    """Somebody who may read a portfolio."""

    account: str
    email: str | None
    granted_at: datetime


class User(msgspec.Struct, frozen=True):
    """An account that somebody may sign in with."""

    id: str
    name: str
    email: str | None
    role: Role
    created_at: datetime
    disabled_at: datetime | None
    has_password: bool
    has_totp: bool


class Invited(User, frozen=True):
    """An account with the secret of the link by which its password is set; told this once."""

    link: str


class Submitted(msgspec.Struct, frozen=True):
    """The run that does what was asked for; ``joined``: it was there already."""

    run: str
    joined: bool


class Cancelled(msgspec.Struct, frozen=True):
    """A run that was cancelled, or asked to stop; ``status`` is what it had."""

    run: str
    status: RunStatus


class Cells(msgspec.Struct, frozen=True):
    """What became of the cells that were planned."""

    planned: int
    computed: int
    complete: int
    partial: int
    failed: int
    deleted: int


class SymbolCounts(msgspec.Struct, frozen=True):
    """How many symbols were asked for, and found."""

    asked: int
    received: int
    unavailable: int


class RunLine(msgspec.Struct, frozen=True):
    """A run without its details; ``scope`` is ``all`` or ids of portfolios."""

    id: str
    source: Source
    status: RunStatus
    scope: str | list[str]
    target: date
    attempt: int
    phase: str | None
    done: int
    total: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    stalled: bool
    host: str | None
    heartbeat_age: float | None
    place: int | None
    cells: Cells
    symbols: SymbolCounts
    error: str | None

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.status not in (RunStatus.QUEUED, RunStatus.RUNNING)


class Run(RunLine, frozen=True):
    """A run with all that is recorded of it."""

    requests: int
    unavailable: list[dict[str, Any]]
    phases: list[Numbers]
    failures: list[dict[str, Any]]


class LogLine(msgspec.Struct, frozen=True):
    """A line of a run's activity; its number is where a follower goes on."""

    number: int
    at: datetime
    level: str
    phase: str | None
    message: str


class RunEnd(msgspec.Struct, frozen=True):
    """How a run ended."""

    status: RunStatus
    error: str | None


class Head(msgspec.Struct, frozen=True):
    """Which portfolio a document is of."""

    id: str
    name: str
    currency: str
    mode: Mode


class Snapshot(msgspec.Struct, frozen=True):
    """Everything that is known of a portfolio on one session."""

    portfolio: Head
    session: date
    state: SnapshotState
    reasons: list[Issue]
    snapshot: Numbers
    nulls: dict[str, str]
    performance: Numbers
    risk: Numbers
    concentration: Numbers
    factors: list[Numbers]
    factor_risk: Numbers
    sectors: list[Numbers]
    stress: list[Numbers]
    replays: list[Numbers]
    correlation: Numbers
    factor_correlation: Numbers
    backtests: Numbers
    greeks: Numbers
    positions: list[Numbers] | None
    provenance: Numbers


class Explanation(msgspec.Struct, frozen=True):
    """Why numbers changed between two sessions, in parts that sum."""

    portfolio: Head
    first: date = msgspec.field(name="from")
    last: date = msgspec.field(name="to")
    sessions: int
    numbers: dict[str, Numbers]
    factors: Numbers
    nulls: dict[str, str]


class Attribution(msgspec.Struct, frozen=True):
    """Where the P&L of a range came from; a way that was not asked for is None."""

    portfolio: Head
    first: date = msgspec.field(name="from")
    last: date = msgspec.field(name="to")
    sessions: int
    missing: int
    pnl: float
    realized: float | None
    unrealized: float | None
    income: float
    nulls: dict[str, str]
    positions: list[Numbers] | None = None
    sectors: list[Numbers] | None = None
    factors: Numbers | None = None


class WhatIf(msgspec.Struct, frozen=True):
    """A portfolio before and after trades that were not made."""

    portfolio: Head
    session: date
    trades: list[Numbers]
    proposals: list[Numbers]
    before: Numbers
    after: Numbers
    change: Numbers
    nulls: dict[str, str]
