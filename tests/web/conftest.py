"""A demo that is served, and a browser that looks at it; without a browser its tests are skipped.

The demo is built once a process. Its portfolios belong to Anna, who operates it; Bob has none.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright
from tests.web.demo import find_browser, served_demo
from tests.web.looking import ANNA, Eyes, Site, sign_in


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Build the demo and serve it."""
    with served_demo(tmp_path_factory.mktemp("demo")) as served:
        yield served


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start a browser."""
    path = find_browser()
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
