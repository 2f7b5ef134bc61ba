"""What must hold among stored numbers, and where it does not.

These are the sums and the order of snapshots, on arrays (``StoredCells``); ``derived_checks``
has the numbers that follow from others, ``text_checks`` the texts. Sums may differ in their
last digits: they are compared to ``TOLERANCE`` of the amounts that went into them. A cell
that the planner would compute again is out of date, which is no violation: relations between
such a cell and others are not looked at.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from riskmark.calc.arrays import BoolArray, FloatArray, IntArray
from riskmark.reports.stored_cells import StoredCells
from riskmark.reports.violations import Violation

TOLERANCE = 1e-9
_OF_POSITIONS = frozenset(
    {
        "nav_is_cash_plus_positions",
        "position_pnl_sums_to_pnl",
        "longs_sum_to_long_value",
        "shorts_sum_to_short_value",
    }
)
"""Invariants that need the lines of positions, which may have been pruned."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is known beside the snapshots themselves.

    ``first`` and ``dated`` are by live portfolio: the ordinal of its first session, and the
    ordinals that are planned. ``factors`` is how many factors all models have, ``scenarios``
    how many scenarios there are, ``aliases`` what former symbols are called now.
    """

    sessions: Sequence[date]
    first: Mapping[str, int | None]
    dated: Mapping[str, frozenset[int]]
    factors: int
    scenarios: int
    aliases: Mapping[str, str]


def array_violations(cells: StoredCells, expected: Expectation) -> Iterator[Violation]:
    """Yield every violation of the sums, the order and the roll-forward of ``cells``."""
    for table, portfolio, session in cells.orphans:
        yield Violation(
            "detail_has_snapshot", portfolio, session, f"rows of {table} without a snapshot"
        )
    if not len(cells):
        return
    yield from _sum_violations(cells)
    yield from _roll_violations(cells, expected)
    for place in np.flatnonzero(cells.ordinal < 0).tolist():
        yield Violation(
            "snapshot_on_a_session", *cells.cell(place), "the calendar has no such session"
        )
    yield from _strangers(cells, expected)
    yield from _holes(cells, expected)


def _strangers(cells: StoredCells, expected: Expectation) -> Iterator[Violation]:
    unknown = [place for place, key in enumerate(cells.portfolio_ids) if key not in expected.first]
    for place in np.flatnonzero(np.isin(cells.portfolio, unknown)).tolist():
        yield Violation("snapshot_has_a_portfolio", *cells.cell(place), "no portfolio has this id")


def _sum_violations(cells: StoredCells) -> Iterator[Violation]:
    money, sums = cells.money, cells.sums
    scale = amounts_of(cells)
    held = sums["long"] + sums["short"]
    pairs: tuple[tuple[str, FloatArray, FloatArray], ...] = (
        ("nav_is_cash_plus_positions", money["nav"], money["cash"] + held),
        ("position_pnl_sums_to_pnl", money["pnl"], sums["pnl"]),
        ("longs_sum_to_long_value", money["long_value"], sums["long"]),
        ("shorts_sum_to_short_value", money["short_value"], sums["short"]),
        ("long_and_short_are_net", money["net"], money["long_value"] + money["short_value"]),
        (
            "long_less_short_is_gross",
            money["gross"],
            money["long_value"] - money["short_value"],
        ),
        (
            "flow_is_inflow_less_outflow",
            money["flow"],
            money["inflow"] - money["outflow"],
        ),
    )
    for invariant, stored, summed in pairs:
        relevant = ~cells.pruned if invariant in _OF_POSITIONS else True
        yield from differing(cells, invariant, stored, summed, scale=scale, relevant=relevant)
    for place in np.flatnonzero((cells.listed != cells.counted) & ~cells.pruned).tolist():
        detail = f"{cells.listed[place]} positions counted, {cells.counted[place]} stored"
        yield Violation("positions_are_counted", *cells.cell(place), detail)


def _roll_violations(cells: StoredCells, expected: Expectation) -> Iterator[Violation]:
    money = cells.money
    follows, is_first = neighbours(cells, expected)
    relevant = follows | is_first
    scale = amounts_of(cells)
    before = shifted(money["nav"], follows)
    yield from differing(
        cells,
        "nav_rolls_forward",
        money["nav"],
        before + money["pnl"] + money["flow"],
        scale=scale + np.abs(before),
        relevant=relevant,
    )
    parts = [money[name] for name in ("cum_realized", "cum_unrealized", "cum_income")]
    total: FloatArray = np.add.reduce(parts)
    turned: FloatArray = np.add.reduce([np.abs(part) for part in parts])
    earlier = shifted(total, follows)
    yield from differing(
        cells,
        "cumulative_parts_sum_to_pnl",
        total,
        earlier + money["pnl"],
        scale=scale + turned + np.abs(earlier),
        relevant=relevant,
    )


def differing(
    cells: StoredCells,
    invariant: str,
    stored: FloatArray,
    summed: FloatArray,
    *,
    scale: FloatArray,
    relevant: BoolArray | bool = True,
) -> Iterator[Violation]:
    """Yield a violation for each cell whose stored number is not what it should sum to."""
    same = np.abs(stored - summed) <= TOLERANCE * np.maximum(scale, 1e-9)
    for place in np.flatnonzero(relevant & ~same).tolist():
        detail = f"stored {stored[place]:,.6f}, summed {summed[place]:,.6f}"
        yield Violation(invariant, *cells.cell(place), detail)


def amounts_of(cells: StoredCells) -> FloatArray:
    """Return the amounts that went into a cell's sums; NaN stands for nothing."""
    names = ("gross", "cash", "nav", "flow", "inflow", "outflow", "pnl")
    parts = [np.nan_to_num(np.abs(cells.money[name])) for name in names]
    found: FloatArray = np.add.reduce([*parts, cells.sums["turnover"]])
    return found


def neighbours(cells: StoredCells, expected: Expectation) -> tuple[BoolArray, BoolArray]:
    """Return which cells follow the one before them by one session, and which are the first.

    Cells that are out of date, and those after one, are neither.
    """
    dated = is_dated(cells, expected)
    same = np.zeros(len(cells), dtype=bool)
    same[1:] = cells.portfolio[1:] == cells.portfolio[:-1]
    step = np.zeros(len(cells), dtype=bool)
    step[1:] = (np.diff(cells.ordinal) == 1) & (cells.ordinal[:-1] >= 0)
    follows = same & step & ~dated
    follows[1:] &= ~dated[:-1]
    starts = np.array(
        [_or_none(expected.first.get(key)) for key in cells.portfolio_ids], dtype=np.int64
    )
    is_first = (cells.ordinal == starts[cells.portfolio]) & ~same & ~dated
    return follows, is_first


def _or_none(ordinal: int | None) -> int:
    return -2 if ordinal is None else ordinal


def is_dated(cells: StoredCells, expected: Expectation) -> BoolArray:
    """Return which cells a run would compute again."""
    dated = np.zeros(len(cells), dtype=bool)
    for place, key in enumerate(cells.portfolio_ids):
        planned = expected.dated.get(key)
        if planned:
            own = cells.portfolio == place
            dated[own] = np.isin(cells.ordinal[own], np.fromiter(planned, dtype=np.int64))
    return dated


def shifted(values: FloatArray, follows: BoolArray) -> FloatArray:
    """Return the value of the cell before, where there is one; else 0."""
    before = np.zeros(values.size)
    before[1:] = values[:-1]
    found: FloatArray = np.where(follows, before, 0.0)
    return found


def _holes(cells: StoredCells, expected: Expectation) -> Iterator[Violation]:
    """Yield the stretches of sessions between two snapshots that have none."""
    ordinals: IntArray = cells.ordinal
    on_session = np.flatnonzero(ordinals >= 0)
    portfolio, ordinal = cells.portfolio[on_session], ordinals[on_session]
    apart = (np.diff(ordinal) > 1) & (portfolio[1:] == portfolio[:-1])
    for place in np.flatnonzero(apart).tolist():
        first, last = int(ordinal[place]) + 1, int(ordinal[place + 1]) - 1
        missing = last - first + 1
        detail = "no snapshot" if missing == 1 else f"no snapshot to {expected.sessions[last]}"
        yield Violation(
            "every_session_has_a_snapshot",
            cells.portfolio_ids[portfolio[place]],
            expected.sessions[first],
            f"{detail} ({missing:,} missing)" if missing > 1 else detail,
        )
