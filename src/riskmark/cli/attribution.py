"""``riskmark attribution``: where the P&L of a portfolio came from."""

from typing import Annotated

import typer

from riskmark.cli import output
from riskmark.cli.opening import opened
from riskmark.cli.options import AsJson, ListAll, PortfolioName, day_of
from riskmark.reports.ways import By


def show_attribution(
    ctx: typer.Context,
    portfolio: PortfolioName,
    *,
    session: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="One session; default: the newest.", show_default=False),
    ] = None,
    first: Annotated[
        str | None,
        typer.Option("--from", metavar="D", help="The first of a range.", show_default=False),
    ] = None,
    last: Annotated[
        str | None,
        typer.Option("--to", metavar="D", help="The last of a range.", show_default=False),
    ] = None,
    by: Annotated[By | None, typer.Option(help="Only this way.", show_default=False)] = None,
    every: ListAll = False,
    as_json: AsJson = False,
) -> None:
    """Show where the P&L came from: positions, sectors, factors."""
    from riskmark.cli.attribution_view import attribution_view
    from riskmark.reports.attribution import load_attribution
    from riskmark.storage.calendar import load_calendar

    with opened(ctx) as app, app.database.read() as connection:
        found = load_attribution(
            connection,
            app.principal,
            portfolio,
            calendar=load_calendar(connection),
            settings=app.settings,
            first=day_of(app, first, name="--from"),
            last=day_of(app, last, name="--to"),
            session=day_of(app, session, name="--session"),
        )
    if as_json:
        output.show_json(found.document(by))
    else:
        output.show(*attribution_view(found, by, every_position=every))
