"""The providers of an installation, put together from its settings for one run."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from riskmark.domain.provider_settings import (
    BY_NAME_OF_THE_TIME,
    FILES,
    NO_KEY,
    WITH_KEY,
    FilesSettings,
    ProviderSettings,
    is_key,
)
from riskmark.domain.rate_limits import Limits
from riskmark.domain.reasons import AnswerReason
from riskmark.domain.sessions import Calendar
from riskmark.errors import SettingsError
from riskmark.providers.adapter import Access, NetworkProvider
from riskmark.providers.chain import Collected, collect
from riskmark.providers.checking import Checker
from riskmark.providers.files import FileReader, Files
from riskmark.providers.limits import Budget, Gate, QuotaStore, Time
from riskmark.providers.outcomes import Outcome
from riskmark.providers.port import Provider, Wanted
from riskmark.providers.renames import ByNameOfTheTime
from riskmark.settings import Settings


@dataclass(frozen=True, slots=True)
class Outside:
    """What providers need and do not have: a store, a reader of files, and the clocks.

    ``now`` says which sessions are published; ``time`` is real, for limits and waiting.
    """

    store: QuotaStore
    reader: FileReader
    now: Callable[[], datetime]
    time: Time


@dataclass(frozen=True, slots=True)
class Sources:
    """The providers that a run asks, in order, and the time that it has for them."""

    providers: tuple[Provider, ...]
    checker: Checker
    budget: Budget

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the providers as they are asked."""
        return tuple(provider.name for provider in self.providers)

    def collect(self, wanted: Wanted) -> Collected:
        """Ask for one symbol."""
        return collect(wanted, self.providers, checker=self.checker, budget=self.budget)

    def close(self) -> None:
        """Close the connections of all."""
        for provider in self.providers:
            provider.close()


def open_sources(settings: Settings, calendar: Calendar, outside: Outside) -> Sources:
    """Put the providers together that are enabled and, where it is needed, have a key."""
    chosen = settings.providers
    delay = timedelta(minutes=settings.publish_delay_minutes)
    checker = Checker(calendar, delay, outside.now)
    budget = Budget(chosen.run_budget_seconds, outside.time)
    gates: dict[str, Gate] = {}
    found: list[Provider] = []
    for name in chosen.order:
        if name == FILES:
            if chosen.files.enabled:
                found.append(_files(chosen.files, outside, checker))
            continue
        one = chosen.of(name)
        key = key_of(name, one)
        if not one.enabled or (name in WITH_KEY and not key):
            continue
        kind = _adapter(name)
        if kind.domain not in gates:
            # Clients of one host share a gate: what one is refused the other does not ask.
            gates[kind.domain] = Gate(
                kind.domain, limits_of(one), outside.store, budget, one.timeout_seconds
            )
        base_url = one.base_url.rstrip("/") or None
        provider: Provider = kind(Access(gates[kind.domain], checker, base_url, key))
        found.append(ByNameOfTheTime(provider) if name in BY_NAME_OF_THE_TIME else provider)
    return Sources(tuple(found), checker, budget)


def _files(chosen: FilesSettings, outside: Outside, checker: Checker) -> Files:
    actions = Path(chosen.actions) if chosen.actions else None
    now = outside.time.now
    return Files(
        Path(chosen.folder),
        outside.reader,
        checker,
        now=now,
        actions=actions,
        report=partial(_note_files, outside),
    )


def _note_files(outside: Outside, found: Outcome) -> None:
    """Keep what is wrong with files for the status; they are never left alone."""
    if found.reason is AnswerReason.OK:
        outside.store.succeeded(FILES)
        return
    now = outside.time.now()
    outside.store.failed(FILES, found.reason, detail=found.detail, until=now, opens_at=sys.maxsize)


def limits_of(one: ProviderSettings) -> Limits:
    """Return the limits that a provider's settings state."""
    return Limits(one.requests_per_minute or None, one.requests_per_day or None)


def key_of(name: str, one: ProviderSettings) -> str:
    """Return a provider's key, from the settings or from the file that they name."""
    if not one.api_key_file:
        return one.api_key
    try:
        key = Path(one.api_key_file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"providers.{name}.api_key_file", f"cannot be read: {error}") from error
    except UnicodeDecodeError:
        key = "\n"  # no key either; the error would show what it holds
    if not is_key(key):
        raise SettingsError(f"providers.{name}.api_key_file", f"what it holds {NO_KEY}")
    return key


def _adapter(name: str) -> type[NetworkProvider]:
    """Return an adapter's class; each imports what is slow to import."""
    if name == "massive":
        from riskmark.providers.massive import Massive  # noqa: PLC0415

        return Massive
    if name == "fmp":
        from riskmark.providers.fmp import Fmp  # noqa: PLC0415

        return Fmp
    if name == "yahooquery":
        from riskmark.providers.yahooquery import YahooQuery  # noqa: PLC0415

        return YahooQuery
    from riskmark.providers.yfinance import YFinance  # noqa: PLC0415

    return YFinance
