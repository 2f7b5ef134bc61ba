"""Two processes at once, and their successors, on one database: together within the limits."""

import json
import subprocess
import sys
import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MINUTE = timedelta(minutes=1)


def generation(database, start, count, lock):
    """Let two processes ask at once; return what each was admitted."""
    url = database.engine.url.render_as_string(hide_password=False)
    words = [url, str(start), str(count), str(lock)]
    command = [sys.executable, "-m", "tests.faults.limit_caller", *words]
    callers = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    outputs = [caller.communicate(timeout=600)[0] for caller in callers]
    assert [caller.returncode for caller in callers] == [0, 0]
    return [json.loads(output) for output in outputs]


@pytest.mark.parametrize(
    "count",
    # Three processes start after another, which takes some seconds whatever they ask.
    [pytest.param(300, id="quick"), pytest.param(5_000, id="deep", marks=pytest.mark.deep)],
)
def test_two_processes_and_two_after_them_keep_the_limits_together(database, count, tmp_path):
    start, lock = time.monotonic(), tmp_path / "lock"

    said = [one for _ in range(2) for one in generation(database, start, count // 2, lock)]

    asked = {
        name: sorted(datetime.fromisoformat(at) for one in said for at in one[name])
        for name in ("massive", "fmp")
    }
    assert all(one["massive"] or one["fmp"] for one in said)
    sixth = zip(asked["massive"], asked["massive"][5:], strict=False)
    assert min((later - first for first, later in sixth), default=MINUTE * 2) > MINUTE
    assert max(Counter(at.date() for at in asked["fmp"]).values()) <= 250
    assert len(asked["massive"]) >= 5
    assert len(asked["fmp"]) > 100


def test_two_processes_that_ask_at_the_same_instant_share_the_limits_exactly(database, tmp_path):
    said = generation(database, 0, 400, tmp_path / "lock")

    assert [sum(len(one[name]) for one in said) for name in ("massive", "fmp")] == [5, 250]
