"""The engine's version, and what numbers that are computed now are stamped with."""

from riskmark.domain.sessions import Calendar
from riskmark.planning.facts import Version
from riskmark.reports.rules import Rules
from riskmark.settings import Settings

ENGINE_VERSION = 2
"""Raised by one when a change of code changes a stored number."""


def current_version(settings: Settings) -> Version:
    """Return what numbers computed now are stamped with."""
    return Version(ENGINE_VERSION, settings.numbers_hash)


def current_rules(settings: Settings, calendar: Calendar, *, target: int) -> Rules:
    """Return what decides whether numbers up to the ordinal ``target`` are up to date."""
    return Rules(
        calendar=calendar,
        target=target,
        version=current_version(settings),
        factor_symbols=settings.factor_symbols,
    )
