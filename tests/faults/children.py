"""Runs whose child processes die or stall: what the children are told, and how they are run.

``python -m tests.faults.children URL FOLDER`` runs two children that never end, and each of
which leaves a file in the folder when it has begun.
"""

import os
import signal
import sys
import time
from functools import partial
from pathlib import Path

from tests.acceptance.world import World

from riskmark import faults
from riskmark.domain.reasons import Source
from riskmark.engine.child_processes import ChildProcesses
from riskmark.engine.compute import Team
from riskmark.engine.run import RunResult, run_batch
from riskmark.storage.calendar import load_calendar


def die_at(passes: tuple[int, ...], counter: Path) -> None:
    """Let every child die at these passes of the beginning of a shard, counted over all."""

    def hook(name: str) -> None:
        if name == "shard.computing":
            with counter.open("a") as file:
                file.write("x")
            if counter.stat().st_size in passes:
                os.kill(os.getpid(), signal.SIGKILL)

    faults.set_hook(hook)


def stall(begun: Path) -> None:
    """Let every child say that it has begun a shard, and never end it."""

    def hook(name: str) -> None:
        if name == "shard.computing":
            (begun / str(os.getpid())).touch()
            time.sleep(600)

    faults.set_hook(hook)


def run_with(world: World, workers: int, prepare, **options) -> RunResult:
    """Run with children that ``prepare`` was called in."""
    return run_at(world, Team("", lambda _: ChildProcesses(workers, prepare)), **options)


def run_at(world: World, team: Team, **options) -> RunResult:
    """Run with a team."""
    app = world.app
    with app.database.read() as connection:
        calendar = load_calendar(connection)
        request = app.request(connection, Source.CLI, calendar=calendar)
    return run_batch(app.database, app.settings, app.clock, request, team=team, **options)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as the command line has it
    run_with(World(sys.argv[1]), 2, partial(stall, Path(sys.argv[2])))
