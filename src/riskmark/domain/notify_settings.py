"""What an installation says of notices: where they go, and which events are worth one."""

from enum import StrEnum
from urllib.parse import urlsplit

import msgspec

_MOST_PORT = 65_535


class NoticeEvent(StrEnum):
    """What a notice may be about; the values are part of the interface."""

    RUN_SUCCEEDED = "run_succeeded"
    RUN_PARTIAL = "run_partial"
    RUN_FAILED = "run_failed"
    RUN_CANCELLED = "run_cancelled"
    PORTFOLIO_BEHIND = "portfolio_behind"


class Channel(StrEnum):
    """How a notice travels."""

    WEBHOOK = "webhook"
    EMAIL = "email"


class Tls(StrEnum):
    """How a connection to a mail server is encrypted."""

    NONE = "none"
    STARTTLS = "starttls"
    IMPLICIT = "implicit"


class WebhookSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An address that notices are posted to; empty: none."""

    url: str
    secret: str
    secret_file: str
    events: tuple[NoticeEvent, ...]
    timeout_seconds: float

    @property
    def problem(self) -> str | None:
        """What of it cannot be; the address itself may be a secret and is not repeated."""
        if self.secret and self.secret_file:
            return "secret and secret_file are both given"
        if self.url and not _is_server(self.url):
            return "url must be https://HOST… or http://HOST…, without a user or a fragment"
        return None if self.timeout_seconds > 0 else "timeout_seconds must be above 0"


class EmailSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A mail server, and who writes to whom; an empty host: none."""

    host: str
    port: int
    tls: Tls
    user: str
    password: str
    password_file: str
    sender: str
    recipients: tuple[str, ...]
    events: tuple[NoticeEvent, ...]
    timeout_seconds: float

    @property
    def problem(self) -> str | None:
        """What of it cannot be; None if all can."""
        if self.password and self.password_file:
            return "password and password_file are both given"
        if not 0 < self.port <= _MOST_PORT:
            return f"port must be from 1 to {_MOST_PORT:,}"
        if self.timeout_seconds <= 0:
            return "timeout_seconds must be above 0"
        return self._problem_of_mail if self.host else None

    @property
    def _problem_of_mail(self) -> str | None:
        if not self.recipients:
            return "recipients is empty"
        for address in (self.sender, *self.recipients):
            if not _is_address(address):
                return f"{address!r} is not an e-mail address"
        if self.tls is Tls.NONE and (self.password or self.password_file):
            return "a password needs tls = 'starttls' or 'implicit'"
        return None


class NotifySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every channel, and how long after a firing portfolios may be behind."""

    behind_after_minutes: float
    webhook: WebhookSettings
    email: EmailSettings

    def channels(self, event: NoticeEvent) -> tuple[Channel, ...]:
        """Return the channels on which ``event`` is told."""
        found = []
        if self.webhook.url and event in self.webhook.events:
            found.append(Channel.WEBHOOK)
        if self.email.host and event in self.email.events:
            found.append(Channel.EMAIL)
        return tuple(found)

    @property
    def problem(self) -> str | None:
        """What of it cannot be; None if all can."""
        if self.behind_after_minutes < 0:
            return "behind_after_minutes must be 0 or more"
        if problem := self.webhook.problem:
            return f"webhook: {problem}"
        return f"email: {problem}" if (problem := self.email.problem) else None


def _is_server(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return False
    is_plain = url.isascii() and url.isprintable() and " " not in url
    is_open = parts.username is None and not parts.fragment
    return is_plain and is_open and parts.scheme in {"http", "https"} and bool(parts.hostname)


def _is_address(text: str) -> bool:
    local, _, host = text.rpartition("@")
    return bool(local and host) and text.isprintable() and not set(text) & set(' ,;<>"')
