"""Heads of portfolios: what can be changed of one, and how a deleted one comes back.

The opening equity is stated once: every number since the first session rests on it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from riskmark.domain.portfolio import Portfolio
from riskmark.errors import InputError, UnknownPortfolio
from riskmark.storage import schema
from riskmark.storage.books import (
    PortfolioExists,
    Principal,
    check_account_name,
    check_portfolio_name,
    find_portfolio,
    lock_portfolio,
)

UNDO = timedelta(days=30)
"""How long a deleted portfolio can be taken back; nothing of it is erased before or after."""
_TABLE = schema.portfolio


def change_head(
    connection: Connection, principal: Principal, portfolio_id: str, changes: Mapping[str, Any]
) -> Portfolio:
    """Change ``name``, ``account_name`` and ``account_type``; what is not named stays."""
    portfolio = find_portfolio(connection, principal, portfolio_id, is_own=True)
    values = dict(changes)
    if "name" in values:
        values["name"] = check_portfolio_name(values["name"])
    if values.get("account_name") is not None:
        values["account_name"] = check_account_name(values["account_name"])
    if not values:
        return portfolio
    lock_portfolio(connection, portfolio.portfolio_id)
    _update(connection, portfolio.portfolio_id, values, name=values.get("name", portfolio.name))
    return find_portfolio(connection, principal, portfolio.portfolio_id, is_own=True)


def restore_portfolio(
    connection: Connection, principal: Principal, portfolio_id: str, *, at: datetime
) -> Portfolio:
    """Take the deletion of a portfolio back, if its name is free and it is not long ago.

    A combined book comes back after its members, not before.
    """
    own = _TABLE.c.id == portfolio_id
    if not principal.sees_all:
        own &= _TABLE.c.owner_id == principal.account_id
    statement = select(_TABLE.c.name).where(own, _TABLE.c.deleted_at > at - UNDO)
    name = connection.execute(statement).scalar()
    if name is None:
        raise UnknownPortfolio(portfolio_id)
    lock_portfolio(connection, portfolio_id)
    gone = _deleted_members(connection, portfolio_id)
    if gone:
        listed = ", ".join(map(repr, gone))
        raise InputError(f"{name!r} has members that were deleted; restore them first: {listed}")
    _update(connection, portfolio_id, {"deleted_at": None}, name=name)
    return find_portfolio(connection, principal, portfolio_id, is_own=True)


def _deleted_members(connection: Connection, portfolio_id: str) -> list[str]:
    """Return the names of the members of a combined book that are deleted; all are locked."""
    member = schema.portfolio_member
    statement = (
        select(_TABLE.c.name, _TABLE.c.deleted_at)
        .join(member, member.c.member_id == _TABLE.c.id)
        .where(member.c.portfolio_id == portfolio_id)
        .order_by(_TABLE.c.id)
        .with_for_update(of=_TABLE)
    )
    return [name for name, deleted_at in connection.execute(statement) if deleted_at is not None]


def _update(
    connection: Connection, portfolio_id: str, values: Mapping[str, Any], *, name: str
) -> None:
    try:
        with connection.begin_nested():
            connection.execute(update(_TABLE).where(_TABLE.c.id == portfolio_id).values(**values))
    except IntegrityError as error:
        raise PortfolioExists(name) from error
