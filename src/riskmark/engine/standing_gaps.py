"""Symbols without a close of the target: what is told of them by every run, also an idle one."""

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from sqlalchemy import Connection

from riskmark import faults
from riskmark.domain.reasons import STALE_AFTER, SymbolReason
from riskmark.domain.runs import PRICES, STORED, SymbolCounts
from riskmark.domain.sessions import Calendar
from riskmark.engine.recorder import Recorder
from riskmark.storage import runs
from riskmark.storage.price_needs import load_newest_needs
from riskmark.storage.provider_symbols import load_refusals
from riskmark.storage.runs import UnavailableSymbol
from riskmark.storage.universe import InstrumentSummary, describe


def note_standing(record: Recorder, calendar: Calendar) -> None:
    """Record what still lacks a close where there is nothing to compute."""
    started = time.perf_counter()
    target = calendar.on_or_before(record.request.target)
    with record.database.read() as connection:
        keys = load_newest_needs(
            connection,
            calendar,
            scope=record.request.scope,
            target=target,
            factor_symbols=record.settings.factor_symbols,
        )
        known = describe(connection, keys)
    base = record.settings.base_currency
    found = [one for each in known for one in _lacking(each, calendar, target, base=base)]
    faults.point("prices.read")
    with record.transaction("prices.note") as connection:
        note(record, connection, found, size=len(keys), started=started)
    record.tell(PRICES)


def note(
    record: Recorder,
    connection: Connection,
    unavailable: Sequence[UnavailableSymbol],
    *,
    size: int,
    started: float,
) -> None:
    """Record which of so many symbols lack a close, and what each provider said of them."""
    record.symbols = SymbolCounts(size, size - len(unavailable), len(unavailable))
    reasons = list(_reasons(record, connection, unavailable))
    runs.save_unavailable(connection, record.claim, [*unavailable, *reasons])
    for one in unavailable:
        message = f"{one.symbol}: {one.reason}, {one.detail}"
        record.log(connection, message, phase=PRICES, level="warning")
    record.spend(PRICES, time.perf_counter() - started)
    record.count(PRICES, size)
    record.save_phase(connection, PRICES)
    record.save(connection, PRICES)


def _reasons(
    record: Recorder, connection: Connection, unavailable: Iterable[UnavailableSymbol]
) -> Iterator[UnavailableSymbol]:
    """Yield what providers said in this run, else what is remembered of an earlier one."""
    remembered = load_refusals(connection, at=record.now())
    for symbol in [one.symbol for one in unavailable]:
        if symbol in record.answers:
            yield from record.answers[symbol]
            continue
        for provider, said in remembered.get(symbol, {}).items():
            yield UnavailableSymbol(symbol, provider, said.reason, said.told)


def _lacking(
    one: InstrumentSummary, calendar: Calendar, target: int, *, base: str
) -> Iterator[UnavailableSymbol]:
    """Yield an instrument that has no close of the target that counts, and why."""
    last, since = one.last_session, one.quarantined_from
    is_foreign = one.instrument.currency != base
    is_held_back = since is not None and since <= calendar.sessions[target]
    age = target - calendar.on_or_before(last) if last is not None else target + 1
    if age <= 0 and not is_foreign and not is_held_back:
        return
    reason, detail = _reason(age, last, since=since if is_held_back else None)
    if is_foreign:
        reason, detail = SymbolReason.FOREIGN_CURRENCY, "its prices are in another currency"
    if one.accepted is not None:
        detail += " (accepted)"
    yield UnavailableSymbol(one.instrument.symbol, STORED, reason, detail)


def _reason(age: int, last: date | None, *, since: date | None) -> tuple[SymbolReason, str]:
    if since is not None:
        return SymbolReason.QUARANTINED, f"bars from {since} on are in quarantine"
    if last is None:
        return SymbolReason.NEVER_PRICED, "no close is stored"
    reason = SymbolReason.CARRIED if age <= STALE_AFTER else SymbolReason.STALE
    return reason, f"the last close is of {last}, {age} sessions ago"
