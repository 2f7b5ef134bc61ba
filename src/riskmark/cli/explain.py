"""``riskmark explain``: why the numbers of a portfolio changed between two sessions."""

from typing import Annotated

import typer

from riskmark.cli import output
from riskmark.cli.opening import opened
from riskmark.cli.options import AsJson, PortfolioName, day_of


def explain(
    ctx: typer.Context,
    portfolio: PortfolioName,
    *,
    first: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="S1", help="Default: the session before S2.", show_default=False
        ),
    ] = None,
    last: Annotated[
        str | None,
        typer.Option("--to", metavar="S2", help="Default: the newest.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Explain why NAV, beta, volatility, VaR and exposures changed."""
    from riskmark.cli.explain_view import explain_view
    from riskmark.reports.explain import load_explanation
    from riskmark.storage.calendar import load_calendar

    with opened(ctx) as app, app.database.read() as connection:
        found = load_explanation(
            connection,
            app.principal,
            portfolio,
            calendar=load_calendar(connection),
            settings=app.settings,
            first=day_of(app, first, name="--from"),
            last=day_of(app, last, name="--to"),
        )
    if as_json:
        output.show_json(found.document())
    else:
        output.show(*explain_view(found))
