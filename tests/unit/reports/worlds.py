"""What tests of reports share: the last sessions of a world, and its rules."""

from datetime import date

from tests.acceptance.world import LAST

from riskmark.engine.version import ENGINE_VERSION
from riskmark.planning.facts import Version
from riskmark.reports.rules import Rules

MON, TUE, WED, THU = date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 7), LAST
"""The last sessions of the world."""


def rules_of(world, target=None, *, engine=ENGINE_VERSION):
    """Return what decides whether the world's numbers are up to date."""
    return Rules(
        calendar=world.calendar,
        target=world.app.target(world.calendar, target),
        version=Version(engine, world.app.settings.numbers_hash),
        factor_symbols=world.app.settings.factor_symbols,
    )
