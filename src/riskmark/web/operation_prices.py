"""Operation, for admins: symbols without closes, what prices are like, and who gives them."""

from fastapi import APIRouter, Request, Response

from riskmark.api.identity import Installation
from riskmark.api.portfolios import rules_of
from riskmark.reports.gaps import load_gaps
from riskmark.reports.price_quality import MOST_CORRECTIONS, load_quality
from riskmark.reports.providers import load_providers
from riskmark.reports.words import SYMBOL_WORDS, in_words
from riskmark.web.guard import Operator
from riskmark.web.operation import OPERATION, PageNumber, Words
from riskmark.web.paging import page_of
from riskmark.web.rendering import pages_of

router = APIRouter()


@router.get(OPERATION + "/symbols")
def show_symbols(
    request: Request,
    viewer: Operator,
    app: Installation,
    *,
    q: Words = "",
    settled: bool = False,
    page: PageNumber = 1,
) -> Response:
    """Show which closes are missing, and what each provider said.

    What lacks its newest close comes first. ``settled`` shows what is accepted or over as well.
    """
    with app.database.read() as connection:
        found = load_gaps(connection, rules=rules_of(app, connection))
    wanted = q.upper().split()
    everything = [one for one in found.gaps if all(word in one.symbol for word in wanted)]
    open_ones = [one for one in everything if one.last == found.target and not one.accepted]
    chosen = everything if settled else open_ones
    chosen.sort(key=lambda one: (one.accepted, -one.last.toordinal(), one.symbol))
    return pages_of(request).render(
        request,
        "operation_symbols.html",
        viewer,
        target=found.target,
        page=page_of(chosen, page, q=q, settled="true" if settled else None),
        q=q,
        settled=settled,
        others=len(everything) - len(open_ones),
        why=lambda reason: in_words(SYMBOL_WORDS, reason),
    )


@router.get(OPERATION + "/prices")
def show_prices(
    request: Request, viewer: Operator, app: Installation, *, q: Words = "", page: PageNumber = 1
) -> Response:
    """Show what stored prices are like: held back, corrected, odd, contradicted."""
    with app.database.read() as connection:
        found = load_quality(connection, rules=rules_of(app, connection))
    wanted = q.upper().split()
    symbols = [one for one in found.symbols if all(word in one.symbol for word in wanted)]
    return pages_of(request).render(
        request,
        "operation_prices.html",
        viewer,
        quality=found,
        page=page_of(symbols, page, q=q),
        q=q,
        most_corrections=MOST_CORRECTIONS,
    )


@router.get(OPERATION + "/providers")
def show_providers(request: Request, viewer: Operator, app: Installation) -> Response:
    """Show whether each provider is asked, and how much of its quota is used."""
    with app.database.read() as connection:
        now = app.wall.now()
        found = load_providers(connection, app.settings.providers, now=now)
    return pages_of(request).render(
        request, "operation_providers.html", viewer, providers=found, today=now.date()
    )
