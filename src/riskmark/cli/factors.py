"""``riskmark factors``: factor returns that come from a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskmark.cli import output
from riskmark.cli.opening import opened
from riskmark.cli.options import AsJson

if TYPE_CHECKING:
    from riskmark.app import App
    from riskmark.storage.factor_files import FactorReturns
    from riskmark.storage.factors import FactorImport

factor_commands = typer.Typer(help="Factor returns: import.", no_args_is_help=True)


@factor_commands.command("import")
def import_factors(
    ctx: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="CSV or Parquet: date, and a column of daily fractions for each factor.",
        ),
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Store factor returns: all of a file, or nothing and what is wrong with it."""
    from riskmark.cli.factor_view import FactorReport, factor_view
    from riskmark.storage.factor_files import read_factor_returns
    from riskmark.storage.factors import stored_columns

    with opened(ctx) as app:
        returns = read_factor_returns(file)
        done = _store(app, returns)
        with app.database.read() as connection:
            known = stored_columns(connection)
        found = FactorReport(returns, done, app.settings.factor_model, frozenset(known))
        if as_json:
            output.show_json(found.document())
        else:
            output.show(*factor_view(found))
            if done.from_session is not None:
                output.note(
                    f"numbers from {done.from_session} on are out of date; next: riskmark run"
                )


def _store(app: "App", returns: "FactorReturns") -> "FactorImport":
    from riskmark.storage.calendar import load_calendar
    from riskmark.storage.factors import import_factors as store

    with app.database.write() as connection:
        calendar = load_calendar(connection)
        return store(connection, returns, calendar=calendar, at=app.clock.now())
