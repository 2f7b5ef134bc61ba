"""What of the settings must not be seen: found by name, and taken out of any text."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote_plus, urlsplit

MASK = "***"
_WORDS = ("password", "secret", "api_key", "token")
_WEBHOOK = "webhook.url"
_BASE_URL = ".base_url"
_USER = re.compile(r"^((?:[^:/]*:)?//[^:/@]*:)([^@]*(?:@[^@/?]*)*)(?=@)")
"""What is before the password of an address, and the password, up to the last ``@`` of its login.

It may hold anything; behind an ``@`` that was not encoded, no ``/`` and no ``?``.
"""
_QUERY = re.compile(r"(?<=[?&])([^=&]*)=([^&]*)")
_SHORTEST = 4
"""Shorter values are not looked for in texts: they would be found in innocent words."""


def is_secret(name: str) -> bool:
    """Whether the setting of this name holds a secret."""
    return any(word in name for word in _WORDS)


def masked(name: str, value: object) -> object:
    """Return a setting's value as it may be shown."""
    if value and is_secret(name):
        return MASK
    if value and name.endswith(_WEBHOOK):
        return masked_url(str(value))
    if value and name.endswith(_BASE_URL):
        return without_login(str(value))
    if name == "database_url":
        return masked_database_url(str(value))
    return value


def masked_url(url: str) -> str:
    """Return the server of an address alone: who knows the rest may often use it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/{MASK}"


def without_login(url: str) -> str:
    """Return an address with the secret of its login masked."""
    # By hand, as what is not an address at all is shown in an error.
    before, at, server = url.rpartition("@")
    if not at:
        return url
    scheme, slashes, login = before.rpartition("://")
    user, colon, _ = login.partition(":")
    return f"{scheme}{slashes}{f'{user}:' if colon else ''}{MASK}@{server}"


def _login(url: str) -> str | None:
    """Return the password in an address, or the name that stands alone as a token does."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts.password or parts.username or None


def masked_database_url(url: str) -> str:
    """Return the address of a database as it may be shown: passwords are masked.

    One may stand before the server and, under several names, among what follows the ``?``.
    """

    def hide(found: re.Match[str]) -> str:
        return f"{found[1]}={MASK}" if found[2] and _is_key(found[1]) else found[0]

    return _QUERY.sub(hide, _USER.sub(rf"\g<1>{MASK}", url))


def secrets_in(settings: Mapping[str, object]) -> tuple[str, ...]:
    """Return the values of every secret setting, the longest first."""
    found = {value for value in _secret_values(settings) if len(value) >= _SHORTEST}
    return tuple(sorted(found, key=lambda value: (-len(value), value)))


def without_secrets(text: str, secrets: tuple[str, ...]) -> str:
    """Return a text with every secret in it masked."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text


def _secret_values(settings: Mapping[str, object], prefix: str = "") -> Iterator[str]:
    for key, value in settings.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _secret_values(value, f"{name}.")
        elif isinstance(value, str) and value:
            if is_secret(key) and not key.endswith("_file"):
                yield value
            elif name.endswith(_WEBHOOK):
                yield value
                # What stands after the server is the part that lets anybody post.
                parts = urlsplit(value)
                yield from (parts.path.strip("/"), parts.query)
            elif name.endswith(_BASE_URL) and (login := _login(value)):
                yield login
            elif key == "database_url":
                yield from _passwords(value)


def _passwords(url: str) -> Iterator[str]:
    """Yield the passwords of a database's address, as they stand there and as they are meant."""
    found = [user[2] for user in _USER.finditer(url)]
    found += [query[2] for query in _QUERY.finditer(url) if _is_key(query[1])]
    for password in found:
        yield from (password, unquote_plus(password))


def _is_key(name: str) -> bool:
    return is_secret(unquote_plus(name).lower())
