"""Members of combined books: which books stand in the place of each.

A combined book has no lots and flows of its own. Whoever reads those of portfolios reads
them of books, and then gives each combined book what its members have.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date

from sqlalchemy import Connection

from riskmark.storage.engines import as_date, read_rows
from riskmark.storage.key_lists import among

Members = Mapping[str, tuple[str, ...]]
"""The ids of each live combined book's members, in ascending order."""


def load_members(
    connection: Connection, portfolio_ids: Collection[str] | None = None
) -> dict[str, tuple[str, ...]]:
    """Read the members of the live combined books among ``portfolio_ids`` (None: of all)."""
    chosen, values = "1 = 1", ()
    if portfolio_ids is not None:
        chosen, values = among(connection, portfolio_ids)
        chosen = f"m.portfolio_id {chosen}"
    rows = read_rows(
        connection,
        "SELECT m.portfolio_id, m.member_id FROM portfolio_member m "
        "JOIN portfolio p ON p.id = m.portfolio_id AND p.deleted_at IS NULL "
        f"WHERE {chosen} ORDER BY m.portfolio_id, m.member_id",
        values,
    )
    found: dict[str, list[str]] = {}
    for portfolio, member in rows:
        found.setdefault(portfolio, []).append(member)
    return {portfolio: tuple(members) for portfolio, members in found.items()}


def books_in(portfolio_ids: Iterable[str], members: Members) -> list[str]:
    """Return the books that have the lots of ``portfolio_ids``: each itself, or its members."""
    return sorted({book for key in portfolio_ids for book in members.get(key, (key,))})


def load_combined_with(connection: Connection, member_id: str) -> list[str]:
    """Return the names of the live combined books that a book is a member of."""
    rows = read_rows(
        connection,
        "SELECT p.name FROM portfolio_member m JOIN portfolio p ON p.id = m.portfolio_id "
        "WHERE p.deleted_at IS NULL AND m.member_id = ? ORDER BY p.name",
        (member_id,),
    )
    return [row[0] for row in rows]


def load_first_entry(connection: Connection, portfolio_ids: Collection[str]) -> date | None:
    """Read the earliest stated entry of any lot of these portfolios; None: there is none."""
    books = books_in(portfolio_ids, load_members(connection, portfolio_ids))
    listed = among(connection, books)
    statement = f"SELECT MIN(entry_date) FROM lot WHERE portfolio_id {listed.sql}"
    ((entry,),) = read_rows(connection, statement, listed.values)
    return None if entry is None else as_date(entry)
