"""A book: a portfolio, its lots and its flows, as people enter them.

Quantities and prices are Decimals in the share terms of the stated date. Nothing here is
computed; what follows from these inputs is in ``calc`` and ``valuation``.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

ONE = Decimal(1)
OPTION_MULTIPLIER = Decimal(100)


class Mode(StrEnum):
    """Whether a portfolio's cash is kept (equity) or only its holdings."""

    EQUITY = "equity"
    HOLDINGS = "holdings"


class PortfolioKind(StrEnum):
    """A book holds lots; a combined portfolio holds portfolios."""

    BOOK = "book"
    COMBINED = "combined"


class AccountType(StrEnum):
    """The tax wrapper that an account is in."""

    TAXABLE = "taxable"
    IRA = "ira"
    ROTH_IRA = "roth_ira"
    K401 = "401k"
    B403 = "403b"
    P529 = "529"
    HSA = "hsa"
    TRUST = "trust"
    OTHER = "other"


class InvestmentClass(StrEnum):
    """The class of a lot, as positions files name it."""

    PUBLIC = "PUBLIC"
    OPTIONS = "OPTIONS"
    PRIVATE = "PRIVATE"


@dataclass(frozen=True, slots=True)
class Lot:
    """One purchase (quantity > 0) or short sale (< 0), and its end if it has ended.

    ``multiplier`` is the number of shares that one unit stands for: 1, for options 100.
    """

    symbol: str
    quantity: Decimal
    entry_date: date
    entry_price: Decimal
    exit_date: date | None = None
    exit_price: Decimal | None = None
    multiplier: Decimal = ONE
    investment_class: InvestmentClass = InvestmentClass.PUBLIC
    subtype: str | None = None
    lot_id: str | None = None


@dataclass(frozen=True, slots=True)
class Flow:
    """Cash put in (amount > 0) or taken out (< 0)."""

    date: date
    amount: Decimal
    note: str = ""
    flow_id: str | None = None


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The head of a book."""

    portfolio_id: str
    name: str
    owner_id: str
    currency: str
    opening_equity: Decimal | None
    account_name: str | None = None
    account_type: AccountType | None = None
    kind: PortfolioKind = PortfolioKind.BOOK

    @property
    def mode(self) -> Mode:
        """Equity mode if an opening equity is stated, else holdings mode."""
        return Mode.HOLDINGS if self.opening_equity is None else Mode.EQUITY
