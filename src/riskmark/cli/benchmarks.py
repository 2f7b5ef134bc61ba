"""``riskmark benchmarks``: what a benchmark consists of."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskmark.cli import output
from riskmark.cli.opening import opened
from riskmark.cli.options import AsJson

if TYPE_CHECKING:
    from riskmark.app import App
    from riskmark.cli.benchmark_view import BenchmarkReport
    from riskmark.storage.benchmarks import BenchmarkWeight

benchmark_commands = typer.Typer(help="Benchmark weights: import.", no_args_is_help=True)


@benchmark_commands.command("import")
def import_benchmark(
    ctx: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="CSV or Parquet: date, weight as a fraction, symbol or sector."
        ),
    ],
    *,
    benchmark: Annotated[
        str | None,
        typer.Option(
            metavar="SYMBOL", help="Whose weights; default: the setting.", show_default=False
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Store weights: all of a file, or nothing and what is wrong with it."""
    from riskmark.cli.benchmark_view import benchmark_view
    from riskmark.storage.benchmark_files import read_benchmark_weights

    with opened(ctx) as app:
        weights = read_benchmark_weights(file)
        found = _store(app, benchmark or app.settings.benchmark, weights)
        if as_json:
            output.show_json(found.document())
            return
        output.show(*benchmark_view(found))
        if found.from_session is not None:
            output.note(f"numbers from {found.from_session} on are out of date; next: riskmark run")
        if found.benchmark != app.settings.benchmark:
            output.note(
                f"sectors are set against {app.settings.benchmark} until the setting "
                f'says benchmark = "{found.benchmark}"'
            )


def _store(app: "App", symbol: str, weights: "tuple[BenchmarkWeight, ...]") -> "BenchmarkReport":
    from riskmark.cli.benchmark_view import BenchmarkReport
    from riskmark.storage.benchmarks import (
        MemberKind,
        import_weights,
        load_sector_weights,
        unusual_sectors,
    )
    from riskmark.storage.calendar import load_calendar
    from riskmark.storage.instruments import find_instrument, find_instruments

    with app.database.write() as connection:
        instrument = find_instrument(connection, symbol, owner_id=None)
        calendar = load_calendar(connection)
        done = import_weights(
            connection, instrument, weights, calendar=calendar, at=app.clock.now()
        )
        named = {one.name for one in weights if one.kind is MemberKind.SYMBOL}
        known = find_instruments(connection, named, owner_id=None)
        unusual = unusual_sectors(connection, weights)
        stated = load_sector_weights(connection, instrument.instrument_id)
    changed = (*done.new, *done.changed)
    return BenchmarkReport(
        benchmark=instrument.symbol,
        done=done,
        from_session=calendar.sessions[calendar.on_or_after(min(changed))] if changed else None,
        unknown=tuple(sorted(named - known.keys())),
        unknown_sectors=unusual,
        newest=stated[-1] if stated else None,
    )
