"""Metrics for Prometheus: the database's truth, read when somebody asks for it.

Nothing is counted in a process: totals are kept with the runs (``storage.run_totals``) and
the rest is what the tables say now, so that any process, restarted as often as you like,
tells the same. Whoever scrapes several processes of one installation scrapes it several
times; one is enough.
"""

import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeHistogramMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from riskmark.domain.reasons import RunStatus, Source
from riskmark.domain.runs import PHASES
from riskmark.domain.sessions import Calendar
from riskmark.errors import RiskmarkError
from riskmark.reports.runs import is_stalled, now_of
from riskmark.storage import outbox, run_totals, schema
from riskmark.storage.calendar import load_calendar
from riskmark.storage.engines import Database
from riskmark.storage.outbox import Backlog
from riskmark.storage.progress import count_ends
from riskmark.storage.run_totals import BEYOND, PHASE_BUCKETS_S, Total, load_totals
from riskmark.storage.schedule import recorded_firings

FRESH_S = 15.0
"""For how long what was read is told again: scrapes that overlap read it once."""
LAG_BUCKETS = (0, 1, 2, 5, 10, 21, 63, 252)
"""Upper bounds, in sessions, of the classes of lag."""
_LIVE = (RunStatus.QUEUED, RunStatus.RUNNING)
_ENDS = (RunStatus.SUCCEEDED, RunStatus.PARTIAL, RunStatus.FAILED, RunStatus.CANCELLED)

FindTarget = Callable[[Calendar], int]


@dataclass(frozen=True, slots=True)
class _Live:
    queued: int
    running: int
    stalled: int


class StoredMetrics:
    """Collects what the database says; a registry calls ``collect`` at each scrape."""

    def __init__(self, database: Database, target: FindTarget, *, version: str) -> None:
        self._database = database
        self._version = version
        self._target = target
        self._lock = threading.Lock()
        self._read: tuple[Metric, ...] = ()
        self._read_at = -FRESH_S

    def collect(self) -> Iterable[Metric]:
        """Return every metric; of a database that cannot be read, only that."""
        with self._lock:
            if time.monotonic() - self._read_at >= FRESH_S:
                self._read = tuple(self._load())
                self._read_at = time.monotonic()
            return self._read

    def _load(self) -> Iterator[Metric]:
        info = InfoMetricFamily("riskmark", "The version that tells this.")
        info.add_metric([], {"version": self._version})
        yield info
        found: list[Metric] = []
        try:
            with self._database.read() as connection:
                found += _totals(load_totals(connection))
                found += _live(_load_live(connection), outbox.backlog(connection))
                found += _lags(connection, self._target)
                found += _schedule(connection)
        except SQLAlchemyError:
            found = []
        yield _gauge("database_up", "Whether the database can be read.", float(bool(found)))
        yield from found


def open_registry(database: Database, target: FindTarget, *, version: str) -> CollectorRegistry:
    """Return a registry that holds the metrics of an installation, and nothing else."""
    registry = CollectorRegistry()
    registry.register(StoredMetrics(database, target, version=version))
    return registry


def _totals(totals: Mapping[Total, float]) -> Iterator[Metric]:
    runs = CounterMetricFamily("riskmark_runs", "Runs that ended.", labels=("source", "status"))
    for source in Source:
        for status in _ENDS:
            key = Total(run_totals.RUNS, source.value, status.value)
            runs.add_metric((source.value, status.value), totals.get(key, 0))
    yield runs
    yield _counter(
        totals, run_totals.CELLS, "cells", "Sessions of portfolios computed, failed or deleted.",
        label="state", known=("complete", "partial", "failed", "deleted"),
    )  # fmt: skip
    yield _counter(
        totals, run_totals.SYMBOLS, "symbols", "Symbols that runs had prices of, or lacked.",
        label="outcome", known=("received", "unavailable"),
    )  # fmt: skip
    answers = CounterMetricFamily(
        "riskmark_provider_outcomes",
        "Symbols that runs did without, by what each provider said.",
        labels=("provider", "reason"),
    )
    for total, value in sorted(totals.items()):
        if total.measure == run_totals.ANSWERS:
            answers.add_metric((total.label, total.second), value)
    yield answers
    takeovers = CounterMetricFamily(
        "riskmark_lease_takeovers", "Times that a run was claimed again after its first owner."
    )
    takeovers.add_metric((), totals.get(Total(run_totals.TAKE_OVERS, ""), 0))
    yield takeovers
    yield _phases(totals)


def _counter(
    totals: Mapping[Total, float],
    measure: str,
    name: str,
    said: str,
    *,
    label: str,
    known: Sequence[str],
) -> Metric:
    family = CounterMetricFamily(f"riskmark_{name}", said, labels=(label,))
    for value in known:
        family.add_metric((value,), totals.get(Total(measure, value), 0))
    return family


def _phases(totals: Mapping[Total, float]) -> Metric:
    family = HistogramMetricFamily(
        "riskmark_phase_seconds", "What the phases of runs took.", labels=("phase",)
    )
    bounds = [*map(str, PHASE_BUCKETS_S), BEYOND]
    for phase in PHASES:
        counts = [totals.get(Total(run_totals.PHASE_RUNS, phase.key, one), 0) for one in bounds]
        family.add_metric(
            (phase.key,),
            list(zip(bounds, accumulate(counts), strict=True)),
            totals.get(Total(run_totals.PHASE_SECONDS, phase.key), 0),
        )
    return family


def _live(live: _Live, waiting: Backlog) -> Iterator[Metric]:
    yield _gauge("runs_queued", "Runs that wait for a worker.", live.queued)
    yield _gauge("runs_running", "Runs that somebody works on.", live.running)
    yield _gauge(
        "runs_stalled",
        "Runs not heard from for half their lease.",
        live.stalled,
    )
    notices = GaugeMetricFamily(
        "riskmark_outbox_notices", "Notices that are not sent.", labels=("status",)
    )
    notices.add_metric(("waiting",), waiting.waiting)
    notices.add_metric(("given_up",), waiting.given_up)
    yield notices


def _lags(connection: Connection, find_target: FindTarget) -> Iterator[Metric]:
    try:
        lags = _load_lags(connection, find_target)
    except RiskmarkError:  # there is no calendar yet, or no session of it was published
        return
    counts = [0] * (len(LAG_BUCKETS) + 1)
    for lag, portfolios in lags.items():
        counts[bisect_left(LAG_BUCKETS, lag)] += portfolios
    bounds = [*(f"{bound}.0" for bound in LAG_BUCKETS), BEYOND]
    total = sum(lag * portfolios for lag, portfolios in lags.items())
    family = GaugeHistogramMetricFamily(
        "riskmark_portfolio_lag_sessions",
        "Sessions between the last stored one of each portfolio and the target session.",
    )
    family.add_metric((), list(zip(bounds, accumulate(counts), strict=True)), total)
    yield family
    said = "Sessions that the portfolio furthest behind lacks."
    yield _gauge("portfolio_lag_sessions_max", said, max(lags, default=0))


def _schedule(connection: Connection) -> Iterator[Metric]:
    for one in recorded_firings(connection, most=1):
        said = "The last firing of the schedule."
        yield _gauge("schedule_last_firing_timestamp_seconds", said, one.instant.timestamp())


def _gauge(name: str, said: str, value: float) -> Metric:
    return GaugeMetricFamily(f"riskmark_{name}", said, value=value)


def _load_live(connection: Connection) -> _Live:
    run = schema.run
    rows = connection.execute(select(run, now_of(connection)).where(run.c.status.in_(_LIVE))).all()
    running = [row for row in rows if row.status == RunStatus.RUNNING]
    return _Live(len(rows) - len(running), len(running), sum(is_stalled(row) for row in running))


def _load_lags(connection: Connection, find_target: FindTarget) -> Counter[int]:
    """Count portfolios by the sessions that they lack at their end; some have none to come."""
    calendar = load_calendar(connection)
    target = find_target(calendar)
    found: Counter[int] = Counter()
    for last, entry, portfolios in count_ends(connection):
        if last is not None:
            found[max(target - calendar.on_or_before(last), 0)] += portfolios
        elif entry is not None and (first := calendar.on_or_after(entry)) <= target:
            found[target - first + 1] += portfolios
    return found
