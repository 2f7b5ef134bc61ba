"""Sessions to be read: one as a whole or a part of it, the series, and questions about them.

Each answer has an ETag made of what decides it, so that asking again costs a few rows.
"""

from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlalchemy import Connection

from riskmark import __version__
from riskmark.api.answers import answer, answer_once, tag_of
from riskmark.api.identity import Caller, Installation, Reader
from riskmark.api.models import answers as models
from riskmark.api.models import snapshot
from riskmark.api.models.bodies import Body, Day, Typed
from riskmark.api.models.common import PartOfSession
from riskmark.api.portfolios import rules_of
from riskmark.api.visible import find_visible
from riskmark.app import App
from riskmark.intake.arguments import parse_quantity, parse_symbol
from riskmark.reports.attribution import load_attribution
from riskmark.reports.books import load_book
from riskmark.reports.documents import Document
from riskmark.reports.explain import load_explanation
from riskmark.reports.history import load_history
from riskmark.reports.price_quality import load_quality
from riskmark.reports.selection import choose_measures, parts_of
from riskmark.reports.snapshot import load_snapshot
from riskmark.reports.ways import By
from riskmark.reports.what_if import StatedTrade, Wanted, what_if
from riskmark.storage.calendar import load_calendar
from riskmark.storage.versions import load_version

router = APIRouter(prefix="/portfolios/{portfolio_id}", tags=["numbers"])
OneSession = Annotated[Day | None, Query(description="Default: the newest.")]
First = Annotated[Day | None, Query(alias="from")]
Last = Annotated[Day | None, Query(alias="to")]
MOST_TRADES = 100
MOST_VOLATILITY = 5.0
"""More than anybody aims at: such a target was meant in percent."""


class Section(StrEnum):
    """A part of a session's numbers that can be asked for alone."""

    FACTORS = "factors"
    RISK = "risk"
    STRESS = "stress"
    CORRELATION = "correlation"
    SECTORS = "sectors"
    POSITIONS = "positions"


SECTIONS: dict[Section, tuple[type[PartOfSession], tuple[str, ...]]] = {
    Section.FACTORS: (snapshot.Factors, ("factors", "factor_risk")),
    Section.RISK: (snapshot.Risk, ("risk", "concentration", "backtests", "greeks")),
    Section.STRESS: (snapshot.Stress, ("stress", "replays")),
    Section.CORRELATION: (snapshot.Correlations, ("correlation", "factor_correlation")),
    Section.SECTORS: (snapshot.Sectors, ("sectors",)),
    Section.POSITIONS: (snapshot.Positions, ("positions",)),
}
"""What each part has of the whole document."""


class Trade(Body):
    """Units of a symbol to buy (> 0) or to sell (< 0)."""

    symbol: str
    quantity: Typed


class Trial(Body):
    """What is tried: trades first, then a hedge, then the scaling of everything."""

    trades: list[Trade] = Field(default_factory=list, max_length=MOST_TRADES)
    target_vol: Annotated[float | None, Field(gt=0, le=MOST_VOLATILITY, strict=True)] = None
    hedge_beta: str | None = None
    session: Day | None = None


@router.get("/snapshot", response_model=snapshot.Snapshot)
def read_snapshot(
    portfolio_id: str,
    request: Request,
    caller: Reader,
    app: Installation,
    *,
    session: OneSession = None,
) -> Response:
    """Show everything that is known of a portfolio on one session."""

    def make(connection: Connection) -> Document:
        return load_snapshot(
            connection,
            caller.principal,
            portfolio_id,
            settings=app.settings,
            session=session,
        ).document()

    return answer_of_session(request, caller, app, portfolio_id, make, session=session)


def _reader_of(section: Section) -> Callable[..., Response]:
    """Return the route that shows one part of a session."""
    _, chosen = SECTIONS[section]

    def read_part(
        portfolio_id: str,
        request: Request,
        caller: Reader,
        app: Installation,
        *,
        session: OneSession = None,
    ) -> Response:
        def make(connection: Connection) -> Document:
            found = load_snapshot(
                connection,
                caller.principal,
                portfolio_id,
                settings=app.settings,
                session=session,
                parts=parts_of(chosen),
            )
            return choose_measures(found.document(), chosen)

        return answer_of_session(request, caller, app, portfolio_id, make, session=session)

    return read_part


for _one, (_model, _chosen) in SECTIONS.items():
    router.add_api_route(
        f"/{_one}",
        _reader_of(_one),
        response_model=_model,
        name=f"read_{_one}",
        summary=f"Read {_one.title()}",
        description=f"{_model.__doc__} One session; what ``snapshot`` has of it, and no more.",
    )


@router.get("/history", response_model=snapshot.History)
def read_history(
    portfolio_id: str,
    request: Request,
    caller: Reader,
    app: Installation,
    *,
    first: First = None,
    last: Last = None,
) -> Response:
    """Show the series of a portfolio's snapshots."""

    def make(connection: Connection) -> Document:
        found = load_history(connection, caller.principal, portfolio_id, first=first, last=last)
        return found.document()

    return answer_of_session(request, caller, app, portfolio_id, make)


@router.get("/explain", response_model=models.Explanation)
def explain(
    portfolio_id: str,
    request: Request,
    caller: Reader,
    app: Installation,
    *,
    first: First = None,
    last: Last = None,
) -> Response:
    """Tell why numbers changed between two sessions; default: the last two."""

    def make(connection: Connection) -> Document:
        return load_explanation(
            connection,
            caller.principal,
            portfolio_id,
            calendar=load_calendar(connection),
            settings=app.settings,
            first=first,
            last=last,
        ).document()

    return answer_of_session(request, caller, app, portfolio_id, make)


@router.get("/attribution", response_model=models.Attribution)
def attribution(
    portfolio_id: str,
    request: Request,
    caller: Reader,
    app: Installation,
    *,
    session: OneSession = None,
    first: First = None,
    last: Last = None,
    by: By | None = None,
) -> Response:
    """Tell where P&L came from: positions, sectors, factors."""

    def make(connection: Connection) -> Document:
        return load_attribution(
            connection,
            caller.principal,
            portfolio_id,
            calendar=load_calendar(connection),
            settings=app.settings,
            first=first,
            last=last,
            session=session,
        ).document(by)

    return answer_of_session(request, caller, app, portfolio_id, make)


@router.get("/quality", response_model=models.Quality)
def quality(portfolio_id: str, caller: Reader, app: Installation) -> Response:
    """Tell what the stored prices of a portfolio's symbols are like."""
    with app.database.read() as connection:
        portfolio = find_visible(connection, caller, portfolio_id)
        book = load_book(connection, caller.principal, portfolio.portfolio_id)
        rules = rules_of(app, connection)
        symbols = sorted({lot.symbol for lot in book.lots})
        return answer(load_quality(connection, rules=rules, symbols=symbols).document())


@router.post("/what-if", response_model=models.WhatIf)
def try_trades(portfolio_id: str, body: Trial, caller: Reader, app: Installation) -> Response:
    """Show every number before and after trades at the close; nothing is stored."""
    trades = [
        StatedTrade(
            parse_symbol(one.symbol, name="trades.symbol"),
            parse_quantity(one.quantity, name="trades.quantity"),
        )
        for one in body.trades
    ]
    hedge = None
    if body.hedge_beta is not None:
        hedge = parse_symbol(body.hedge_beta, name="hedge_beta")
    with app.database.read() as connection:
        portfolio = find_visible(connection, caller, portfolio_id)
        found = what_if(
            connection,
            caller.principal,
            portfolio.portfolio_id,
            Wanted(trades, body.target_vol, hedge),
            calendar=load_calendar(connection),
            settings=app.settings,
            session=body.session,
        )
        return answer(found.document())


def answer_of_session(
    request: Request,
    caller: Caller,
    app: App,
    portfolio_id: str,
    make: Callable[[Connection], Document],
    *,
    session: date | None = None,
) -> Response:
    """Answer a question about a portfolio, from what the caller has if nothing changed since."""
    with app.database.read() as connection:
        portfolio = find_visible(connection, caller, portfolio_id)
        version = load_version(connection, portfolio.portfolio_id, session)
        if version is None:
            return answer(make(connection))
        tag = tag_of(__version__, app.settings.numbers_hash, portfolio, version, request.url.query)
        return answer_once(request, tag, lambda: make(connection))
