"""``riskmark providers``: which providers there are, and how they are."""

import typer

from riskmark.cli import output
from riskmark.cli.opening import opened
from riskmark.cli.options import AsJson

provider_commands = typer.Typer(
    help="Providers of prices: their state and limits.", no_args_is_help=True
)


@provider_commands.callback()
def _root() -> None:
    # With a callback a single command keeps its name.
    """Tell how the providers are."""


@provider_commands.command("status")
def status(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """Show which provider can be asked, who is left alone until when, and requests of today."""
    from riskmark.cli.fetching import show_status, status_lines

    with opened(ctx) as app:
        lines = status_lines(app)
    if as_json:
        output.show_json(lines)
    else:
        show_status(lines)
