"""Marks of options: which price, which volatility, and nothing that is not known."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from riskmark.calc.arrays import reason_of
from riskmark.calc.black_scholes import option_price
from riskmark.calc.marks import Events, build_marks
from riskmark.calc.option_marks import Carry, Contracts, mark_options, own_volatility

SESSIONS = 200
CARRY = Carry(0.03, 0.01)
NONE = Events(np.zeros(0, int), np.zeros(0, int), np.zeros(0))


def closes(seed=1, sessions=SESSIONS):
    rng = np.random.default_rng(seed)
    return 100 * np.exp(np.cumsum(rng.normal(0, 0.01, (sessions, 1)), axis=0))


def panel_of(close, splits=NONE):
    return build_marks(close, splits, NONE, NONE)


def contract(strike=100.0, expiry=SESSIONS + 50, *, is_call=True):
    return Contracts(
        np.array([is_call]), np.array([0]), np.array([float(strike)]), np.array([expiry])
    )


def marked(contracts, own, panel, first=0):
    days = np.arange(len(own))
    return mark_options(contracts, own, panel, days, first=np.array([first]), carry=CARRY)


def no_closes(sessions=SESSIONS):
    return np.full((sessions, 1), np.nan)


def test_the_own_volatility_is_that_of_the_last_63_returns_observed():
    returns = np.diff(closes(), axis=0) / closes()[:-1]
    returns[[70, 90, 150]] = np.nan

    found = own_volatility(returns)

    assert np.isnan(found[:62]).all()
    for row in (62, 80, 150, 198):
        observed = returns[: row + 1, 0][np.isfinite(returns[: row + 1, 0])][-63:]
        assert found[row, 0] == pytest.approx(np.std(observed, ddof=1) * np.sqrt(252), rel=1e-12)


def test_without_63_returns_of_the_underlying_there_is_no_mark():
    panel = panel_of(closes())

    found = marked(contract(), no_closes(), panel)

    assert np.isnan(found.mark[:63]).all()
    assert np.isfinite(found.mark[63:]).all()
    assert_array_equal(found.age[:63], -1)
    assert reason_of(int(found.implied.nulls[100, 0])) == "never_priced"


def test_an_own_close_is_the_mark_and_its_volatility_is_kept():
    panel, own = panel_of(closes()), no_closes()
    own[20] = 6.0

    found = marked(contract(), own, panel)

    assert found.mark[20, 0] == 6.0
    assert not found.is_model[20, 0]
    assert np.isnan(found.mark[19, 0])
    assert found.is_model[21, 0]
    assert found.volatility[150, 0] == found.volatility[20, 0]
    terms = contract().terms(
        panel,
        np.arange(SESSIONS),
        found.volatility[[20], 0],
        at=(np.array([20]), np.array([0])),
        carry=CARRY,
    )
    assert option_price(terms)[0] == pytest.approx(6.0, rel=1e-12)


def test_a_close_that_implies_nothing_leaves_the_volatility_of_the_underlying():
    panel, own = panel_of(closes()), no_closes()
    own[100] = 1e-9

    found = marked(contract(50.0), own, panel)

    assert reason_of(int(found.implied.nulls[150, 0])) == "below_intrinsic"
    assert found.volatility[150, 0] == own_volatility(panel.returns)[150, 0]


def test_a_split_of_the_underlying_divides_strike_and_price():
    plain = closes()
    split = np.where(np.arange(SESSIONS)[:, None] >= 120, plain / 4, plain)
    event = Events(np.array([120]), np.array([0]), np.array([4.0]))
    own = no_closes()
    own[100] = 8.0

    before = marked(contract(), own, panel_of(plain))
    after = marked(contract(), own, panel_of(split, event))

    assert_allclose(after.mark[120:], before.mark[120:] / 4, rtol=1e-12)
    assert_allclose(after.mark[:120], before.mark[:120], rtol=1e-12, equal_nan=True)
    assert_allclose(after.volatility, before.volatility, rtol=1e-9, equal_nan=True)


def test_after_expiry_only_an_old_close_is_left():
    panel, own = panel_of(closes()), no_closes()
    own[100] = 5.0

    with_close = marked(contract(expiry=150), own, panel)
    without = marked(contract(expiry=150), no_closes(), panel)

    assert with_close.is_model[150, 0]
    assert (with_close.mark[151, 0], with_close.age[151, 0]) == (5.0, 51)
    assert np.isfinite(without.mark[150, 0])
    assert np.isnan(without.mark[151, 0])


def test_a_model_is_as_old_as_the_mark_of_its_underlying():
    close = closes()
    close[150:153] = np.nan

    found = marked(contract(), no_closes(), panel_of(close))

    assert_array_equal(found.age[148:154, 0], [0, 0, 1, 2, 3, 0])


def test_a_mark_does_not_depend_on_where_the_panel_begins():
    close, own = closes(), no_closes()
    own[[90, 130]] = 6.0
    whole = marked(contract(), own, panel_of(close))

    later = mark_options(
        contract(),
        own[60:],
        panel_of(close[60:]),
        np.arange(60, SESSIONS),
        first=np.array([100]),
        carry=CARRY,
    )

    assert_array_equal(later.mark[100:], whole.mark[160:])
    assert_array_equal(later.volatility[100:], whole.volatility[160:])
