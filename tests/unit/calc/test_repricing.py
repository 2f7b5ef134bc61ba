"""Full repricing: delta and what is beyond it are the whole change of a price."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from riskmark.calc.black_scholes import Pricing, option_greeks, option_price
from riskmark.calc.repricing import OptionPositions, beyond_delta


def held(*, units, spot=100.0, strike=95.0, is_call=False):
    terms = Pricing(
        np.array([is_call]),
        np.array([spot]),
        np.array([strike]),
        np.array([0.4]),
        np.array([0.3]),
        0.02,
        0.01,
    )
    exposure = option_greeks(terms).delta * spot * units
    return OptionPositions(np.array([0]), np.array([0]), np.array([units]), exposure, terms)


@given(st.floats(-1, 3), st.floats(-500, 500), st.booleans())
def test_delta_and_what_is_beyond_it_are_the_change_of_the_price(move, units, is_call):
    one = held(units=units, is_call=is_call)

    found = one.exposure * move + beyond_delta(one, np.array([[move]]))[:, 0]

    moved = one.terms._replace(spot=one.terms.spot * (1 + move))
    change = units * (option_price(moved) - option_price(one.terms))
    assert_allclose(found, change, rtol=1e-9, atol=1e-6)


@given(st.floats(-0.9, 2), st.booleans())
def test_whoever_is_long_an_option_gains_beyond_delta(move, is_call):
    found = beyond_delta(held(units=100.0, is_call=is_call), np.array([[move]]))

    assert found[0, 0] >= -1e-9


def test_an_underlying_cannot_be_worth_less_than_nothing():
    one = held(units=100.0)

    found = one.exposure * -1.5 + beyond_delta(one, np.array([[-1.5]]))[:, 0]

    put = 100 * (95 * np.exp(-0.02 * 0.4) - option_price(one.terms)[0])
    assert found[0] == pytest.approx(put)
