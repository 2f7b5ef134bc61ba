"""Books as they were entered, how up to date they are, and who else may read them."""

from datetime import date, datetime
from typing import Any

from riskmark.api.models.common import Answer, Issue
from riskmark.domain.portfolio import AccountType, InvestmentClass, Mode, PortfolioKind
from riskmark.domain.reasons import PortfolioState


class Member(Answer):
    """A book that a combined book holds."""

    id: str
    name: str


class Portfolio(Answer):
    """A portfolio, how much was entered of it, and how far it is valued."""

    id: str
    name: str
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
    first_session: date | None
    valued_through: date | None
    missing: int
    stale: int
    partial: int
    rebuilding: int
    state: PortfolioState
    reasons: list[Issue]
    causes: dict[str, int]


class Portfolios(Answer):
    """A page of portfolios; ``next`` is what the next page comes after."""

    target: date
    portfolios: list[Portfolio]
    next: str | None


class Created(Answer):
    """A new portfolio, and the run that computes its numbers."""

    id: str
    name: str
    run: str
    lots: int
    symbols: int
    warnings: list[dict[str, Any]]


class Deleted(Answer):
    """A portfolio that was deleted, and until when that can be taken back."""

    id: str
    name: str
    deleted_at: datetime
    undo_until: datetime


class Combined(Answer):
    """A combined book, and what changed of its members."""

    id: str
    name: str
    members: list[Member]
    added: list[str]
    removed: list[str]


class Lot(Answer):
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


class Flow(Answer):
    """Cash put in (> 0) or taken out (< 0)."""

    id: str
    date: date
    amount: float
    note: str


class Grant(Answer):
    """Somebody who may read a portfolio."""

    account: str
    email: str | None
    granted_at: datetime


class Submitted(Answer):
    """The run that does what was asked for; ``joined``: it was there already."""

    run: str
    joined: bool
