"""The profiles phase: ask providers what symbols are of which something is not known or old.

Little is asked a night, and for little time: no number waits for it. A symbol is asked of
one provider after the other until its kind, name and, of a stock, sector are known; private
assets and options of none.
"""

import time
from collections.abc import Collection, Sequence
from datetime import timedelta

from riskmark.domain.instruments import InstrumentKind
from riskmark.domain.provider_settings import FILES
from riskmark.domain.reasons import AnswerReason
from riskmark.domain.runs import PROFILES
from riskmark.engine.recorder import Recorder
from riskmark.planning.profiles import Said
from riskmark.providers.limits import Budget
from riskmark.providers.outcomes import Circuit
from riskmark.providers.port import Profile, Provider
from riskmark.providers.sources import Sources
from riskmark.storage.instruments import Instrument
from riskmark.storage.profiles import load_due, save_miss, save_said
from riskmark.storage.provider_symbols import load_refusals

MOST_SECONDS = 120.0
"""What of the run's time for providers profiles may take."""


def collect_profiles(record: Recorder, sources: Sources) -> None:
    """Ask about as many symbols as a run may, and store each one's answers at once."""
    settings = record.settings.providers
    asked = [one for one in sources.providers if one.name != FILES]
    if not asked or not settings.profiles_a_run:
        return
    with record.database.read() as connection:
        due = load_due(
            connection,
            scope=record.request.scope,
            factor_symbols=record.settings.factor_symbols,
            most=settings.profiles_a_run,
            at=record.now(),
        )
        refusals = load_refusals(connection, at=record.now())
    record.spend(PROFILES, 0.0, total=len(due))
    phase = _Profiles(
        record, asked, budget=sources.budget, fresh=timedelta(days=settings.profile_days)
    )
    with sources.budget.at_most(MOST_SECONDS):
        for one in due:
            record.check()
            # Who has no prices of a symbol in some range may well know what it is.
            refusing = {
                name
                for name, refusal in refusals.get(one.symbol, {}).items()
                if refusal.reason is not AnswerReason.NO_DATA_IN_RANGE
            }
            phase.ask_about(one, refusing)


class _Profiles:
    """The providers of a run, as far as they still answer."""

    def __init__(
        self, record: Recorder, providers: Sequence[Provider], *, budget: Budget, fresh: timedelta
    ) -> None:
        self._record = record
        self._budget = budget
        self._providers = providers
        self._fresh = fresh
        self._silent: set[str] = set()

    def ask_about(self, one: Instrument, refusing: Collection[str]) -> None:
        """Ask one provider after the other about a symbol, and store what they say."""
        started = time.perf_counter()
        found, was_asked = self._fetch(one, refusing)
        if not was_asked:
            return  # next time it is its turn again
        with self._record.transaction("profiles.store") as connection:
            at = self._record.now()
            for said in found:
                conflict = save_said(connection, one.symbol, said, at=at, fresh=self._fresh)
                if conflict is not None:
                    message = f"{one.symbol}: {conflict}; nothing of that was taken"
                    self._record.log(connection, message, phase=PROFILES, level="warning")
            if not any(any(said[1:]) for said in found):
                save_miss(connection, one.instrument_id, at=at)
            self._record.spend(PROFILES, time.perf_counter() - started, done=1)
            self._record.save_phase(connection, PROFILES)
            self._record.save(connection, PROFILES)
        self._record.tell(PROFILES, one.symbol)

    def _fetch(self, one: Instrument, refusing: Collection[str]) -> tuple[list[Said], bool]:
        """Return what providers said, and whether one could say anything at all."""
        found: list[Said] = []
        done = set(self._silent)
        was_asked = False
        for provider in self._providers:
            if provider.domain in done or provider.name in refusing or not self._budget.left_s:
                continue
            profile, outcome = provider.fetch_profile(one.symbol)
            # With a time at which to come again it is the provider that has none, for anybody.
            was_asked |= outcome.until is None
            if outcome.has_data:
                done.add(provider.domain)
                found.append(Said(provider.name, *profile))
                if _is_whole(one, profile):
                    break
            elif outcome.consequence.circuit not in {Circuit.CLOSES, Circuit.STAYS}:
                # It fails for the other symbols too, and prices matter more than profiles.
                self._silent.add(provider.domain)
                done.add(provider.domain)
        return found, was_asked


def _is_whole(one: Instrument, profile: Profile) -> bool:
    """Whether a profile has all that can be known."""
    kind = profile.kind or one.kind
    has_sector = profile.sector is not None or kind is not InstrumentKind.STOCK
    return profile.kind is not None and profile.name is not None and has_sector
