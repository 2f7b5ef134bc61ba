"""``riskmark init``, ``verify`` and ``config``: care of an installation."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskmark.cli import exits, formats, output
from riskmark.cli.interrupting import terminated_as_interrupted
from riskmark.cli.opening import load_chosen_settings, opened, rules_for
from riskmark.cli.options import AsJson

if TYPE_CHECKING:
    from collections.abc import Iterator

    from riskmark.app import App
    from riskmark.reports.verify import Verification
    from riskmark.settings import LoadedSettings

config_commands = typer.Typer(help="The settings in force.", no_args_is_help=True)

MOST_VIOLATIONS = 40
"""Violations that a person is shown; JSON has all."""


def init(ctx: typer.Context) -> None:
    """Create the database, or bring it to this version's schema."""
    from riskmark.app import initialise

    with opened(ctx, prepared=False) as app:
        done = initialise(app)
        name = app.database.shown_url
    output.note(f"{name}: {'ready' if done else 'nothing to do, it was ready'}")


def verify_all(
    ctx: typer.Context,
    *,
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Delete the snapshots at fault and compute them again."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Recompute the invariants over everything stored; exit 5 if one does not hold."""
    with opened(ctx) as app, terminated_as_interrupted():
        before = found = _verify(app)
        repaired = 0
        if repair and not before.is_clean:
            _show_violations(before)
            repaired = _repair(app, before)
            found = _verify(app)
    if as_json:
        output.show_json(
            found.repair_document(before, repaired=repaired) if repair else found.document()
        )
    elif found.is_clean:
        output.note(
            output.styled(
                "[green]every invariant holds[/]: {snapshots} of {portfolios}",
                snapshots=formats.plural(found.snapshots, "snapshot"),
                portfolios=formats.plural(found.portfolios, "portfolio"),
            )
        )
    else:
        _show_violations(found)
        output.note("--repair deletes the snapshots at fault and computes them again")
    if not found.is_clean:
        raise typer.Exit(exits.VIOLATIONS)


def _verify(app: "App") -> "Verification":
    from riskmark.reports.verify import verify

    with app.database.read() as connection:
        return verify(connection, rules=rules_for(app, connection), settings=app.settings)


def _repair(app: "App", found: "Verification") -> int:
    """Delete what is wrong and compute it again; return how many snapshots were deleted."""
    from riskmark.cli.run_view import open_run_view
    from riskmark.cli.watching import run_to_end
    from riskmark.domain.reasons import Source
    from riskmark.reports.repair import repair

    with app.database.write() as connection:
        done = repair(connection, found.violations, at=app.clock.now())
    output.note(f"{formats.plural(done.snapshots, 'snapshot')} deleted; computing again")
    if done.portfolios:
        with open_run_view(is_verbose=False) as view:
            run_to_end(
                app,
                lambda observe: app.run(Source.CLI, portfolios=done.portfolios, observe=observe),
                view=view,
            )
    return done.snapshots


def _show_violations(found: "Verification") -> None:
    from riskmark.cli.tables import cut, make_table

    table = make_table("Portfolio…", "Session", "Invariant", "Detail…")
    for one in found.violations[:MOST_VIOLATIONS]:
        table.add_row(
            cut(found.name_of(one) or ""),
            formats.day(one.session),
            one.invariant.replace("_", " "),
            one.detail,
        )
    output.note(table)
    more = len(found.violations) - MOST_VIOLATIONS
    if more > 0:
        output.note(f"… and {more:,} more; --json lists all")
    count = formats.plural(len(found.violations), "violation")
    output.note(output.styled("[red]{count}[/]", count=count))


@config_commands.command("show")
def show_config(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """Show every setting, and where its value came from; secrets are masked."""
    from riskmark.cli.tables import make_table

    settings = _flat_settings(load_chosen_settings(ctx))
    if as_json:
        output.show_json(
            [{"key": key, "value": value, "origin": origin} for key, value, origin in settings]
        )
        return
    table = make_table("Setting", "Value…", "From…")
    for key, value, origin in settings:
        shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        table.add_row(key, shown, origin, style="dim" if origin == "default" else "")
    output.show(table)


def _flat_settings(loaded: "LoadedSettings") -> list[tuple[str, Any, str]]:
    import msgspec

    from riskmark.domain.secrets import masked
    from riskmark.settings import NAMED_LISTS

    found: list[tuple[str, Any, str]] = []
    for name, leaf in _leaves(msgspec.to_builtins(loaded.settings)):
        shown = leaf
        if name in NAMED_LISTS:
            shown = [one["name"] for one in leaf]
        elif masked(name, leaf) != leaf:
            shown = masked(name, leaf)
        elif isinstance(leaf, tuple):
            shown = list(leaf)
        found.append((name, shown, loaded.origins.get(name, "default")))
    return found


def _leaves(values: dict[str, Any], prefix: str = "") -> "Iterator[tuple[str, Any]]":
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
