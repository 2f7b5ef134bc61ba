"""The cases that the definitions of performance name, and what must hold of any series."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmark.calc.arrays import CODE_OF, Measure, reason_of
from riskmark.calc.book_paths import BookPaths
from riskmark.calc.performance import (
    Performance,
    RollingBases,
    ToDateBases,
    measure_performance,
)
from riskmark.domain.reasons import NullReason
from riskmark.errors import ShapeError

NAN = np.nan
NO_CAPITAL = CODE_OF[NullReason.NO_CAPITAL]
NAV_NOT_POSITIVE = CODE_OF[NullReason.NAV_NOT_POSITIVE]


def paths_of(returns, *, nulls=None, first=0, nav=None, held=None, flows=None):
    """Make a book of ``returns`` that begins with 100 on row ``first``."""
    values = np.array(returns, float)[:, None]
    codes = np.where(np.isnan(values), NO_CAPITAL, 0) if nulls is None else np.array(nulls)[:, None]
    rows = np.arange(len(values))[:, None]
    growth = np.cumprod(1 + np.nan_to_num(values), axis=0)
    worth = np.where(rows >= first, 100 * growth, 0.0) if nav is None else np.array(nav)[:, None]
    flow = np.zeros(values.shape)
    if first < len(flow):
        flow[first] = 100
    if flows is not None:
        flow = np.array(flows, float)[:, None]
    lots = np.where(rows >= first, 1, 0) if held is None else np.array(held)[:, None]
    return BookPaths(
        nav=worth.astype(float),
        inflow=np.maximum(flow, 0.0),
        outflow=np.maximum(-flow, 0.0),
        pnl=np.zeros(values.shape),
        returns=Measure(values, codes.astype(np.int8)),
        held=lots,
    )


def measured(paths, rows=None, *, base=None, first=0, days=None, risk_free=0.0) -> Performance:
    """Measure with one and the same base for all spans."""
    rows = rows or range(len(paths.nav))
    same = np.full(len(rows), -1) if base is None else np.array(base)
    return measure_performance(
        paths,
        rows,
        day_numbers=np.arange(rows.stop) if days is None else np.array(days),
        to_date_base=ToDateBases(same, same, same),
        rolling_base=RollingBases(same, same, same, same),
        first_row=np.atleast_1d(first),
        risk_free=risk_free,
    )


def null_of(measure, row=-1):
    return reason_of(int(measure.nulls[row, 0]))


def test_a_span_begins_after_its_base():
    paths = paths_of([0.5, 0.1, 0.2])

    found = measured(paths, range(2, 3), base=[0])

    assert found.twr_mtd.values[0, 0] == pytest.approx(1.1 * 1.2 - 1)
    assert found.twr_1y.values[0, 0] == pytest.approx(1.1 * 1.2 - 1)
    assert found.twr_inception.values[0, 0] == pytest.approx(1.5 * 1.1 * 1.2 - 1)


def test_a_younger_book_runs_to_date_from_its_start_and_has_no_rolling_span():
    paths = paths_of([NAN, NAN, 0.1, 0.2], first=2)

    found = measured(paths, range(3, 4), base=[0], first=2)

    assert found.twr_ytd.values[0, 0] == pytest.approx(1.1 * 1.2 - 1)
    assert null_of(found.twr_3m) is NullReason.YOUNGER_THAN_PERIOD


def test_a_book_as_old_as_the_base_is_not_younger():
    paths = paths_of([0.5, 0.1, 0.2])

    found = measured(paths, base=[-1, 0, 0])

    assert null_of(found.twr_1m, 0) is NullReason.YOUNGER_THAN_PERIOD
    assert found.twr_1m.values[1, 0] == pytest.approx(0.1)


def test_before_its_first_session_a_book_has_no_performance():
    paths = paths_of([NAN, NAN, 0.1], first=2)

    found = measured(paths, first=2)

    for measure in found[:14]:
        assert null_of(measure, 0) is NullReason.YOUNGER_THAN_PERIOD
    assert found.mwr_annualized[:, 0].tolist() == [-1, -1, -1]


def test_a_session_without_capital_is_skipped():
    paths = paths_of([0.1, NAN, 0.2], nav=[110, 0, 120], held=[1, 0, 1])

    found = measured(paths)

    assert found.twr_inception.values[:, 0] == pytest.approx([0.1, 0.1, 1.1 * 1.2 - 1])
    assert found.volatility.values[2, 0] == pytest.approx(np.std([0.1, 0.2], ddof=1) * 252**0.5)
    assert null_of(found.volatility, 1) is NullReason.TOO_FEW_OBSERVATIONS


def test_no_span_is_chained_across_a_nav_that_is_not_positive():
    nulls = [0, 0, NAV_NOT_POSITIVE, 0, 0]
    paths = paths_of([0.1, -1.2, NAN, 0.5, 0.1], nulls=nulls, nav=[110, -20, 80, 120, 132])

    over = measured(paths, base=[-1, -1, -1, -1, 1])
    after = measured(paths, range(4, 5), base=[2])

    nulls = [null_of(over.twr_mtd, row) for row in range(5)]
    assert nulls == [None, *[NullReason.NAV_NOT_POSITIVE] * 4]
    assert after.twr_mtd.values[0, 0] == pytest.approx(1.5 * 1.1 - 1)
    for name in ("drawdown", "max_drawdown", "volatility", "sharpe", "sortino"):
        assert null_of(getattr(over, name), 0) is not NullReason.NAV_NOT_POSITIVE
        assert null_of(getattr(over, name), 1) is NullReason.NAV_NOT_POSITIVE
        assert null_of(getattr(over, name), 4) is NullReason.NAV_NOT_POSITIVE
    assert over.trough_row[4, 0] == -1


def test_a_base_with_a_nav_that_is_not_positive_is_no_session_of_the_span():
    paths = paths_of([0.1, -1.2, 0.5], nav=[110, -20, 80])

    found = measured(paths, range(2, 3), base=[1])

    assert found.twr_mtd.values[0, 0] == pytest.approx(0.5)


def test_a_nav_of_0_with_nothing_held_breaks_no_span_but_one_with_holdings_does():
    flat = paths_of([0.1, 0.2, 0.3], nav=[110, 0, 50], held=[1, 0, 1])
    boxed = paths_of([0.1, 0.2, 0.3], nav=[110, 0, 50], held=[1, 2, 1])

    assert measured(flat).twr_inception.values[2, 0] == pytest.approx(1.1 * 1.2 * 1.3 - 1)
    assert null_of(measured(boxed).twr_inception) is NullReason.NAV_NOT_POSITIVE


def test_after_a_total_loss_a_span_that_begins_later_still_has_a_return():
    paths = paths_of([0.1, -1.0, 0.2, 0.1], nav=[110, 0, 120, 132], held=[1, 0, 1, 1])

    since, later = measured(paths), measured(paths, range(3, 4), base=[1])

    assert since.twr_inception.values[:, 0] == pytest.approx([0.1, -1, -1, -1])
    assert since.max_drawdown.values[3, 0] == -1
    assert later.twr_mtd.values[0, 0] == pytest.approx(1.2 * 1.1 - 1)


def test_the_peak_may_lie_before_the_first_session():
    found = measured(paths_of([-0.1, 0.05, -0.02]))

    assert found.drawdown.values[:, 0] == pytest.approx([-0.1, 0.9 * 1.05 - 1, 0.9261 - 1])
    assert found.max_drawdown.values[:, 0] == pytest.approx([-0.1, -0.1, -0.1])
    assert found.peak_row[:, 0].tolist() == [-1, -1, -1]
    assert found.trough_row[:, 0].tolist() == [0, 0, 0]
    assert found.recovery_row[:, 0].tolist() == [-1, -1, -1]


def test_the_deepest_drawdown_has_a_peak_a_trough_and_a_recovery():
    found = measured(paths_of([0.1, 0.0, -0.2, 0.25, -0.1, 1.0, -0.3]))

    assert found.trough_row[:, 0].tolist() == [-1, -1, 2, 2, 2, 2, 6]
    assert found.peak_row[:, 0].tolist() == [-1, -1, 1, 1, 1, 1, 5]
    assert found.recovery_row[:, 0].tolist() == [-1, -1, -1, 3, 3, 3, -1]
    assert found.max_drawdown.values[:, 0] == pytest.approx([0, 0, -0.2, -0.2, -0.2, -0.2, -0.3])


def test_a_session_without_capital_is_no_peak():
    found = measured(paths_of([0.1, NAN, -0.2], nav=[110, 0, 80], held=[1, 0, 1]))

    assert found.peak_row[2, 0] == 0


def test_returns_that_do_not_vary_have_no_sharpe_ratio():
    found = measured(paths_of([0.01, 0.01 + 1e-17, 0.01]), risk_free=0.02)

    assert found.volatility.values[1:, 0].tolist() == [0, 0]
    assert null_of(found.sharpe) is NullReason.UNDEFINED_DENOMINATOR
    assert null_of(found.sortino) is NullReason.UNDEFINED_DENOMINATOR
    assert null_of(found.sharpe, 0) is NullReason.TOO_FEW_OBSERVATIONS


def test_a_short_span_has_a_money_weighted_return_of_the_period():
    paths = paths_of([0.0, 0.1], flows=[100, 0])

    found = measured(paths, days=[0, 364])

    assert null_of(found.mwr_inception, 0) is NullReason.FIRST_SESSION
    assert found.mwr_inception.values[1, 0] == pytest.approx(0.1)
    assert found.mwr_annualized[:, 0].tolist() == [-1, 0]


def test_from_365_days_on_the_money_weighted_return_is_a_rate_a_year():
    paths = paths_of([0.0, 0.1, 0.1], flows=[100, 0, 0])

    found = measured(paths, days=[0, 365, 730])

    assert found.mwr_inception.values[1:, 0] == pytest.approx([0.1, 0.1])
    assert found.mwr_annualized[:, 0].tolist() == [-1, 1, 1]


def test_flows_are_weighted_by_their_days():
    # 100 for 100 days and 50 for the last 50 of them: 100·(1 + R) + 50·√(1 + R) = 165.
    paths = paths_of([0, 0, 0], nav=[100, 150, 165], flows=[100, 50, 0])

    found = measured(paths, days=[0, 50, 100])

    root = (-50 + (50**2 + 400 * 165) ** 0.5) / 200
    assert found.mwr_inception.values[2, 0] == pytest.approx(root**2 - 1)


def test_a_flow_of_the_last_session_is_part_of_its_closing_nav():
    paths = paths_of([0, 0], nav=[100, 160], flows=[100, 50])

    found = measured(paths, days=[0, 100])

    assert found.mwr_inception.values[1, 0] == pytest.approx(0.1)


def test_without_a_root_there_is_no_money_weighted_return():
    paths = paths_of([0, 0], nav=[100, -5], flows=[100, 0])

    found = measured(paths)

    assert null_of(found.mwr_inception) is NullReason.NO_ROOT
    assert found.mwr_annualized[1, 0] == -1


def test_the_rows_must_end_the_series():
    with pytest.raises(ShapeError):
        measured(paths_of([0.1, 0.2]), range(1))


@st.composite
def books(draw):
    """Series of some books with sessions without capital and broken ones, and flows."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sessions, count = int(rng.integers(2, 40)), int(rng.integers(1, 5))
    first = rng.integers(0, sessions, count)
    rows = np.arange(sessions)[:, None]
    codes = rng.choice([0, NO_CAPITAL, NAV_NOT_POSITIVE], (sessions, count), p=[0.9, 0.08, 0.02])
    codes[rows < first] = NO_CAPITAL
    values = np.where(codes == 0, rng.normal(0, 0.05, codes.shape).clip(-0.9, 2), NAN)
    nav = np.where(rows < first, 0.0, rng.uniform(1, 200, codes.shape))
    nav[codes == NAV_NOT_POSITIVE] = -1.0
    flow = np.where(rng.random(codes.shape) < 0.2, rng.normal(0, 30, codes.shape), 0.0)
    flow = np.where(rows == first, 100.0, np.where(rows < first, 0.0, flow))
    paths = BookPaths(
        nav,
        np.maximum(flow, 0),
        np.maximum(-flow, 0),
        np.zeros(nav.shape),
        Measure(values, codes.astype(np.int8)),
        np.where(rows < first, 0, 1),
    )
    return paths, first, np.cumsum(rng.integers(1, 40, sessions))


def cut(paths, stop):
    whole = paths.returns
    short = [array[:stop] for array in (*paths[:4], paths.held)]
    returns = Measure(whole.values[:stop], whole.nulls[:stop])
    return BookPaths(*short[:4], returns, short[4])


@given(books(), st.data())
def test_a_session_alone_equals_the_same_session_in_a_range(case, data):
    paths, first, days = case
    row = data.draw(st.integers(0, len(days) - 1))
    base = np.maximum(np.arange(len(days)) - 7, -1)

    whole = measured(paths, base=base, first=first, days=days, risk_free=0.03)
    alone = measured(
        cut(paths, row + 1),
        range(row, row + 1),
        base=base[[row]],
        first=first,
        days=days,
        risk_free=0.03,
    )

    for full, part in zip(whole[:14], alone[:14], strict=True):
        np.testing.assert_array_equal(full.nulls[row], part.nulls[0])
        np.testing.assert_allclose(full.values[row], part.values[0], rtol=1e-8, atol=1e-11)
    for full, part in zip(whole[14:], alone[14:], strict=True):
        np.testing.assert_array_equal(full[row], part[0])


@given(books())
def test_a_number_and_its_null_agree(case):
    paths, first, days = case

    found = measured(paths, first=first, days=days)

    for measure in found[:14]:
        np.testing.assert_array_equal(np.isnan(measure.values), measure.nulls != 0)
        assert np.isfinite(measure.values[measure.nulls == 0]).all()


@given(books())
def test_books_do_not_touch_each_other(case):
    paths, first, days = case

    together = measured(paths, first=first, days=days)

    for book in range(len(first)):
        only = [array[:, [book]] for array in (*paths[:4], *paths.returns, paths.held)]
        single = BookPaths(*only[:4], Measure(only[4], only[5]), only[6])
        alone = measured(single, first=first[[book]], days=days)
        for many, one in zip(together[:14], alone[:14], strict=True):
            np.testing.assert_array_equal(many.nulls[:, [book]], one.nulls)
            np.testing.assert_allclose(many.values[:, [book]], one.values, rtol=1e-8, atol=1e-11)
