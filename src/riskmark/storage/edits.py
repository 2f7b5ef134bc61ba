"""Edits that await a run: a row a portfolio, written with the edit, due when all is quiet.

Each further edit moves the row's instant on. Whoever finds it due takes it away in the
transaction that submits the run, so that neither is there without the other. A combined book
awaits a run after an edit of any of its members.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from riskmark.storage import schema

QUIET = timedelta(seconds=5)
"""After which nobody is expected to edit on."""
_TABLE = schema.portfolio_edit


class Edit(NamedTuple):
    """A portfolio that was edited, and by whom last."""

    portfolio_id: str
    account_id: str


def note_edit(
    connection: Connection, portfolio_id: str, *, account_id: str, due_at: datetime
) -> None:
    """Note that a book, and every combined book that it is in, awaits a run."""
    make = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(_TABLE)
    for key in sorted({portfolio_id, *_combined_with(connection, portfolio_id)}):
        new = make.values(portfolio_id=key, account_id=account_id, due_at=due_at)
        connection.execute(
            new.on_conflict_do_update(
                index_elements=[_TABLE.c.portfolio_id],
                set_={"account_id": new.excluded.account_id, "due_at": new.excluded.due_at},
            )
        )


def find_due(connection: Connection, *, at: datetime) -> list[str]:
    """Return the portfolios whose edits are due."""
    statement = select(_TABLE.c.portfolio_id).where(_TABLE.c.due_at <= at)
    return list(connection.execute(statement.order_by(_TABLE.c.portfolio_id)).scalars())


def take_edit(connection: Connection, portfolio_id: str, *, at: datetime) -> Edit | None:
    """Take a due edit away; None if somebody else took it, or edits went on meanwhile."""
    is_due = (_TABLE.c.portfolio_id == portfolio_id) & (_TABLE.c.due_at <= at)
    gone = connection.execute(delete(_TABLE).where(is_due).returning(_TABLE.c.account_id))
    account = gone.scalar()
    return None if account is None else Edit(portfolio_id, account)


def is_live(connection: Connection, portfolio_id: str) -> bool:
    """Whether a portfolio was not deleted after its edit."""
    table = schema.portfolio
    statement = select(table.c.id).where(table.c.id == portfolio_id, table.c.deleted_at.is_(None))
    return connection.execute(statement).first() is not None


def _combined_with(connection: Connection, member_id: str) -> list[str]:
    member, head = schema.portfolio_member, schema.portfolio
    statement = (
        select(member.c.portfolio_id)
        .join(head, head.c.id == member.c.portfolio_id)
        .where(member.c.member_id == member_id, head.c.deleted_at.is_(None))
    )
    return list(connection.execute(statement).scalars())
