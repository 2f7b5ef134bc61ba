"""What must hold of every stored number: it is finite, or null with a reason."""

import json
import math
from collections.abc import Callable
from typing import Any

from riskmark.domain.measures import SECTION_OF, STORED
from riskmark.domain.reasons import NullReason
from riskmark.reports.catalogue.whole import catalogue
from riskmark.settings import load_settings

REASONS = frozenset(NullReason)
LISTED = {
    one.column: frozenset(one.nulls)
    for section in catalogue(load_settings(None, {}).settings)
    for one in section.entries
}
"""The reasons that the reference lists for each column."""
_BESIDE = {
    "factor_exposure": (
        ("exposure", "exposure_null"), ("money", "money_null"), ("coverage", "coverage_null"),
        ("stderr", "stderr_null"), ("risk_share", "risk_share_null"),
    ),
    "position_value": (("beta", "beta_null"), ("component_es_95", "component_es_95_null")),
    "stress_result": (("direct", "direct_null"), ("predictive", "predictive_null")),
}  # fmt: skip
_NUMBERS = {
    "position_value": (
        "quantity",
        "mark",
        "market_value",
        "weight",
        "pnl",
        "beta",
        "component_es_95",
    ),
    "stress_result": ("direct", "predictive"),
    "factor_exposure": ("exposure", "money", "stderr", "coverage", "risk_share"),
    "sector_exposure": ("long", "short", "net", "gross"),
    "symbol_fit": ("alpha", "beta", "stderr", "r2", "residual_sd"),
    "symbol_metric": ("close", "return", "vol_21", "vol_63", "vol_252", "high_252", "low_252"),
}

Select = Callable[..., list[Any]]


def assert_sound(select: Select) -> None:
    """Assert it of the whole installation that ``select`` reads."""
    _check_snapshots(select)
    for table, pairs in _BESIDE.items():
        for value, reason in pairs:
            rows = select(f'SELECT DISTINCT "{value}" IS NULL, "{reason}" FROM {table}')
            for is_null, text in rows:
                assert bool(is_null) == (text is not None), (table, value, text)
                assert text is None or text in REASONS, (table, value, text)
                assert text is None or text in LISTED[f"{table}.{value}"], (table, value, text)
    for table, names in _NUMBERS.items():
        for name in names:
            rows = select(f'SELECT "{name}" FROM {table} WHERE "{name}" IS NOT NULL')
            assert all(math.isfinite(row[0]) for row in rows), (table, name)


def _check_snapshots(select: Select) -> None:
    names = ", ".join(f'"{name}"' for name in STORED)
    rows = select(
        "SELECT portfolio_id, session, nulls, mwr_annualized, drawdown_peak, drawdown_trough, "
        f"{names} FROM snapshot"
    )
    for portfolio, session, nulls, is_annual, peak, trough, *values in rows:
        where = (portfolio, session)
        reasons = json.loads(nulls)
        found = dict(zip(STORED, values, strict=True))
        missing = {f"{SECTION_OF[name]}.{name}" for name, one in found.items() if one is None}
        assert set(reasons) == missing, where
        assert set(reasons.values()) <= REASONS, where
        for name, reason in reasons.items():
            column = f"snapshot.{name.rpartition('.')[2]}"
            assert reason in LISTED[column], (*where, name, reason)
        assert all(one is None or math.isfinite(one) for one in values), where
        assert (is_annual is None) == (found["mwr_inception"] is None), where
        has_fall = found["max_drawdown"] is not None and found["max_drawdown"] < 0
        assert (peak is not None, trough is not None) in _ALLOWED[has_fall], where


_ALLOWED = {
    # The peak may be the value of 1 before the first session, which has no date.
    True: {(True, True), (False, True)},
    False: {(False, False)},
}
