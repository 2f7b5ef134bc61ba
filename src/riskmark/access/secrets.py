"""Secrets that are handed out once: of sessions, tokens and set-up links.

They are 256 random bits, so that a plain digest of them can be stored: nobody can try them
out. The prefix tells a person, and whoever scans for leaked secrets, what was found.
"""

import hashlib
import secrets
from typing import NamedTuple

SESSION, TOKEN, LINK = "rms_", "rmt_", "rml_"


class Secret(NamedTuple):
    """A secret, and the digest by which it is found again."""

    text: str
    digest: str


def new_secret(prefix: str) -> Secret:
    """Return a new random secret."""
    text = prefix + secrets.token_urlsafe(32)
    return Secret(text, digest_of(text))


def digest_of(text: str) -> str:
    """Return the digest that is stored of a secret."""
    return hashlib.sha256(text.encode()).hexdigest()
