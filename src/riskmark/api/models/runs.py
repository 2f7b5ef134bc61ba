"""Runs: what was asked for, how far it is, and what it did without."""

from datetime import date, datetime

from pydantic import Field

from riskmark.api.models.common import Answer
from riskmark.domain.reasons import RunStatus, Source


class Cells(Answer):
    """What became of the cells that were planned."""

    planned: int
    computed: int
    complete: int
    partial: int
    failed: int
    deleted: int


class Symbols(Answer):
    """How many symbols were asked for, and found."""

    asked: int
    received: int
    unavailable: int


class RunLine(Answer):
    """A run without its details; ``scope`` is ``all`` or ids of portfolios."""

    id: str
    source: Source
    status: RunStatus
    scope: str | list[str]
    target: date
    attempt: int
    phase: str | None
    done: int
    total: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    stalled: bool
    host: str | None
    heartbeat_age: float | None
    place: int | None
    cells: Cells
    symbols: Symbols
    error: str | None


class ProviderReason(Answer):
    """Why a provider had nothing for a symbol."""

    provider: str
    reason: str
    detail: str


class Unavailable(Answer):
    """A symbol that the run did without."""

    symbol: str
    reasons: list[ProviderReason]


class PhaseProgress(Answer):
    """How far a phase is."""

    phase: str
    status: str
    seconds: float
    done: int
    total: int


class Failure(Answer):
    """Cells of a portfolio that could not be computed."""

    portfolio: str
    portfolio_id: str
    from_: date = Field(alias="from")
    to: date
    cells: int
    reason: str
    detail: str


class Run(RunLine):
    """A run with all that is recorded of it."""

    requests: int
    unavailable: list[Unavailable]
    phases: list[PhaseProgress]
    failures: list[Failure]
