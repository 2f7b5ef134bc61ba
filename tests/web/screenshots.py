"""``python -m tests.web.screenshots``: write the pictures of the README, from the demo."""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright
from tests.web.demo import find_browser, served_demo
from tests.web.looking import ANNA, Eyes, Site, sign_in

FOLDER = Path(__file__).parents[2] / "docs" / "images"
FILE = """\
Symbol,Quantity,Entry Price Per Share,Entry Date
MSFT,4O,230.15,2021-03-15
AAPL,100,122.35,2021-03-15
KO,200,47.72,15.03.2021
"""


@dataclass(frozen=True)
class Picture:
    """What is looked at, and how."""

    name: str
    path: str
    scheme: Literal["light", "dark"] = "light"
    width: int = 1280
    height: int = 860
    top: str | None = None
    """The id of the section that the picture begins with."""


PICTURES = (
    Picture("portfolios", "/portfolios", height=560),
    Picture("portfolio", "/portfolios/{Family}", height=1180),
    Picture("risk", "/portfolios/{Family}", scheme="dark", height=1000, top="factors"),
    Picture("phone", "/portfolios/{Growth}", width=390, height=844),
    Picture("mistakes", "/portfolios/new", height=900),
)


def take(browser: Browser, site: Site, picture: Picture) -> None:
    """Take one picture."""
    context = browser.new_context(
        viewport={"width": picture.width, "height": picture.height},
        color_scheme=picture.scheme,
        device_scale_factor=2 if picture.width < 600 else 1,
    )
    page = context.new_page()
    sign_in(page, site.base, ANNA)
    eyes = Eyes(page, site.base)
    eyes.go(picture.path.format(**site.ids))
    if "{" in picture.path:
        eyes.drawn()
    if picture.name == "mistakes":
        _make_mistakes(page)
    if picture.top is not None:
        page.evaluate("id => document.getElementById(id).scrollIntoView()", picture.top)
    page.wait_for_timeout(300)
    page.screenshot(path=FOLDER / f"{picture.name}.png")
    context.close()
    errors = [one for one in eyes.errors if "422" not in one]  # the file that is refused
    if errors or eyes.foreign:
        sys.exit(f"{picture.name}: {errors} {eyes.foreign}")


def _make_mistakes(page: Page) -> None:
    page.locator("input[type=file]").set_input_files(
        {"name": "mine.csv", "mimeType": "text/csv", "buffer": FILE.encode()}
    )
    page.get_by_role("button", name="Create the portfolio").click()
    page.get_by_text("15.03.2021").first.wait_for()


def main() -> None:
    """Take all pictures."""
    path = find_browser()
    if path is None:
        sys.exit("no browser is installed: install Chromium (apt install chromium)")
    FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        served_demo(Path(folder)) as site,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for picture in PICTURES:
            take(browser, site, picture)
        browser.close()


if __name__ == "__main__":
    main()
