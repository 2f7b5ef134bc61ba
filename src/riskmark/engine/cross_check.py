"""The nightly sample: closes of a few symbols, asked of a second provider and compared.

As many symbols a night as settings say, those first that were compared longest ago. The
second provider is of another failure domain than the one that gave the closes. What differs
is stored and shown in ``prices quality``; no price is ever changed by it.
"""

import time
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import NamedTuple

from riskmark.domain.runs import PRICES
from riskmark.domain.sessions import Calendar
from riskmark.engine.recorder import Recorder
from riskmark.providers.outcomes import Circuit
from riskmark.providers.port import Answer, Provider, Wanted
from riskmark.providers.sources import Sources
from riskmark.storage.cross_checks import (
    Compared,
    Difference,
    Sampled,
    load_sample,
    save_comparison,
)
from riskmark.storage.price_needs import StoredClose, load_closes
from riskmark.storage.provider_symbols import load_refusals

COMPARED = 20
"""Newest sessions that are compared."""
TOLERANCE = 0.005
"""How far two providers' closes may lie apart, as a fraction, and still be the same."""
MOST_SECONDS = 120.0
"""What of the run's time for providers the sample may take."""


class _Window(NamedTuple):
    first: date
    last: date


def check_prices(record: Recorder, calendar: Calendar, sources: Sources) -> None:
    """Compare tonight's sample; only a run of everything does, and once for each session."""
    number = record.settings.providers.cross_check_symbols
    if not number or record.request.scope is not None:
        return
    target = calendar.on_or_before(record.request.target)
    window = _Window(calendar.sessions[max(0, target - COMPARED + 1)], calendar.sessions[target])
    with record.database.read() as connection:
        sample = load_sample(connection, target=window.last, most=number)
        stored = {
            one.instrument_id: load_closes(connection, one.instrument_id, window) for one in sample
        }
        refusals = load_refusals(connection, at=record.now())
    silent: set[str] = set()
    with sources.budget.at_most(MOST_SECONDS):
        for one in sample:
            record.check()
            closes = stored[one.instrument_id]
            refusing = refusals.get(one.symbol, {})
            second = _second(sources.providers, closes, {*silent, *refusing})
            if not sources.budget.left_s or (second is None and silent):
                break
            started = time.perf_counter()
            if second is None:
                _save(record, Compared(one.instrument_id, target=window.last), one, [])
                continue
            answer = second.fetch(Wanted(one.symbol, *window))
            if answer.outcome.consequence.circuit not in {Circuit.CLOSES, Circuit.STAYS}:
                silent.add(second.domain)
            compared, differences = _compare(one, second.name, answer, closes, window.last)
            _save(record, compared, one, differences)
            record.spend(PRICES, time.perf_counter() - started)


def _second(
    providers: Iterable[Provider], closes: Mapping[date, StoredClose], left_out: Collection[str]
) -> Provider | None:
    """Return a provider that fails with none of those that gave the closes."""
    listed = list(providers)
    domains = {one.name: one.domain for one in listed}
    givers = {domains.get(close.provider, close.provider) for close in closes.values()}
    return next(
        (
            one
            for one in listed
            if one.domain not in givers and not {one.name, one.domain} & set(left_out)
        ),
        None,
    )


def _compare(
    one: Sampled,
    provider: str,
    answer: Answer,
    closes: Mapping[date, StoredClose],
    target: date,
) -> tuple[Compared, list[Difference]]:
    """Return what was compared, and the sessions on which the two are too far apart."""
    days = answer.bars.session.astype("datetime64[D]").tolist()
    theirs = dict(zip(days, answer.bars.close.tolist(), strict=True))
    both = sorted(theirs.keys() & closes.keys())
    differences = [
        Difference(day, theirs[day], closes[day].close, closes[day].provider)
        for day in both
        if abs(theirs[day] / closes[day].close - 1) > TOLERANCE
    ]
    reason = answer.outcome.reason.value
    return Compared(one.instrument_id, target, provider, reason, len(both)), differences


def _save(
    record: Recorder, compared: Compared, one: Sampled, differences: list[Difference]
) -> None:
    with record.transaction("cross_check.store") as connection:
        save_comparison(connection, compared, differences, at=record.now())
        if differences:
            record.log(
                connection,
                f"{one.symbol}: {len(differences)} of {compared.sessions} closes differ from "
                f"those of {compared.provider}",
                phase=PRICES,
                level="warning",
            )
