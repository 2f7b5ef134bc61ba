import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from riskmark.calc.hedging import hedge_quantity, scale_to_volatility


def test_half_the_volatility_takes_half_of_every_position():
    found = scale_to_volatility(np.array([100.0, -40.0]), volatility=0.2, wanted=0.1)

    assert found.factor == 0.5
    assert found.trades.tolist() == [-50.0, 20.0]


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=8),
    st.floats(0.001, 2.0),
    st.floats(0.001, 2.0),
)
def test_scaled_positions_are_whole_and_within_half_a_unit(quantities, volatility, wanted):
    held = np.array(quantities)

    found = scale_to_volatility(held, volatility=volatility, wanted=wanted)

    after = held + found.trades
    assert np.all(np.abs(after - np.rint(after)) <= 1e-9 * np.maximum(np.abs(held), 1.0))
    assert np.all(np.abs(after - held * found.factor) <= 0.5 + 1e-6)


@given(st.floats(-1e7, 1e7), st.floats(1.0, 1e3), st.sampled_from([-2.0, 0.5, 1.0, 3.0]))
def test_a_hedge_leaves_at_most_half_a_unit(exposure, price, beta):
    quantity = hedge_quantity(exposure, price=price, multiplier=1.0, beta=beta)

    left = exposure + quantity * price * beta
    assert quantity == int(quantity)
    assert abs(left) <= 0.5 * abs(price * beta) * (1 + 1e-9)
