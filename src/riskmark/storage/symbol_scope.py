"""Which symbols a run may touch, and of which of them the stored numbers are out of date."""

from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import Connection

from riskmark.domain.reasons import ChangeKind
from riskmark.storage.engines import bind_date, read_rows
from riskmark.storage.instruments import find_instruments
from riskmark.storage.key_lists import among
from riskmark.storage.members import books_in, load_members


def public_ids(connection: Connection, symbols: Collection[str]) -> dict[str, int]:
    """Return the public instrument of each symbol that has one, under old names too."""
    found = find_instruments(connection, symbols, owner_id=None)
    return {symbol: instrument.instrument_id for symbol, instrument in found.items()}


def in_scope(
    connection: Connection, scope: Sequence[str] | None, factor_ids: Collection[int]
) -> tuple[int, ...]:
    """Return the instruments that a run may touch.

    Those that the portfolios in scope hold or held, the underlyings of options among them,
    and the factors'; for all portfolios the whole universe.
    """
    if scope is None:
        rows = read_rows(connection, "SELECT id FROM instrument ORDER BY id")
        return tuple(row[0] for row in rows)
    listed = among(connection, books_in(scope, load_members(connection, scope)))
    rows = read_rows(
        connection,
        f"SELECT DISTINCT instrument_id FROM lot WHERE portfolio_id {listed.sql}",
        listed.values,
    )
    named = read_rows(
        connection,
        "SELECT DISTINCT i.underlying FROM lot JOIN instrument i ON i.id = lot.instrument_id "
        f"WHERE i.underlying IS NOT NULL AND lot.portfolio_id {listed.sql}",
        listed.values,
    )
    underlyings = public_ids(connection, [row[0] for row in named])
    return tuple(sorted({row[0] for row in rows} | set(underlyings.values()) | set(factor_ids)))


def due_symbols(
    connection: Connection,
    instrument_ids: Sequence[int],
    *,
    factor_ids: Collection[int],
    target: date,
    settings_hash: str,
) -> tuple[int, ...]:
    """Return which instruments need numbers as of ``target``; a newer session is left alone.

    A change of a factor's prices, or of imported factor returns, makes every symbol's fits
    out of date.
    """
    factors = among(connection, factor_ids)
    newest = read_rows(
        connection,
        "SELECT COALESCE(MAX(revision), 0) FROM ("
        f"SELECT data_revision AS revision FROM instrument WHERE id {factors.sql} "
        "UNION ALL SELECT revision FROM input_change WHERE instrument_id IS NULL "
        "AND portfolio_id IS NULL AND kind = ?) AS changed",
        (*factors.values, ChangeKind.PRICE.value),
    )[0][0]
    listed = among(connection, instrument_ids)
    day = bind_date(connection, target)
    rows = read_rows(
        connection,
        "SELECT i.id FROM instrument i LEFT JOIN symbol_metric m ON m.instrument_id = i.id "
        "WHERE i.data_revision > 0 AND i.kind NOT IN ('private', 'option') "
        "AND (m.instrument_id IS NULL OR m.session < ? OR (m.session = ? AND "
        "(m.settings_hash <> ? OR m.data_revision < i.data_revision OR m.data_revision < ?))) "
        f"AND i.id {listed.sql} ORDER BY i.id",
        (day, day, settings_hash, newest, *listed.values),
    )
    return tuple(row[0] for row in rows)
