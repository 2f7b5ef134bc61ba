"""Portfolios: their heads, who may see them, and how each change enters the ledger.

Every function takes the caller's transaction and a ``Principal``. A portfolio of somebody
else is as unknown as one that does not exist.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, Row, Select, insert, select, update
from sqlalchemy.exc import IntegrityError

from riskmark.domain.portfolio import AccountType, Portfolio, PortfolioKind
from riskmark.errors import AmbiguousPortfolio, InputError, UnknownPortfolio
from riskmark.storage import ledger, schema
from riskmark.storage.members import load_combined_with

_ID_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_ID_LENGTH = 12
MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class Principal:
    """On whose behalf a function works; ``sees_all`` is the operator at the command line."""

    account_id: str
    sees_all: bool = False


LOCAL_OPERATOR = Principal(schema.LOCAL_ACCOUNT, sees_all=True)


class PortfolioExists(InputError):
    """The owner has a live portfolio of this name already."""

    def __init__(self, name: str, *, updated: str = "lots") -> None:
        super().__init__(
            f"a portfolio named {name!r} exists already; --update changes its {updated}"
        )
        self.name = name


class HasLotsOfMembers(InputError):
    """What is a combined book's is its members', and is changed there."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name!r} is a combined book without lots and flows of its own: change its members'"
        )
        self.name = name


class MemberOfCombined(InputError):
    """A book that combined books are made of cannot go."""

    def __init__(self, name: str, combined: Sequence[str]) -> None:
        listed = ", ".join(map(repr, combined))
        super().__init__(
            f"{name!r} is a member of {listed}; take it out there first "
            "(riskmark portfolio combine NAME P … --update), or delete what it is in"
        )
        self.name = name
        self.combined = tuple(combined)


@dataclass(frozen=True, slots=True)
class Account:
    """What a new portfolio is called and how its account is kept."""

    name: str
    account_name: str | None = None
    account_type: AccountType | None = None
    opening_equity: Decimal | None = None


def new_id() -> str:
    """Return a random id: 12 characters, 60 bits, easy to read out and to type."""
    return "".join(secrets.choice(_ID_ALPHABET) for _ in range(_ID_LENGTH))


def create_portfolio(
    connection: Connection,
    principal: Principal,
    account: Account,
    *,
    currency: str,
    at: datetime,
    kind: PortfolioKind = PortfolioKind.BOOK,
) -> Portfolio:
    """Store the head of a new portfolio, with nothing in it; the name must be free."""
    name = check_portfolio_name(account.name)
    if account.opening_equity is not None and account.opening_equity <= 0:
        raise InputError(f"the opening equity must be positive, not {account.opening_equity}")
    portfolio_id = new_id()
    try:
        with connection.begin_nested():
            connection.execute(
                insert(schema.portfolio).values(
                    id=portfolio_id,
                    owner_id=principal.account_id,
                    name=name,
                    kind=kind,
                    currency=currency,
                    account_name=account.account_name,
                    account_type=account.account_type,
                    opening_equity=account.opening_equity,
                    created_at=at,
                )
            )
    except IntegrityError as error:
        updated = "members" if kind is PortfolioKind.COMBINED else "lots"
        raise PortfolioExists(name, updated=updated) from error
    connection.execute(
        insert(schema.portfolio_progress).values(
            portfolio_id=portfolio_id,
            snapshots=0,
            inputs_revision=ledger.current_revision(connection),
            engine_version=0,
            settings_hash="",
        )
    )
    return find_portfolio(connection, principal, portfolio_id)


def find_portfolio(
    connection: Connection, principal: Principal, name_or_id: str, *, is_own: bool = False
) -> Portfolio:
    """Return the live portfolio with this name or id.

    ``is_own``: one that the principal may change, not only read. Names are those of the
    principal's own portfolios; what was granted to him is found by its id.
    """
    table = schema.portfolio
    by_name = table.c.name == name_or_id
    if not principal.sees_all:
        by_name &= table.c.owner_id == principal.account_id
    statement = _visible(principal, is_own=is_own).where((table.c.id == name_or_id) | by_name)
    found = [_portfolio(row) for row in connection.execute(statement)]
    if not found:
        raise UnknownPortfolio(name_or_id)
    if len(found) > 1:
        by_id = [portfolio for portfolio in found if portfolio.portfolio_id == name_or_id]
        if len(by_id) == 1:
            return by_id[0]
        raise AmbiguousPortfolio(name_or_id, tuple(p.portfolio_id for p in found))
    return found[0]


def list_portfolios(connection: Connection, principal: Principal) -> list[Portfolio]:
    """Return every live portfolio that the principal may see, by name."""
    return [_portfolio(row) for row in connection.execute(_visible(principal))]


def delete_portfolio(
    connection: Connection, principal: Principal, name_or_id: str, *, at: datetime
) -> Portfolio:
    """Mark a portfolio as deleted: it is not planned or shown any more; nothing is erased.

    A member of a live combined book stays: that book's numbers would change by it.
    """
    portfolio = find_portfolio(connection, principal, name_or_id, is_own=True)
    lock_portfolio(connection, portfolio.portfolio_id)
    combined = load_combined_with(connection, portfolio.portfolio_id)
    if combined:
        raise MemberOfCombined(portfolio.name, combined)
    table = schema.portfolio
    connection.execute(
        update(table).where(table.c.id == portfolio.portfolio_id).values(deleted_at=at)
    )
    return portfolio


def lock_portfolio(connection: Connection, portfolio_id: str) -> None:
    """Hold the portfolio's head until the transaction ends: edits of one book take turns."""
    table = schema.portfolio
    connection.execute(select(table.c.id).where(table.c.id == portfolio_id).with_for_update())


def check_has_lots(portfolio: Portfolio) -> None:
    """Raise ``HasLotsOfMembers`` if lots and flows cannot be entered in a portfolio."""
    if portfolio.kind is PortfolioKind.COMBINED:
        raise HasLotsOfMembers(portfolio.name)


def check_portfolio_name(name: str) -> str:
    """Return a portfolio's name without spaces around it."""
    stripped = name.strip()
    if not stripped:
        raise InputError("a portfolio needs a name")
    if len(stripped) > MAX_NAME or not stripped.isprintable():
        raise InputError(f"a portfolio's name is at most {MAX_NAME} printable characters")
    return stripped


def check_account_name(name: str) -> str:
    """Return the name of the account that holds a portfolio, without spaces around it."""
    stripped = name.strip()
    if len(stripped) > MAX_NAME or not stripped.isprintable():
        raise InputError(f"an account's name is at most {MAX_NAME} printable characters")
    return stripped


def _visible(principal: Principal, *, is_own: bool = False) -> Select[tuple[object, ...]]:
    table, grant = schema.portfolio, schema.portfolio_grant
    statement = select(table).where(table.c.deleted_at.is_(None)).order_by(table.c.name, table.c.id)
    if principal.sees_all:
        return statement
    condition = table.c.owner_id == principal.account_id
    if not is_own:
        granted = select(grant.c.portfolio_id).where(grant.c.account_id == principal.account_id)
        condition |= table.c.id.in_(granted)
    return statement.where(condition)


def _portfolio(row: Row[tuple[object, ...]]) -> Portfolio:
    found = row._mapping  # noqa: SLF001 - the documented way to read a row by name
    return Portfolio(
        portfolio_id=found["id"],
        name=found["name"],
        owner_id=found["owner_id"],
        currency=found["currency"],
        opening_equity=found["opening_equity"],
        account_name=found["account_name"],
        account_type=AccountType(found["account_type"]) if found["account_type"] else None,
        kind=PortfolioKind(found["kind"]),
    )


def portfolio_ids(portfolios: Sequence[Portfolio]) -> tuple[str, ...]:
    """Return the ids in ascending order: the order in which rows are locked."""
    return tuple(sorted(portfolio.portfolio_id for portfolio in portfolios))
