"""Whole processes, from start to exit, with compiled bytecode."""

import compileall
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from tests.bench import installation
from tests.bench.cases import (
    HISTORY,
    Scale,
    Timed,
    backfill_database,
    backfill_inputs,
    timed,
    times_of,
)

import riskmark

RUN_BAR_S = 2.0
START_BAR_S = 0.5


def processes(folder: Path, scale: Scale) -> list[Timed]:
    """Time the command line on the installation of the backfill."""
    compileall.compile_dir(str(Path(riskmark.__file__).parent), quiet=1)
    market, book = backfill_inputs()
    template = backfill_database(folder, market, book, packed=False)
    session = market.sessions[-1]
    path = installation.copy_of(template, "process.db")

    def measure(name: str, *arguments: str, bar: float, fresh: bool = False) -> Timed:
        taken = []
        for _ in range(scale.repeats + 1):
            if fresh:
                installation.copy_of(template, path.name)
            taken.append(times_of(lambda: _riskmark(arguments, path, session)))
        return timed(name, taken[1:], bar=bar)  # the first fills the file cache

    return [
        measure(f"riskmark run: {HISTORY} sessions of one book", "run", bar=RUN_BAR_S, fresh=True),
        measure("riskmark run: nothing to do", "run", bar=RUN_BAR_S),
        measure("riskmark status", "status", bar=START_BAR_S),
        measure("riskmark --help", "--help", bar=START_BAR_S),
    ]


def _riskmark(arguments: Sequence[str], path: Path, session: date) -> None:
    command = Path(sys.executable).with_name("riskmark")
    environment = {
        "PATH": os.environ["PATH"],
        # The command must be that of the code which made the database.
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "RISKMARK_DATABASE_URL": f"sqlite:///{path}",
        "RISKMARK_NOW": f"{session}T22:00:00Z",
    }
    done = subprocess.run(
        [command, *arguments], check=False, capture_output=True, cwd=path.parent, env=environment
    )
    assert done.returncode == 0, done.stderr.decode()
