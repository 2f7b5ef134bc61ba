"""Option contracts: the terms of options, and the instruments that they are on.

An option names its underlying by symbol, as it was written; the instrument is the public one
that has that symbol now, or had it once.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from riskmark.domain.instruments import InstrumentKind, OptionType
from riskmark.storage.engines import as_date, read_rows
from riskmark.storage.key_lists import among
from riskmark.storage.symbol_scope import public_ids


@dataclass(frozen=True, slots=True)
class Contract:
    """An option; ``underlying_id`` is None where no instrument has the underlying's symbol."""

    instrument_id: int
    underlying_id: int | None
    is_call: bool
    strike: float
    expiry: date


def load_contracts(connection: Connection, instrument_ids: Collection[int]) -> tuple[Contract, ...]:
    """Read the contracts among ``instrument_ids``, in ascending order of their ids."""
    listed = among(connection, sorted(instrument_ids))
    rows = read_rows(
        connection,
        "SELECT id, underlying, option_type, strike, expiry FROM instrument "
        f"WHERE kind = '{InstrumentKind.OPTION}' AND underlying IS NOT NULL AND id {listed.sql} "
        "ORDER BY id",
        listed.values,
    )
    if not rows:
        return ()
    ids = public_ids(connection, {row[1] for row in rows})
    return tuple(
        Contract(
            instrument_id=key,
            underlying_id=ids.get(underlying),
            is_call=right == OptionType.CALL,
            strike=float(strike),
            expiry=as_date(expiry),
        )
        for key, underlying, right, strike, expiry in rows
    )


def load_split_dates(
    connection: Connection, instrument_ids: Collection[int]
) -> dict[int, Sequence[date]]:
    """Read the ex-dates of the splits of each of ``instrument_ids`` that has any, in order."""
    listed = among(connection, sorted(instrument_ids))
    rows = read_rows(
        connection,
        f"SELECT instrument_id, ex_date FROM action WHERE kind = 'split' "
        f"AND instrument_id {listed.sql} ORDER BY instrument_id, ex_date",
        listed.values,
    )
    found: dict[int, list[date]] = {}
    for key, day in rows:
        found.setdefault(key, []).append(as_date(day))
    return dict(found)
