"""Tables to take away: a portfolio's sessions, and the lines beside them, as data frames.

Lines are read as they are packed, a text a session, and decoded by their types: a million of
them take a few seconds. Lines of options are longer than others; where a line ends early, the
table has nulls. In CSV a text that a spreadsheet would take for a formula is made
harmless; Parquet keeps every text as it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import IO, Any

import msgspec
import polars as pl
from sqlalchemy import Connection

from riskmark.domain.exports import Exported, FileFormat
from riskmark.errors import InputError
from riskmark.intake.formulas import STARTS
from riskmark.reports.history import COLUMNS, History
from riskmark.storage import lines
from riskmark.storage.books import Principal, find_portfolio
from riskmark.storage.engines import as_date, bind_date, read_rows

CHUNK = 5_000
"""Sessions whose lines are decoded together: some 100 MB at a thousand positions."""

_TYPES: Mapping[str, tuple[Any, Any]] = {
    "instrument_id": (int, pl.Int64),
    "booked_to": (int | None, pl.Int64),
    "mark_kind": (str | None, pl.String),
    "mark_age": (int | None, pl.Int64),
    "model": (str, pl.String),
    "factor": (str, pl.String),
    "scenario": (str, pl.String),
    "sector": (str, pl.String),
}
"""How the fields that are no floats are decoded, and kept; ``…_null`` are texts too."""


@dataclass(frozen=True, slots=True)
class _Packed:
    """The column of packed lines, the fields of every line, and those that some go on with."""

    column: str
    fields: tuple[str, ...]
    further: tuple[str, ...] = ()


_PACKED = {
    Exported.POSITIONS: _Packed("positions", lines.POSITION_FIELDS, lines.OPTION_FIELDS),
    Exported.FACTORS: _Packed("exposures", lines.EXPOSURE_FIELDS),
    Exported.STRESS: _Packed("stress", lines.STRESS_FIELDS, (lines.BEYOND_DELTA,)),
    Exported.SECTORS: _Packed("sectors", lines.SECTOR_FIELDS),
}


def history_frame(history: History) -> pl.DataFrame:
    """Return a history as a table of the columns of ``history.COLUMNS``."""
    types = dict.fromkeys(COLUMNS, pl.Float64) | {
        "session": pl.Date,
        "state": pl.String,
        "positions": pl.Int64,
    }
    return pl.DataFrame(history.columns(), schema=types)


def load_lines(
    connection: Connection,
    principal: Principal,
    name_or_id: str,
    *,
    what: Exported,
    first: date | None = None,
    last: date | None = None,
) -> pl.DataFrame:
    """Read a portfolio's lines from ``first`` to ``last``, inclusive, by session.

    The columns are ``session`` and the fields of a line, with ``symbol`` for the instrument and
    ``underlying`` for what an option is booked to.
    """
    if first is not None and last is not None and last < first:
        raise InputError(f"the range ends on {last}, before it begins on {first}")
    portfolio = find_portfolio(connection, principal, name_or_id)
    packed = _PACKED[what]
    frames = [
        _decode(chunk, packed)
        for chunk in _read(connection, portfolio.portfolio_id, packed.column, (first, last))
    ]
    found = pl.concat(frames) if frames else _decode([], packed)
    if "instrument_id" not in packed.fields:
        return found
    return _with_symbols(connection, found)


def write_table(frame: pl.DataFrame, file_format: FileFormat, to: IO[bytes]) -> None:
    """Write a table; in CSV no text is left that a spreadsheet would take for a formula."""
    if file_format is FileFormat.PARQUET:
        frame.write_parquet(to)
        return
    texts = pl.col(pl.String)
    looks_like_one = texts.str.slice(0, 1).is_in(list(STARTS))
    frame.with_columns(
        pl.when(looks_like_one).then(pl.lit("'") + texts).otherwise(texts).name.keep()
    ).write_csv(to)


def _read(
    connection: Connection,
    portfolio_id: str,
    column: str,
    limits: tuple[date | None, date | None],
) -> Iterator[list[Any]]:
    """Yield sessions and their packed lines in order, some sessions at a time."""
    condition, values = "portfolio_id = ?", [portfolio_id]
    for limit, sign in zip(limits, (">=", "<="), strict=True):
        if limit is not None:
            condition += f" AND session {sign} ?"
            values.append(bind_date(connection, limit))
    rows = read_rows(
        connection,
        f"SELECT session, CAST({column} AS TEXT) FROM cell_pack WHERE {condition} ORDER BY session",
        values,
    )
    for place in range(0, len(rows), CHUNK):
        yield rows[place : place + CHUNK]


def _decode(rows: Sequence[Any], packed: _Packed) -> pl.DataFrame:
    fields = (*packed.fields, *packed.further)
    types = [_TYPES.get(name, _default_type(name)) for name in fields]
    described: list[Any] = [
        (name, kind, *((None,) if name in packed.further else ()))
        for name, (kind, _) in zip(fields, types, strict=True)
    ]
    line = msgspec.defstruct("Line", described, array_like=True, gc=False)
    decoder: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[line])  # type: ignore[valid-type]
    packs = [decoder.decode(text) for _, text in rows]
    counts = pl.Series([len(pack) for pack in packs], dtype=pl.Int64)
    sessions = pl.Series("session", [as_date(day) for day, _ in rows], dtype=pl.Date)
    every = map(msgspec.structs.astuple, chain.from_iterable(packs))
    columns = list(zip(*every, strict=True)) or [()] * len(fields)
    repeated = pl.select(sessions.repeat_by(counts).explode()).to_series()
    return pl.DataFrame(
        [
            repeated,
            *(
                pl.Series(name, column, dtype=kind)
                for name, column, (_, kind) in zip(fields, columns, types, strict=True)
            ),
        ]
    )


def _default_type(name: str) -> tuple[Any, Any]:
    return (str | None, pl.String) if name.endswith("_null") else (float | None, pl.Float64)


def _with_symbols(connection: Connection, frame: pl.DataFrame) -> pl.DataFrame:
    """Put symbols in the place of instruments' ids, and sort each session by them."""
    symbols = dict(read_rows(connection, "SELECT id, symbol FROM instrument"))
    named = frame.with_columns(
        pl.col(name).replace_strict(symbols, return_dtype=pl.String)
        for name in ("instrument_id", "booked_to")
    ).rename({"instrument_id": "symbol", "booked_to": "underlying"})
    return named.sort("session", "symbol")
