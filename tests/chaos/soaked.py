"""The process of the soak: ``python -m tests.chaos.soaked URL SEED SECONDS``.

Prints a line after each run: how it ended, and what the process holds.
"""

import gc
import json
import sys
import time
import warnings
from decimal import Decimal
from random import Random

import psutil
from tests.acceptance.provided import connect
from tests.acceptance.world import FACTORS, FIRST, LAST, World, at_close
from tests.faults.dialects import FMP
from tests.faults.provider_faults import FAULTS
from tests.faults.quotes import make_series
from tests.faults.server import ProviderServer

from riskmark import app as application
from riskmark.settings import load_settings

SYMBOLS = ("S00", "S01", "S02", "S03")
BOOKS = {"one": SYMBOLS[:3], "two": SYMBOLS[1:]}
BEGIN = 100
"""The place of the first night's session."""
KINDS = [fault for fault in FAULTS if FMP in fault.dialects]
FAULTY = 0.05
PAUSE_S = 0.2
REQUESTS = 1_000
"""More than the provider is asked in a run."""


def main(url: str, seed: int, seconds: float) -> None:
    """Run again and again."""
    warnings.simplefilter("ignore")  # the clients' own modules warn as they are imported
    chance = Random(seed)
    world = _stage(url)
    nights = iter(world.sessions(FIRST, LAST)[BEGIN:])
    process = psutil.Process()
    started = time.monotonic()
    with ProviderServer(_market(world)) as server:
        connect(world, server, order=("fmp",), timeout_s=0.5)
        while time.monotonic() - started < seconds:
            world.at(next(nights, LAST))
            server.shop.now = world.app.clock.now()
            _disturb(server, chance)
            _change(world, chance)
            status = world.run().status.value
            gc.collect()
            said = {
                "at": time.monotonic() - started,
                "status": status,
                "rss": process.memory_info().rss,
                "files": process.num_fds(),
                "threads": process.num_threads(),
            }
            print(json.dumps(said), flush=True)
            time.sleep(PAUSE_S)
    world.close()


def _stage(url: str) -> World:
    loaded = load_settings(None, {}, database_url=url)
    app = application.build(loaded, application.FixedClock(at_close(LAST)))
    application.initialise(app)
    app.database.close()
    world = World(url)
    entry = world.sessions(FIRST, LAST)[BEGIN - 20]
    for name, symbols in BOOKS.items():
        world.add_book(name, symbols, entry)
    return world


def _market(world: World) -> dict:
    """Make what the provider sells, with the prices at which the books began."""
    sessions = world.sessions(FIRST, LAST)
    return {
        symbol: make_series(sessions, seed=place)
        for place, symbol in enumerate((*SYMBOLS, *FACTORS))
    }


def _disturb(server: ProviderServer, chance: Random) -> None:
    """Let a fault of one kind meet five in a hundred of the requests of a night."""
    faulty = [number for number in range(REQUESTS) if chance.random() < FAULTY]
    server.play(chance.choice(KINDS), faulty)


def _change(world: World, chance: Random) -> None:
    """Let money flow, so that there is always something to compute; forget what is believed."""
    name = chance.choice(tuple(BOOKS))
    day = world.sessions(FIRST, LAST)[BEGIN - chance.randint(1, 10)]
    with world.app.database.write() as connection:
        editor = world.editor(connection, name)
        editor.add_flow(day, Decimal(chance.randint(1, 1000)))
        editor.finish()
        for statement in (
            "UPDATE provider_limit SET open_until = NULL, failures = 0",
            "DELETE FROM provider_symbol",
        ):
            connection.exec_driver_sql(statement)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
