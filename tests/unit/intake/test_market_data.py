"""What vendors mean: split ratios, spin-offs, and prices adjusted for splits."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.market import dividend, spinoff, split

from riskmark.intake.market_data import (
    ActionKind,
    as_traded,
    classify,
    key_of,
    make_bars,
    split_ratio,
)

DAY = date(2024, 1, 2)
DAYS = [DAY + timedelta(days=n) for n in range(6)]


@pytest.mark.parametrize(
    ("reported", "meant"),
    [
        (4.0, 4.0),
        (0.125, 1 / 8),
        (0.333333, 1 / 3),
        (1.5, 1.5),
        (0.066667, 1 / 15),
        (100.0, 100.0),
        (0.01, 0.01),
        (2.9999999, 3.0),
        (1.05, 1.05),
    ],
)
def test_a_split_ratio_is_made_exact(reported, meant):
    assert split_ratio(reported) == meant


@pytest.mark.parametrize("reported", [1.281, 1.253, 1.324, 1.196, 101.0, 1 / 101, 1e-300, 1e300])
def test_other_ratios_are_no_splits(reported):
    assert split_ratio(reported) is None
    assert classify(split("AAA", DAY, reported)).kind is ActionKind.SPINOFF


def test_only_splits_are_classified():
    for action in (spinoff("AAA", DAY, 2.0), dividend("AAA", DAY, 0.333333)):
        assert classify(action) == action


@given(many=st.integers(1, 100), few=st.integers(1, 20), inverse=st.booleans())
def test_every_usual_ratio_survives_rounding_to_seven_decimals(many, few, inverse):
    ratio = Fraction(few, many) if inverse else Fraction(many, few)

    found = split_ratio(round(float(ratio), 7))

    assert found == pytest.approx(float(ratio), abs=2e-6)
    assert split_ratio(float(ratio)) == pytest.approx(float(ratio), abs=1e-6)


def test_bars_before_a_split_become_as_traded():
    bars = make_bars([("AAA", DAYS[0], 25.0), ("AAA", DAYS[1], 26.0), ("BBB", DAYS[0], 7.0)])
    bars = replace(bars, volume=np.array([400.0, 800.0, 5.0]), low=np.array([24.0, 25.0, 6.0]))

    traded, _ = as_traded(bars, [split("AAA", DAYS[1], 4.0)])

    assert traded.close.tolist() == [100.0, 26.0, 7.0]
    assert traded.low.tolist() == [96.0, 25.0, 6.0]
    assert traded.volume.tolist() == [100.0, 800.0, 5.0]


def test_a_dividend_on_the_ex_date_of_a_split_is_in_the_new_shares():
    actions = [
        split("AAA", DAYS[2], 2.0),
        dividend("AAA", DAYS[1], 0.5),
        dividend("AAA", DAYS[2], 0.5),
        dividend("BBB", DAYS[1], 0.5),
    ]

    _, traded = as_traded(make_bars([]), actions)

    assert [action.value for action in traded] == [2.0, 1.0, 0.5, 0.5]


def test_a_spinoff_counts_like_a_split():
    bars = make_bars([("AAA", DAYS[0], 10.0)])

    traded, _ = as_traded(bars, [spinoff("AAA", DAYS[3], 1.25), split("AAA", DAYS[2], 2.0)])

    assert traded.close.tolist() == [25.0]


RATIOS = st.sampled_from([2.0, 3.0, 0.125, 1.281])
MARKET = st.tuples(
    st.dictionaries(
        st.tuples(st.sampled_from("AB"), st.sampled_from(DAYS)), st.floats(1.0, 1e3), max_size=8
    ),
    st.dictionaries(st.tuples(st.sampled_from("AB"), st.sampled_from(DAYS)), RATIOS, max_size=4),
)


@given(market=MARKET, seed=st.randoms(use_true_random=False))
def test_as_traded_multiplies_by_each_later_ratio_in_any_order(market, seed):
    closes, ratios = market
    rows = [(*key, close) for key, close in closes.items()]
    actions = [split(*key, ratio) for key, ratio in ratios.items()]
    seed.shuffle(rows)
    seed.shuffle(actions)

    traded, _ = as_traded(make_bars(rows), actions)

    for (symbol, day, close), found in zip(rows, traded.close, strict=True):
        later = [r for (s, ex_date), r in ratios.items() if s == symbol and ex_date > day]
        assert found == pytest.approx(close * float(np.prod(later)), rel=1e-12)


@given(
    st.lists(
        st.tuples(st.integers(1, 10**9), st.dates(date(1, 1, 1), date(9999, 12, 31))),
        min_size=1,
    )
)
def test_a_key_sorts_by_instrument_then_session(pairs):
    instruments = np.array([pair[0] for pair in pairs], dtype=np.int64)
    sessions = np.array([pair[1] for pair in pairs], dtype="datetime64[D]")

    keys = key_of(instruments, sessions)

    order = np.argsort(keys, kind="stable")
    assert [pairs[place] for place in order] == sorted(pairs)
