"""``riskmark portfolio flow``: cash put in and taken out."""

from typing import Annotated

import typer

from riskmark.cli import output
from riskmark.cli.editing import editing
from riskmark.cli.opening import opened
from riskmark.cli.options import NEGATIVE_VALUES, AsJson, PortfolioName

flow_commands = typer.Typer(
    help="Cash that was put in (positive) or taken out (negative).", no_args_is_help=True
)


@flow_commands.command("list")
def list_flows(ctx: typer.Context, portfolio: PortfolioName, *, as_json: AsJson = False) -> None:
    """List the flows of a portfolio."""
    from riskmark.cli.book_view import flow_table
    from riskmark.reports.books import flow_document, load_book

    with opened(ctx) as app:
        with app.database.read() as connection:
            flows = load_book(connection, app.principal, portfolio).flows
        if as_json:
            output.show_json([flow_document(flow) for flow in flows])
        elif flows:
            output.show(flow_table(flows))
        else:
            output.note("no flows; riskmark portfolio flow add P DATE AMOUNT enters one")


@flow_commands.command("add", context_settings=NEGATIVE_VALUES)
def add(
    ctx: typer.Context,
    portfolio: PortfolioName,
    date: Annotated[str, typer.Argument(metavar="DATE", help="When it moved, as YYYY-MM-DD.")],
    amount: Annotated[
        str,
        typer.Argument(metavar="AMOUNT", help="Above 0: a contribution; below 0: a withdrawal."),
    ],
    note: Annotated[str, typer.Option(help="What it was.")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Enter a contribution or a withdrawal."""
    from riskmark.intake.arguments import parse_amount, parse_day
    from riskmark.reports.books import flow_document

    with editing(ctx, portfolio) as edit:
        day = parse_day(date, today=edit.app.today, name="DATE")
        flow = edit.editor.add_flow(day, parse_amount(amount, name="AMOUNT"), note)
    if as_json:
        output.show_json(flow_document(flow))
    else:
        output.note(f"entered flow {flow.flow_id}: {flow.amount:+,} on {flow.date}")


@flow_commands.command("delete")
def delete(
    ctx: typer.Context,
    portfolio: PortfolioName,
    flow: Annotated[str, typer.Argument(metavar="FLOW", help="The flow's id.")],
) -> None:
    """Remove a flow as if it had never been there."""
    with editing(ctx, portfolio) as edit:
        gone = edit.editor.delete_flow(flow)
    output.note(f"deleted flow {flow}: {gone.amount:+,} on {gone.date}")
