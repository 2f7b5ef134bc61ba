"""A cold start: nothing is stored, and a server on this machine sells three years of 30 symbols.

``python -m tests.bench.providers URL DATABASE`` is the process that asks: it runs once and
prints as JSON what that took, and the most memory that it had before and after asking.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

from tests.acceptance.provided import connect
from tests.acceptance.world import FACTORS, LAST, World, at_close
from tests.bench.crowd import peak_memory
from tests.faults.quotes import make_series
from tests.faults.server import ProviderServer

from riskmark import app as application
from riskmark.domain.reasons import Source
from riskmark.domain.runs import PRICES, PROFILES
from riskmark.engine.recorder import Progress
from riskmark.settings import load_settings

SYMBOLS = 30
SESSIONS = 756
"""Of each symbol: three years."""
WINDOW = 505
"""Of these lie before the first session that is valued, as windows reach back so far."""
BAR_S = 5.0
GROWTH_BAR = 32 << 20
"""Bytes by which asking for all symbols after the first may raise the peak."""
_ROOT = Path(__file__).parents[2]


class ColdStart(NamedTuple):
    """What a cold start takes: asking and the run in seconds, requests, and peaks in bytes.

    ``cpu``: what of the run was computed in its process.
    ``before``: when the first symbol is stored, and all clients are loaded. ``after``: when the
    last one is.
    """

    asking: float
    run: float
    cpu: float
    requests: int
    before: int
    after: int

    @property
    def name(self) -> str:
        """What is measured."""
        return f"cold start: {SYMBOLS} symbols × {SESSIONS} sessions"


def cold_start(repeats: int) -> ColdStart:
    """Start cold several times, each in a process of its own; return the medians."""
    names = tuple(f"S{number:02}" for number in range(SYMBOLS))
    found: list[ColdStart] = []
    with tempfile.TemporaryDirectory(prefix="riskmark-bench-") as folder:
        for number in range(repeats):
            path = Path(folder) / f"cold-{number}.db"
            world = _prepared(path)
            sessions = world.calendar.sessions[: world.calendar.on_or_before(LAST) + 1][-SESSIONS:]
            world.add_book("book", names, sessions[WINDOW])
            market = {
                symbol: make_series(sessions, seed=seed)
                for seed, symbol in enumerate((*names, *FACTORS))
            }
            now = world.app.clock.now()
            world.close()
            with ProviderServer(market, now=now) as server:
                found.append(_ask(server.url, path)._replace(requests=len(server.shop.asked)))
    return ColdStart(*(statistics.median(column) for column in zip(*found, strict=True)))


def _prepared(path: Path) -> World:
    url = f"sqlite:///{path}"
    app = application.build(
        load_settings(None, {}, database_url=url), application.FixedClock(at_close(LAST))
    )
    application.initialise(app)
    app.database.close()
    return World(url)


def _ask(url: str, path: Path) -> ColdStart:
    command = [sys.executable, "-m", "tests.bench.providers", url, str(path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=_ROOT)
    assert done.returncode == 0, done.stderr
    return ColdStart(**json.loads(done.stdout))


def main() -> None:
    """Run once, as a new installation does, and print what that took."""
    warnings.simplefilter("ignore")
    world = World(f"sqlite:///{sys.argv[2]}")
    connect(world, SimpleNamespace(url=sys.argv[1]), order=("yfinance",))
    start, computed = time.perf_counter(), time.process_time()
    seen: list[tuple[float, int]] = []

    def watch(progress: Progress) -> None:
        if progress.phase in {PRICES, PROFILES} and progress.message:
            seen.append((time.perf_counter(), peak_memory()))

    world.app.run(Source.CLI, observe=watch)
    end, computed = time.perf_counter(), time.process_time() - computed
    world.close()
    (_, before), (asked, after) = seen[0], seen[-1]
    found = ColdStart(asked - start, end - start, computed, 0, before, after)
    print(json.dumps(found._asdict()))


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    main()
