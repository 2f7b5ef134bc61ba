"""Whole books on a generated market, valued and measured as a run does, without a database.

A ``Case`` is everything that the numbers are a function of. ``measure_case`` gives all of
them, one column a number (``risk.vol_21``, ``factors.style.Value.money``, …) and one row a
cell, so that a law can be held against every number at once.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

import numpy as np

from riskmark.calc.accounting import Books, Flows
from riskmark.calc.arrays import CODE_OF
from riskmark.calc.lots import Lots
from riskmark.calc.marks import Events, build_marks
from riskmark.domain.instruments import InstrumentKind
from riskmark.domain.measures import SECTION_OF
from riskmark.domain.reasons import NullReason
from riskmark.settings import Settings, load_settings
from riskmark.valuation.analytics import analyse
from riskmark.valuation.checks import violations
from riskmark.valuation.holdings import BookArrays
from riskmark.valuation.inputs import InputCutter, Inputs
from riskmark.valuation.numbers import ShardNumbers
from riskmark.valuation.panels import InstrumentFacts, Panel
from riskmark.valuation.shard import ShardInputs, value

SETTINGS = load_settings(None, {}).settings
FACTORS = SETTINGS.factor_symbols
HELD = ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF")
SYMBOLS = (*FACTORS, *HELD)
ACTIONS = ("split", "spinoff", "dividend")
OPEN = 1 << 40
ABSENT = -1
"""The code of a number that a cell does not have at all: of a position that is not there."""


class Action(NamedTuple):
    """A corporate action on a row of the panel."""

    kind: str
    row: int
    symbol: str
    value: float


class Lot(NamedTuple):
    """A lot; it is stated on its effective rows."""

    symbol: str
    quantity: float
    entry: int
    price: float
    exit: int = OPEN
    proceeds: float = np.nan


@dataclass(frozen=True)
class Book:
    """Lots, and with an equity also flows of (row, amount)."""

    lots: tuple[Lot, ...]
    equity: float = np.nan
    flows: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True)
class Case:
    """A market, books, and the rows that are asked for; ``close`` (T, N) goes by ``symbols``."""

    close: np.ndarray
    actions: tuple[Action, ...]
    books: tuple[Book, ...]
    rows: range
    symbols: tuple[str, ...] = SYMBOLS
    manual: frozenset[str] = frozenset()
    cost_only: frozenset[str] = frozenset()
    settings: Settings = SETTINGS
    first: int = 5_000

    def changed(self, **fields: object) -> "Case":
        return replace(self, **fields)


@dataclass(frozen=True)
class Numbers:
    """All numbers of C cells: ``values`` and ``codes`` (C, M) by ``names``.

    A code is 0 for a number, that of its reason for a null, ABSENT for what is not there.
    """

    names: tuple[str, ...]
    values: np.ndarray
    codes: np.ndarray
    portfolio: np.ndarray
    ordinal: np.ndarray
    shard: ShardNumbers
    broken: dict[int, str]

    def __getitem__(self, name: str) -> np.ndarray:
        return self.values[:, self.names.index(name)]

    def code(self, name: str) -> np.ndarray:
        return self.codes[:, self.names.index(name)]

    def where(self, cells: np.ndarray) -> "Numbers":
        """Return some of the cells."""
        return replace(
            self,
            values=self.values[cells],
            codes=self.codes[cells],
            portfolio=self.portfolio[cells],
            ordinal=self.ordinal[cells],
        )

    def renamed(self, portfolio: np.ndarray) -> "Numbers":
        """Give the portfolios other places, and sort the cells by them."""
        moved = replace(self, portfolio=portfolio[self.portfolio])
        return moved.where(np.lexsort((moved.ordinal, moved.portfolio)))

    def ordered(self, names: tuple[str, ...]) -> "Numbers":
        """Return the numbers in the order of ``names``; absent ones that are not among them."""
        place = {name: column for column, name in enumerate(self.names)}
        columns = np.array([place.get(name, -1) for name in names])
        absent = columns < 0
        values, codes = self.values[:, columns].copy(), self.codes[:, columns].copy()
        values[:, absent], codes[:, absent] = np.nan, ABSENT
        return replace(self, names=names, values=values, codes=codes)


def measure_case(case: Case, *, planned: np.ndarray | None = None) -> Numbers:
    """Measure every book of a case on its rows, or where ``planned`` (P, R) says so."""
    inputs, portfolios = inputs_of(case, planned=planned)
    valued = value(inputs)
    shard = analyse(inputs, valued)
    found = _numbers(case, shard, violations(inputs, valued, shard))
    return replace(found, portfolio=portfolios[found.portfolio])


def inputs_of(case: Case, *, planned: np.ndarray | None = None) -> tuple[ShardInputs, np.ndarray]:
    """Cut the inputs of a shard as a run does, and tell which books are in it.

    A book has no cell before its first session, and without a cell no place in the shard.
    """
    first = [
        min([lot.entry for lot in book.lots] + [row for row, _ in book.flows])
        for book in case.books
    ]
    rows = np.arange(case.rows.start, case.rows.stop)
    begun = rows >= np.array(first)[:, None]
    wanted = begun if planned is None else begun & planned
    portfolios = np.flatnonzero(wanted.any(axis=1))
    names = tuple(f"{place:03d}" for place in range(len(case.books)))
    inputs = Inputs(_panel(case), names, _books(case, first), lots_of={})
    shard = InputCutter(inputs, case.settings).cut(
        [names[place] for place in portfolios],
        [(rows[wanted[place]] + case.first).tolist() for place in portfolios],
    )
    return shard, portfolios


def _books(case: Case, first: list[int]) -> BookArrays:
    place = {symbol: column for column, symbol in enumerate(case.symbols)}
    lots = [(book, lot) for book, one in enumerate(case.books) for lot in one.lots]
    flows = [(book, *flow) for book, one in enumerate(case.books) for flow in one.flows]
    instrument = np.array([place[lot.symbol] for _, lot in lots], np.int64)
    return BookArrays(
        books=Books(np.array(first, np.int64), np.array([one.equity for one in case.books])),
        lots=_lots(case, lots, instrument),
        flows=Flows(
            np.array([one[0] for one in flows], np.int64),
            np.array([one[1] for one in flows], np.int64),
            np.array([one[2] for one in flows], np.float64),
        ),
        lot_start=_starts([len(one.lots) for one in case.books]),
        flow_start=_starts([len(one.flows) for one in case.books]),
    )


def _starts(sizes: list[int]) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def _lots(case: Case, lots: list[tuple[int, Lot]], instrument: np.ndarray) -> Lots:
    entry = np.array([lot.entry for _, lot in lots], np.int64)
    leave = np.array([lot.exit for _, lot in lots], np.int64)
    return Lots(
        portfolio=np.array([book for book, _ in lots], np.int64),
        instrument=instrument,
        quantity=np.array([lot.quantity for _, lot in lots], np.float64),
        multiplier=np.ones(len(lots)),
        stated_row=entry,
        entry_row=entry,
        entry_price=np.array([lot.price for _, lot in lots], np.float64),
        exit_stated_row=np.minimum(leave, len(case.close) - 1),
        exit_row=leave,
        exit_price=np.array([lot.proceeds for _, lot in lots], np.float64),
        cost_only=np.array([lot.symbol in case.cost_only for _, lot in lots], dtype=bool),
    )


def _panel(case: Case) -> Panel:
    place = {symbol: column for column, symbol in enumerate(case.symbols)}
    events = (_events(case, kind, place) for kind in ACTIONS)
    close = np.array(case.close)
    cost_only = np.array([symbol in case.cost_only for symbol in case.symbols], dtype=bool)
    close[:, cost_only] = np.nan
    marks = build_marks(close, *events)
    manual = np.array([symbol in case.manual for symbol in case.symbols], dtype=bool)
    marks.returns[:, manual] = np.nan
    facts = tuple(_facts(symbol, case) for symbol in case.symbols)
    sectors = tuple(sorted({one.sector for one in facts}))
    days = np.busday_offset("2000-01-03", np.arange(len(close)) + case.first, roll="forward")
    return Panel(
        first=case.first,
        sessions=tuple(days.astype(date)),
        days=days.astype("datetime64[D]").astype(np.int64),
        instruments=facts,
        column_of={one.instrument_id: column for column, one in enumerate(facts)},
        symbol_column=place,
        marks=marks,
        cost_only=cost_only,
        manual=manual,
        quarantine_row=np.full(len(facts), len(close), np.int64),
        sector_code=np.array([sectors.index(one.sector) for one in facts], np.int64),
        sectors=sectors,
        rebuilt=(),
        imported={},
    )


def _facts(symbol: str, case: Case) -> InstrumentFacts:
    """Give each symbol an id and a sector that do not depend on the order of symbols."""
    place = SYMBOLS.index(symbol)
    return InstrumentFacts(
        instrument_id=place + 1,
        symbol=symbol,
        kind=InstrumentKind.PRIVATE if symbol in case.manual else InstrumentKind.STOCK,
        sector=("Energy", "Materials", "Utilities")[place % 3],
        is_foreign=False,
        is_accepted=False,
        quarantined_from=None,
    )


def _events(case: Case, kind: str, place: dict[str, int]) -> Events:
    found = [one for one in case.actions if one.kind == kind]
    return Events(
        np.array([one.row for one in found], np.int64),
        np.array([place[one.symbol] for one in found], np.int64),
        np.array([one.value for one in found], np.float64),
    )


def _numbers(case: Case, shard: ShardNumbers, broken: dict[int, str]) -> Numbers:
    columns: dict[str, tuple[np.ndarray, np.ndarray]] = {
        f"{SECTION_OF[name]}.{name}": (one.values, one.nulls)
        for name, one in shard.measures.items()
    }
    for model in shard.exposures:
        for what in ("exposure", "money", "stderr", "coverage", "risk_share"):
            one = getattr(model, what)
            for place, factor in enumerate(model.factors):
                key = f"factors.{model.model}.{factor}.{what}"
                columns[key] = (one.values[:, place], one.nulls[:, place])
    for what, one in (("direct", shard.stress.direct), ("predictive", shard.stress.predictive)):
        for place, scenario in enumerate(shard.stress.scenarios):
            columns[f"stress.{scenario}.{what}"] = (one.values[:, place], one.nulls[:, place])
    _add_positions(columns, case, shard)
    _add_sectors(columns, case, shard)
    return Numbers(
        names=tuple(columns),
        values=np.stack([np.asarray(one, np.float64) for one, _ in columns.values()], axis=1),
        codes=np.stack([np.asarray(one, np.int64) for _, one in columns.values()], axis=1),
        portfolio=shard.portfolio,
        ordinal=shard.ordinal,
        shard=shard,
        broken=broken,
    )


def _add_positions(columns, case: Case, shard: ShardNumbers) -> None:
    rows = shard.position_rows
    for place, symbol in enumerate(case.symbols):
        chosen = rows.column == place
        if not chosen.any():
            continue
        for what in ("quantity", "market_value", "pnl", "mark", "weight"):
            found = getattr(rows, what)[chosen]
            columns[f"positions.{symbol}.{what}"] = _laid(shard, rows.cell[chosen], found)
        for what in ("beta", "component_es_95"):
            one = getattr(rows, what)
            columns[f"positions.{symbol}.{what}"] = _laid(
                shard, rows.cell[chosen], one.values[chosen], one.nulls[chosen]
            )


def _add_sectors(columns, case: Case, shard: ShardNumbers) -> None:
    rows = shard.sector_rows
    names = sorted({_facts(symbol, case).sector for symbol in case.symbols})
    for place, sector in enumerate(names):
        chosen = rows.sector == place
        if not chosen.any():
            continue
        for what in ("long", "short", "net", "gross"):
            found = getattr(rows, what)[chosen]
            columns[f"sectors.{sector}.{what}"] = _laid(shard, rows.cell[chosen], found)


def _laid(shard: ShardNumbers, cell, found, nulls=None):
    """Lay numbers of some cells on all; some have no reason beside them."""
    if nulls is None:
        nulls = np.where(np.isnan(found), CODE_OF[NullReason.NOT_DEFINED], 0)
    values = np.full(len(shard), np.nan)
    codes = np.full(len(shard), ABSENT)
    values[cell], codes[cell] = found, nulls
    return values, codes


# ---------------------------------------------------------------- what a case is made of


def random_case(
    seed: int,
    *,
    sessions: int = 300,
    gaps: float = 0.0,
    actions: bool = True,
    rows: int = 3,
    books: int = 3,
) -> Case:
    """Make a market and books from a seed: long and short, with and without a stated equity.

    ``gaps`` is the share of closes that are missing; with any, one symbol is listed late, one
    is priced by hand, one never, and one stops.
    """
    rng = np.random.default_rng(seed)
    close = _closes(rng, sessions)
    manual, cost_only = frozenset[str](), frozenset[str]()
    if gaps:
        missing = rng.random(close.shape) < gaps
        missing[:, 0] &= rng.random(sessions) < 0.3
        missing[: int(rng.integers(0, sessions)), SYMBOLS.index("BBB")] = True
        missing[int(rng.integers(sessions - 20, sessions)) :, SYMBOLS.index("CCC")] = True
        close[missing] = np.nan
        manual, cost_only = frozenset({"EEE"}), frozenset({"FFF"})
    stretch = range(max(sessions - rows, 1), sessions)
    made = tuple(_book(rng, close, stretch) for _ in range(books))
    acts = _actions(rng, sessions) if actions else ()
    return Case(close, acts, made, stretch, manual=manual, cost_only=cost_only)


def _closes(rng: np.random.Generator, sessions: int) -> np.ndarray:
    market = rng.standard_t(5, sessions) * 0.008
    own = rng.standard_t(5, (sessions, len(SYMBOLS))) * rng.uniform(0.003, 0.015, len(SYMBOLS))
    moves = np.clip(market[:, None] * rng.uniform(0.2, 1.8, len(SYMBOLS)) + own, -0.4, 0.6)
    found: np.ndarray = rng.uniform(20, 200, len(SYMBOLS)) * np.exp(np.cumsum(moves, axis=0))
    return found


def _book(rng: np.random.Generator, close: np.ndarray, stretch: range) -> Book:
    lots = []
    symbols = rng.choice([*HELD, "SPY", "TLT"], int(rng.integers(1, 6)))
    for number, symbol in enumerate(symbols.tolist()):
        column = SYMBOLS.index(symbol)
        since = max(0, stretch.start - 60)
        entry = int(rng.integers(since, stretch.start + 1))
        if number and rng.random() < 0.2:
            entry = int(rng.integers(stretch.start, stretch.stop))
        known = close[: entry + 1, column]
        known = known[np.isfinite(known)]
        price = float(known[-1] if known.size else 50.0) * float(rng.uniform(0.97, 1.03))
        amount = float(rng.uniform(1_000, 20_000)) * (-1 if rng.random() < 0.25 else 1)
        lot = Lot(symbol, round(amount / price, 2), entry, round(price, 2))
        if number and rng.random() < 0.3:
            leave = int(rng.integers(entry, stretch.stop + 2))
            lot = lot._replace(exit=leave, proceeds=round(price * 1.05, 2))
        lots.append(lot)
    if rng.random() < 0.4:
        return Book(tuple(lots))
    equity = sum(abs(lot.quantity * lot.price) for lot in lots) * float(rng.uniform(0.7, 2))
    begin = min(lot.entry for lot in lots)
    flows = tuple(
        (int(rng.integers(begin, stretch.stop)), float(rng.integers(-5, 10) * 100))
        for _ in range(int(rng.integers(0, 3)))
    )
    return Book(tuple(lots), round(equity, 2), flows)


def _actions(rng: np.random.Generator, sessions: int) -> tuple[Action, ...]:
    """Make a few dividends and spin-offs; splits are for the tests of them."""
    rows = rng.integers(max(1, sessions - 100), sessions, 6).tolist()
    return tuple(
        Action("dividend", row, str(rng.choice([*HELD, "SPY"])), float(rng.uniform(0.1, 2)))
        if number < 5
        else Action("spinoff", row, "AAA", 1.07)
        for number, row in enumerate(rows)
    )
