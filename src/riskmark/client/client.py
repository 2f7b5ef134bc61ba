"""The client: signing in, portfolios, runs, and what admins do."""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self, TypeVar

from riskmark.client import documents
from riskmark.client.errors import ApiError
from riskmark.client.portfolios import Amount, PortfolioClient
from riskmark.client.runs import Follower, RunEvent
from riskmark.client.transport import COOKIE, Form, Limits, Transport, at, decode
from riskmark.domain.accounts import Role, Scope
from riskmark.domain.portfolio import AccountType

T = TypeVar("T")

LOOKED_EVERY_S: Final = 2.0
"""How often a run is looked at, at most, while its end is waited for."""
FIRST_LOOK_S: Final = 0.1
STILL_AT_WORK: Final = "still_at_work"
"""The code when a run has not ended within the time given."""


class Client:
    """An installation, asked as somebody; a context that closes its connections.

    Parameters
    ----------
    url : str
        Where it is reached, as ``https://risk.example.com``, without ``/api``.
    token : str, optional
        A token (``riskmark token create``). Without one, ``sign_in`` opens a session.
    limits : Limits
        Seconds for connecting, and for each piece of an answer.
    pause : callable
        Waits for so many seconds, before something is asked again.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        limits: Limits = Limits(),  # noqa: B008 - it is immutable
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._transport = Transport(url, token, limits=limits, pause=pause)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; the session, if there is one, goes on until ``sign_out``."""
        self._transport.http.close()

    def sign_in(self, email: str, password: str, *, code: str | None = None) -> documents.Me:
        """Open a session, and ask within it from now on, no longer by a token.

        ``code`` are the digits of a second factor, if the account has one.
        """
        body = {"email": email, "password": password, "code": code}
        reply = self._transport.send("POST", at("session"), body=body)
        self._transport.keep_session(reply.cookies.get(COOKIE))
        return decode(reply, documents.Me)

    def sign_out(self) -> None:
        """End the session, here and on the server."""
        self._transport.send("DELETE", at("session"))
        self._transport.keep_session(None)

    def me(self) -> documents.Me:
        """Read as whom the server knows this client, and what it may do."""
        return self._transport.read(at("me"), documents.Me)

    def tokens(self) -> list[documents.Token]:
        """Read one's own tokens, the newest first."""
        return self._transport.read(at("tokens"), list[documents.Token])

    def create_token(
        self,
        name: str,
        *,
        scopes: Iterable[Scope | str] = (Scope.READ,),
        days: int | None = None,
    ) -> documents.FreshToken:
        """Make a token, for ``days`` or for good; its secret is told this once."""
        body = {"name": name, "scopes": [*scopes], "days": days}
        return self._do("POST", at("tokens"), documents.FreshToken, body=body)

    def revoke_token(self, token_id: str) -> None:
        """End a token, at once."""
        self._do("DELETE", at("tokens", token_id), type(None))

    def portfolios(self) -> list[documents.Portfolio]:
        """Read all portfolios that one may read, by name, with their state."""
        found: list[documents.Portfolio] = []
        after: str | None = None
        while True:
            query = {"after": after}
            page = self._transport.read(at("portfolios"), documents.PortfolioPage, query=query)
            found += page.portfolios
            after = page.next
            if after is None:
                return found

    def portfolio(self, portfolio_id: str) -> PortfolioClient:
        """Return a handle of one portfolio; the server is not asked."""
        return PortfolioClient(self._transport, portfolio_id)

    def onboard(
        self,
        name: str,
        csv: Path | BinaryIO | bytes | str,
        *,
        opening_equity: Amount | None = None,
        account_name: str | None = None,
        account_type: AccountType | str | None = None,
    ) -> documents.Created:
        """Make a portfolio of a positions file, and start the run that computes its numbers.

        ``csv`` is the file, or what stands in it; a text is what stands in it. A file with errors
        stores nothing: ``ApiError.errors`` has every error of every row.
        """
        said = {
            "name": name,
            "opening_equity": opening_equity,
            "account_name": account_name,
            "account_type": account_type,
        }
        fields = {key: str(value) for key, value in said.items() if value is not None}
        content = csv.read_bytes() if isinstance(csv, Path) else csv
        if isinstance(content, str):
            content = content.encode()
        file = ("positions.csv", content, "text/csv")
        reply = self._transport.send("POST", at("portfolios"), form=Form(fields, file))
        return decode(reply, documents.Created)

    def combine(self, name: str, members: Iterable[str]) -> documents.Combined:
        """Make a portfolio of the portfolios with these ids."""
        body = {"name": name, "members": [*members]}
        return self._do("POST", at("portfolios", "combined"), documents.Combined, body=body)

    def runs(self, *, limit: int = 50) -> list[documents.RunLine]:
        """Read the newest runs that one asked for."""
        query = {"limit": limit}
        return self._transport.read(at("runs"), list[documents.RunLine], query=query)

    def run(self, run_id: str) -> documents.Run:
        """Read a run: phases, symbols without data, failures."""
        return self._transport.read(at("runs", run_id), documents.Run)

    def follow(self, run_id: str, *, after: int = 0) -> Iterator[RunEvent]:
        """Yield a run's events until its end, in order, across connections that break.

        ``after`` is the number of the last ``LogLine`` that is known already.
        """
        return Follower(self._transport, run_id, after=after).events()

    def wait(self, run_id: str, *, timeout_s: float | None = None) -> documents.Run:
        """Wait until a run has ended, and return it; ``still_at_work`` after ``timeout_s``."""
        until = None if timeout_s is None else time.monotonic() + timeout_s
        pause_s = FIRST_LOOK_S
        while True:
            found = self.run(run_id)
            if found.is_over:
                return found
            if until is not None and time.monotonic() + pause_s > until:
                detail = f"the run {run_id} has not ended within {timeout_s:g} s"
                raise ApiError(None, STILL_AT_WORK, detail=detail)
            self._transport.pause(pause_s)
            pause_s = min(2 * pause_s, LOOKED_EVERY_S)

    @property
    def admin(self) -> "AdminClient":
        """What admins do."""
        return AdminClient(self._transport)

    def _do(self, method: str, path: str, kind: type[T], *, body: object = None) -> T:
        found, _ = self._transport.change(method, path, kind, body=body)
        return found


class AdminClient:
    """What admins do; everybody else is answered 403."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def status(self) -> documents.Status:
        """Read how up to date every portfolio is, the worst first."""
        return self._transport.read(at("admin", "status"), documents.Status)

    def runs(self, *, limit: int = 50) -> list[documents.RunLine]:
        """Read the newest runs of everybody."""
        query = {"limit": limit}
        return self._transport.read(at("admin", "runs"), list[documents.RunLine], query=query)

    def start_run(
        self,
        portfolios: Iterable[str] | None = None,
        *,
        as_of: date | None = None,
        first: date | None = None,
        force: bool = False,
        offline: bool = False,
    ) -> documents.Submitted:
        """Start a run, without ``portfolios`` of everything; a live one that does so is joined."""
        body = {
            "portfolios": None if portfolios is None else [*portfolios],
            "as_of": None if as_of is None else as_of.isoformat(),
            "from": None if first is None else first.isoformat(),
            "force": force,
            "offline": offline,
        }
        return self._do("POST", at("admin", "runs"), documents.Submitted, body=body)

    def cancel_run(self, run_id: str) -> documents.Cancelled:
        """Cancel a run that waits, or ask one at work to stop."""
        return self._do("POST", at("admin", "runs", run_id, "cancel"), documents.Cancelled)

    def users(self) -> list[documents.User]:
        """Read who has an account."""
        return self._transport.read(at("admin", "users"), list[documents.User])

    def add_user(
        self, email: str, name: str, *, role: Role | str = Role.OWNER
    ) -> documents.Invited:
        """Make an account, and a link by which its password is set."""
        body = {"email": email, "name": name, "role": role}
        return self._do("POST", at("admin", "users"), documents.Invited, body=body)

    def change_user(
        self, account: str, *, role: Role | str | None = None, is_disabled: bool | None = None
    ) -> documents.User:
        """Change a role, or disable an account at once, or enable it again."""
        body = {"role": role, "is_disabled": is_disabled}
        said = {name: value for name, value in body.items() if value is not None}
        return self._do("PATCH", at("admin", "users", account), documents.User, body=said)

    def _do(self, method: str, path: str, kind: type[T], *, body: object = None) -> T:
        found, _ = self._transport.change(method, path, kind, body=body)
        return found
