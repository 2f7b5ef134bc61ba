"""Numbers of snapshots that follow from other stored ones, checked on arrays.

Nulls are left out: that they have a reason is checked with the texts.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from riskmark.calc.arrays import BoolArray, FloatArray
from riskmark.reports.invariants import (
    TOLERANCE,
    Expectation,
    amounts_of,
    differing,
    is_dated,
    neighbours,
    shifted,
)
from riskmark.reports.stored_cells import StoredCells
from riskmark.reports.violations import Violation

_ORDER = (
    ("drawdown_within_bounds", ("max_drawdown", "drawdown"), (-1.0, 0.0)),
    ("concentration_within_bounds", ("top_1", "top_3", "top_10"), (0.0, 1.0)),
    ("concentration_within_bounds", ("hhi",), (0.0, 1.0)),
)
"""Numbers that ascend, and the bounds that they lie in."""


def derived_violations(cells: StoredCells, expected: Expectation) -> Iterator[Violation]:
    """Yield every number of ``cells`` that does not follow from those it is made of."""
    if not len(cells):
        return
    yield from _session_violations(cells, expected)
    yield from _concentration_violations(cells)
    yield from _order_violations(cells)
    yield from _sector_violations(cells)
    yield from _factor_violations(cells, expected)
    yield from _risk_violations(cells, expected)


def _session_violations(cells: StoredCells, expected: Expectation) -> Iterator[Violation]:
    """Check what follows from the session and the one before it: the return and the income."""
    money = cells.money
    follows, is_first = neighbours(cells, expected)
    relevant = follows | is_first
    scale = amounts_of(cells)
    before = shifted(money["nav"], follows)
    known = relevant & ~np.isnan(money["return"])
    capital = before + money["inflow"]
    # Of little capital a return is large, and so is what its last digit stands for.
    yield from differing(
        cells,
        "return_is_pnl_over_capital",
        money["return"],
        _over(money["pnl"], capital),
        scale=np.maximum(np.abs(money["return"]), 1.0),
        relevant=known,
    )
    total = money["cum_income"]
    earlier = shifted(total, follows)
    yield from differing(
        cells,
        "income_adds_to_its_sum",
        money["income"],
        total - earlier,
        scale=scale + np.abs(total) + np.abs(earlier) + np.abs(money["income"]),
        relevant=relevant,
    )


def _concentration_violations(cells: StoredCells) -> Iterator[Violation]:
    money, sums = cells.money, cells.sums
    gross = sums["exposed"]
    one = np.ones(gross.size)
    pairs: tuple[tuple[str, str, FloatArray, FloatArray], ...] = (
        ("hhi_is_sum_of_squares", "hhi", _over(sums["squares"], gross * gross), one),
        ("top_1_is_largest_share", "top_1", _over(sums["largest"], gross), one),
        (
            "nonlinear_weight_is_that_of_options",
            "nonlinear_weight",
            _over(sums["nonlinear"], money["gross"]),
            np.maximum(np.abs(money["nonlinear_weight"]), 1.0),
        ),
        (
            "effective_positions_are_inverse",
            "effective_positions",
            _over(one, money["hhi"]),
            np.abs(money["effective_positions"]),
        ),
    )
    for invariant, name, summed, scale in pairs:
        known = ~np.isnan(money[name])
        if name != "effective_positions":
            known &= ~cells.pruned
        yield from differing(cells, invariant, money[name], summed, scale=scale, relevant=known)


def _order_violations(cells: StoredCells) -> Iterator[Violation]:
    for invariant, names, (least, most) in _ORDER:
        values = [cells.money[name] for name in names]
        steps = [np.full(len(cells), least), *values, np.full(len(cells), most)]
        broken = np.zeros(len(cells), dtype=bool)
        for lower, higher in pairwise(steps):
            broken |= lower > higher + TOLERANCE
        shown = ", ".join(names)
        for place in np.flatnonzero(broken).tolist():
            stored = ", ".join(f"{value[place]:,.6f}" for value in values)
            yield Violation(invariant, *cells.cell(place), f"{shown}: stored {stored}")


def _sector_violations(cells: StoredCells) -> Iterator[Violation]:
    sectors, nav = cells.sectors, cells.money["nav"]
    held = np.where(cells.pruned, cells.listed, cells.counted)
    for place in np.flatnonzero((sectors.rows > 0) != (held > 0)).tolist():
        detail = f"{sectors.rows[place]} sectors of {held[place]} positions"
        yield Violation("positions_have_sectors", *cells.cell(place), detail)
    some = sectors.numbers > 0
    for place in np.flatnonzero(some & (sectors.numbers < sectors.rows)).tolist():
        detail = f"{sectors.numbers[place]} of {sectors.rows[place]} sectors have numbers"
        yield Violation("sectors_are_null_together", *cells.cell(place), detail)
    exposed, net = cells.sums["exposed"], cells.sums["exposed_net"]
    scale = amounts_of(cells) + exposed
    for name, shares, summed in (("net", sectors.net, net), ("gross", sectors.gross, exposed)):
        yield from differing(
            cells,
            f"sectors_sum_to_{name}",
            summed,
            shares * nav,
            scale=scale,
            relevant=some & ~cells.pruned,
        )


def _factor_violations(cells: StoredCells, expected: Expectation) -> Iterator[Violation]:
    """Find the cells that lack exposures or stress results which the others have."""
    known = np.array([key in expected.first for key in cells.portfolio_ids], dtype=bool)
    relevant: BoolArray = known[cells.portfolio] & ~is_dated(cells, expected)
    for place in np.flatnonzero(relevant & (cells.factors.rows != expected.factors)).tolist():
        detail = f"{cells.factors.rows[place]} exposures, {expected.factors} factors"
        yield Violation("every_factor_has_an_exposure", *cells.cell(place), detail)
    for place in np.flatnonzero(relevant & (cells.scenarios != expected.scenarios)).tolist():
        detail = f"{cells.scenarios[place]} results, {expected.scenarios} scenarios"
        yield Violation("every_scenario_has_a_result", *cells.cell(place), detail)


def _risk_violations(cells: StoredCells, expected: Expectation) -> Iterator[Violation]:
    """Check that what positions and factors add to risk sums to it."""
    fresh = ~is_dated(cells, expected)
    shortfall = cells.money["es_95"]
    yield from differing(
        cells,
        "component_es_sums_to_es",
        shortfall,
        cells.sums["components"],
        scale=cells.sums["component_sizes"],
        relevant=fresh & ~cells.pruned & ~np.isnan(shortfall),
    )
    share = cells.money["factor_share"]
    yield from differing(
        cells,
        "factor_contributions_sum_to_share",
        share,
        cells.factors.shares,
        scale=cells.factors.sizes,
        relevant=fresh & ~np.isnan(share),
    )


def _over(amounts: FloatArray, whole: FloatArray) -> FloatArray:
    """Divide; NaN where there is nothing to divide by."""
    found: FloatArray = np.divide(amounts, whole, out=np.full(whole.size, np.nan), where=whole != 0)
    return found
