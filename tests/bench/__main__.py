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
from tests.bench import answers, cases, providers, tables
from tests.bench.cases import Compared, Scale, Timed
from tests.bench.crowd import Crowd
from tests.bench.processes import processes
from tests.bench.scale import nights

CASES = ("backfill", "night", "crowd", "idle", "processes", "scale", "providers", "api")


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
    console = Console(width=180 if not sys.stdout.isatty() else None)
    console.print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, SQLite; "
        f"medians of {scale.repeats}, of the crowd {scale.crowd_repeats}"
    )
    compared, crowd = _compare(folder, wanted, scale, console)
    timed = _time(folder, wanted, scale)
    if timed:
        console.print(tables.timed_table(timed))
    scaled = list(nights(folder)) if "scale" in wanted else []
    if scaled:
        console.print(tables.scale_table(scaled))
        console.print(tables.scale_notes(scaled))
    missed = [*tables.missed(compared, crowd, timed), *tables.missed_scale(scaled)]
    if "providers" in wanted:
        cold = providers.cold_start(scale.repeats)
        console.print(tables.cold_table(cold))
        missed += tables.missed_cold(cold)
    if "api" in wanted:
        template, session = cases.night_template(folder, scale)
        answered = answers.answers(template, session)
        console.print(tables.answered_table(answered))
        missed += answers.missed(answered)
    for name in missed:
        console.print(f"missed: {name}")
    return 1 if missed else 0


def _compare(
    folder: Path, wanted: Sequence[str], scale: Scale, console: Console
) -> tuple[list[Compared], Crowd | None]:
    """Measure what is held against something else than the clock, and print it."""
    compared: list[Compared] = []
    if "backfill" in wanted:
        compared += [cases.backfill(folder, scale, packed=packed) for packed in (False, True)]
    if "night" in wanted:
        compared.append(cases.night(folder, scale))
    if compared:
        console.print(tables.compared_table(compared))
        console.print(tables.share_notes(compared))
    columns = {one.name.partition(":")[0]: one.timing.parts for one in compared}
    crowd = cases.crowd(folder, scale) if "crowd" in wanted else None
    if crowd is not None:
        console.print(tables.crowd_table(crowd))
        columns["crowd"] = crowd.parts
    if columns:
        console.print(tables.parts_table(columns))
    return compared, crowd


def _time(folder: Path, wanted: Sequence[str], scale: Scale) -> list[Timed]:
    timed: list[Timed] = []
    if "idle" in wanted:
        timed.append(cases.idle(folder, scale))
    if "processes" in wanted:
        timed += processes(folder, scale)
    return timed


if __name__ == "__main__":
    sys.exit(main())
