"""A worker at its default settings, and a portfolio over which whatever computes it dies."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from tests.acceptance.working import wait_for_end
from tests.acceptance.world import FACTORS, LAST, World, at_close

from riskmark.domain.reasons import Source

ENTRY = date(2026, 1, 2)
DEADLY = """\
import os
import signal

from riskmark.engine.shard_compute import ShardComputer

compute = ShardComputer.compute


def compute_or_die(self, task):
    if {deadly!r} in task.portfolios:
        os.kill(os.getpid(), signal.SIGKILL)
    return compute(self, task)


ShardComputer.compute = compute_or_die
"""
"""What every process of a worker does first: of a portfolio it then dies, whichever it is."""


@contextmanager
def started(words: tuple[str, ...], world: World, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a command in a process of its own, and let it end by itself after the block."""
    known = {key: value for key, value in os.environ.items() if not key.startswith("RISKMARK_")}
    paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    process = subprocess.Popen(
        [sys.executable, "-c", "from riskmark.cli.main import run; run()", *words],
        env={
            **known,
            "PYTHONPATH": os.pathsep.join(paths),
            "RISKMARK_NOW": at_close(LAST).isoformat(),
            "RISKMARK_DATABASE_URL": world.url,
            "RISKMARK_PROVIDERS__ORDER": "",
            "RISKMARK_SCHEDULE__NIGHTLY": "",
        },
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("command", ["worker", "serve"])
def test_a_portfolio_over_which_a_process_dies_costs_nobody_else_anything(
    world: World, tmp_path: Path, command: str
):
    world.add_prices(*FACTORS, "S00")
    for name in ("good", "deadly", "better"):
        world.add_book(name, ("S00",), ENTRY)
    ((deadly,),) = world.rows("SELECT id FROM portfolio WHERE name = 'deadly'")
    (tmp_path / "sitecustomize.py").write_text(DEADLY.format(deadly=deadly))
    night = world.app.submit(Source.CRON).run_id

    with started((command,), world, tmp_path) as process:
        found = wait_for_end(world.app, night)
        is_up = process.poll() is None

    failures = world.rows("SELECT DISTINCT portfolio_id, reason FROM run_failure")
    counts = world.rows("SELECT portfolio_id, COUNT(*) FROM snapshot GROUP BY portfolio_id")
    sessions = len(world.sessions(ENTRY, LAST))
    assert is_up
    assert process.returncode == 0
    assert found == ["partial"]
    assert failures == [(deadly, "crashed")]
    assert sorted(count for _, count in counts) == [sessions, sessions]
    assert deadly not in dict(counts)
    assert world.rows("SELECT attempt FROM run") == [(1,)]
