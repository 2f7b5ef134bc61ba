"""Whole processes, from start to exit, with compiled bytecode."""

import compileall
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import riskmark
from tests.bench import installation
from tests.bench.cases import HISTORY, Scale, Timed, backfill_database, backfill_inputs, seconds_of

RUN_BAR_S = 2.0
START_BAR_S = 0.5


def processes(folder: Path, scale: Scale) -> list[Timed]:
    """Time the command line on the installation of the backfill."""
    compileall.compile_dir(str(Path(riskmark.__file__).parent), quiet=1)
    market, book = backfill_inputs()
    template = backfill_database(folder, market, book, packed=False)
    session = market.sessions[-1]
    path = installation.copy_of(template, "process.db")

    def timed(name: str, *arguments: str, bar: float, fresh: bool = False) -> Timed:
        taken = []
        for _ in range(scale.repeats + 1):
            if fresh:
                installation.copy_of(template, path.name)
            taken.append(seconds_of(lambda: _riskmark(arguments, path, session)))
        return Timed(name, statistics.median(taken[1:]), bar)  # the first fills the file cache

    return [
        timed(f"riskmark run: {HISTORY} sessions of one book", "run", bar=RUN_BAR_S, fresh=True),
        timed("riskmark run: nothing to do", "run", bar=RUN_BAR_S),
        timed("riskmark status", "status", bar=START_BAR_S),
        timed("riskmark --help", "--help", bar=START_BAR_S),
    ]


def _riskmark(arguments: Sequence[str], path: Path, session: object) -> None:
    command = Path(sys.executable).with_name("riskmark")
    environment = {
        "PATH": os.environ["PATH"],
        "RISKMARK_DATABASE_URL": f"sqlite:///{path}",
        "RISKMARK_NOW": f"{session}T22:00:00Z",
    }
    subprocess.run(
        [command, *arguments], check=True, capture_output=True, cwd=path.parent, env=environment
    )
