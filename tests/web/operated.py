"""A world that is served with its worker, for the pages of onboarding and operation."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.acceptance.working import worker_of
from tests.acceptance.world import FACTORS, FIRST, LAST, World, at_close
from tests.web.looking import ANNA, BOB, sign_up

from riskmark import app as application
from riskmark.cli.answering import answer_requests, open_door
from riskmark.domain.accounts import Role
from riskmark.settings import load_settings

HOSTILE = "<script>alert('x')</script> & \"Söhne\" " + "long" * 12
STOCKS = ("AAA", "BBB", "CCC")
JUMP = 40


def make_world(path: Path) -> World:
    """Return a world with nothing in it."""
    url = f"sqlite:///{path / 'riskmark.db'}"
    prepared = application.build(
        load_settings(None, {}, database_url=url), application.FixedClock(at_close(LAST))
    )
    application.initialise(prepared)
    prepared.database.close()
    return World(url)


def fill(world: World) -> None:
    """Give a world prices, a quarantine, a symbol that nobody has, books, runs."""
    world.add_prices(*FACTORS, *STOCKS)
    # A tenth of the price from one session on looks like a split that nobody told of.
    jump = world.sessions(FIRST, LAST)[-JUMP]
    closes = {day: close / (10 if day >= jump else 1) for day, close in world.closes("JMP").items()}
    world.add_bars("JMP", closes)
    entry = world.sessions(FIRST, LAST)[-20]
    world.add_book("plain", ("AAA", "JMP"), entry)
    world.add_book(HOSTILE, ("AAA", "NONE"), entry)
    world.run()


@contextmanager
def operated(world: World, *, has_worker: bool = True) -> Iterator[str]:
    """Serve a world to Anna, who operates it, and Bob; give its address."""
    sign_up(world.app, ANNA, role=Role.ADMIN)
    sign_up(world.app, BOB)
    stop = threading.Event()
    door = open_door("127.0.0.1", 0)
    thread = threading.Thread(target=answer_requests, args=(world.app, door, stop), daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{door.getsockname()[1]}"
    try:
        if has_worker:
            with worker_of(world.app):
                yield address
        else:
            yield address
    finally:
        stop.set()
        thread.join(15)
