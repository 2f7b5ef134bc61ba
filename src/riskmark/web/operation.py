"""Operation, for admins: the state of every portfolio, and runs.

Names of portfolios are all that an admin sees of books that are not his: symbols stand only
beside those that are, or were granted to him.
"""

from collections import Counter
from collections.abc import Collection
from typing import Annotated, Any, Final, NamedTuple

from fastapi import APIRouter, Query, Request, Response
from pydantic import BeforeValidator

from riskmark.api.identity import Caller, Installation
from riskmark.api.portfolios import rules_of
from riskmark.api.runs import find_visible_run, load_visible_events, viewer_of
from riskmark.domain.reasons import PortfolioState, RunStatus, Source
from riskmark.domain.runs import PHASES
from riskmark.reports.hidden import IssueCount, count_issues, open_books
from riskmark.reports.runs import (
    PhaseProgress,
    RunReport,
    RunSummary,
    list_runs,
    load_phases,
    load_requesters,
)
from riskmark.reports.status import PortfolioStatus, load_status
from riskmark.reports.words import RUN_WORDS, SYMBOL_WORDS, in_words
from riskmark.storage.books import Principal
from riskmark.web.guard import Operator, Viewer
from riskmark.web.numbers import duration
from riskmark.web.paging import page_of
from riskmark.web.rendering import pages_of

router = APIRouter()
OPERATION: Final = "/operation"
RUNS_SHOWN: Final = 25
MOST_TEXT: Final = 200
"""Characters of what is searched for."""
BEGUN: Final = {
    Source.CRON: "the schedule",
    Source.ONBOARDING: "a new portfolio",
    Source.SETTINGS: "a change",
    Source.ADMIN: "an admin",
    Source.CLI: "the command line",
    Source.API: "the API",
}
"""By whom or what a run was begun, in words."""
PageNumber = Annotated[int, Query(ge=1, le=10**6)]
Words = Annotated[str, Query(max_length=MOST_TEXT)]
_Chosen = BeforeValidator(lambda text: text or None)
"""A form sends the empty text where nothing was chosen."""


class StatusLine(NamedTuple):
    """A portfolio's state, as an admin may see it: symbols where the book is open to him."""

    found: PortfolioStatus
    is_open: bool
    issues: tuple[IssueCount, ...]

    @property
    def reasons(self) -> list[tuple[str, str, int, int]]:
        """Return each reason: in words, of which symbols, how many, and how many accepted."""
        return [
            (
                in_words(SYMBOL_WORDS, one.reason),
                ", ".join(one.symbols or ()),
                one.count,
                one.accepted,
            )
            for one in self.issues
        ]


class RunLine(NamedTuple):
    """A run in the list, with its phases."""

    found: RunSummary
    phases: tuple[PhaseProgress, ...]


@router.get(OPERATION)
def show_status(
    request: Request,
    viewer: Operator,
    app: Installation,
    *,
    q: Words = "",
    state: Annotated[PortfolioState | None, _Chosen] = None,
    page: PageNumber = 1,
) -> Response:
    """Show how up to date every portfolio is, the worst first."""
    with app.database.read() as connection:
        everything = Principal(viewer.account.account_id, sees_all=True)
        found = load_status(connection, everything, rules=rules_of(app, connection))
        own = open_books(connection, viewer.principal)
    counts = Counter(one.state for one in found.portfolios)
    wanted = q.casefold().split()
    chosen = [
        StatusLine(one, one.portfolio_id in own, count_issues(one, own))
        for one in found.portfolios
        if (state is None or one.state is state)
        and all(word in one.name.casefold() for word in wanted)
    ]
    return pages_of(request).render(
        request,
        "operation_status.html",
        viewer,
        target=found.target,
        counts={one: counts[one] for one in PortfolioState},
        missing=sum(one.missing for one in found.portfolios),
        stale=sum(one.stale for one in found.portfolios),
        total=len(found.portfolios),
        page=page_of(chosen, page, q=q, state=state),
        q=q,
        state=state,
        states=list(PortfolioState),
    )


@router.get(OPERATION + "/runs")
def show_runs(
    request: Request,
    viewer: Operator,
    app: Installation,
    *,
    state: Annotated[RunStatus | None, _Chosen] = None,
    before: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """Show the runs of everybody, the newest first."""
    with app.database.read() as connection:
        everybody = viewer_of(viewer)
        found = list_runs(connection, everybody, most=RUNS_SHOWN + 1, before=before, state=state)
        lines = [RunLine(one, load_phases(connection, one.run_id)) for one in found[:RUNS_SHOWN]]
        target = rules_of(app, connection).target_session
    return pages_of(request).render(
        request,
        "operation_runs.html",
        viewer,
        runs=lines,
        begun=BEGUN,
        state=state,
        states=list(RunStatus),
        before=before,
        older=lines[-1].found.run_id if len(found) > RUNS_SHOWN else None,
        target=target,
    )


@router.get(OPERATION + "/runs/{run_id}")
def show_run(run_id: str, request: Request, viewer: Operator, app: Installation) -> Response:
    """Show one run, live as long as it goes on."""
    return _run_page(request, viewer, app, run_id, is_operation=True)


@router.get("/runs/{run_id}")
def show_own_run(run_id: str, request: Request, viewer: Viewer, app: Installation) -> Response:
    """Show one's own run, and lead to the portfolio when it is done."""
    return _run_page(request, viewer, app, run_id, is_operation=False)


def _run_page(
    request: Request, viewer: Caller, app: Installation, run_id: str, *, is_operation: bool
) -> Response:
    looks = viewer_of(viewer) if is_operation else viewer.principal
    with app.database.read() as connection:
        report = find_visible_run(connection, looks, run_id)
        events = load_visible_events(connection, looks, report)
        own = open_books(connection, viewer.principal)
        waiting = load_requesters(connection, run_id)
    scope = report.summary.scope or ()
    return pages_of(request).render(
        request,
        "operation_run.html" if is_operation else "run.html",
        viewer,
        report=report,
        run=report.summary,
        events=events,
        books={key: name for key, name in own.items() if key in scope},
        next_book=scope[0] if len(scope) == 1 and scope[0] in own else None,
        may_cancel=is_operation or waiting <= {viewer.account.account_id},
        failures=_failures(report, own),
        now=now_of(report),
        begun=BEGUN[report.summary.source],
        titles={one.key: one.title for one in PHASES},
    )


def now_of(report: RunReport) -> str:
    """Say in a sentence how a run is; ``run.js`` says the same of one that goes on."""
    run = report.summary
    if run.status is RunStatus.QUEUED:
        return "Waiting for a worker." if run.place is None else f"Place {run.place} in the queue."
    if run.status is RunStatus.RUNNING:
        return "Its worker has not been heard from for a while." if run.is_stalled else "At work."
    took = f" It took {duration(run.took.total_seconds())}." if run.took else ""
    words = in_words(RUN_WORDS, run.status)
    return f"{words[:1].upper()}{words[1:]}.{took}"


def _failures(report: RunReport, own: Collection[str]) -> list[tuple[Any, bool]]:
    """Return what failed, and whether the details may be shown: they tell of holdings."""
    return [(one, one.portfolio_id in own) for one in report.failures]
