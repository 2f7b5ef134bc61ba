"""Fakes for what providers need from outside: a store of limits and a clock that never waits."""

import time
from datetime import UTC, datetime, timedelta

from riskmark.providers.limits import Admission


class MemoryQuota:
    """Limits and circuits of one process, for as long as it lives."""

    def __init__(self):
        self.calls = {}
        self.failures = {}
        self.open_until = {}
        self.why = {}

    def take(self, domain, limits, *, at):
        until = self.open_until.get(domain)
        if until is not None and at < until:
            outcome = self.why[domain]
            return Admission(
                is_admitted=False,
                reason=outcome.reason,
                until=until,
                detail=f"left alone: {outcome.detail}",
            )
        calls = self.calls.setdefault(domain, [])
        recent = [call for call in calls if call > at - timedelta(minutes=1)]
        if limits.per_minute is not None and len(recent) >= limits.per_minute:
            return Admission(
                is_admitted=False, until=recent[-limits.per_minute] + timedelta(minutes=1)
            )
        calls.append(at)
        return Admission(is_admitted=True)

    def succeeded(self, domain):
        self.failures[domain] = 0
        self.open_until.pop(domain, None)

    def failed(self, domain, outcome, *, opens_at, at):
        assert outcome.until is None or outcome.until > at
        self.failures[domain] = self.failures.get(domain, 0) + 1
        if self.failures[domain] >= opens_at:
            self.open_until[domain] = outcome.until
            self.why[domain] = outcome


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
