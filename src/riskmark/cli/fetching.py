"""``riskmark prices fetch`` and ``riskmark providers status``: what they do and show."""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from riskmark.cli import formats, output
from riskmark.cli.opening import rules_for
from riskmark.cli.tables import make_table
from riskmark.errors import InputError
from riskmark.intake.arguments import parse_day, parse_symbol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table
    from sqlalchemy import Connection

    from riskmark.app import App
    from riskmark.providers.chain import Collected

LOOK_BACK = 505
"""Sessions that are fetched where nothing else is said: what the longest window reads."""


def fetch_all(
    app: "App", symbols: "Sequence[str] | None", *, first: str | None, last: str | None
) -> "list[Collected]":
    """Fetch symbols one after the other, each a transaction, and say how it goes."""
    from riskmark.engine.price_collection import Rules, fetch_symbol

    with app.database.read() as connection:
        known = rules_for(app, connection)
        chosen = symbols or _needed(app, connection)
        for symbol in chosen:
            _refuse_private(connection, symbol)
    calendar, target = known.calendar, known.target_session
    start = calendar.sessions[max(0, calendar.on_or_before(target) - LOOK_BACK)]
    dates = (_day(app, first, "--from", start), _day(app, last, "--to", target))
    if dates[0] > dates[1]:
        raise InputError(f"--from {dates[0]} lies after --to {dates[1]}")
    if calendar.on_or_after(dates[0]) > calendar.on_or_before(dates[1]):
        raise InputError(f"there is no session between {dates[0]} and {dates[1]}")
    fresh = timedelta(days=app.settings.providers.profile_days)
    rules = Rules(calendar, target, app.settings.base_currency, app.clock.now(), fresh)
    sources = app.sources(calendar)
    if not sources.providers:
        raise InputError("no provider can be asked; see: riskmark providers status")
    found: list[Collected] = []
    try:
        for text in chosen:
            symbol = parse_symbol(text)
            found.append(fetch_symbol(app.database, sources, symbol, dates=dates, rules=rules))
    finally:
        sources.close()
    return found


def _refuse_private(connection: "Connection", symbol: str) -> None:
    """Refuse a private asset: its name never leaves the house."""
    from riskmark.storage.instruments import find_instruments
    from riskmark.storage.symbols import NotPublic

    name = parse_symbol(symbol)
    found = find_instruments(connection, [name]).get(name)
    if found is not None and found.is_private:
        raise NotPublic(name)


def _needed(app: "App", connection: "Connection") -> list[str]:
    from riskmark.storage.price_needs import load_price_needs

    known = rules_for(app, connection)
    needs = load_price_needs(
        connection,
        known.calendar,
        scope=None,
        target=known.calendar.on_or_before(known.target_session),
        factor_symbols=app.settings.factor_symbols,
    )
    return [need.symbol for need in needs]


def _day(app: "App", text: str | None, name: str, default: date) -> date:
    return default if text is None else parse_day(text, today=app.today, name=name)


def is_in_vain(found: "Sequence[Collected]") -> bool:
    """Whether providers were asked and none could answer for any symbol."""
    from riskmark.providers.outcomes import Circuit

    answers = [said.outcome.consequence.circuit for one in found for said in one.said]
    return bool(answers) and not {Circuit.CLOSES, Circuit.STAYS}.intersection(answers)


def fetch_document(found: "Sequence[Collected]") -> "list[Any]":
    """Return what came as JSON has it."""
    return [
        {
            "symbol": one.symbol,
            "bars": {part.provider: len(part.bars) for part in one.parts},
            "actions": len(one.actions),
            "missing": list(one.missing),
            "answers": [
                {
                    "provider": said.provider,
                    "reason": said.outcome.reason,
                    "detail": said.outcome.detail,
                    "refused": len(said.refused),
                }
                for said in one.said
            ],
        }
        for one in found
    ]


def fetch_table(found: "Sequence[Collected]") -> "Table":
    """Make a line for each symbol: what came from whom, and what each said that had none."""
    table = make_table("Symbol", "Bars>", "Missing>", "Answers…")
    for one in found:
        answers = ", ".join(
            f"{said.provider}: {said.outcome.reason}"
            + (f" ({said.outcome.detail})" if said.outcome.detail else "")
            for said in one.said
        )
        bars = sum(len(part.bars) for part in one.parts)
        style = "yellow" if one.missing else ""
        table.add_row(one.symbol, f"{bars:,}", f"{len(one.missing):,}", answers, style=style)
    return table


def status_lines(app: "App") -> "list[dict[str, Any]]":
    """Return the state of each provider in the order in which they are asked."""
    from riskmark.reports.providers import load_providers

    with app.database.read() as connection:
        found = load_providers(connection, app.settings.providers, now=app.wall.now())
    return [one.document() for one in found]


def _at_most(line: "dict[str, Any]") -> str:
    counts = (line.get("requests_per_minute"), "a minute"), (line.get("requests_per_day"), "a day")
    return ", ".join(f"{count:,} {unit}" for count, unit in counts if count)


def show_status(lines: "Sequence[dict[str, Any]]") -> None:
    """Show the providers as a table."""
    if not lines:
        output.note("no provider is asked: [providers] order is empty")
        return
    table = make_table("Provider", "State", "Until", "Requests>", "At most", "Last failure…")
    for line in lines:
        until = line.get("until")
        table.add_row(
            line["provider"],
            line["state"],
            formats.instant(until) if until else "",
            f"{line['requests']:,} on {line['date']}" if line["requests"] else "",
            _at_most(line),
            f"{line['reason']}: {line['detail']}" if line.get("reason") else "",
            style="" if line["state"] == "ready" else "yellow",
        )
    output.show(table)
    alone = [line["provider"] for line in lines if line["state"] == "left alone"]
    if alone:
        output.note(f"to ask again at once: riskmark providers reset {alone[0]}")
