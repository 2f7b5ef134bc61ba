"""One world for every place to compute at: built in any order, always with the same numbers.

``python -m tests.acceptance.computing URL COMPUTE SEED FILE`` builds it in a process of its
own, in the order that the seed gives, runs it, and writes what is stored to the file.
"""

import json
import random
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import msgspec
from tests.acceptance.world import FACTORS, World

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
