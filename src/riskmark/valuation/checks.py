"""Invariants of a shard's numbers, checked before they are stored.

A portfolio with a violation publishes nothing; the name of the invariant says what is wrong.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from riskmark.calc.arrays import BoolArray, FloatArray
from riskmark.valuation.numbers import ShardNumbers
from riskmark.valuation.shard import ShardInputs, Valued

TOLERANCE = 1e-9
"""Of gross and cash together: what sums in another order may differ by."""


def violations(inputs: ShardInputs, valued: Valued, numbers: ShardNumbers) -> dict[int, str]:
    """Return the first invariant that each portfolio of the shard (by place) violates."""
    found: dict[int, str] = {}
    for name, broken in _invariants(inputs, valued, numbers):
        for portfolio in np.unique(numbers.portfolio[broken]).tolist():
            found.setdefault(portfolio, name)
    return found


def _invariants(
    inputs: ShardInputs, valued: Valued, numbers: ShardNumbers
) -> Iterator[tuple[str, BoolArray]]:
    value = {name: one.values for name, one in numbers.measures.items()}
    for name, one in numbers.measures.items():
        yield f"null_has_reason_{name}", np.isnan(one.values) != (one.nulls != 0)
        yield f"finite_{name}", np.isinf(one.values)
    rows = numbers.position_rows
    total_value = _by_cell(numbers, rows.market_value)
    total_pnl = _by_cell(numbers, rows.pnl)
    nav, flow, pnl = value["nav"], value["flow"], value["pnl"]
    before = _nav_before(inputs, valued, numbers)
    scale = value["gross"] + np.abs(value["cash"]) + np.abs(before) + np.abs(flow) + np.abs(nav)
    scale += _by_cell(numbers, np.abs(rows.pnl))
    yield "nav_is_cash_plus_positions", _differ(nav, value["cash"] + total_value, scale)
    yield "position_pnl_sums_to_pnl", _differ(total_pnl, pnl, scale)
    yield "nav_rolls_forward", _differ(nav, before + pnl + flow, scale)
    yield (
        "long_and_short_are_net",
        _differ(value["long_value"] + value["short_value"], value["net"], scale),
    )
    yield "flow_is_inflow_less_outflow", _differ(value["inflow"] - value["outflow"], flow, scale)
    cumulative = value["cum_realized"] + value["cum_unrealized"] + value["cum_income"]
    paths = np.cumsum(valued.values.paths.pnl, axis=0)
    turnover = np.cumsum(np.abs(valued.values.paths.pnl), axis=0)
    at = (numbers.ordinal - inputs.panel.first - inputs.cut, numbers.portfolio)
    yield "cumulative_parts_sum_to_pnl", _differ(cumulative, paths[at], scale + turnover[at])
    yield from _risk_invariants(numbers, value)
    yield "negative_gross", value["gross"] < 0
    yield "positive_short", value["short_value"] > 0


def _risk_invariants(
    numbers: ShardNumbers, value: Mapping[str, FloatArray]
) -> Iterator[tuple[str, BoolArray]]:
    """Check parts of risk against their sums; comparisons with a null are not made."""
    for level in ("95", "99"):
        var, shortfall = value[f"var_{level}_money"], value[f"es_{level}_money"]
        known = np.isfinite(var) & np.isfinite(shortfall)
        slack = TOLERANCE * np.where(known, np.abs(shortfall) + value["gross"], 1.0)
        yield f"es_{level}_below_var", known & (np.nan_to_num(shortfall - var) < -slack)
    parts = np.nan_to_num(numbers.position_rows.component_es_95.values)
    total = value["es_95"]
    known = np.isfinite(total)
    apart = _differ(
        _by_cell(numbers, parts),
        np.where(known, total, 0.0),
        _by_cell(numbers, np.abs(parts)),
    )
    yield "component_es_sums_to_es", known & apart
    for model in numbers.exposures:
        share = value["factor_share"]
        known = np.isfinite(share) & (model.risk_share.nulls == 0).all(axis=1)
        each = np.where(known[:, None], model.risk_share.values, 0.0)
        scale = np.abs(each).sum(axis=1)
        differ = _differ(each.sum(axis=1), np.where(known, share, 0.0), scale)
        yield "factor_contributions_sum_to_share", known & differ


def _nav_before(inputs: ShardInputs, valued: Valued, numbers: ShardNumbers) -> FloatArray:
    row = numbers.ordinal - inputs.panel.first - inputs.cut - 1
    nav = valued.values.paths.nav[np.maximum(row, 0), numbers.portfolio]
    return np.where(row < 0, 0.0, nav)


def _by_cell(numbers: ShardNumbers, amounts: FloatArray) -> FloatArray:
    cell = numbers.position_rows.cell
    return np.bincount(cell, amounts, minlength=len(numbers)).astype(np.float64)


def _differ(one: FloatArray, other: FloatArray, scale: FloatArray) -> BoolArray:
    found: BoolArray = ~(np.abs(one - other) <= TOLERANCE * np.maximum(scale, 1e-9))
    return found
