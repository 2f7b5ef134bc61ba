"""``python -m tests.bench``: measure, and print the table of docs/reference/performance.md.

The numbers of the engine and of both baselines must agree, or no table is printed. The exit
code is 1 if a bar is missed.
"""

import os

# On matrices as small as these a second thread only waits for the first.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import platform
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from tests.bench import cases
from tests.bench.cases import Compared, Scale, Timed
from tests.bench.processes import processes

CASES = ("backfill", "night", "idle", "processes")


def main() -> int:
    """Measure what was asked for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}")
    parser.add_argument("--repeats", type=int, default=Scale().repeats)
    parser.add_argument("--books", type=int, default=Scale().books)
    parser.add_argument("--dir", type=Path, help="keep the generated databases, and use them again")
    chosen = parser.parse_args()
    unknown = set(chosen.cases) - set(CASES)
    if unknown:
        parser.error(f"there is no case {', '.join(sorted(unknown))}")
    scale = Scale(books=chosen.books, repeats=chosen.repeats)
    wanted = chosen.cases or CASES
    if chosen.dir is not None:
        chosen.dir.mkdir(parents=True, exist_ok=True)
        return _measure(chosen.dir, wanted, scale)
    with tempfile.TemporaryDirectory(prefix="riskmark-bench-") as folder:
        return _measure(Path(folder), wanted, scale)


def _measure(folder: Path, wanted: Sequence[str], scale: Scale) -> int:
    console = Console(width=160 if not sys.stdout.isatty() else None)
    console.print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, SQLite; "
        f"medians of {scale.repeats}"
    )
    compared: list[Compared] = []
    if "backfill" in wanted:
        compared += [cases.backfill(folder, scale, packed=packed) for packed in (False, True)]
    if "night" in wanted:
        compared.append(cases.night(folder, scale))
    if compared:
        console.print(_compared_table(compared))
        console.print(_share_notes(compared))
    timed: list[Timed] = []
    if "idle" in wanted:
        timed.append(cases.idle(folder, scale))
    if "processes" in wanted:
        timed += processes(folder, scale)
    if timed:
        console.print(_timed_table(timed))
    missed = [one.name for one in compared if one.timing.ratio > cases.FLOOR_BAR]
    missed += [one.name for one in timed if one.seconds > one.bar]
    for name in missed:
        console.print(f"missed: {name}")
    return 1 if missed else 0


def _compared_table(compared: list[Compared]) -> Table:
    table = Table("case (seconds)", title="Read, plan, compute and write, in one process")
    for name in ("engine", "floor", "arithmetic", "read", "write", "engine ÷ floor"):
        table.add_column(name, justify="right")
    for name in ("notebook", "÷ engine", "savvy", "÷ engine"):
        table.add_column(name, justify="right")
    for one in compared:
        floor = one.timing.floor
        table.add_row(
            one.name,
            *(f"{value:.3f}" for value in (one.timing.seconds, floor.total, *floor)),
            f"{one.timing.ratio:.1f} (≤ {cases.FLOOR_BAR:.0f})",
            f"{one.notebook.seconds:.1f}",
            f"{one.notebook.seconds / one.timing.seconds:.0f}",
            f"{one.savvy.seconds:.2f}",
            f"{one.savvy.seconds / one.timing.seconds:.1f}",
        )
    return table


def _share_notes(compared: list[Compared]) -> str:
    notes = [
        f"{one.name}: of the {which}, {baseline.share:.0%} was run "
        f"({baseline.measured:.1f} s) and the rest extrapolated"
        for one in compared
        for which, baseline in (("notebook", one.notebook), ("savvy baseline", one.savvy))
        if baseline.share < 1
    ]
    return "\n".join(notes)


def _timed_table(timed: list[Timed]) -> Table:
    table = Table("case", title="Against the clock")
    for name in ("seconds", "CPU seconds", "bar"):
        table.add_column(name, justify="right")
    for one in timed:
        table.add_row(one.name, f"{one.seconds:.3f}", f"{one.cpu:.3f}", f"{one.bar:.1f}")
    return table


if __name__ == "__main__":
    sys.exit(main())
