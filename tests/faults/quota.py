"""Fakes for what providers need from outside: a store of limits and a clock that never waits."""

import time
from datetime import UTC, date, datetime, timedelta

from riskmark.domain.rate_limits import LimitState, admit, after_failure, after_success

BEFORE = LimitState(day=date(1970, 1, 1))


class MemoryQuota:
    """Limits and circuits of one process, for as long as it lives."""

    def __init__(self):
        self.states = {}

    def take(self, domain, limits, *, at):
        admission, self.states[domain] = admit(self.states.get(domain, BEFORE), limits, at)
        return admission

    def succeeded(self, domain):
        self.states[domain] = after_success(self.states.get(domain, BEFORE))

    def failed(self, domain, reason, **options):
        self.states[domain] = after_failure(self.states.get(domain, BEFORE), reason, **options)


class FastTime:
    """The real clock, moved on instead of waited for."""

    def __init__(self):
        self.ahead = 0.0

    def now(self):
        return datetime.now(UTC) + timedelta(seconds=self.ahead)

    def monotonic(self):
        return time.monotonic() + self.ahead

    def sleep(self, seconds):
        self.ahead += seconds
