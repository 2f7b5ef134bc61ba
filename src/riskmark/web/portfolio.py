"""A portfolio on one session: everything that is known of it, and the charts of it.

A day that is no stored session leads to the one before it. What is heavy, the charts and the
P&L they split, the page asks for when it is there.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from http import HTTPStatus
from typing import Annotated, Any, Final, NamedTuple

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection

from riskmark.api.identity import Caller, Installation
from riskmark.api.models.bodies import Day
from riskmark.api.portfolios import rules_of
from riskmark.api.sessions import answer_of_session
from riskmark.api.visible import find_visible
from riskmark.app import App
from riskmark.domain.portfolio import Portfolio
from riskmark.reports.books import load_book
from riskmark.reports.catalogue.whole import catalogue
from riskmark.reports.documents import Document
from riskmark.reports.figures import NAMES, Figure, draw, load_numbers
from riskmark.reports.history import load_history
from riskmark.reports.price_sources import load_sources
from riskmark.reports.snapshot import load_snapshot
from riskmark.reports.status import load_status
from riskmark.reports.words import NULL_WORDS, in_words
from riskmark.storage.calendar import load_calendar
from riskmark.web.guard import Viewer
from riskmark.web.numbered import Numbers
from riskmark.web.rendering import pages_of
from riskmark.web.run_links import find_addresses

router = APIRouter(prefix="/portfolios/{portfolio_id}")
MOST_POSITIONS: Final = 500
"""Positions that the page lists, the largest; a table of more is no longer read but exported."""
Session = Annotated[Day | None, Query()]


class Sessions(NamedTuple):
    """The stored sessions around the one that is shown."""

    first: date
    before: date | None
    shown: date
    after: date | None
    last: date


@router.get("")
def show_portfolio(
    portfolio_id: str, request: Request, viewer: Viewer, app: Installation, session: str = ""
) -> Response:
    """Show a portfolio, by default on its newest session."""
    with app.database.read() as connection:
        portfolio = find_visible(connection, viewer, portfolio_id)
        stored = _load_sessions(connection, viewer, portfolio_id)
        wanted = _as_day(session)
        if not stored:
            return _show_unvalued(request, connection, app, viewer, portfolio)
        sessions = _choose(stored, wanted)
        if session and (wanted is None or sessions.shown != wanted):
            address = f"/portfolios/{portfolio_id}?session={sessions.shown}"
            return RedirectResponse(address, HTTPStatus.SEE_OTHER)
        given = _load_shown(connection, app, viewer, portfolio, sessions)
    return pages_of(request).render(request, "portfolio.html", viewer, **given)


def _load_shown(
    connection: Connection, app: App, viewer: Caller, portfolio: Portfolio, sessions: Sessions
) -> dict[str, Any]:
    """Return what the page of a valued portfolio shows."""
    key = portfolio.portfolio_id
    report = load_snapshot(
        connection, viewer.principal, key, settings=app.settings, session=sessions.shown
    )
    document = report.document()
    positions = sorted(document["positions"] or (), key=lambda one: -abs(one["market_value"] or 0))
    listed = positions[:MOST_POSITIONS]
    rules = rules_of(app, connection)
    providers = load_sources(connection, [one["symbol"] for one in listed])
    sources = {
        symbol: ", ".join(f"{name} ({count:,} bars)" for name, count in given.items())
        for symbol, given in providers.items()
    }
    status = load_status(connection, viewer.principal, rules=rules, scope=[key])
    run = document["provenance"]["run"]
    address = find_addresses(connection, viewer, [run]).get(run)
    return {
        "n": Numbers(document, catalogue(app.settings), sources=sources, run_address=address),
        "d": document,
        "head": load_book(connection, viewer.principal, key).head,
        "status": status.portfolios[0],
        "target": status.target,
        "sessions": sessions,
        "positions": listed,
        "held": len(positions),
        "is_own": portfolio.owner_id == viewer.account.account_id,
        "benchmark": app.settings.benchmark,
    }


def _show_unvalued(
    request: Request, connection: Connection, app: App, viewer: Caller, portfolio: Portfolio
) -> Response:
    """Show a portfolio that has no session yet: its state, and what can be done."""
    key = portfolio.portfolio_id
    rules = rules_of(app, connection)
    status = load_status(connection, viewer.principal, rules=rules, scope=[key])
    return pages_of(request).render(
        request,
        "portfolio_unvalued.html",
        viewer,
        head=load_book(connection, viewer.principal, key).head,
        status=status.portfolios[0],
        target=status.target,
        is_own=portfolio.owner_id == viewer.account.account_id,
    )


@router.get("/figures.json")
def read_figures(
    portfolio_id: str,
    request: Request,
    viewer: Viewer,
    app: Installation,
    session: Session = None,
) -> Response:
    """Send every figure of a session, for the page that draws them."""
    return _send(request, viewer, app, portfolio_id, session=session, names=NAMES)


@router.get("/figures/{name}.json")
def read_figure(
    portfolio_id: str,
    name: str,
    request: Request,
    viewer: Viewer,
    app: Installation,
    *,
    session: Session = None,
) -> Response:
    """Send one figure of a session."""
    return _send(request, viewer, app, portfolio_id, session=session, names=(name,))


def _send(
    request: Request,
    viewer: Caller,
    app: App,
    portfolio_id: str,
    *,
    session: date | None,
    names: Sequence[str],
) -> Response:
    def make(connection: Connection) -> Document:
        numbers = load_numbers(
            connection,
            viewer.principal,
            portfolio_id,
            settings=app.settings,
            calendar=load_calendar(connection),
            session=session,
            names=names,
        )
        return {name: _figure(draw(name, numbers)) for name in names}

    return answer_of_session(request, viewer, app, portfolio_id, make, session=session)


def _figure(figure: Figure) -> dict[str, Any]:
    """Return a figure, with the reason that there is nothing to draw in words."""
    reason = None if figure.reason is None else in_words(NULL_WORDS, figure.reason)
    return {**figure.document(), "reason_words": reason}


def _load_sessions(connection: Connection, viewer: Caller, key: str) -> list[date]:
    history = load_history(connection, viewer.principal, key, fields=())
    return [row.session for row in history.rows]


def _as_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _choose(stored: Sequence[date], wanted: date | None) -> Sessions:
    """Return the stored session on or before the one that is wanted, or else the first."""
    last = len(stored) - 1
    place = last if wanted is None else max(0, bisect_right(stored, wanted) - 1)
    return Sessions(
        first=stored[0],
        before=stored[place - 1] if place else None,
        shown=stored[place],
        after=stored[place + 1] if place < last else None,
        last=stored[last],
    )
