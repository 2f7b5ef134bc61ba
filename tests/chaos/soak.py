"""The soak: run after run in one process, its memory and its files watched.

Something changes before every run, and the provider that is asked, on this machine, gives
five answers in a hundred that are faults. What is measured begins after a warm-up.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.chaos.cluster import Cluster
from tests.chaos.page import Figures

NAME = "soak"
TITLE = "run after run in one process, 5 % of the provider's answers faults"
WARM_UP = 0.25
"""The share of the time before which nothing is measured."""
MAX_GROWTH = 0.10
ROOT = Path(__file__).parents[2]


class Leaking(AssertionError):
    """Memory or open files grew."""


def soak(database: str, *, seed: int, minutes: float) -> Figures:
    """Run for so many minutes; raise if memory, files or threads grew."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="riskmark-soak-") as folder:
        cluster = Cluster() if database == "postgresql" else None
        url = f"sqlite:///{folder}/soak.db" if cluster is None else cluster.url
        try:
            told = subprocess.run(
                [sys.executable, "-m", "tests.chaos.soaked", url, str(seed), str(minutes * 60)],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                check=True,
                text=True,
            ).stdout
        finally:
            if cluster is not None:
                cluster.close()
    samples = [json.loads(line) for line in told.splitlines()]
    happened = Counter(check(samples))
    return Figures(NAME, TITLE, database, happened, time.monotonic() - started, whole=len(samples))


def check(samples: list[dict]) -> list[str]:
    """Return how each run ended; raise if what the process holds grew after the warm-up."""
    end = samples[-1]["at"]
    kept = [one for one in samples if one["at"] > WARM_UP * end]
    third = max(len(kept) // 3, 1)
    for name, allowed in (("rss", MAX_GROWTH), ("files", 0.0), ("threads", 0.0)):
        early, late = (
            sorted(one[name] for one in part)[third // 2] for part in (kept[:third], kept[-third:])
        )
        if late > early * (1 + allowed):
            raise Leaking(f"{name} grew from {early:,} to {late:,} in {len(kept)} runs")
    return [one["status"] for one in samples]
