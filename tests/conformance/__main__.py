"""``python -m tests.conformance``: compare every measure with its oracle, and write the page.

The exit code is 1 if a number is out of its tolerance.
"""

import os

# On matrices as small as these a second thread only waits for the first.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table
from tests.conformance import page
from tests.conformance.areas import AREAS, rows_of
from tests.conformance.comparisons import Row


def main() -> int:
    """Compare, show, write; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("--page", type=Path, default=page.PATH, help="where to write the page")
    chosen = parser.parse_args()
    console = Console(width=180 if not sys.stdout.isatty() else None)
    found = {}
    for area in AREAS:
        found[area.AREA] = rows_of(area)
        console.print(_table(area.AREA, found[area.AREA]))
    chosen.page.write_text(page.page_of(found), encoding="utf-8")
    rows = [row for part in found.values() for row in part]
    broken = [row for row in rows if not row.holds]
    for row in broken:
        console.print(f"out of tolerance: {row.measure}, {row.source}: {page.difference_of(row)}")
    console.print(
        f"{len(rows)} rows, {sum(row.values for row in rows):,} values, {len(broken)} out of "
        f"tolerance; written to {chosen.page}"
    )
    return 1 if broken else 0


def _table(title: str, rows: tuple[Row, ...]) -> Table:
    table = Table("measure", "oracle", "data", title=title)
    for name in ("values", "largest difference", "tolerance"):
        table.add_column(name, justify="right")
    for row in rows:
        oracle = f"{row.oracle.name} ({row.oracle.version})"
        numbers = (f"{row.values:,}", page.difference_of(row), page.tolerance_of(row))
        table.add_row(
            row.measure, oracle, row.source, *numbers, style=None if row.holds else "bold red"
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
