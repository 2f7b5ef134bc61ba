"""Onboarding: a new portfolio and its first run, in one transaction, or neither."""

from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection

from riskmark.domain.portfolio import Portfolio
from riskmark.domain.reasons import Source
from riskmark.domain.runs import RunRequest
from riskmark.domain.sessions import Calendar
from riskmark.engine.queue import submit
from riskmark.storage import audit
from riskmark.storage.audit import Actor
from riskmark.storage.books import Account, Principal, create_portfolio
from riskmark.storage.lots import BookEditor
from riskmark.storage.positions import Moment, Positions, add_lots


class Onboarded(NamedTuple):
    """A new portfolio, and the run that computes its numbers."""

    portfolio: Portfolio
    run_id: str


class Times(NamedTuple):
    """When a portfolio is made: as edits have it, as runs have it, and the session to reach."""

    moment: Moment
    at: datetime
    target: date


def onboard(
    connection: Connection,
    actor: Actor,
    account: Account,
    positions: Positions,
    *,
    owner: str,
    calendar: Calendar,
    currency: str,
    times: Times,
) -> Onboarded:
    """Store a portfolio with its lots for the account ``owner``, and queue its run."""
    moment = times.moment
    portfolio = create_portfolio(
        connection, Principal(owner), account, currency=currency, at=moment.at
    )
    key = portfolio.portfolio_id
    request = RunRequest(Source.ONBOARDING, owner, times.target, scope=(key,))
    # A run locks its row first and the ledger's clock last; so must this.
    run_id = submit(connection, request, at=times.at).run_id
    editor = BookEditor(connection, portfolio, calendar, today=moment.today, at=moment.at)
    add_lots(connection, editor, positions, portfolio)
    detail = {"lots": len(positions.lots), "run": run_id}
    audit.note(
        connection,
        actor,
        "create_portfolio",
        at=times.at,
        object_kind="portfolio",
        object_id=key,
        detail=detail,
    )
    editor.finish()
    return Onboarded(portfolio, run_id)
