"""``riskmark prices actions`` and ``delete-action``: the splits and dividends of a symbol."""

from typing import TYPE_CHECKING, Annotated

import typer

from riskmark.cli import formats, output
from riskmark.cli.opening import opened, rules_for
from riskmark.cli.options import AsJson
from riskmark.errors import InputError

if TYPE_CHECKING:
    from riskmark.storage.action_edits import ActionLine
    from riskmark.storage.held_actions import HeldAction


def show_actions(
    ctx: typer.Context,
    symbol: Annotated[str, typer.Argument(metavar="S", help="A symbol.")],
    *,
    as_json: AsJson = False,
) -> None:
    """List the splits, dividends and spin-offs of a symbol, who gave them, and what is not used."""
    from riskmark.storage.action_edits import list_actions
    from riskmark.storage.held_actions import list_held
    from riskmark.storage.instruments import find_instrument

    with opened(ctx) as app, app.database.read() as connection:
        name = find_instrument(connection, symbol, owner_id=None).symbol
        found, held = list_actions(connection, name), list_held(connection, symbol=name)
    if as_json:
        listed = [_action(one) for one in found]
        output.show_json({"symbol": name, "actions": listed, "held": [_held(one) for one in held]})
    elif found or held:
        _show(found, held)
    else:
        output.note(f"no action of {name} is stored")


def _action(one: "ActionLine") -> dict[str, object]:
    return {
        "ex_date": one.ex_date,
        "kind": one.kind,
        "value": one.value,
        "provider": one.provider,
    }


def _held(one: "HeldAction") -> dict[str, object]:
    found = {name: getattr(one, name) for name in ("ex_date", "kind", "value", "provider")}
    return found | {"reason": one.reason, "detail": one.detail}


def _show(found: "tuple[ActionLine, ...]", held: "tuple[HeldAction, ...]") -> None:
    from riskmark.cli.tables import make_table

    table = make_table("Ex-date", "Kind", "Value>", "By…", "Not used because…")
    for one in found:
        table.add_row(formats.day(one.ex_date), one.kind, f"{one.value:,g}", one.provider, "")
    for no in held:
        row = (formats.day(no.ex_date), no.kind, f"{no.value:,g}", no.provider, no.detail)
        table.add_row(*row, style="yellow")
    output.show(table)


def delete_action(
    ctx: typer.Context,
    symbol: Annotated[str, typer.Argument(metavar="S", help="A symbol.")],
    date: Annotated[str, typer.Argument(metavar="DATE", help="Its ex-date, as YYYY-MM-DD.")],
    kind: Annotated[str, typer.Argument(metavar="split|dividend|spinoff", help="Which.")],
) -> None:
    """Take a split, dividend or spin-off back, for good: only an import stores it again."""
    from riskmark.intake.arguments import parse_day
    from riskmark.intake.market_data import ActionKind
    from riskmark.storage.action_edits import delete_action as take_back

    if kind not in set(ActionKind):
        raise InputError(f"the kind must be split, dividend or spinoff, not {kind!r}")
    with opened(ctx) as app:
        day = parse_day(date, today=app.today, name="DATE")
        with app.database.write() as connection:
            done = take_back(
                connection,
                symbol,
                day,
                ActionKind(kind),
                calendar=rules_for(app, connection).calendar,
                at=app.clock.now(),
            )
    one = done.action
    output.note(
        f"deleted the {one.kind} of {one.value:,g} of {one.symbol} on {one.ex_date}, "
        f"given by {one.provider}; next: riskmark run"
    )
    for move in done.checked.raised:
        output.note(f"in quarantine from {move.session} on: {move.reason}")
    for move in done.checked.lifted:
        output.note(f"out of quarantine: from {move.session} on")
