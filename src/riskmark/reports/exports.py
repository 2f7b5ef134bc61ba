"""Tables to take away: a portfolio's sessions, and the lines beside them, as data frames.

Lines are read as they are packed, a text a session, and decoded by their types: a million of
them take a few seconds. Lines of options are longer than others; where a line ends early, the
table has nulls. In CSV a text that a spreadsheet would take for a formula is made
harmless; Parquet keeps every text as it is.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import IO, Any

import msgspec
import numpy as np
import polars as pl
from sqlalchemy import Connection

from riskmark.domain.exports import Exported, FileFormat
from riskmark.domain.reasons import NullReason
from riskmark.errors import InputError
from riskmark.intake.formulas import STARTS
from riskmark.reports.attribution_range import no_snapshots
from riskmark.reports.detail_lines import reason_of_nav
from riskmark.reports.history import COLUMNS, History, load_history
from riskmark.storage import lines
from riskmark.storage.books import Principal, find_portfolio
from riskmark.storage.engines import as_date, bind_date, read_rows
from riskmark.storage.retention import pruned_sessions

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
    """Return a history as a table of the columns of ``history.COLUMNS``, and ``nulls``.

    ``nulls`` has the reasons of a session's null numbers as a JSON object, or nothing.
    """
    types = dict.fromkeys(COLUMNS, pl.Float64) | {
        "session": pl.Date,
        "state": pl.String,
        "positions": pl.Int64,
    }
    reasons = [json.dumps(found) if (found := row.nulls()) else None for row in history.rows]
    return pl.DataFrame(history.columns(), schema=types).with_columns(
        pl.Series("nulls", reasons, dtype=pl.String)
    )


def load_history_table(
    connection: Connection,
    principal: Principal,
    name_or_id: str,
    *,
    first: date | None = None,
    last: date | None = None,
) -> pl.DataFrame:
    """Read a portfolio's sessions from ``first`` to ``last``; raise if there is none."""
    history = load_history(connection, principal, name_or_id, first=first, last=last)
    if not history.rows:
        raise no_snapshots(connection, history.portfolio, first, last)
    return history_frame(history)


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
    A null has its reason in the column ``…_null`` beside it, those of greeks in
    ``greeks_null`` and those of a sector's shares in ``shares_null``; columns of options alone
    are empty for everything else. A session whose positions were pruned has one line without a
    symbol, of nulls with that reason. Raises ``InputError`` if there is no session in the range.
    """
    if first is not None and last is not None and last < first:
        raise InputError(f"the range ends on {last}, before it begins on {first}")
    portfolio = find_portfolio(connection, principal, name_or_id)
    packed = _PACKED[what]
    frames = [
        _decode(chunk, packed)
        for chunk in _read(connection, portfolio.portfolio_id, packed.column, (first, last))
    ]
    if not frames:
        raise no_snapshots(connection, portfolio, first, last)
    found = pl.concat(frames)
    if what is Exported.POSITIONS:
        named = _with_symbols(connection, _with_reasons(found))
        pruned = pruned_sessions(connection, portfolio.portfolio_id, first, last)
        return _with_pruned(named, pruned) if pruned else named
    if what is Exported.SECTORS:
        reason = pl.when(pl.col("gross").is_null()).then("nav_reason")
        return found.with_columns(reason.alias("shares_null")).drop("nav_reason")
    return found.drop("nav_reason")


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
    """Yield sessions, NAV and packed lines in order, some sessions at a time."""
    condition, values = "c.portfolio_id = ?", [portfolio_id]
    for limit, sign in zip(limits, (">=", "<="), strict=True):
        if limit is not None:
            condition += f" AND c.session {sign} ?"
            values.append(bind_date(connection, limit))
    rows = read_rows(
        connection,
        f"SELECT c.session, s.nav, CAST(c.{column} AS TEXT) FROM cell_pack c JOIN snapshot s "
        "ON s.portfolio_id = c.portfolio_id AND s.session = c.session "
        f"WHERE {condition} ORDER BY c.session",
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
    packs = [decoder.decode(text) for *_, text in rows]
    of_line = np.repeat(np.arange(len(packs)), [len(pack) for pack in packs])
    sessions = pl.Series("session", [as_date(day) for day, *_ in rows], dtype=pl.Date)
    reasons = pl.Series("nav_reason", [reason_of_nav(nav) for _, nav, _ in rows], dtype=pl.String)
    every = map(msgspec.structs.astuple, chain.from_iterable(packs))
    columns = list(zip(*every, strict=True)) or [()] * len(fields)
    return pl.DataFrame(
        [
            sessions.gather(of_line),
            reasons.gather(of_line),
            *(
                pl.Series(name, column, dtype=kind)
                for name, column, (_, kind) in zip(fields, columns, types, strict=True)
            ),
        ]
    )


def _default_type(name: str) -> tuple[Any, Any]:
    return (str | None, pl.String) if name.endswith("_null") else (float | None, pl.Float64)


def _with_reasons(frame: pl.DataFrame) -> pl.DataFrame:
    """Put beside the marks and weights of positions why they are null."""
    is_closed = pl.col("mark_kind").is_null()
    closed = pl.when(is_closed).then(pl.lit(NullReason.CLOSED.value))
    without_age = pl.when(pl.col("mark_age").is_null()).then(pl.lit(NullReason.NEVER_PRICED.value))
    return frame.with_columns(
        closed.alias("mark_null"),
        closed.otherwise(without_age).alias("mark_age_null"),
        pl.when(pl.col("weight").is_null()).then("nav_reason").alias("weight_null"),
    ).drop("nav_reason")


def _with_symbols(connection: Connection, frame: pl.DataFrame) -> pl.DataFrame:
    """Put symbols in the place of instruments' ids, and sort each session by them."""
    symbols = dict(read_rows(connection, "SELECT id, symbol FROM instrument"))
    named = frame.with_columns(
        pl.col(name).replace_strict(symbols, return_dtype=pl.String)
        for name in ("instrument_id", "booked_to")
    ).rename({"instrument_id": "symbol", "booked_to": "underlying"})
    return named.sort("session", "symbol")


def _with_pruned(frame: pl.DataFrame, sessions: Collection[date]) -> pl.DataFrame:
    """Add a line of nulls for each session whose positions were pruned."""
    reasons = [name for name in frame.columns if name.endswith("_null")]
    lines = pl.DataFrame({"session": sorted(sessions)}, schema={"session": pl.Date})
    lines = lines.with_columns(pl.lit(NullReason.PRUNED.value).alias(name) for name in reasons)
    return pl.concat([frame, lines], how="diagonal").sort("session", maintain_order=True)
