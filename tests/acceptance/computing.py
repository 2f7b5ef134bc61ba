"""One world for every place to compute at: built in any order, always with the same numbers.

``python -m tests.acceptance.computing URL COMPUTE SEED FILE`` builds it in a process of its
own, in the order that the seed gives, runs it, and writes what is stored to the file.
"""

import json
import os
import random
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
from tests.acceptance.world import FACTORS, World

ROOT = Path(__file__).parents[2]
SEEDS = range(5)
PLACES = ("inline", "processes:1", "processes:2", "processes:4", "dask")
SYMBOLS = ("S00", "S01", "S02", "S03", "S04")
BOOKS = tuple(f"book {number}" for number in range(4))
ENTRIES = (date(2024, 11, 25), date(2025, 12, 15), date(2025, 12, 29))


def at(world: World, compute: str) -> World:
    """Let the world's runs compute at ``compute``."""
    settings = msgspec.structs.replace(world.app.settings, compute=compute)
    world.app = replace(world.app, loaded=replace(world.app.loaded, settings=settings))
    return world


def build(world: World, seed: int = 0) -> None:
    """Enter prices and books, in an order of the seed's; several shards are needed for them."""
    chance = random.Random(seed)
    prices = [*FACTORS, *SYMBOLS[:-1]]
    names = list(BOOKS)
    chance.shuffle(prices)
    chance.shuffle(names)
    for symbol in prices:
        world.add_prices(symbol)
    for name in names:
        number = BOOKS.index(name)
        entry = ENTRIES[number % len(ENTRIES)]
        symbols = list(SYMBOLS[number % 3 :])
        chance.shuffle(symbols)
        world.add_book(name, tuple(symbols), entry, quantity=10 + number)


def run_apart(url: str, compute: str, seed: int, path: Path) -> Any:
    """Build a world and run it in a process of its own; return what is stored then."""
    command = [sys.executable, "-m", "tests.acceptance.computing", url, compute, str(seed), path]
    environment = os.environ | {"PYTHONHASHSEED": str(seed)}
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=ROOT, env=environment
    )
    assert done.returncode == 0, done.stderr
    return json.loads(path.read_text(encoding="utf-8"))


@contextmanager
def dask_cluster() -> Iterator[str]:
    """Start a Dask cluster of two processes, and give its address."""
    from distributed import LocalCluster  # noqa: PLC0415 - seconds, that few tests need

    with warnings.catch_warnings():
        # Its own warnings about ports and unclosed sockets are none of ours.
        warnings.simplefilter("ignore")
        started = LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        )
        yield started.scheduler_address.replace("tcp:", "dask:")
        started.close()


def main() -> None:
    """Build a world and run it."""
    url, compute, seed, path = sys.argv[1:]
    world = at(World(url), compute)
    build(world, int(seed))
    world.run()
    Path(path).write_text(json.dumps(world.dump()), encoding="utf-8")
    world.close()


if __name__ == "__main__":
    main()
