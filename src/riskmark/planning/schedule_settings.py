"""What an installation says of its schedule."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from riskmark.planning.schedule import Schedule, problem_of


class ScheduleSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When the night's run is due: cron expressions, and the zone whose clock they mean."""

    nightly: tuple[str, ...]
    timezone: str

    @property
    def schedule(self) -> Schedule:
        """The schedule that this says."""
        return Schedule(self.nightly, ZoneInfo(self.timezone))

    @property
    def problem(self) -> str | None:
        """What of it cannot be; None if all can."""
        for expression in self.nightly:
            if problem := problem_of(expression):
                return f"nightly: {problem}"
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return f"timezone: {self.timezone!r} is none, such as America/New_York or UTC"
        return None
