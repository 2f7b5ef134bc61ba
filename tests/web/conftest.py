"""A demo that is served, and a browser that looks at it; without a browser its tests are skipped.

The demo is built once a process. Its portfolios belong to Anna, who operates it; Bob has none.
"""

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright
from sqlalchemy import text
from tests.web.looking import ANNA, BOB, Eyes, Site, sign_in, sign_up

from riskmark.app import prepare
from riskmark.cli.answering import answer_requests, open_door
from riskmark.cli.demo_setup import accept_unpriced, fill, open_demo, prepare_folder
from riskmark.domain.accounts import Role
from riskmark.domain.reasons import Source
from riskmark.storage.books import Principal, list_portfolios

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Build the demo and serve it."""
    folder = tmp_path_factory.mktemp("demo")
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


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start a browser."""
    path = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("no browser is installed: install Chromium (apt install chromium)")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="session")
def signed_in(browser: Browser, site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep the state of a browser in which Anna is signed in."""
    context = browser.new_context()
    sign_in(context.new_page(), site.base, ANNA)
    path = tmp_path_factory.mktemp("browser") / "state.json"
    context.storage_state(path=path)
    context.close()
    return path


@pytest.fixture
def context(browser: Browser, signed_in: Path) -> Iterator[BrowserContext]:
    """Open a window in which Anna is signed in."""
    opened = browser.new_context(
        storage_state=signed_in, viewport={"width": 1280, "height": 900}, color_scheme="light"
    )
    yield opened
    opened.close()


@pytest.fixture
def eyes(context: BrowserContext, site: Site) -> Eyes:
    """Look at pages as Anna; whoever asks for it looks for errors at the end."""
    return Eyes(context.new_page(), site.base)
