"""The prices phase: ask providers for what the plan needs, and store it symbol by symbol.

A symbol is a transaction: what was stored stays, however the run ends. A close that is
stored is corrected only by the provider that gave it, or by one that is asked before it:
another one's differs in the last digits, and would go to and fro.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection

from riskmark import logs
from riskmark.domain.provider_settings import FILES
from riskmark.domain.reasons import AnswerReason
from riskmark.domain.runs import PRICES
from riskmark.domain.sessions import Calendar
from riskmark.engine.recorder import Recorder
from riskmark.engine.takeovers import hold_back
from riskmark.intake.market_data import Bars
from riskmark.planning.price_ranges import PriceNeed, Span, plan_span
from riskmark.planning.profiles import Said
from riskmark.providers.chain import Collected, Part
from riskmark.providers.healing import Known, heal, is_healable, name_remedy
from riskmark.providers.limits import Interruptible
from riskmark.providers.outcomes import Circuit, Outcome
from riskmark.providers.port import FormerSymbol, Wanted
from riskmark.providers.sources import Sources
from riskmark.storage.action_events import Claim
from riskmark.storage.actions import load_splits
from riskmark.storage.aliases import load_former
from riskmark.storage.engines import Database
from riskmark.storage.instruments import find_instruments
from riskmark.storage.price_needs import (
    StoredClose,
    has_bars_of,
    load_closes,
    load_price_needs,
    save_check,
)
from riskmark.storage.prices import import_prices
from riskmark.storage.profiles import save_said
from riskmark.storage.provider_symbols import (
    Denial,
    Refusal,
    forget_denials,
    load_refusals,
    save_denials,
)
from riskmark.storage.runs import UnavailableSymbol

EMPTY_H = 20
"""For how many hours nobody asks again who had nothing of all that was wanted."""
FUND_GRACE = timedelta(hours=20)
"""How long a net asset value may be to come before another provider is asked: until noon."""

OpenSources = Callable[[Calendar], Sources]


class Rules(NamedTuple):
    """By which an answer is stored."""

    calendar: Calendar
    target: date
    base_currency: str
    at: datetime
    fresh: timedelta


class Asked(NamedTuple):
    """A symbol, the range that is asked for, what is stored of it, and up to when that is all."""

    need: PriceNeed
    span: Span
    stored: Mapping[date, StoredClose]
    until: date


def collect_prices(record: Recorder, calendar: Calendar, sources: Sources) -> None:
    """Ask for everything that the run needs and lacks."""
    if not sources.providers:
        return
    sources.budget.time = Interruptible(sources.budget.time, record.look)
    sources.budget.check = record.look
    sources.budget.tell = partial(_tell_wait, record)
    target = calendar.on_or_before(record.request.target)
    with record.database.read() as connection:
        needs = load_price_needs(
            connection,
            calendar,
            scope=record.request.scope,
            target=target,
            factor_symbols=record.settings.factor_symbols,
            order=sources.names,
        )
        planned = [(need, plan_span(need, target)) for need in needs]
        asked = [
            Asked(need, span, _stored(connection, calendar, need, span), record.request.target)
            for need, span in planned
            if span is not None
        ]
        refusals = load_refusals(connection, at=record.now())
        former = load_former(connection)
        stored = {n.instrument_id: n.symbol for n in needs if n.instrument_id is not None}
        splits = load_splits(connection, stored)
    record.spend(PRICES, 0.0, total=len(asked))
    for each in asked:
        started = time.perf_counter()
        symbol, key = each.need.symbol, each.need.instrument_id
        wanted = _wanted(each, calendar, refusals.get(symbol, {}), former.get(key or 0, ()))
        wanted = replace(wanted, splits=splits.get(key or 0, ()))
        one, found = _collect(record.database, sources, each, wanted)
        record.look()
        if found.missing:
            answers = record.answers[symbol] = _answers(found)
            said = ", ".join(f"{answer.provider}: {answer.reason}" for answer in answers)
            logs.info("prices missing", symbol=symbol, said=said)
        settings = record.settings
        fresh = timedelta(days=settings.providers.profile_days)
        at = record.now()
        rules = Rules(calendar, record.request.target, settings.base_currency, at, fresh)
        with record.transaction("prices.store") as connection:
            conflict = _store(connection, rules, one=one, found=found, sources=sources)
            if conflict is not None:
                record.log(connection, f"{symbol}: {conflict}", phase=PRICES, level="warning")
            record.spend(PRICES, time.perf_counter() - started, done=1)
            record.save_phase(connection, PRICES)
            record.save(connection, PRICES)
        record.tell(PRICES, f"{one.need.symbol}: {_summary(found)}")


def _tell_wait(record: Recorder, message: str) -> None:
    """Let whoever watches know why nothing goes on."""
    with record.transaction("prices.note") as connection:
        record.log(connection, message, phase=PRICES)
    record.tell(PRICES, message)


def _collect(
    database: Database, sources: Sources, one: Asked, wanted: Wanted
) -> tuple[Asked, Collected]:
    """Ask; where what is stored is in other terms, ask for all of it, and let that replace it.

    Returns also what is stored that must be left as it is.
    """
    found, key = sources.collect(wanted), one.need.instrument_id
    if key is not None and is_healable(found):
        with database.read() as connection:
            dates = (sources.checker.calendar.sessions[0], wanted.last)
            stored = load_closes(connection, key, dates)
        closes = {day: each.close for day, each in stored.items()}
        givers = {day: each.provider for day, each in stored.items()}
        known = Known(closes, givers, wanted.splits)
        healed = heal(sources, wanted, found, known) if closes else None
        if healed is not None:
            return one._replace(stored={}), hold_back(database, key, healed, known=stored)
        found = name_remedy(found)
    return one, hold_back(database, key, found, known=one.stored)


def _stored(
    connection: Connection, calendar: Calendar, need: PriceNeed, span: Span
) -> Mapping[date, StoredClose]:
    if need.instrument_id is None:
        return {}
    dates = (calendar.sessions[span.first], calendar.sessions[span.last])
    return load_closes(connection, need.instrument_id, dates)


def _wanted(
    one: Asked,
    calendar: Calendar,
    refusals: Mapping[str, Refusal],
    former: Iterable[tuple[str, date]],
) -> Wanted:
    return Wanted(
        one.need.symbol,
        calendar.sessions[one.span.first],
        calendar.sessions[one.span.last],
        known={day: stored.close for day, stored in one.stored.items()},
        believed={
            name: Outcome(refusal.reason, refusal.told, refusal.until)
            for name, refusal in refusals.items()
        },
        former=tuple(FormerSymbol(*name) for name in former),
        grace=FUND_GRACE if one.need.is_fund else timedelta(),
    )


def fetch_symbol(
    database: Database, sources: Sources, symbol: str, *, dates: tuple[date, date], rules: Rules
) -> Collected:
    """Ask for a symbol between two dates, whatever is stored or was said, and store it."""
    calendar = rules.calendar
    first = calendar.on_or_after(dates[0])
    span = Span(first, max(first, calendar.on_or_before(dates[1])))
    with database.read() as connection:
        known = find_instruments(connection, [symbol], owner_id=None).get(symbol)
        key, symbol = (None, symbol) if known is None else (known.instrument_id, known.symbol)
        need = PriceNeed(symbol, key, span, range(span.first, span.last + 1))
        until = calendar.sessions[span.last]
        one = Asked(need, span, _stored(connection, calendar, need, span), until)
        former = load_former(connection).get(key or 0, ())
        splits = {} if key is None else load_splits(connection, {key: symbol})
    wanted = replace(_wanted(one, calendar, {}, former), splits=splits.get(key or 0, ()))
    one, found = _collect(database, sources, one, wanted)
    with database.write() as connection:
        _store(connection, rules, one=one, found=found, sources=sources)
    return found


def _store(
    connection: Connection, rules: Rules, *, one: Asked, found: Collected, sources: Sources
) -> str | None:
    """Store what came, and remember what was said; return what is worth a warning."""
    symbol = one.need.symbol
    held: list[str] = []
    for part in found.parts:
        done = import_prices(
            connection,
            _own(part, one.stored, sources.names),
            provider=part.provider,
            calendar=rules.calendar,
            target=rules.target,
            base_currency=rules.base_currency,
            at=rules.at,
            actions=part.actions,
            claim=_claim(symbol, part, sources),
        )
        held += done.actions.held
    conflict = None
    instrument = find_instruments(connection, [symbol], owner_id=None).get(symbol)
    if found.parts and instrument is not None:
        first = _asked_from(found, rules.calendar.sessions[one.span.first])
        key = instrument.instrument_id
        save_check(connection, key, first=first, target=one.until, at=rules.at)
    for provider, profile in (*found.profiles, *found.doubted):
        said = Said(provider, *profile)
        news = save_said(connection, symbol, said, at=rules.at, fresh=rules.fresh, is_asked=False)
        conflict = conflict or news
    is_whole = not found.parts and one.until >= rules.target
    _remember(connection, symbol, found, at=rules.at, is_whole=is_whole)
    return "; ".join([*held, *([conflict] if conflict else [])]) or None


def _claim(symbol: str, part: Part, sources: Sources) -> Claim:
    """Say by what right an answer changes actions."""
    domains = {provider.name: provider.domain for provider in sources.providers}
    own = domains[part.provider]
    kin = frozenset(name for name, domain in domains.items() if domain == own)
    return Claim(symbol, sources.names, kin, part.whole)


def _own(part: Part, stored: Mapping[date, StoredClose], order: Sequence[str]) -> Bars:
    """Leave out the sessions whose close another provider gave that is asked before this one.

    A close of a provider that is no longer asked stays too.
    """
    after = {part.provider, *order[order.index(part.provider) + 1 :]}
    days = part.bars.session.astype("datetime64[D]").tolist()
    kept = [day not in stored or stored[day].provider in after for day in days]
    return part.bars.where(np.array(kept, dtype=np.bool_))


def _asked_from(found: Collected, first: date) -> date:
    """Return from when on nothing more is to be had than what came.

    While a provider could not answer, what is missing before the first bar may be its to give.
    """
    passing = {Circuit.COUNTS, Circuit.OPENS_UNTIL}
    if not found.missing or not any(s.outcome.consequence.circuit in passing for s in found.said):
        return first
    days = [part.bars.session.min() for part in found.parts if len(part.bars)]
    return min(days).astype(date) if days else first


def _remember(
    connection: Connection, symbol: str, found: Collected, *, at: datetime, is_whole: bool
) -> None:
    """Keep what providers said: for the report, and so that they are not asked in vain.

    ``is_whole``: providers that have nothing were asked for all up to the target. One that
    gave bars before and has none now is asked again the next night, however often it had
    none: the symbol may be traded again. A file may come any minute.
    """
    denials = []
    for said in found.said:
        outcome = said.outcome
        is_empty = is_whole and outcome.reason is AnswerReason.NO_DATA_IN_RANGE
        hours = EMPTY_H if is_empty else outcome.consequence.believed_h
        is_news = outcome.until is None and said.provider != FILES
        if hours and is_news:
            believed = timedelta(hours=hours)
            grows = not is_empty or not has_bars_of(connection, symbol, said.provider)
            denials.append(
                Denial(said.provider, symbol, outcome.reason, outcome.detail, believed, grows=grows)
            )
        if outcome.has_data:
            forget_denials(connection, said.provider, [symbol])
    save_denials(connection, denials, at=at)


def _answers(found: Collected) -> list[UnavailableSymbol]:
    """Return what each provider said of a symbol of which something is missing."""
    return [
        UnavailableSymbol(found.symbol, said.provider, said.outcome.reason, said.outcome.detail)
        for said in found.said
    ]


def _summary(found: Collected) -> str:
    bars = sum(len(part.bars) for part in found.parts)
    names = ", ".join(part.provider for part in found.parts) or "nobody"
    return f"{bars} bars from {names}"
