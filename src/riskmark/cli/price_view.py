"""What an import of prices did, as JSON and for people."""

from typing import TYPE_CHECKING

from riskmark.cli import formats
from riskmark.cli.output import styled
from riskmark.reports.documents import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType
    from rich.text import Text

    from riskmark.storage.prices import PriceImport
    from riskmark.storage.quarantine import SuspiciousMove

_WHY = {
    "unobserved": "without a close",
    "not_positive": "not positive",
    "not_final": "after the last published session",
    "not_a_session": "on no session",
    "foreign_currency": "in another currency",
    "unknown_symbol": "of unknown symbols",
    "duplicate": "given twice, or under a former symbol too",
    "outside_calendar": "outside the calendar",
}
MOST_NAMED = 12
"""Symbols that a line names; the rest are counted."""


def import_document(found: "PriceImport") -> Document:
    """Return what an import did as JSON has it."""
    bars, actions, checked = found.bars, found.actions, found.checked
    return {
        "bars": {
            "received": bars.received,
            "stored": bars.stored,
            "corrected": bars.corrected,
            "amended": bars.amended,
            "unchanged": bars.unchanged,
            "refused": bars.refused._asdict(),
            "odd_ranges": bars.odd_ranges,
        },
        "actions": {
            "received": actions.received,
            "stored": actions.stored,
            "corrected": actions.corrected,
            "unchanged": actions.unchanged,
            "refused": actions.refused._asdict(),
        },
        "created": sorted({*bars.created, *actions.created}),
        "foreign_currency": list(bars.foreign),
        "quarantine": [_move(move) for move in checked.raised],
        "lifted": [_move(move) for move in checked.lifted],
        "warnings": [_move(move) for move in checked.warned],
        "revision": found.revision,
    }


def import_view(found: "PriceImport") -> "Iterator[RenderableType]":
    """Yield what an import did, line by line."""
    bars, actions, checked = found.bars, found.actions, found.checked
    yield _counts(
        "bars",
        bars.received,
        {
            "new": bars.stored,
            "corrected": bars.corrected,
            "amended": bars.amended,
            "unchanged": bars.unchanged,
        },
        bars.refused._asdict(),
    )
    if actions.received:
        yield _counts(
            "actions",
            actions.received,
            {
                "new": actions.stored,
                "corrected": actions.corrected,
                "unchanged": actions.unchanged,
            },
            actions.refused._asdict(),
        )
    created = sorted({*bars.created, *actions.created})
    if created:
        yield f"new symbols: {named(created)}"
    if bars.foreign:
        yield styled("[yellow]in another currency[/]: {symbols}", symbols=named(bars.foreign))
    if bars.odd_ranges:
        yield styled(
            "[yellow]{bars} with a close or open outside low and high[/], stored all the same",
            bars=formats.plural(bars.odd_ranges, "bar"),
        )
    for move in checked.raised:
        yield _move_text("[red]in quarantine[/] from {session}: {symbol}, {reason}", move)
    for move in checked.lifted:
        yield _move_text("[green]out of quarantine[/]: {symbol}, from {session} on", move)
    for move in checked.warned:
        yield _move_text("[yellow]worth a look[/]: {symbol} on {session}, {reason}", move)
    if checked.raised:
        yield "enter the split with --actions, or: riskmark prices release SYMBOL DATE"


def named(symbols: tuple[str, ...] | list[str]) -> str:
    """Name the first few symbols, and count the rest."""
    listed = ", ".join(symbols[:MOST_NAMED])
    more = len(symbols) - MOST_NAMED
    return f"{listed} and {more:,} more" if more > 0 else listed


def _counts(
    what: str, received: int, done: dict[str, int], refused: dict[str, int]
) -> "RenderableType":
    parts = [f"{count:,} {name}" for name, count in done.items() if count]
    parts += [f"[yellow]{n:,} refused[/]: {_WHY[why]}" for why, n in refused.items() if n]
    return styled(f"[bold]{received:,} {what}[/]  {', '.join(parts) or 'nothing to store'}")


def _move_text(markup: str, move: "SuspiciousMove") -> "Text":
    return styled(markup, session=move.session, symbol=move.symbol, reason=move.reason)


def _move(move: "SuspiciousMove") -> dict[str, object]:
    return {"symbol": move.symbol, "session": move.session, "reason": move.reason}
