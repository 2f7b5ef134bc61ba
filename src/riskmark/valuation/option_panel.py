"""Options in a panel: one column a contract, marked as ``calc.option_marks`` says.

A strike is stated in the shares of the day on which a portfolio's first lot of the option is
stated, as a quantity is. Portfolios that entered on different sides of a split of the
underlying have different options of one symbol, and these are different columns.

An own close and a volatility may lie further back than the panel does. They are looked up in
a panel of the underlyings alone, which reaches as far back as they do, so that a mark never
depends on where the panel begins.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection

from riskmark.calc.arrays import BoolArray, FloatArray, IntArray, Measure
from riskmark.calc.black_scholes import Pricing
from riskmark.calc.marks import MarkPanel
from riskmark.calc.option_marks import SPAN, Carry, Contracts, OptionMarks, mark_options
from riskmark.domain.sessions import Calendar
from riskmark.settings import Settings
from riskmark.storage.contracts import Contract, load_split_dates
from riskmark.storage.packs import Closes, load_closes
from riskmark.valuation.holdings import StoredBooks, date_of
from riskmark.valuation.panels import (
    InstrumentFacts,
    Panel,
    build_panel,
    lay_closes,
    load_instruments,
    quarantine_rows,
)


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a panel: n of them, on the panel's T sessions.

    ``place`` (N,) says which option a column of the panel is, −1: none. ``column_of`` is the
    column of an instrument in a portfolio. ``expiry_row`` (n,) is the row of the last session
    on or before the expiry; T or more if it is still to come. The rest is as
    ``calc.option_marks`` has it.
    """

    contracts: Contracts
    carry: Carry
    place: IntArray
    column_of: Mapping[tuple[str, int], int]
    expiry_row: IntArray
    is_model: BoolArray
    volatility: FloatArray
    implied: Measure

    def is_modelled(self, row: int, column: int) -> bool:
        """Whether a column of the panel is an option that the model marks on a row."""
        which = int(self.place[column])
        return which >= 0 and bool(self.is_model[row, which])

    def has_expired(self, panel: Panel, row: int, column: int) -> bool:
        """Whether a column of the panel is an option that expired before the session of a row."""
        which = int(self.place[column])
        return which >= 0 and bool(panel.days[row] > self.contracts.expiry[which])

    def terms(self, panel: Panel, rows: IntArray, which: IntArray) -> Pricing:
        """Return the terms of options (k,) on rows (k,)."""
        volatility: FloatArray = self.volatility[rows, which]
        return self.contracts.terms(
            panel.marks, panel.days, volatility, at=(rows, which), carry=self.carry
        )


class UnstoredOption(NamedTuple):
    """An option that is tried without being stored; its id is below 0, as no stored one is."""

    facts: InstrumentFacts
    contract: Contract


class _Key(NamedTuple):
    """An option, and how many splits of its underlying its strike has seen already."""

    instrument_id: int
    epoch: int


@dataclass(slots=True)
class _Column:
    """One option column: the ordinals of the session its strike is stated on, and of its first."""

    contract: Contract
    stated: int
    first: int


def with_options(
    connection: Connection,
    calendar: Calendar,
    panel: Panel,
    contracts: Sequence[Contract],
    *,
    stored: StoredBooks,
    settings: Settings,
    unstored: Sequence[UnstoredOption] = (),
) -> Panel:
    """Return ``panel``, which has the underlyings, with columns for ``contracts`` after its own.

    All contracts, the ``unstored`` among them, have an underlying; ``stored`` are the books that
    have lots of them. One that none has a lot of is stated in the shares of the last session.
    """
    last = panel.first + len(panel.sessions) - 1
    keys, columns = _columns(connection, calendar, contracts, stored, last=last)
    used = list(columns.values())
    facts = _facts(connection, used, settings, unstored)
    closes = load_closes(connection, calendar, sorted(_ids(used)), start=0)
    deep = build_panel(
        connection,
        calendar,
        load_instruments(
            connection,
            {one.contract.underlying_id for one in used if one.contract.underlying_id},
            base_currency=settings.base_currency,
        ),
        closes,
        named={},
        first=_deep_first(used, closes, panel.first),
        last=last,
    )
    carry = Carry(settings.options.rate, settings.options.dividend_yield)
    found = mark_options(
        _contracts(deep, used),
        _own_closes(calendar, deep, facts, closes),
        deep.marks,
        deep.days,
        first=np.array([one.first - deep.first for one in used], dtype=np.int64),
        carry=carry,
    )
    width = len(panel.instruments)
    place_of = {key: width + place for place, key in enumerate(columns)}
    expiry_row = [calendar.on_or_before(one.contract.expiry) - panel.first for one in used]
    kept = slice(panel.first - deep.first, None)
    options = Options(
        contracts=_contracts(panel, used),
        carry=carry,
        place=np.concatenate([np.full(width, -1, np.int64), np.arange(len(used))]),
        column_of={pair: place_of[key] for pair, key in keys.items()},
        expiry_row=np.array(expiry_row, dtype=np.int64),
        is_model=found.is_model[kept],
        volatility=found.volatility[kept],
        implied=Measure(found.implied.values[kept], found.implied.nulls[kept]),
    )
    marks = OptionMarks._make(found.implied if one is found.implied else one[kept] for one in found)
    return _widened(panel, calendar, facts, marks, options)


def _columns(
    connection: Connection,
    calendar: Calendar,
    contracts: Sequence[Contract],
    stored: StoredBooks,
    *,
    last: int,
) -> tuple[dict[tuple[str, int], _Key], dict[_Key, _Column]]:
    """Return which column each option of a portfolio is in, and the columns."""
    of = {one.instrument_id: one for one in contracts}
    splits = load_split_dates(
        connection, {one.underlying_id for one in contracts if one.underlying_id}
    )
    entries: dict[tuple[str, int], int] = {}
    days: dict[int, int] = {}
    lots = stored.lots.at(np.flatnonzero(np.isin(stored.lots.instrument_id, list(of))))
    for portfolio, instrument, entry in zip(
        lots.portfolio.tolist(), lots.instrument_id.tolist(), lots.entry_day.tolist(), strict=True
    ):
        if entry not in days:
            # A lot stated after the panel's end changes nothing before it.
            days[entry] = min(calendar.on_or_before(date_of(entry)), last)
        pair = (stored.portfolio_ids[portfolio], instrument)
        entries[pair] = min(days[entry], entries.get(pair, days[entry]))
    keys: dict[tuple[str, int], _Key] = {}
    columns: dict[_Key, _Column] = {}
    for pair, stated in sorted(entries.items(), key=lambda one: (one[0][1], one[1])):
        contract = of[pair[1]]
        seen = splits.get(contract.underlying_id or 0, ())
        key = _Key(pair[1], bisect_right(seen, calendar.sessions[max(stated, 0)]))
        keys[pair] = key
        columns.setdefault(key, _Column(contract, stated, stated))
    held = {instrument for _, instrument in entries}
    for contract in contracts:
        if contract.instrument_id not in held:
            columns[_Key(contract.instrument_id, 0)] = _Column(contract, last, last)
    return keys, columns


def _ids(columns: Sequence[_Column]) -> set[int]:
    own = {one.contract.instrument_id for one in columns}
    return own | {one.contract.underlying_id for one in columns if one.contract.underlying_id}


def _facts(
    connection: Connection,
    columns: Sequence[_Column],
    settings: Settings,
    unstored: Sequence[UnstoredOption],
) -> tuple[InstrumentFacts, ...]:
    known = {
        one.instrument_id: one
        for one in load_instruments(
            connection,
            {one.contract.instrument_id for one in columns},
            base_currency=settings.base_currency,
        )
    } | {one.facts.instrument_id: one.facts for one in unstored}
    return tuple(known[one.contract.instrument_id] for one in columns)


def _deep_first(columns: Sequence[_Column], closes: Closes, first: int) -> int:
    """Return the session from which on closes say all that the sessions from ``first`` need."""
    found = first
    for column in columns:
        own = closes.series.get(column.contract.instrument_id)
        if own is not None:
            observed = own.first + np.flatnonzero(np.isfinite(own.closes))
            before = observed[observed <= first]
            found = min(found, int(before[-1]) if before.size else first)
        series = closes.series.get(column.contract.underlying_id or 0)
        if series is not None:
            known = np.isfinite(series.closes)
            returns = series.first + 1 + np.flatnonzero(known[1:] & known[:-1])
            before = returns[returns <= first]
            found = min(found, int(before[-SPAN]) - 1 if before.size >= SPAN else series.first)
    # The mark of an underlying may be carried from before all of that.
    for series in (closes.series.get(one.contract.underlying_id or 0) for one in columns):
        if series is not None:
            observed = series.first + np.flatnonzero(np.isfinite(series.closes))
            before = observed[observed <= found]
            first = min(first, int(before[-1]) if before.size else found)
    return min(found, first)


def _contracts(panel: Panel, columns: Sequence[_Column]) -> Contracts:
    """Return the terms of the columns against a panel that has their underlyings."""
    underlying = np.array(
        [panel.column_of[one.contract.underlying_id or 0] for one in columns], dtype=np.int64
    )
    stated = np.array([max(one.stated - panel.first, 0) for one in columns], dtype=np.int64)
    strike = np.array([one.contract.strike for one in columns])
    days = np.array([one.contract.expiry for one in columns], dtype="datetime64[D]")
    return Contracts(
        is_call=np.array([one.contract.is_call for one in columns], dtype=bool),
        underlying=underlying,
        strike=strike * panel.marks.split_index[stated, underlying],
        expiry=days.astype(np.int64),
    )


def _own_closes(
    calendar: Calendar, panel: Panel, facts: Sequence[InstrumentFacts], closes: Closes
) -> FloatArray:
    """Return the closes of the options themselves; none of a foreign one."""
    found = np.full((len(panel.sessions), len(facts)), np.nan)
    until = quarantine_rows(calendar, facts, panel.first, len(panel.sessions))
    for place, one in enumerate(facts):
        series = closes.series.get(one.instrument_id)
        if series is not None and not one.is_foreign:
            lay_closes(found[:, place], series, panel.first, int(until[place]))
    return found


def _widened(
    panel: Panel,
    calendar: Calendar,
    facts: tuple[InstrumentFacts, ...],
    found: OptionMarks,
    options: Options,
) -> Panel:
    """Put the options' columns after those of the panel."""
    marks, width = panel.marks, len(panel.instruments)
    nothing = np.zeros(found.mark.shape)
    added = MarkPanel(
        mark=found.mark,
        age=found.age,
        split_index=marks.split_index[:, options.contracts.underlying],
        income=nothing,
        returns=np.full(found.mark.shape, np.nan),
    )
    sectors = tuple(sorted({*panel.sectors, *(one.sector for one in facts)}))
    code_of = {name: code for code, name in enumerate(sectors)}
    every = (*panel.instruments, *facts)
    column_of = dict(panel.column_of)
    for place, one in enumerate(facts):
        column_of.setdefault(one.instrument_id, width + place)
    foreign = np.array([one.is_foreign for one in facts], dtype=bool)
    return replace(
        panel,
        instruments=every,
        column_of=column_of,
        marks=MarkPanel(
            mark=np.concatenate([marks.mark, added.mark], axis=1),
            age=np.concatenate([marks.age, added.age], axis=1),
            split_index=np.concatenate([marks.split_index, added.split_index], axis=1),
            income=np.concatenate([marks.income, added.income], axis=1),
            returns=np.concatenate([marks.returns, added.returns], axis=1),
        ),
        cost_only=np.concatenate([panel.cost_only, foreign]),
        manual=np.concatenate([panel.manual, np.zeros(len(facts), bool)]),
        quarantine_row=np.concatenate(
            [
                panel.quarantine_row,
                quarantine_rows(calendar, facts, panel.first, len(panel.sessions)),
            ]
        ),
        sector_code=np.array([code_of[one.sector] for one in every], dtype=np.int64),
        sectors=sectors,
        options=options,
    )
