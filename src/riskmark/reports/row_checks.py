"""Checks that the database makes by itself: each is a query for the rows that break a rule."""

import math
from collections.abc import Collection, Iterator, Sequence
from datetime import date

from sqlalchemy import Connection

from riskmark.domain.instruments import InstrumentKind
from riskmark.domain.measures import STORED
from riskmark.domain.reasons import MarkKind
from riskmark.reports.violations import Violation
from riskmark.storage.engines import as_date, bind_date, read_rows
from riskmark.storage.key_lists import Part, among

_LARGEST = "1.7e308"
"""Beyond it are the infinities, and on PostgreSQL NaN."""

_CLOSE_TOLERANCE = "1e-9"


def row_violations(
    connection: Connection, portfolio_ids: Sequence[str], *, closures: Collection[date]
) -> Iterator[Violation]:
    """Yield what rows of the results of these portfolios, and of prices, break by themselves."""
    listed = among(connection, portfolio_ids)
    yield from _infinite(connection, listed)
    yield from _exposures(connection, listed)
    yield from _positions(connection, listed)
    yield from _progress(connection, listed)
    yield from _prices(connection, closures)


def close_violations(
    connection: Connection, portfolio_ids: Sequence[str]
) -> Iterator[tuple[str, date, Violation]]:
    """Yield the positions marked at a close that is not the stored one, with their cells."""
    listed = among(connection, portfolio_ids)
    rows = read_rows(
        connection,
        "SELECT v.portfolio_id, v.session, i.symbol, v.mark, p.close FROM position_value v "
        "JOIN instrument i ON i.id = v.instrument_id "
        "LEFT JOIN price p ON p.instrument_id = v.instrument_id AND p.session = v.session "
        f"WHERE v.mark_kind = '{MarkKind.CLOSE.value}' AND v.portfolio_id {listed.sql} AND "
        f"(p.close IS NULL OR ABS(v.mark - p.close) > {_CLOSE_TOLERANCE} * p.close)",
        listed.values,
    )
    for portfolio, day, symbol, mark, close in rows:
        stored = "no close is stored" if close is None else f"the stored close is {close:,.6f}"
        detail = f"{symbol} is marked at {mark:,.6f}, but {stored}"
        session = as_date(day)
        yield portfolio, session, Violation("close_mark_is_stored", portfolio, session, detail)


def _infinite(connection: Connection, listed: Part) -> Iterator[Violation]:
    names = ", ".join(f'"{name}"' for name in STORED)
    beyond = " OR ".join(f'"{name}" > {_LARGEST} OR "{name}" < -{_LARGEST}' for name in STORED)
    rows = read_rows(
        connection,
        f"SELECT portfolio_id, session, {names} FROM snapshot "
        f"WHERE ({beyond}) AND portfolio_id {listed.sql}",
        listed.values,
    )
    for portfolio, day, *values in rows:
        for name, value in zip(STORED, values, strict=True):
            if value is not None and not math.isfinite(value):
                detail = f"{name} is {value}"
                yield Violation("number_is_finite", portfolio, as_date(day), detail)


def _exposures(connection: Connection, listed: Part) -> Iterator[Violation]:
    misfits = " OR ".join(
        f"({name} IS NULL) <> ({name}_null IS NOT NULL)"
        for name in ("exposure", "money", "coverage", "stderr", "risk_share")
    )
    rows = read_rows(
        connection,
        "SELECT portfolio_id, session, model, factor FROM factor_exposure "
        f"WHERE ({misfits}) AND portfolio_id {listed.sql}",
        listed.values,
    )
    for portfolio, day, model, factor in rows:
        detail = f"factors.{model}.{factor}: nulls and reasons do not fit"
        yield Violation("null_has_a_reason", portfolio, as_date(day), detail)


def _positions(connection: Connection, listed: Part) -> Iterator[Violation]:
    rows = read_rows(
        connection,
        "SELECT v.portfolio_id, v.session, i.symbol FROM position_value v "
        "LEFT JOIN instrument i ON i.id = v.instrument_id WHERE "
        "((v.beta IS NULL) <> (v.beta_null IS NOT NULL) OR (v.component_es_95 IS NULL) <> "
        "(v.component_es_95_null IS NOT NULL) OR (v.mark IS NULL) <> "
        "(v.mark_kind IS NULL) OR (v.mark_kind IS NULL AND v.quantity <> 0) "
        f"OR (i.kind = '{InstrumentKind.OPTION.value}' AND v.mark_kind IS NOT NULL AND "
        "((v.delta IS NULL) <> (v.greeks_null IS NOT NULL) OR "
        "(v.implied_vol IS NULL) <> (v.implied_vol_null IS NOT NULL) OR "
        "(v.delta IS NULL) <> (v.booked_to IS NULL))) "
        f"OR i.id IS NULL) AND v.portfolio_id {listed.sql}",
        listed.values,
    )
    for portfolio, day, symbol in rows:
        detail = (
            "a position in an unknown instrument"
            if symbol is None
            else f"positions.{symbol}: nulls and reasons do not fit"
        )
        yield Violation("null_has_a_reason", portfolio, as_date(day), detail)


def _progress(connection: Connection, listed: Part) -> Iterator[Violation]:
    rows = read_rows(
        connection,
        "SELECT portfolio_id, snapshots, (SELECT COUNT(*) FROM snapshot s "
        "WHERE s.portfolio_id = g.portfolio_id) FROM portfolio_progress g "
        f"WHERE portfolio_id {listed.sql}",
        listed.values,
    )
    for portfolio, kept, counted in rows:
        if kept != counted:
            detail = f"{kept:,} snapshots are noted, {counted:,} are stored"
            yield Violation("progress_counts_snapshots", portfolio, None, detail)
    rows = read_rows(
        connection,
        "SELECT p.id, (SELECT COUNT(*) FROM snapshot s WHERE s.portfolio_id = p.id) "
        "FROM portfolio p WHERE NOT EXISTS (SELECT 1 FROM portfolio_progress g "
        f"WHERE g.portfolio_id = p.id) AND p.id {listed.sql}",
        listed.values,
    )
    for portfolio, counted in rows:
        detail = f"{counted:,} snapshots are stored, and no progress is noted"
        yield Violation("progress_row_missing", portfolio, None, detail)


def _prices(connection: Connection, closures: Collection[date]) -> Iterator[Violation]:
    rows = read_rows(
        connection,
        "SELECT i.symbol, p.session, p.close FROM price p "
        "JOIN instrument i ON i.id = p.instrument_id "
        f"WHERE NOT (p.close > 0) OR p.close > {_LARGEST}",
    )
    for symbol, day, close in rows:
        yield Violation("price_is_positive", None, as_date(day), f"{symbol} closed at {close}")
    days = read_rows(
        connection,
        "SELECT DISTINCT p.session FROM price p WHERE NOT EXISTS "
        "(SELECT 1 FROM calendar_session c WHERE c.session = p.session)",
    )
    for (day,) in days:
        session = as_date(day)
        if session in closures:
            continue
        rows = read_rows(
            connection,
            "SELECT i.symbol FROM price p JOIN instrument i ON i.id = p.instrument_id "
            "WHERE p.session = ?",
            (bind_date(connection, session),),
        )
        for (symbol,) in rows:
            yield Violation("price_is_on_a_session", None, session, f"{symbol} has a bar")
