"""Runs to be read: the list, and one with its phases, symbols without data and failures."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, desc, func, literal_column, select

from riskmark.domain.reasons import RunStatus, Source
from riskmark.domain.runs import ALL, CellCounts, RunRequest, SymbolCounts
from riskmark.errors import InputError, UnknownRun
from riskmark.reports.documents import Document, instant_text
from riskmark.storage import schema
from riskmark.storage.books import Principal
from riskmark.storage.engines import db_now
from riskmark.storage.run_queue import IN_TURN
from riskmark.storage.types import Instant

MOST_LISTED = 50
_LIVE = frozenset({RunStatus.QUEUED, RunStatus.RUNNING})
_LEAST_ID = 4
"""Characters of an id that a person has to type at least."""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run without its details.

    ``scope`` are portfolio ids; None: all. ``is_stalled``: it runs, but its owner has not
    spoken for more than half its lease. ``place`` counts from 1 in the queue.
    """

    run_id: str
    source: Source
    status: RunStatus
    scope: tuple[str, ...] | None
    target: date
    attempt: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    cells: CellCounts
    symbols: SymbolCounts
    phase: str | None
    done: int
    total: int
    is_stalled: bool
    error: str | None
    host: str | None = None
    silent: timedelta | None = None
    place: int | None = None

    @property
    def is_live(self) -> bool:
        """Whether it has not ended."""
        return self.status in _LIVE

    @property
    def took(self) -> timedelta | None:
        """How long it worked; None if it has not ended."""
        if self.started_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.started_at

    def document(self) -> dict[str, Any]:
        """Return the run's line as JSON has it."""
        return {
            "id": self.run_id,
            "source": self.source,
            "status": self.status,
            "scope": ALL if self.scope is None else list(self.scope),
            "target": self.target,
            "attempt": self.attempt,
            "phase": self.phase,
            "done": self.done,
            "total": self.total,
            "created_at": instant_text(self.created_at),
            "started_at": instant_text(self.started_at),
            "finished_at": instant_text(self.finished_at),
            "stalled": self.is_stalled,
            "host": self.host,
            "heartbeat_age": None if self.silent is None else self.silent.total_seconds(),
            "place": self.place,
            "cells": {
                "planned": self.cells.planned,
                "computed": self.cells.computed,
                "complete": self.cells.complete,
                "partial": self.cells.partial,
                "failed": self.cells.failed,
                "deleted": self.cells.deleted,
            },
            "symbols": {
                "asked": self.symbols.asked,
                "received": self.symbols.received,
                "unavailable": self.symbols.unavailable,
            },
            "error": self.error,
        }


@dataclass(frozen=True, slots=True)
class ProviderReason:
    """Why one provider had nothing for a symbol."""

    provider: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A symbol that a run did without, and what each provider said."""

    symbol: str
    reasons: tuple[ProviderReason, ...]

    def document(self) -> dict[str, Any]:
        """Return the symbol as JSON has it."""
        return {
            "symbol": self.symbol,
            "reasons": [
                {"provider": one.provider, "reason": one.reason, "detail": one.detail}
                for one in self.reasons
            ],
        }


@dataclass(frozen=True, slots=True)
class PhaseProgress:
    """How far a phase of a run is, and how long it has taken."""

    phase: str
    status: str
    seconds: float
    done: int
    total: int

    def document(self) -> dict[str, Any]:
        """Return the phase as JSON has it."""
        return {
            "phase": self.phase,
            "status": self.status,
            "seconds": self.seconds,
            "done": self.done,
            "total": self.total,
        }


@dataclass(frozen=True, slots=True)
class Failure:
    """Cells of one portfolio that a run could not compute, and why."""

    portfolio_id: str
    name: str
    first: date
    last: date
    cells: int
    reason: str
    detail: str

    def document(self) -> dict[str, Any]:
        """Return the failure as JSON has it."""
        return {
            "portfolio": self.name,
            "portfolio_id": self.portfolio_id,
            "from": self.first,
            "to": self.last,
            "cells": self.cells,
            "reason": self.reason,
            "detail": self.detail,
        }


@dataclass(frozen=True, slots=True)
class Event:
    """A line of a run's activity log; numbers rise with time."""

    number: int
    at: datetime
    level: str
    phase: str | None
    message: str


@dataclass(frozen=True, slots=True)
class RunReport:
    """A run with everything that is recorded of it."""

    summary: RunSummary
    requests: int
    unavailable: tuple[Unavailable, ...]
    phases: tuple[PhaseProgress, ...]
    failures: tuple[Failure, ...]

    def document(self) -> Document:
        """Return the run as JSON has it."""
        head = self.summary.document()
        error = head.pop("error")
        return {
            **head,
            "requests": self.requests,
            "unavailable": [one.document() for one in self.unavailable],
            "phases": [one.document() for one in self.phases],
            "failures": [one.document() for one in self.failures],
            "error": error,
        }


def list_runs(
    connection: Connection,
    principal: Principal,
    *,
    most: int = MOST_LISTED,
    before: str | None = None,
    state: RunStatus | None = None,
) -> tuple[RunSummary, ...]:
    """Read the newest runs that the principal may see, newest first.

    ``before``: only those older than the run with this id, whose ids are in order of time.
    """
    table = schema.run
    chosen = list(_visible(principal))
    if before is not None:
        chosen.append(table.c.id < before)
    if state is not None:
        chosen.append(table.c.status == state)
    return _summaries(connection, *chosen, most=most)


def select_visible(
    connection: Connection, principal: Principal, run_ids: Collection[str]
) -> frozenset[str]:
    """Return those of a few runs, by their ids, that the principal may see."""
    table = schema.run
    statement = select(table.c.id).where(table.c.id.in_(run_ids), *_visible(principal))
    return frozenset(connection.execute(statement).scalars())


def load_requesters(connection: Connection, run_id: str) -> frozenset[str]:
    """Read who waits for a run: whoever asked for it first, and all who joined."""
    table, joined = schema.run, schema.run_request
    first = select(table.c.requested_by).where(table.c.id == run_id)
    others = select(joined.c.requested_by).where(joined.c.run_id == run_id)
    found = [*connection.execute(first).scalars(), *connection.execute(others).scalars()]
    return frozenset(one for one in found if one is not None)


def find_run(connection: Connection, principal: Principal, part: str) -> RunSummary:
    """Find the run with this id, or the only one whose id begins or ends with ``part``."""
    table = schema.run
    exact = _summaries(connection, *_visible(principal), table.c.id == part)
    if exact:
        return exact[0]
    found: tuple[RunSummary, ...] = ()
    if len(part) >= _LEAST_ID:
        found = _summaries(
            connection,
            *_visible(principal),
            table.c.id.startswith(part, autoescape=True)
            | table.c.id.endswith(part, autoescape=True),
            most=2,
        )
    if not found:
        raise UnknownRun(part)
    if len(found) > 1:
        raise InputError(f"several runs have an id with {part!r}; type more of it")
    return found[0]


def load_run(connection: Connection, principal: Principal, part: str) -> RunReport:
    """Read everything that is recorded of one run."""
    summary = find_run(connection, principal, part)
    return RunReport(
        summary=summary,
        requests=_count_requests(connection, summary.run_id),
        unavailable=_load_unavailable(connection, summary.run_id),
        phases=load_phases(connection, summary.run_id),
        failures=_load_failures(connection, summary.run_id),
    )


def load_phases(connection: Connection, run_id: str) -> tuple[PhaseProgress, ...]:
    """Read how far each phase of a run is."""
    table = schema.run_phase
    rows = connection.execute(
        select(table).where(table.c.run_id == run_id).order_by(table.c.position)
    ).mappings()
    return tuple(
        PhaseProgress(row["phase"], row["status"], row["seconds"], row["done"], row["total"])
        for row in rows
    )


def load_events(connection: Connection, run_id: str, *, after: int = 0) -> tuple[Event, ...]:
    """Read a run's activity log, from the line after number ``after`` on."""
    table = schema.run_event
    rows = connection.execute(
        select(table).where(table.c.run_id == run_id, table.c.id > after).order_by(table.c.id)
    ).mappings()
    return tuple(
        Event(row["id"], row["at"], row["level"], row["phase"], row["message"]) for row in rows
    )


def _visible(principal: Principal) -> Sequence[ColumnElement[bool]]:
    if principal.sees_all:
        return ()
    joined = schema.run_request
    own = select(joined.c.run_id).where(joined.c.requested_by == principal.account_id)
    return ((schema.run.c.requested_by == principal.account_id) | schema.run.c.id.in_(own),)


def _summaries(
    connection: Connection, *conditions: ColumnElement[bool], most: int = MOST_LISTED
) -> tuple[RunSummary, ...]:
    table = schema.run
    rows = connection.execute(
        select(table, now_of(connection)).where(*conditions).order_by(desc(table.c.id)).limit(most)
    ).all()
    places = _places(connection) if any(row.status == RunStatus.QUEUED for row in rows) else {}
    return tuple(_summary(row, places.get(row.id)) for row in rows)


def now_of(connection: Connection) -> ColumnElement[Any]:
    """Return the database's present instant as a column ``now``."""
    return literal_column(str(db_now(connection)), Instant).label("now")


def _places(connection: Connection) -> Mapping[str, int]:
    """Return the place of each run that waits, in the order in which they are taken."""
    table = schema.run
    statement = select(table.c.id).where(table.c.status == RunStatus.QUEUED)
    waiting = connection.execute(statement.order_by(*IN_TURN)).scalars()
    return {run_id: place for place, run_id in enumerate(waiting, start=1)}


def _summary(row: Row[Any], place: int | None) -> RunSummary:
    found = row._mapping  # noqa: SLF001 - how rows are read by name
    status = RunStatus(found["status"])
    silent = silence_of(row)
    return RunSummary(
        run_id=found["id"],
        source=Source(found["source"]),
        status=status,
        scope=RunRequest.scope_of(found["scope"]),
        target=found["target"],
        attempt=found["attempt"],
        created_at=found["created_at"],
        started_at=found["started_at"],
        finished_at=found["finished_at"],
        cells=CellCounts(
            planned=found["cells_planned"],
            complete=found["cells_complete"],
            partial=found["cells_partial"],
            failed=found["cells_failed"],
            deleted=found["cells_deleted"],
        ),
        symbols=SymbolCounts(
            asked=found["symbols_asked"],
            received=found["symbols_received"],
            unavailable=found["symbols_unavailable"],
        ),
        phase=found["phase"],
        done=found["done"],
        total=found["total"],
        is_stalled=is_stalled(row),
        error=found["error"],
        host=None if row.owner is None else row.owner.partition("/")[0],
        silent=silent,
        place=place,
    )


def silence_of(row: Row[Any]) -> timedelta | None:
    """Return for how long the owner of a run has been silent ``now``; None: it has no owner."""
    if row.status != RunStatus.RUNNING or None in (row.heartbeat_at, row.lease_until):
        return None
    silent: timedelta = row.now - row.heartbeat_at
    return silent


def is_stalled(row: Row[Any]) -> bool:
    """Whether a run has not been heard from for half its lease."""
    silent = silence_of(row)
    return silent is not None and silent > (row.lease_until - row.heartbeat_at) / 2


def _count_requests(connection: Connection, run_id: str) -> int:
    table = schema.run_request
    statement = select(func.count()).select_from(table).where(table.c.run_id == run_id)
    return connection.execute(statement).scalar_one()


def _load_unavailable(connection: Connection, run_id: str) -> tuple[Unavailable, ...]:
    table = schema.run_symbol
    rows = connection.execute(
        select(table).where(table.c.run_id == run_id).order_by(table.c.symbol, table.c.provider)
    ).mappings()
    found: dict[str, list[ProviderReason]] = {}
    for row in rows:
        said = ProviderReason(row["provider"], row["reason"], row["detail"])
        found.setdefault(row["symbol"], []).append(said)
    return tuple(Unavailable(symbol, tuple(reasons)) for symbol, reasons in found.items())


def _load_failures(connection: Connection, run_id: str) -> tuple[Failure, ...]:
    table, head = schema.run_failure, schema.portfolio
    rows = connection.execute(
        select(table, head.c.name)
        .outerjoin(head, head.c.id == table.c.portfolio_id)
        .where(table.c.run_id == run_id)
        .order_by(table.c.portfolio_id, table.c.from_session)
    ).mappings()
    return tuple(
        Failure(
            portfolio_id=row["portfolio_id"],
            name=row["name"] or row["portfolio_id"],
            first=row["from_session"],
            last=row["to_session"],
            cells=row["cells"],
            reason=row["reason"],
            detail=row["detail"],
        )
        for row in rows
    )
