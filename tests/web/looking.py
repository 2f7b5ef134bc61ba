"""Looking at pages as a person does: signing in, and noticing what a browser complains of."""

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

from riskmark.access.signing_in import set_password
from riskmark.app import App
from riskmark.domain.accounts import AccountHolder, Role
from riskmark.storage import accounts
from riskmark.storage.audit import Actor

PASSWORD = "a calm grey heron"  # noqa: S105 - of accounts that tests make
ANNA, BOB = "anna@example.com", "bob@example.com"


@dataclass(frozen=True)
class Site:
    """A served installation."""

    base: str
    app: App
    ids: dict[str, str]


class Eyes:
    """What a browser said while it looked: errors, and requests to other hosts."""

    def __init__(self, page: Page, base: str) -> None:
        self.page = page
        self.errors: list[str] = []
        self.foreign: list[str] = []
        self.base = base
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._asked)

    def _heard(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.base, "data:", "blob:")):
            self.foreign.append(request.url)

    def go(self, path: str) -> Page:
        """Look at a page."""
        self.page.goto(self.base + path)
        return self.page

    def drawn(self) -> Page:
        """Wait until every chart of the page has been drawn."""
        self.page.wait_for_selector("html[data-charts=drawn]", state="attached")
        return self.page


def sign_in(page: Page, base: str, email: str) -> None:
    """Sign somebody in."""
    page.goto(f"{base}/sign-in")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/portfolios")


def sign_up(app: App, email: str, *, role: Role = Role.OWNER) -> AccountHolder:
    """Make an account with a password."""
    at = app.wall.now()
    with app.database.write() as connection:
        name = email.partition("@")[0].capitalize()
        account = accounts.create_account(connection, email, name, role=role, at=at)
    set_password(app.database, account, Actor(None, "-", "-"), new=PASSWORD, at=at)
    return account
