"""The two sessions whose numbers are compared, as they are stored."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from riskmark.domain.factor_models import FactorModel
from riskmark.domain.measures import SECTION_OF
from riskmark.domain.portfolio import Portfolio
from riskmark.domain.reasons import NullReason
from riskmark.errors import InputError
from riskmark.reports.change_lines import StoredEnd
from riskmark.reports.factor_history import load_stored_exposures
from riskmark.reports.snapshot import NotValued
from riskmark.storage.engines import as_date, bind_date, read_rows


@dataclass(frozen=True, slots=True)
class StoredSession:
    """Numbers of a session by name, and exposures over NAV by factor."""

    session: date
    numbers: Mapping[str, StoredEnd]
    exposures: Mapping[str, StoredEnd]


@dataclass(frozen=True, slots=True)
class Ends:
    """The earlier and the later session."""

    first: StoredSession
    last: StoredSession


def load_ends(
    connection: Connection,
    portfolio: Portfolio,
    names: Sequence[str],
    *,
    model: FactorModel,
    first: date | None,
    last: date | None,
) -> Ends:
    """Read the numbers ``names`` of two sessions; by default of the last two."""
    if first is not None and last is not None and last <= first:
        raise InputError(f"a change goes from a session to a later one, not from {first} to {last}")
    end = _newest(connection, portfolio) if last is None else last
    if end is None:
        raise NotValued(portfolio.name, None, None)
    begin = _newest(connection, portfolio, before=end) if first is None else first
    if begin is None:
        raise InputError(
            f"{portfolio.name!r} has no snapshot before {end}: there is nothing to compare it with"
        )
    if begin >= end:
        raise InputError(
            f"a change goes from a session to a later one; {begin} is not before {end}, the newest"
        )
    return Ends(
        *(_load(connection, portfolio, names, model=model, session=day) for day in (begin, end))
    )


def _newest(
    connection: Connection, portfolio: Portfolio, *, before: date | None = None
) -> date | None:
    limit, values = ("", ()) if before is None else (" AND session < ?", (before,))
    ((found,),) = read_rows(
        connection,
        f"SELECT MAX(session) FROM snapshot WHERE portfolio_id = ?{limit}",
        (portfolio.portfolio_id, *(bind_date(connection, day) for day in values)),
    )
    return None if found is None else as_date(found)


def _load(
    connection: Connection,
    portfolio: Portfolio,
    names: Sequence[str],
    *,
    model: FactorModel,
    session: date,
) -> StoredSession:
    listed = ", ".join(names)
    rows = read_rows(
        connection,
        f"SELECT nulls, {listed} FROM snapshot WHERE portfolio_id = ? AND session = ?",
        (portfolio.portfolio_id, bind_date(connection, session)),
    )
    if not rows:
        raise NotValued(portfolio.name, session, _newest(connection, portfolio))
    ((text, *values),) = rows
    nulls = json.loads(text)
    exposures = load_stored_exposures(
        connection, portfolio.portfolio_id, model=model, session=session
    )
    return StoredSession(
        session=session,
        numbers={
            name: _end(value, nulls.get(f"{SECTION_OF[name]}.{name}"))
            for name, value in zip(names, values, strict=True)
        },
        exposures={name: _end(*found) for name, found in exposures.items()},
    )


def _end(value: float | None, reason: str | None) -> StoredEnd:
    # A snapshot of an older engine has no reason for what that one did not compute.
    return StoredEnd(value, None if value is not None else reason or NullReason.NOT_COMPUTED_YET)
