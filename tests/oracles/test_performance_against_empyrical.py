"""Performance against empyrical and plain loops, on random series of several books."""

import warnings

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from riskmark.calc.arrays import CODE_OF, Measure
from riskmark.calc.book_paths import BookPaths
from riskmark.calc.performance import RollingBases, ToDateBases, measure_performance
from riskmark.domain.reasons import NullReason

with warnings.catch_warnings():
    # The package warns of what it does without, as it is imported.
    warnings.simplefilter("ignore")
    import empyrical

NO_CAPITAL = CODE_OF[NullReason.NO_CAPITAL]
BASES = (1, 5, 20, 3, 9, 21, 30)


@st.composite
def series(draw):
    """Returns of some books, first sessions, and which sessions have no capital."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sessions, books = int(rng.integers(3, 60)), int(rng.integers(1, 5))
    first = rng.integers(0, sessions - 2, books)
    idle = rng.random((sessions, books)) < rng.choice([0.0, 0.2])
    idle |= np.arange(sessions)[:, None] < first
    idle[first, np.arange(books)] = False
    scale = rng.choice([1e-4, 0.01, 0.2])
    values = rng.normal(scale / 10, scale, idle.shape).clip(-0.99, 5)
    return np.where(idle, np.nan, values), first


def paths_of(returns):
    idle = np.isnan(returns)
    return BookPaths(
        nav=np.where(idle, 0.0, 1.0),
        inflow=np.zeros(returns.shape),
        outflow=np.zeros(returns.shape),
        pnl=np.zeros(returns.shape),
        returns=Measure(returns, np.where(idle, NO_CAPITAL, 0).astype(np.int8)),
        held=np.where(idle, 0, 1),
    )


def measured(returns, rows, first, *, risk_free):
    bases = [np.maximum(np.arange(rows.start, rows.stop) - back, -1) for back in BASES]
    return measure_performance(
        paths_of(returns[: rows.stop]),
        rows,
        day_numbers=np.arange(rows.stop),
        to_date_base=ToDateBases(*bases[:3]),
        rolling_base=RollingBases(*bases[3:]),
        first_row=first,
        risk_free=risk_free,
    )


def observed(values):
    return values[~np.isnan(values)]


@given(series(), st.sampled_from([0.0, 0.03]), st.data())
def test_ratios_and_drawdowns_are_those_of_empyrical(case, risk_free, data):
    returns, first = case
    start = data.draw(st.integers(int(first.max()), len(returns) - 1))
    rows = range(start, len(returns))

    found = measured(returns, rows, first, risk_free=risk_free)

    free = risk_free / 252
    for at, row in enumerate(rows):
        for book in range(len(first)):
            so_far = observed(returns[: row + 1, book])
            expected = {
                "twr_inception": empyrical.cum_returns_final(so_far),
                "max_drawdown": empyrical.max_drawdown(so_far),
            }
            if len(so_far) >= 2:
                expected["volatility"] = empyrical.annual_volatility(so_far)
                expected["sharpe"] = empyrical.sharpe_ratio(so_far, risk_free=free)
                sortino = empyrical.sortino_ratio(so_far, required_return=free)
                expected["sortino"] = sortino if np.isfinite(sortino) else np.nan
            for name, number in expected.items():
                value = getattr(found, name).values[at, book]
                np.testing.assert_allclose(value, number, rtol=1e-8, atol=1e-11, err_msg=name)


@given(series())
def test_spans_are_chained_as_a_loop_chains_them(case):
    returns, first = case
    rows = range(len(returns))

    found = measured(returns, rows, first, risk_free=0.0)

    for place, (measure, back) in enumerate(zip(found[:7], BASES, strict=True)):
        expected = np.full(returns.shape, np.nan)
        for row in rows:
            base = max(row - back, -1)
            old_enough = first <= (base if place >= 3 else row)
            growth = np.nanprod(1.0 + returns[base + 1 : row + 1], axis=0)
            expected[row] = np.where(old_enough, growth - 1.0, np.nan)
        np.testing.assert_allclose(measure.values, expected, rtol=1e-9, atol=1e-12)


@given(series())
def test_peak_trough_and_recovery_are_those_of_a_loop(case):
    returns, first = case
    rows = range(int(first.max()), len(returns))

    found = measured(returns, rows, first, risk_free=0.0)

    for at, row in enumerate(rows):
        for book in range(len(first)):
            rows_found = [
                int(getattr(found, name)[at, book])
                for name in ("peak_row", "trough_row", "recovery_row")
            ]
            assert rows_found == dated_drawdown(returns[: row + 1, book])


def dated_drawdown(values):
    """Walk through the returns: the rows of the peak, the trough and the recovery."""
    wealth = top = 1.0
    peak, depth, found = -1, 0.0, [-1, -1, -1]
    for row, value in enumerate(values):
        if np.isnan(value):
            continue
        wealth *= 1.0 + value
        if wealth >= top:
            if found[1] >= 0 and found[2] < 0 and found[0] == peak:
                found[2] = row
            top, peak = wealth, row
        elif wealth / top - 1.0 < depth:
            depth = wealth / top - 1.0
            found = [peak, row, -1]
    return found
