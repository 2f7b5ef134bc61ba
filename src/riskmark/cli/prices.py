"""``riskmark prices``: bars and actions, what is missing of them, and what is held back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskmark.cli import exits, formats, output
from riskmark.cli.opening import opened, rules_for
from riskmark.cli.options import AsJson
from riskmark.cli.price_actions import delete_action, show_actions
from riskmark.errors import InputError

if TYPE_CHECKING:
    from riskmark.app import App
    from riskmark.reports.gaps import GapLine, GapReport
    from riskmark.storage.market_files import MarketFiles
    from riskmark.storage.prices import PriceImport

price_commands = typer.Typer(
    help="Prices and actions: import, fetch, gaps, quality, release.", no_args_is_help=True
)


@price_commands.command("import")
def import_prices(
    ctx: typer.Context,
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="[PATH]",
            help="A file of daily bars, or a folder of such; without it, --actions alone.",
            show_default=False,
        ),
    ] = None,
    *,
    file_format: Annotated[
        str | None,
        typer.Option("--format", metavar="csv|parquet", help="If the name does not say."),
    ] = None,
    actions: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Splits, dividends and spin-offs."),
    ] = None,
    split_adjusted: Annotated[
        bool,
        typer.Option(
            "--split-adjusted", help="Bars and dividends are adjusted for all splits in --actions."
        ),
    ] = False,
    provider: Annotated[
        str, typer.Option(metavar="NAME", help="What the source is called from now on.")
    ] = "file",
    as_json: AsJson = False,
) -> None:
    """Load daily bars and actions: all of a file, or nothing and what is wrong with it."""
    from riskmark.cli.price_view import import_document, import_view
    from riskmark.storage.market_files import read_market_files

    if file_format not in {None, "csv", "parquet"}:
        raise InputError(f"--format must be csv or parquet, not {file_format!r}")
    if path is None and actions is None:
        raise InputError("name a file of daily bars, or --actions, or both")
    if split_adjusted and actions is None:
        raise InputError("--split-adjusted needs --actions: the splits to undo")
    with opened(ctx) as app:
        files = read_market_files(
            path, actions, file_format=file_format, split_adjusted=split_adjusted
        )
        found = _store(app, files, provider)
        if as_json:
            output.show_json(import_document(found))
        else:
            output.show(*import_view(found))


def _store(app: "App", files: "MarketFiles", provider: str) -> "PriceImport":
    from riskmark.storage.prices import import_prices as store

    with app.database.write() as connection:
        rules = rules_for(app, connection)
        return store(
            connection,
            files.bars,
            provider=provider,
            calendar=rules.calendar,
            target=rules.target_session,
            base_currency=app.settings.base_currency,
            at=app.clock.now(),
            actions=files.actions,
        )


@price_commands.command("fetch")
def fetch(
    ctx: typer.Context,
    *,
    symbols: Annotated[
        list[str] | None,
        typer.Option("--symbols", "-s", metavar="S", help="Only these; may be repeated."),
    ] = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="Default: two years before.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="DATE", help="Default: the newest session.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask the providers for bars and actions now, whatever is stored.

    Without --symbols: for everything held and the factors. Exit 3: something is missing;
    1: no provider could answer at all.
    """
    from riskmark.cli.fetching import fetch_all, fetch_document, fetch_table, is_in_vain

    with opened(ctx) as app:
        found = fetch_all(app, symbols, first=first, last=last)
    if as_json:
        output.show_json(fetch_document(found))
    else:
        output.show(fetch_table(found))
    if is_in_vain(found):
        raise typer.Exit(exits.FAILED)
    if any(one.missing for one in found):
        raise typer.Exit(exits.PARTIAL)


@price_commands.command("gaps")
def gaps(
    ctx: typer.Context,
    symbols: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SYMBOL]…", help="Only these.", show_default=False),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the closes that are missing, and why, of everything held and of the factors."""
    from riskmark.reports.gaps import load_gaps

    with opened(ctx) as app:
        with app.database.read() as connection:
            found = load_gaps(connection, rules=rules_for(app, connection), symbols=symbols)
        if as_json:
            output.show_json(found.document())
        else:
            _show_gaps(found)


def _show_gaps(found: "GapReport") -> None:
    from riskmark.cli.tables import make_table
    from riskmark.reports.words import SYMBOL_WORDS, in_words

    if not found.gaps and not found.quarantine:
        output.note(f"no close is missing up to {found.target}")
        return
    table = make_table("Symbol", "From", "To", "Sessions>", "Why…")
    for gap in found.gaps:
        accepted = " (accepted)" if gap.accepted else ""
        table.add_row(
            gap.symbol,
            formats.day(gap.first),
            formats.day(gap.last),
            f"{gap.sessions:,}",
            f"{in_words(SYMBOL_WORDS, gap.reason)}{accepted}{_said(gap)}",
            style="dim" if gap.accepted else "",
        )
    for line in found.quarantine:
        table.add_row(line.symbol, formats.day(line.first), "", "", line.reason, style="yellow")
    output.show(table)
    if found.quarantine:
        output.note("a quarantine ends with the split, or with: riskmark prices release S DATE")


def _said(gap: "GapLine") -> str:
    """Say what each provider answered, by name."""
    said = ", ".join(f"{one.provider}: {one.reason.replace('_', ' ')}" for one in gap.said)
    return f"; {said}" if said else ""


@price_commands.command("quality")
def quality(
    ctx: typer.Context,
    symbols: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SYMBOL]…", help="Only these.", show_default=False),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show who gave the bars of each symbol, and what of them was corrected, odd or held back."""
    from riskmark.cli.quality_view import quality_view
    from riskmark.reports.price_quality import load_quality

    with opened(ctx) as app, app.database.read() as connection:
        found = load_quality(connection, rules=rules_for(app, connection), symbols=symbols)
    if as_json:
        output.show_json(found.document())
    elif found.symbols or found.denials:
        output.show(*quality_view(found))
    else:
        output.note("no price is stored; next: riskmark prices fetch, or prices import")


@price_commands.command("release")
def release(
    ctx: typer.Context,
    symbol: Annotated[str, typer.Argument(metavar="S", help="A symbol in quarantine.")],
    date: Annotated[str, typer.Argument(metavar="DATE", help="From when it is, as YYYY-MM-DD.")],
) -> None:
    """Let closes count again that are held back because they jump like a split."""
    from riskmark.intake.arguments import parse_day
    from riskmark.storage.quarantine import release as let_go

    with opened(ctx) as app:
        day = parse_day(date, today=app.today, name="DATE")
        with app.database.write() as connection:
            checked = let_go(connection, symbol, day, at=app.clock.now())
        output.note(f"released {symbol.upper()} from {day} on; next: riskmark run")
        for move in checked.raised:
            output.note(f"in quarantine from {move.session} on: {move.reason}")


price_commands.command("actions")(show_actions)
price_commands.command("delete-action")(delete_action)
