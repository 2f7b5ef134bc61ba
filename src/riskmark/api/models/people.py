"""People and what they did, for admins; and the state of everything."""

from datetime import date, datetime
from typing import Any

from riskmark.api.models.common import Answer
from riskmark.domain.accounts import Role
from riskmark.domain.reasons import PortfolioState


class User(Answer):
    """An account that somebody may sign in with."""

    id: str
    name: str
    email: str | None
    role: Role
    created_at: datetime
    disabled_at: datetime | None
    has_password: bool
    has_totp: bool


class Invited(User):
    """An account with the secret of the link by which its password is set; told this once."""

    link: str


class AuditLine(Answer):
    """Who did what to which object, from where."""

    id: int
    at: datetime
    account: str | None
    action: str
    kind: str
    object: str
    address: str
    request_id: str
    detail: dict[str, Any]


class IssueCount(Answer):
    """How many symbols have one reason; ``symbols`` is null where the book is not open to one."""

    reason: str
    count: int
    accepted: int
    symbols: list[str] | None


class PortfolioLine(Answer):
    """How up to date a portfolio is."""

    id: str
    name: str
    first_session: date | None
    valued_through: date | None
    missing: int
    stale: int
    partial: int
    rebuilding: int
    state: PortfolioState
    reasons: list[IssueCount]
    causes: dict[str, int]


class Status(Answer):
    """How up to date every portfolio is."""

    target: date
    portfolios: list[PortfolioLine]


class Cancelled(Answer):
    """A run that was cancelled, or asked to stop; ``status`` is what it had."""

    run: str
    status: str
