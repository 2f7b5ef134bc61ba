"""The demo, served on a port of this machine: for the tests in a browser, and for pictures."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sqlalchemy import text
from tests.web.looking import ANNA, BOB, Site, sign_up

from riskmark.app import prepare
from riskmark.cli.answering import answer_requests, open_door
from riskmark.cli.demo_setup import accept_unpriced, fill, open_demo, prepare_folder
from riskmark.domain.accounts import Role
from riskmark.domain.reasons import Source
from riskmark.storage.books import Principal, list_portfolios

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_browser() -> str | None:
    """Return the path of a browser of this machine."""
    return next((found for name in _BROWSERS if (found := shutil.which(name))), None)


@contextmanager
def served_demo(folder: Path) -> Iterator[Site]:
    """Build the demo in a folder and serve it while the block runs."""
    prepare_folder(folder)
    app = open_demo(folder)
    prepare(app)
    fill(app, folder)
    accept_unpriced(app)
    app.run(Source.CLI)
    anna = sign_up(app, ANNA, role=Role.ADMIN)
    sign_up(app, BOB)
    with app.database.write() as connection:
        connection.execute(text("UPDATE portfolio SET owner_id = :it"), {"it": anna.account_id})
        found = list_portfolios(connection, Principal(anna.account_id))
    stop = threading.Event()
    door = open_door("127.0.0.1", 0)
    base = f"http://127.0.0.1:{door.getsockname()[1]}"
    owned = replace(app, principal=Principal(anna.account_id))
    thread = threading.Thread(target=answer_requests, args=(owned, door, stop), daemon=True)
    thread.start()
    yield Site(base, owned, {one.name: one.portfolio_id for one in found})
    stop.set()
    thread.join(15)
    app.database.close()
