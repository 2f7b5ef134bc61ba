"""How a notice leaves the house: posted to an address, or by e-mail.

The addresses are the operator's own settings, so they may well be inside the network;
nobody else can name one. Redirects are not followed, and of an answer only the status is
looked at and told. What is raised never holds an address's path or a secret.

A webhook is signed as Standard Webhooks say (https://www.standardwebhooks.com), so that
receivers find code that checks it. Whoever receives the same id twice has been told once.
"""

import base64
import binascii
import hashlib
import hmac
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import TypeAlias

from riskmark.domain.notify_settings import EmailSettings, Tls, WebhookSettings
from riskmark.domain.secrets import masked_url
from riskmark.errors import ProviderError, SettingsError

_PREFIX = "whsec_"
"""Begins a secret that is written in base64."""


class NotDelivered(ProviderError):
    """A notice was not received; another attempt may help."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A notice as it goes out: its id, what a machine reads, and what a person reads."""

    letter_id: str
    event: str
    at: datetime
    body: bytes
    subject: str
    text: str


Send: TypeAlias = Callable[[Letter], None]


def post_webhook(settings: WebhookSettings, letter: Letter) -> None:
    """Post a notice; anything but a 2xx answer is a failure."""
    import httpx  # noqa: PLC0415 - slow to import, needed rarely

    secret = read_secret("notify.webhook.secret_file", settings.secret, settings.secret_file)
    stamp = str(int(letter.at.timestamp()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "riskmark",
        "Idempotency-Key": letter.letter_id,
        "Riskmark-Event": letter.event,
        "webhook-id": letter.letter_id,
        "webhook-timestamp": stamp,
    }
    if secret:
        headers["webhook-signature"] = signature(secret, letter.letter_id, stamp, letter.body)
    where = masked_url(settings.url)
    try:
        with (
            httpx.Client(timeout=settings.timeout_seconds, follow_redirects=False) as client,
            client.stream("POST", settings.url, content=letter.body, headers=headers) as answer,
        ):
            status = answer.status_code
            is_success = answer.is_success
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise NotDelivered(f"{where}: {type(error).__name__}") from None
    if not is_success:
        raise NotDelivered(f"{where} answered {status}")


def signature(secret: str, letter_id: str, stamp: str, body: bytes) -> str:
    """Return the signature of a notice: HMAC-SHA256 over its id, its time and its body."""
    signed = b".".join((letter_id.encode(), stamp.encode(), body))
    digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def send_email(settings: EmailSettings, letter: Letter) -> None:
    """Hand a notice to the mail server."""
    password = read_secret("notify.email.password_file", settings.password, settings.password_file)
    message = EmailMessage()
    message["Subject"] = letter.subject
    message["From"] = settings.sender
    message["To"] = ", ".join(settings.recipients)
    message["Date"] = format_datetime(letter.at)
    message["Message-ID"] = f"<{letter.letter_id}@riskmark.invalid>"
    message["Auto-Submitted"] = "auto-generated"
    message["Idempotency-Key"] = letter.letter_id
    message.set_content(letter.text)
    try:
        with _connected(settings) as server:
            if settings.user:
                server.login(settings.user, password)
            refused = server.send_message(message)
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise NotDelivered(f"{settings.host}:{settings.port}: {_said(error)}") from None
    if refused:
        raise NotDelivered(f"{settings.host} refuses {', '.join(sorted(refused))}")


def read_secret(name: str, text: str, file: str) -> str:
    """Return a secret from the settings, or from the file that they name."""
    if not file:
        return text
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(name, f"cannot be read: {type(error).__name__}") from None


def _connected(settings: EmailSettings) -> smtplib.SMTP:
    timeout = settings.timeout_seconds
    if settings.tls is Tls.IMPLICIT:
        return smtplib.SMTP_SSL(
            settings.host,
            settings.port,
            timeout=timeout,
            context=ssl.create_default_context(),
        )
    server = smtplib.SMTP(settings.host, settings.port, timeout=timeout)
    if settings.tls is Tls.STARTTLS:
        try:
            server.starttls(context=ssl.create_default_context())
        except BaseException:
            server.close()
            raise
    return server


def _said(error: Exception) -> str:
    """Return what went wrong: a server's code, but not its words, which may repeat ours."""
    code = getattr(error, "smtp_code", None)
    return type(error).__name__ + ("" if code is None else f" {code}")


def _key(secret: str) -> bytes:
    if secret.startswith(_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            pass  # then it is a secret that only looks like one in base64
    return secret.encode()
