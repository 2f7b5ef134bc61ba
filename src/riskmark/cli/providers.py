"""``riskmark providers``: which providers there are, and how they are."""

from typing import Annotated

import typer

from riskmark.cli import output
from riskmark.cli.opening import opened
from riskmark.cli.options import AsJson

provider_commands = typer.Typer(
    help="Providers of prices: their state and limits.", no_args_is_help=True
)


@provider_commands.callback()
def _root() -> None:
    """Tell how the providers are, and ask one again."""


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


@provider_commands.command("reset")
def reset(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A provider that is left alone.")],
) -> None:
    """Ask a provider again that is left alone; its limits of a minute and a day stay."""
    from riskmark.storage.provider_limits import reset_provider

    with opened(ctx) as app:
        others = reset_provider(app.database, name)
    same = f" (and {', '.join(others)}: the same host)" if others else ""
    output.note(f"{name} is asked again{same}; next: riskmark run")
