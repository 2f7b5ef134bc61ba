"""The list of portfolios: what each is worth, did and risks, and whether it is up to date."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Final, NamedTuple

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from riskmark.api.identity import Caller, Installation
from riskmark.api.portfolios import rules_of
from riskmark.app import App
from riskmark.reports.books import BookHead, list_books
from riskmark.reports.catalogue.whole import catalogue
from riskmark.reports.history import load_history
from riskmark.reports.snapshot import NotValued, SnapshotReport, load_snapshot
from riskmark.reports.status import PortfolioStatus, load_status
from riskmark.web.guard import HOME, Viewer
from riskmark.web.numbered import Numbers
from riskmark.web.rendering import pages_of
from riskmark.web.run_links import find_addresses
from riskmark.web.sparkline import path_of

router = APIRouter()
A_PAGE: Final = 50
_DRAWN: Final = timedelta(days=365)
"""What a sparkline looks back on."""


class Line(NamedTuple):
    """A portfolio in the list; ``numbers`` are None until it has been valued."""

    head: BookHead
    status: PortfolioStatus
    numbers: Numbers | None
    spark: str
    is_own: bool


class Total(NamedTuple):
    """A combined book that stands for the accounts that it holds."""

    line: Line
    held: int
    of: int


@router.get(HOME)
def list_portfolios(
    request: Request,
    viewer: Viewer,
    app: Installation,
    *,
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    deleted: Annotated[str, Query(pattern="^[a-z0-9]{0,32}$")] = "",
) -> Response:
    """Show every portfolio that one may read; ``deleted`` is one that can be taken back."""
    with app.database.read() as connection:
        heads = list_books(connection, viewer.principal)
        shown = heads[(page - 1) * A_PAGE : page * A_PAGE]
        total = _find_total(heads, viewer)
        wanted = [*shown] if total is None or total in shown else [*shown, total]
        lines = _load_lines(connection, app, viewer, wanted)
        target = rules_of(app, connection).target_session
    own = [one for one in heads if _is_own(one, viewer) and not one.members]
    by_id = {line.head.portfolio.portfolio_id: line for line in lines}
    found = None
    if total is not None:
        line = by_id[total.portfolio.portfolio_id]
        found = Total(line, len(total.members), len(own))
    return pages_of(request).render(
        request,
        "portfolios.html",
        viewer,
        lines=[by_id[one.portfolio.portfolio_id] for one in shown],
        total=found,
        own=own,
        alike=_alike(own),
        target=target,
        page=page,
        pages=max(1, -(-len(heads) // A_PAGE)),
        count=len(heads),
        deleted=deleted,
    )


def _alike(heads: Sequence[BookHead]) -> list[BookHead]:
    """Return the most of the books that can be valued as one: of one mode, in one currency."""
    groups: dict[tuple[str, str], list[BookHead]] = {}
    for one in heads:
        key = (one.portfolio.mode, one.portfolio.currency)
        groups.setdefault(key, []).append(one)
    return max(groups.values(), key=len, default=[])


def _find_total(heads: Sequence[BookHead], viewer: Caller) -> BookHead | None:
    """Return the combined book of one's own that holds the most accounts."""
    combined = [one for one in heads if one.members and _is_own(one, viewer)]
    return max(combined, key=lambda one: len(one.members), default=None)


def _is_own(head: BookHead, viewer: Caller) -> bool:
    return head.portfolio.owner_id == viewer.account.account_id


def _load_lines(
    connection: Connection, app: App, viewer: Caller, heads: Sequence[BookHead]
) -> list[Line]:
    if not heads:
        return []
    scope = [one.portfolio.portfolio_id for one in heads]
    status = load_status(connection, viewer.principal, rules=rules_of(app, connection), scope=scope)
    states = {one.portfolio_id: one for one in status.portfolios}
    reports = {key: _load_newest(connection, app, viewer, key) for key in scope}
    documents = {key: one.document() for key, one in reports.items() if one is not None}
    runs = {key: one["provenance"]["run"] for key, one in documents.items()}
    addresses = find_addresses(connection, viewer, set(runs.values()))
    sections = catalogue(app.settings)
    lines = []
    for head in heads:
        key = head.portfolio.portfolio_id
        numbers, spark = None, ""
        report = reports[key]
        if report is not None:
            spark = _load_spark(connection, viewer, key, report.session)
            address = addresses.get(runs[key])
            numbers = Numbers(documents[key], sections, run_address=address)
        lines.append(Line(head, states[key], numbers, spark, _is_own(head, viewer)))
    return lines


def _load_newest(
    connection: Connection, app: App, viewer: Caller, key: str
) -> SnapshotReport | None:
    try:
        return load_snapshot(connection, viewer.principal, key, settings=app.settings, parts=())
    except NotValued:
        return None


def _load_spark(connection: Connection, viewer: Caller, key: str, last: date) -> str:
    history = load_history(
        connection, viewer.principal, key, first=last - _DRAWN, last=last, fields=("nav",)
    )
    return path_of([row.values[0] for row in history.rows])
