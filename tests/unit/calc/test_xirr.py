from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from riskmark.calc.xirr import CashFlows, solve_rates

YEAR = 365.0
LARGEST_LOG = np.log(np.finfo(float).max)


def flows_of(problems):
    """Lay out lists of (day, amount)."""
    offsets = np.cumsum([0, *(len(problem) for problem in problems)])
    days, amounts = zip(*(pair for problem in problems for pair in problem), strict=True)
    return CashFlows(np.array(amounts, float), np.array(days, float), offsets)


def rate_of(problem, horizon=YEAR):
    return solve_rates(flows_of([problem]), horizon_days=np.array([float(horizon)]))[0]


def worth(rate, problem):
    """What the amounts are worth on the first day at a rate a year."""
    start = problem[0][0]
    return sum(amount * (1 + rate) ** (-(day - start) / YEAR) for day, amount in problem)


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        ([(date(2010, 1, 1), -200), (date(2010, 12, 31), 210)], 0.050140747),
        (
            [(date(2019, 5, 24), -1560.94), (date(2020, 1, 13), -1160), (date(2020, 6, 29), 42.8)],
            -0.999251643,
        ),
    ],
)
def test_rates_are_those_of_excel(problem, expected):
    problem = [(day.toordinal(), amount) for day, amount in problem]

    rate = rate_of(problem)

    assert rate == pytest.approx(expected, abs=1e-8)


def test_a_span_of_one_day_has_the_rate_of_its_day():
    rate = rate_of([(0, -100), (1, 250)], horizon=1)

    assert rate == pytest.approx(1.5, rel=1e-12)


def test_of_two_roots_the_one_nearest_0_counts():
    # −100 + 230/1.1 − 132/1.1² = 0, and the same at 1.2.
    rate = rate_of([(0, -100), (365, 230), (730, -132)])

    assert rate == pytest.approx(0.1, rel=1e-9)


def test_a_negative_root_may_be_the_nearest():
    # Roots at −10 % and +60 %: (x − 0.9)(x − 1.6) = x² − 2.5·x + 1.44.
    rate = rate_of([(0, -100), (365, 250), (730, -144)])

    assert rate == pytest.approx(-0.1, rel=1e-9)


def test_amounts_that_cancel_have_the_rate_0():
    assert rate_of([(0, -100), (50, 30), (365, 70)]) == pytest.approx(0, abs=1e-12)
    assert rate_of([(0, -100), (365, 250), (730, -150)]) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    "problem",
    [
        [(0, -100), (365, -5)],
        [(0, 100), (365, 5)],
        [(0, 0), (365, 0)],
        [(0, -100), (365, 0)],
        [(0, -100)],
        [(0, -100), (365, 150), (730, -80)],
    ],
)
def test_without_a_root_there_is_no_rate(problem):
    assert np.isnan(rate_of(problem))


def test_a_rate_that_no_float_can_hold_is_none():
    assert np.isnan(rate_of([(0, -1), (1, 1e6), (365, 0)]))


def test_amounts_of_0_change_nothing():
    plain = [(100, -50), (300, -20), (465, 75)]
    padded = [(0, 0), (100, -50), (200, 0), (300, -20), (465, 75), (700, 0)]

    assert rate_of(padded) == pytest.approx(rate_of(plain), rel=1e-12)


amounts = st.floats(-1e6, 1e6).filter(lambda x: abs(x) > 1e-2)
gaps = st.integers(1, 400)


@st.composite
def investments(draw):
    """Money goes in, then comes out: there is exactly one root."""
    paid = draw(st.lists(amounts.map(abs), min_size=1, max_size=8))
    received = draw(st.lists(amounts.map(abs), min_size=1, max_size=8))
    signed = [-amount for amount in paid] + received
    days = np.cumsum(draw(st.lists(gaps, min_size=len(signed), max_size=len(signed))))
    return list(zip(days.tolist(), signed, strict=True))


@given(investments())
def test_the_only_root_is_that_of_brentq(problem):
    span = problem[-1][0] - problem[0][0]
    shares = [((day - problem[0][0]) / span, amount) for day, amount in problem]

    rate = rate_of(problem, horizon=span)

    def value(growth):
        shift = max(0.0, -growth)
        return sum(amount * np.exp(-growth * share - shift) for share, amount in shares)

    growth = brentq(value, -1e5, 1e5, xtol=1e-14, rtol=1e-14, maxiter=500)
    if growth > LARGEST_LOG:
        assert np.isnan(rate)
    else:
        assert rate == pytest.approx(np.expm1(growth), rel=1e-6, abs=1e-9)


@st.composite
def mixtures(draw):
    signed = draw(st.lists(amounts, min_size=2, max_size=12))
    days = np.cumsum(draw(st.lists(gaps, min_size=len(signed), max_size=len(signed))))
    return list(zip(days.tolist(), signed, strict=True))


@given(mixtures())
def test_no_root_lies_nearer_to_0_than_the_rate(problem):
    rate = rate_of(problem)

    nearer = 0.999 * min(abs(rate), 3.0) if not np.isnan(rate) else 3.0
    grid = np.linspace(max(-nearer, -0.9), nearer, 41)
    values = np.array([worth(point, problem) for point in grid])
    size = sum(abs(amount) for _, amount in problem)
    clear = values[np.abs(values) > 1e-9 * size]
    assert len(set(np.sign(clear))) <= 1
    if -0.999 < rate < 1e3:
        sizes = worth(rate, [(day, abs(amount)) for day, amount in problem])
        assert abs(worth(rate, problem)) <= 1e-8 * sizes


@given(st.lists(mixtures(), min_size=2, max_size=3))
def test_problems_do_not_touch_each_other(problems):
    together = solve_rates(flows_of(problems), horizon_days=np.full(len(problems), YEAR))

    alone = [rate_of(problem) for problem in problems]
    np.testing.assert_allclose(together, alone, rtol=1e-7, atol=1e-10)
