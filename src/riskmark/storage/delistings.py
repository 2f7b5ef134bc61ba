"""Symbols that are no longer traded, as far as bars and providers tell.

Nothing follows from it but a word: what is held of them is still valued, providers are still
asked, more and more seldom, and a bar that comes ends it. One miss means nothing.
"""

from datetime import date

from sqlalchemy import Connection

from riskmark.domain.reasons import AnswerReason
from riskmark.domain.sessions import Calendar
from riskmark.storage.engines import as_date, bind_date, read_rows

SILENT = 10
"""Sessions without a bar before a symbol is called delisted."""
MISSES = 2
"""How often at least one provider must have said that it knows no such symbol."""


def load_delisted(connection: Connection, calendar: Calendar, target: int) -> dict[str, date]:
    """Return the first session without a bar of each public symbol that is delisted."""
    rows = read_rows(
        connection,
        "SELECT i.symbol, max(p.session) FROM instrument i "
        "JOIN price p ON p.instrument_id = i.id "
        "WHERE i.owner_id IS NULL AND i.symbol IN "
        "(SELECT symbol FROM provider_symbol WHERE reason = ? AND misses >= ?) "
        "GROUP BY i.symbol HAVING max(p.session) < ?",
        (
            AnswerReason.UNKNOWN_SYMBOL.value,
            MISSES,
            bind_date(connection, calendar.sessions[max(0, target - SILENT + 1)]),
        ),
    )
    found: dict[str, date] = {}
    for symbol, last in rows:
        found[symbol] = calendar.sessions[calendar.on_or_before(as_date(last)) + 1]
    return found
