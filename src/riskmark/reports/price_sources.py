"""Who gave the closes of symbols: what stands beside a mark, without the checks of quality."""

from collections.abc import Collection

from sqlalchemy import Connection

from riskmark.storage.engines import read_rows
from riskmark.storage.key_lists import among


def load_sources(connection: Connection, symbols: Collection[str]) -> dict[str, dict[str, int]]:
    """Read how many bars of each of ``symbols`` each provider gave; the most first."""
    chosen = among(connection, symbols)
    rows = read_rows(
        connection,
        "SELECT i.symbol, p.provider, COUNT(*) FROM instrument i "
        "JOIN price p ON p.instrument_id = i.id "
        f"WHERE i.symbol {chosen.sql} GROUP BY i.symbol, p.provider ORDER BY 3 DESC, 2",
        chosen.values,
    )
    found: dict[str, dict[str, int]] = {}
    for symbol, provider, count in rows:
        found.setdefault(symbol, {})[provider] = count
    return found
