"""Importing daily bars: which are refused, which are stored, and what the ledger records.

Only closes are inputs of stored numbers. A bar whose close is new or different changes
every number of its instrument from its session on; one that differs in anything else is
written and changes none. A field that an import leaves out keeps what is stored of it.

A bar in another currency than the installation's is refused. An instrument of which no bar
is stored takes that currency, so that its lots can say why they have no price.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection

from riskmark.domain.reasons import ChangeKind
from riskmark.domain.sessions import Calendar
from riskmark.intake.market_data import Action, Bars, DateArray, IntArray, key_of
from riskmark.storage import quarantine
from riskmark.storage.action_events import Claim
from riskmark.storage.actions import StoredActions, store_actions
from riskmark.storage.bars import InstrumentBars, Written, write_differences
from riskmark.storage.engines import read_rows
from riskmark.storage.instruments import (
    Instrument,
    change_since_first_use,
    ensure_instruments,
    find_instruments,
    hint_of,
)
from riskmark.storage.key_lists import among, run_statement
from riskmark.storage.ledger import (
    InputChange,
    lock_instruments,
    one_of_each,
    record_changes,
)


class RefusedBars(NamedTuple):
    """Bars that were not stored, by reason.

    ``unobserved`` have no close; ``duplicate`` are given twice, or stand beside one of the same
    instrument and session under its present symbol.
    """

    unobserved: int = 0
    not_positive: int = 0
    not_final: int = 0
    not_a_session: int = 0
    foreign_currency: int = 0
    unknown_symbol: int = 0
    duplicate: int = 0


class StoredBars(NamedTuple):
    """What storing bars did, and what the ledger has to say; nothing is recorded yet.

    ``received`` is the sum of all counts. ``corrected`` bars have another close than was
    stored, ``amended`` ones only another open, high, low or volume. ``odd_ranges`` counts
    bars, stored all the same, whose open or close lies outside their low and high.
    """

    received: int
    stored: int
    corrected: int
    amended: int
    unchanged: int
    refused: RefusedBars
    odd_ranges: int
    created: tuple[str, ...]
    foreign: tuple[str, ...]
    """Symbols with bars in another currency."""
    without_bars: tuple[str, ...]
    """Symbols of which no bar could be stored."""
    touched: Mapping[int, date]
    """The first session with another close, for each instrument."""
    changes: tuple[InputChange, ...]


@dataclass(frozen=True, slots=True)
class PriceImport:
    """The outcome of an import of bars, and of actions if there were any."""

    bars: StoredBars
    actions: StoredActions
    checked: quarantine.Checked
    revision: int


def import_prices(
    connection: Connection,
    bars: Bars,
    *,
    provider: str,
    calendar: Calendar,
    target: date,
    base_currency: str,
    at: datetime,
    create_missing: bool = True,
    actions: Sequence[Action] = (),
    claim: Claim | None = None,
) -> PriceImport:
    """Store new and different bars and actions and record what changed.

    ``claim``: by what right a provider's answer changes actions; None for people. A bar after
    the session ``target`` is not final and is refused. Suspicious moves are
    looked for when the actions are stored too, so that a split explains its move.
    """
    stored_bars = store_bars(
        connection,
        bars,
        provider=provider,
        calendar=calendar,
        target=target,
        base_currency=base_currency,
        at=at,
        create_missing=create_missing,
    )
    stored_actions = store_actions(
        connection,
        actions,
        provider=provider,
        calendar=calendar,
        base_currency=base_currency,
        at=at,
        create_missing=create_missing,
        claim=claim,
    )
    touched = _earliest(stored_bars.touched, stored_actions.touched)
    checked = quarantine.check(connection, touched, at=at)
    changes = [*stored_bars.changes, *stored_actions.changes, *checked.changes]
    revision = record_changes(connection, one_of_each(changes), at=at)
    return PriceImport(stored_bars, stored_actions, checked, revision)


def store_bars(
    connection: Connection,
    bars: Bars,
    *,
    provider: str,
    calendar: Calendar,
    target: date,
    base_currency: str,
    at: datetime,
    create_missing: bool = True,
) -> StoredBars:
    """Store new and different bars; check no moves and record nothing."""
    usable, refused = _usable(bars, calendar, target)
    symbols = [usable.symbols[place] for place in np.unique(usable.symbol).tolist()]
    created: tuple[str, ...] = ()
    if create_missing:
        hints = [hint_of(symbol) for symbol in symbols]
        created = ensure_instruments(
            connection, hints, currency=base_currency, at=at, owner_id=None
        ).created
    known = find_instruments(connection, symbols, owner_id=None)
    sorted_out = _sort_out(usable, known, base_currency)
    instruments = {i.instrument_id: i for i in known.values()}
    lock_instruments(connection, instruments)
    accepted = sorted_out.accepted
    written = write_differences(connection, accepted, provider=provider, at=at)
    currencies = {**sorted_out.foreign, **dict.fromkeys(accepted.spans(), base_currency)}
    changes = _price_changes(accepted, written, instruments)
    touched = {c.instrument_id: c.from_session for c in changes if c.instrument_id is not None}
    changes += _settle_currencies(connection, currencies, instruments, base_currency)
    new, corrected, amended = written.counts
    return StoredBars(
        received=len(bars),
        stored=new,
        corrected=corrected,
        amended=amended,
        unchanged=len(accepted) - new - corrected - amended,
        refused=refused._replace(
            foreign_currency=sorted_out.foreign_bars,
            unknown_symbol=sorted_out.unknown_bars,
            duplicate=sorted_out.duplicate_bars,
        ),
        odd_ranges=_count_odd_ranges(accepted),
        created=created,
        foreign=tuple(sorted(instruments[key].symbol for key in sorted_out.foreign)),
        without_bars=_without_bars(bars.symbols, known, accepted),
        touched=touched,
        changes=tuple(changes),
    )


def _usable(bars: Bars, calendar: Calendar, target: date) -> tuple[Bars, RefusedBars]:
    """Sort out the bars that say nothing, or nothing of a session that is over."""
    unobserved = np.isnan(bars.close)
    not_positive = ~unobserved & ~((bars.close > 0) & np.isfinite(bars.close))
    left = ~unobserved & ~not_positive
    not_final = left & (bars.session > np.datetime64(target))
    left &= ~not_final
    is_session = np.isin(bars.session, _sessions_around(bars, calendar))
    not_a_session = left & ~is_session
    refused = RefusedBars(
        unobserved=int(unobserved.sum()),
        not_positive=int(not_positive.sum()),
        not_final=int(not_final.sum()),
        not_a_session=int(not_a_session.sum()),
    )
    return bars.where(left & is_session), refused


def _sessions_around(bars: Bars, calendar: Calendar) -> DateArray:
    """Return the sessions from the first to the last bar: the calendar holds a century."""
    if not len(bars):
        return np.array([], dtype="datetime64[D]")
    first, last = bars.session.min().astype(date), bars.session.max().astype(date)
    begin = max(0, calendar.on_or_before(first))
    return np.array(
        calendar.sessions[begin : calendar.on_or_before(last) + 1], dtype="datetime64[D]"
    )


class _SortedOut(NamedTuple):
    accepted: InstrumentBars
    foreign: dict[int, str]
    """The currency of the last refused bar of each instrument that has one."""
    foreign_bars: int
    unknown_bars: int
    duplicate_bars: int


def _sort_out(bars: Bars, known: Mapping[str, Instrument], base_currency: str) -> _SortedOut:
    """Tell bars in the base currency from others; unstated, it is the instrument's own."""
    instrument = np.array(
        [known[s].instrument_id if s in known else 0 for s in bars.symbols], dtype=np.int64
    )[bars.symbol]
    own = np.array([known[s].currency if s in known else base_currency for s in bars.symbols])
    currency = own[bars.symbol] if len(bars) else np.zeros(0, dtype=np.str_)
    if bars.currency is not None:
        currency = np.where(bars.currency == "", currency, bars.currency)
    is_known = instrument > 0
    is_native = is_known & (currency == base_currency)
    is_foreign = is_known & ~is_native
    accepted = _in_order(bars.where(is_native), instrument[is_native], known)
    order = np.argsort(bars.session[is_foreign], kind="stable")
    keys, codes = instrument[is_foreign][order].tolist(), currency[is_foreign][order].tolist()
    foreign = dict(zip(keys, codes, strict=True))
    return _SortedOut(
        accepted=accepted,
        foreign=foreign,
        foreign_bars=int(is_foreign.sum()),
        unknown_bars=int((~is_known).sum()),
        duplicate_bars=int(is_native.sum()) - len(accepted),
    )


def _in_order(bars: Bars, instrument: IntArray, known: Mapping[str, Instrument]) -> InstrumentBars:
    """Order bars by instrument and session; of two, the one under the present symbol stays."""
    is_alias = np.array([s in known and known[s].symbol != s for s in bars.symbols], dtype=np.bool_)
    keys = key_of(instrument, bars.session)
    order = np.lexsort((is_alias[bars.symbol], keys)) if len(bars) else np.zeros(0, dtype=np.int64)
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = keys[order][1:] != keys[order][:-1]
    chosen = order[first]
    values = np.column_stack([bars.open, bars.high, bars.low, bars.close, bars.volume])[chosen]
    values[:, :3][~(values[:, :3] > 0) | ~np.isfinite(values[:, :3])] = np.nan
    values[:, 4][~(values[:, 4] >= 0) | ~np.isfinite(values[:, 4])] = np.nan
    return InstrumentBars(instrument[chosen], bars.session[chosen], values)


def _without_bars(
    symbols: Iterable[str], known: Mapping[str, Instrument], accepted: InstrumentBars
) -> tuple[str, ...]:
    keys = accepted.spans()
    return tuple(s for s in symbols if s not in known or known[s].instrument_id not in keys)


def _count_odd_ranges(bars: InstrumentBars) -> int:
    opened, high, low, close = (bars.values[:, place] for place in range(4))
    odd = (low > opened) | (low > close) | (high < opened) | (high < close)
    return int(odd.sum())


def _price_changes(
    bars: InstrumentBars, written: Written, instruments: Mapping[int, Instrument]
) -> list[InputChange]:
    """Make one change for each instrument with another close, from the first of them on."""
    changed = np.flatnonzero(written.new | written.corrected)
    keys, starts, counts = np.unique(
        bars.instrument[changed], return_index=True, return_counts=True
    )
    corrected = Counter(bars.instrument[written.corrected].tolist())
    firsts = bars.session[changed][starts].tolist()
    return [
        InputChange(
            ChangeKind.PRICE,
            first,
            f"{instruments[key].symbol}: {count - corrected[key]} new closes "
            f"and {corrected[key]} corrected",
            instrument_id=key,
        )
        for key, first, count in zip(keys.tolist(), firsts, counts.tolist(), strict=True)
    ]


def _settle_currencies(
    connection: Connection,
    currencies: Mapping[int, str],
    instruments: Mapping[int, Instrument],
    base_currency: str,
) -> list[InputChange]:
    """Store an instrument's currency where the bars say another; bars in base currency win."""
    different = {
        key: currency
        for key, currency in currencies.items()
        if instruments[key].currency != currency
    }
    if not different:
        return []
    listed = among(connection, different)
    rows = read_rows(
        connection,
        f"SELECT id FROM instrument WHERE id {listed.sql} "
        "AND EXISTS (SELECT 1 FROM price p WHERE p.instrument_id = instrument.id)",
        listed.values,
    )
    priced = {row[0] for row in rows}
    changes: list[InputChange] = []
    for key, currency in sorted(different.items()):
        if currency == base_currency or key not in priced:
            run_statement(
                connection, "UPDATE instrument SET currency = ? WHERE id = ?", (currency, key)
            )
            reason = f"{instruments[key].symbol} is in {currency}"
            changes += change_since_first_use(connection, instruments[key], reason)
    return changes


def _earliest(*dates: Mapping[int, date]) -> dict[int, date]:
    first: dict[int, date] = {}
    for each in dates:
        for key, day in each.items():
            first[key] = min(day, first.get(key, day))
    return first
