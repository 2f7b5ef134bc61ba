"""The crowd: one night of ten thousand books, in a process of its own.

``python -m tests.bench.crowd DATABASE SESSION`` is that process: it runs the engine once and
prints what it took, and its peak memory, as JSON.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import NamedTuple

from tests.bench import installation, parts

from riskmark.domain.reasons import Source

BOOKS = 10_000
STOCKS = 5_000
HISTORY = 64
"""Sessions of the books before the night, a quarter: more of them would be gigabytes, and
would make writing, by which the rest is measured, only slower."""
DETAILED = 2
"""Sessions of these that have positions, exposures, stresses and sectors."""
SESSIONS = 600
"""Of the market: its windows reach back 505 sessions before the night."""
MEMORY_BAR = 2 << 30
_ROOT = Path(__file__).parents[2]


class Crowd(NamedTuple):
    """Seconds of a run, where they go, and the most memory that its process ever had."""

    name: str
    seconds: float
    parts: Mapping[str, float]
    peak: int

    @property
    def computing(self) -> float:
        """Seconds of arithmetic and Python, which may be no more than those of writing."""
        return parts.arithmetic_of(self.parts) + self.parts[parts.ROWS]

    @property
    def writing(self) -> float:
        """Seconds of writing."""
        return self.parts[parts.WRITE]


def run_apart(path: Path, session: date) -> Crowd:
    """Run the night in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.crowd", str(path.resolve()), session.isoformat()]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=_ROOT)
    found = json.loads(done.stdout)
    return Crowd("", sum(found["parts"].values()), found["parts"], found["peak"])


def main() -> None:
    """Run the engine once on a database, and print what it took."""
    path, session = Path(sys.argv[1]), date.fromisoformat(sys.argv[2])
    app = installation.open_at(path, session)
    seconds = parts.time_run(lambda: app.run(Source.CLI))
    app.database.close()
    print(json.dumps({"parts": seconds, "peak": peak_memory()}))


def peak_memory() -> int:
    """Return the most bytes that this process has had in memory.

    What ``getrusage`` tells may be that of the process that started this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(one for one in status.read_text().splitlines() if one.startswith("VmHWM"))
        return int(line.split()[1]) << 10
    unit = 1 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    main()
