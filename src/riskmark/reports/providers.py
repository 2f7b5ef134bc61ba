"""Providers to be read: which can be asked, who is left alone until when, requests of today."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from riskmark.domain.provider_settings import DOMAIN_OF, FILES, WITH_KEY, ProvidersSettings
from riskmark.domain.rate_limits import LimitState
from riskmark.providers.sources import key_of
from riskmark.storage.provider_limits import load_limits


@dataclass(frozen=True, slots=True)
class ProviderLine:
    """How one provider is.

    ``until``: as long as it is left alone. ``limits``: what is asked of it at most, None where
    there is no limit; a folder of files has none to name.
    """

    provider: str
    state: str
    until: datetime | None = None
    reason: str | None = None
    detail: str = ""
    failures: int = 0
    requests: int = 0
    day: date | None = None
    limits: Mapping[str, int | None] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return the provider's line as JSON has it."""
        return {
            "provider": self.provider,
            "state": self.state,
            "until": self.until,
            "reason": self.reason,
            "detail": self.detail,
            "failures": self.failures,
            "requests": self.requests,
            "date": self.day,
            **self.limits,
        }


def load_providers(
    connection: Connection, chosen: ProvidersSettings, *, now: datetime
) -> tuple[ProviderLine, ...]:
    """Read the state of each provider, in the order in which they are asked."""
    states = load_limits(connection)
    return tuple(
        _of_files(chosen, states.get(FILES))
        if name == FILES
        else _of_service(name, chosen, states.get(DOMAIN_OF.get(name, name)), now)
        for name in chosen.order
    )


def _of_files(chosen: ProvidersSettings, known: LimitState | None) -> ProviderLine:
    state = "ready" if chosen.files.enabled else "switched off"
    if chosen.files.enabled and not Path(chosen.files.folder).exists():
        state = "no folder"
    if state == "ready" and known is not None and known.failures:
        state = "bad files"
    return _line(FILES, state, known, {})


def _of_service(
    name: str, chosen: ProvidersSettings, known: LimitState | None, now: datetime
) -> ProviderLine:
    one = chosen.of(name)
    state = _state(known, one.requests_per_day, now)
    if name in WITH_KEY and not key_of(name, one):
        state = "no key"
    if not one.enabled:
        state = "switched off"
    limits = {
        "requests_per_minute": one.requests_per_minute or None,
        "requests_per_day": one.requests_per_day or None,
    }
    return _line(name, state, known, limits)


def _state(known: LimitState | None, per_day: int, now: datetime) -> str:
    """Say whether a provider is asked; on trial: one failure more, and it is left alone."""
    if known is None:
        return "ready"
    if per_day and known.day >= now.astimezone(UTC).date() and known.day_calls >= per_day:
        return "used up"
    if known.open_until is None:
        return "ready"
    return "left alone" if known.open_until > now else "on trial"


def _line(
    name: str, state: str, known: LimitState | None, limits: Mapping[str, int | None]
) -> ProviderLine:
    if known is None:
        return ProviderLine(name, state, limits=limits)
    return ProviderLine(
        provider=name,
        state=state,
        until=known.open_until if state == "left alone" else None,
        reason=known.reason,
        detail=known.detail,
        failures=known.failures,
        requests=known.day_calls,
        day=known.day,
        limits=limits,
    )
