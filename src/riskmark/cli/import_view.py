"""What an import of positions says: errors by row, what was stored, what an update changes."""

from typing import TYPE_CHECKING

from riskmark.cli import formats, output
from riskmark.cli.tables import cut, make_table
from riskmark.reports.books import lot_document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from riskmark.domain.portfolio import Lot
    from riskmark.intake.positions_file import PositionsFile
    from riskmark.intake.row_errors import RowIssue
    from riskmark.storage.lots import LotChanges

MOST_SHOWN = 40


def show_issues(found: "PositionsFile", *, as_json: bool) -> None:
    """Show why a file was refused: JSON to standard output, a table to standard error."""
    if as_json:
        output.show_json(found.answer())
        return
    total = found.total_errors
    output.note(_issue_table(found.errors, "red"))
    if total > MOST_SHOWN:
        output.note(f"… and {total - MOST_SHOWN:,} more")
    output.fail(f"{formats.plural(total, 'error')} in the file; nothing was stored")


def show_created(
    name: str, portfolio_id: str | None, found: "PositionsFile", *, as_json: bool
) -> None:
    """Show a new portfolio; without an id it was a dry run."""
    symbols = {lot.symbol for lot in found.lots}
    if as_json:
        output.show_json(
            {
                "portfolio": {"id": portfolio_id, "name": name},
                "dry_run": portfolio_id is None,
                "lots": len(found.lots),
                "symbols": len(symbols),
                **found.answer(),
            }
        )
        return
    _note_warnings(found)
    what = f"{formats.plural(len(found.lots), 'lot')} of {formats.plural(len(symbols), 'symbol')}"
    if portfolio_id is None:
        output.note(f"{name!r} would be stored with {what}; this was a dry run")
        return
    output.note(f"stored {name!r} ({portfolio_id}) with {what}; next: riskmark run")


def show_changes(
    name: str, changes: "LotChanges", found: "PositionsFile", *, is_dry: bool, as_json: bool
) -> None:
    """Show what an update adds, changes and removes."""
    if as_json:
        output.show_json(
            {
                "portfolio": {"name": name},
                "dry_run": is_dry,
                "added": [lot_document(lot) for lot in changes.added],
                "changed": [
                    {"from": lot_document(old), "to": lot_document(new)}
                    for old, new in changes.changed
                ],
                "removed": [lot_document(lot) for lot in changes.removed],
                **found.answer(),
            }
        )
        return
    _note_warnings(found)
    if not changes:
        output.note(f"{name!r} holds exactly these lots already")
        return
    output.show(_change_table(changes))
    done = "would change; this was a dry run" if is_dry else "changed; next: riskmark run"
    output.note(
        f"{name!r}: {len(changes.added):,} added, {len(changes.changed):,} changed, "
        f"{len(changes.removed):,} removed; the book {done}"
    )


def _note_warnings(found: "PositionsFile") -> None:
    if found.warnings:
        output.note(_issue_table(found.warnings, "yellow"))


def _issue_table(issues: "Sequence[RowIssue]", style: str) -> "Table":
    from rich.text import Text

    table = make_table("Row>", "Column…", "Code", "Value…", "Expected…")
    for issue in issues[:MOST_SHOWN]:
        table.add_row(
            "" if issue.row is None else str(issue.row),
            cut(issue.column or ""),
            Text(issue.code, style=style),
            cut(issue.value),
            issue.expected,
        )
    return table


def _change_table(changes: "LotChanges") -> "Table":
    from rich.text import Text

    table = make_table("", "Symbol", "Entry", "Quantity>", "Price>", "Exit")
    for lot in changes.added:
        table.add_row(Text("added", style="green"), *_lot_cells(lot))
    for old, new in changes.changed:
        table.add_row(Text("from", style="yellow"), *_lot_cells(old))
        table.add_row(Text("to", style="yellow"), *_lot_cells(new))
    for lot in changes.removed:
        table.add_row(Text("removed", style="red"), *_lot_cells(lot))
    return table


def _lot_cells(lot: "Lot") -> tuple[str, ...]:
    leaving = "" if lot.exit_date is None else f"{lot.exit_date} at {formats.price(lot.exit_price)}"
    return (
        lot.symbol,
        lot.entry_date.isoformat(),
        formats.quantity(lot.quantity),
        formats.price(lot.entry_price),
        leaving,
    )
