"""The newest numbers of each symbol, against statsmodels and plain NumPy."""

from datetime import date

import numpy as np
import pytest
import statsmodels.api as sm
from tests.acceptance.world import FACTORS, LAST, World

SPLIT_DAY = date(2025, 10, 6)
DIVIDEND_DAY = date(2025, 11, 3)
LATE = date(2025, 9, 2)
"""S01 has no price before it: some windows are not full."""
STYLE = (
    ("SPY", None), ("VTV", "VUG"), ("IWM", "SPY"), ("MTUM", "SPY"), ("QUAL", "SPY"),
    ("USMV", "SPY"), ("TLT", None),
)  # fmt: skip


@pytest.fixture
def priced(world: World) -> World:
    """Give a world with a split, a dividend, a hole and a late listing, after a run."""
    world.add_prices(*FACTORS)
    closes = world.closes("S00")
    before = {day: round(close * 2, 4) for day, close in closes.items() if day < SPLIT_DAY}
    world.add_bars("S00", before | {d: c for d, c in closes.items() if d >= SPLIT_DAY})
    world.add_action("S00", SPLIT_DAY, "split", 2.0)
    world.add_action("S00", DIVIDEND_DAY, "dividend", 1.5)
    hole = world.sessions(LATE, LAST)[10]
    late = {day: close for day, close in world.closes("S01").items() if day >= LATE}
    del late[hole]
    world.add_bars("S01", late)
    world.run()
    return world


def _returns(world: World, symbol: str) -> np.ndarray:
    """Total returns of the last 252 sessions, NaN where a close is missing."""
    sessions = world.sessions(date(2024, 6, 3), LAST)[-253:]
    closes = np.array([world.closes(symbol)[day] for day in sessions])
    income = np.zeros(len(sessions))
    if symbol == "S00":
        income[sessions.index(DIVIDEND_DAY)] = 1.5
    if symbol == "S01":
        first = sessions.index(LATE)
        closes[:first] = np.nan
        closes[first + 10] = np.nan
    return (closes[1:] + income[1:]) / closes[:-1] - 1


def _factors(world: World, pairs: tuple) -> np.ndarray:
    columns = []
    for long, short in pairs:
        column = _returns(world, long)
        columns.append(column if short is None else column - _returns(world, short))
    return np.column_stack(columns)


@pytest.mark.parametrize("symbol", ["S00", "S01", "SPY"])
@pytest.mark.parametrize(
    ("model", "window", "pairs"),
    [("market", 90, STYLE[:1]), ("market_1y", 252, STYLE[:1]), ("style", 252, STYLE)],
)
def test_fits_are_those_of_statsmodels(priced: World, model: str, window: int, pairs, symbol: str):
    own, factors = _returns(priced, symbol)[-window:], _factors(priced, pairs)[-window:]
    rows = np.isfinite(own) & np.isfinite(factors).all(axis=1)
    expected = sm.OLS(own[rows], sm.add_constant(factors[rows])).fit()

    found = priced.rows(
        "SELECT f.n, f.alpha, f.beta, f.stderr, f.r2, f.residual_sd, f.quality, f.reason "
        "FROM symbol_fit f JOIN instrument i ON i.id = f.instrument_id "
        "WHERE i.symbol = ? AND f.model = ?",
        symbol,
        model,
    )

    close = {"rel": 1e-7, "abs": 1e-10}
    assert [row[0] for row in found] == [int(rows.sum())] * len(pairs)
    assert [row[1] for row in found] == pytest.approx([expected.params[0]] * len(pairs), **close)
    assert sorted(row[2] for row in found) == pytest.approx(sorted(expected.params[1:]), **close)
    if symbol != "SPY":  # SPY is its own market: nothing is left to estimate errors from
        assert sorted(row[3] for row in found) == pytest.approx(sorted(expected.bse[1:]), **close)
        residual = np.sqrt(expected.ssr / (rows.sum() - len(pairs) - 1))
        assert found[0][5] == pytest.approx(residual, **close)
    assert found[0][4] == pytest.approx(expected.rsquared, **close)
    assert found[0][6:] == ("full" if rows.sum() == window else "limited", None)


def test_metrics_are_those_of_the_closes_in_the_shares_of_today(priced: World):
    for symbol in ("S00", "S01"):
        returns = _returns(priced, symbol)
        known = {d: c for d, c in priced.closes(symbol).items() if symbol == "S00" or d >= LATE}
        if symbol == "S01":
            del known[priced.sessions(LATE, LAST)[10]]
        year = set(priced.sessions(date(2024, 6, 3), LAST)[-252:])
        closes = [close for day, close in known.items() if day in year]

        (row,) = priced.rows(
            'SELECT m.close, m.mark_kind, m.mark_age, m."return", m.vol_21, m.vol_63, m.vol_252, '
            "m.high_252, m.low_252, m.observed_252 FROM symbol_metric m "
            "JOIN instrument i ON i.id = m.instrument_id WHERE i.symbol = ?",
            symbol,
        )

        vols = [np.std(returns[-n:], ddof=1) * np.sqrt(252) for n in (21, 63, 252)]
        expected = [None if np.isnan(vol) else pytest.approx(vol) for vol in vols]
        assert row[:3] == (priced.closes(symbol)[LAST], "close", 0)
        assert row[3] == pytest.approx(returns[-1])
        assert list(row[4:7]) == expected
        assert row[7:] == (
            pytest.approx(max(closes)), pytest.approx(min(closes)), len(closes),
        )  # fmt: skip


def test_a_factor_that_changes_makes_the_fits_of_every_symbol_due(priced: World):
    before = priced.rows("SELECT instrument_id, beta FROM symbol_fit WHERE model = 'market'")
    corrected = priced.sessions(LATE, LAST)[-5]
    close = round(priced.closes("SPY")[corrected] * 1.02, 4)

    priced.add_bars("SPY", {corrected: close})
    priced.run()

    after = dict(priced.rows("SELECT instrument_id, beta FROM symbol_fit WHERE model = 'market'"))
    spy = priced.rows("SELECT id FROM instrument WHERE symbol = 'SPY'")[0][0]
    changed = {key for key, beta in before if after[key] != pytest.approx(beta, rel=1e-9)}
    assert changed == set(after) - {spy}
