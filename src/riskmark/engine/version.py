"""The engine's version, and what numbers that are computed now are stamped with."""

from riskmark.planning.facts import Version
from riskmark.settings import Settings

ENGINE_VERSION = 2
"""Raised by one when a change of code changes a stored number."""


def current_version(settings: Settings) -> Version:
    """Return what numbers computed now are stamped with."""
    return Version(ENGINE_VERSION, settings.numbers_hash)
