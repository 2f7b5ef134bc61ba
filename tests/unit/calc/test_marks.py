import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from riskmark.calc.marks import Events, build_marks

NAN = np.nan
NONE = Events(np.zeros(0, int), np.zeros(0, int), np.zeros(0))


def events(*found):
    rows, columns, values = zip(*found, strict=True)
    return Events(np.array(rows), np.array(columns), np.array(values, float))


def column(*closes):
    return np.array(closes, float)[:, None]


def test_a_gap_carries_the_last_close_and_counts_its_age():
    close = column(NAN, 10, NAN, NAN, 12)

    panel = build_marks(close, NONE, NONE, NONE)

    np.testing.assert_array_equal(panel.mark, column(NAN, 10, 10, 10, 12))
    np.testing.assert_array_equal(panel.age, column(-1, 0, 1, 2, 0))
    assert panel.age.dtype == np.int32


def test_a_carried_close_is_divided_by_splits_and_spinoffs_since():
    close = column(60, NAN, NAN, 21)

    panel = build_marks(close, events((1, 0, 2)), events((2, 0, 1.5)), NONE)

    np.testing.assert_allclose(panel.mark, column(60, 30, 20, 21))
    np.testing.assert_array_equal(panel.split_index, column(1, 2, 2, 2))


def test_an_observed_close_is_the_mark_whatever_the_actions():
    close = column(60, 30)

    panel = build_marks(close, events((1, 0, 3)), events((1, 0, 1.5)), NONE)

    np.testing.assert_array_equal(panel.mark, close)


def test_a_spinoff_pays_its_share_of_the_close_before_in_the_shares_of_the_session():
    close = column(60, 20)

    panel = build_marks(close, events((1, 0, 2)), events((1, 0, 1.25)), events((1, 0, 0.5)))

    np.testing.assert_allclose(panel.income, column(0, 60 / 2 * (1 - 1 / 1.25) + 0.5))


def test_a_spinoff_is_valued_at_the_carried_close():
    close = column(60, NAN, 20)

    panel = build_marks(close, events((1, 0, 2)), events((2, 0, 1.25)), NONE)

    np.testing.assert_allclose(panel.income, column(0, 0, 30 * 0.2))


def test_a_spinoff_without_a_close_before_it_pays_nothing():
    close = column(NAN, NAN, 10)

    panel = build_marks(close, NONE, events((0, 0, 1.2), (1, 0, 1.2), (2, 0, 1.2)), NONE)

    np.testing.assert_array_equal(panel.income, column(0, 0, 0))


def test_of_several_actions_in_one_cell_ratios_multiply_and_dividends_add_up():
    close = column(60, NAN)

    panel = build_marks(
        close,
        events((1, 0, 2), (1, 0, 3)),
        events((1, 0, 1.25), (1, 0, 1.6)),
        events((1, 0, 0.5), (1, 0, 0.25)),
    )

    np.testing.assert_array_equal(panel.split_index, column(1, 6))
    np.testing.assert_allclose(panel.income, column(0, 10 * (1 - 1 / 2) + 0.75))
    np.testing.assert_allclose(panel.mark, column(60, 60 / 6 / 2))


def test_a_total_return_includes_splits_dividends_and_spinoffs():
    close = column(60, 26, 20)

    panel = build_marks(
        close, events((1, 0, 2)), events((2, 0, 1.25)), events((1, 0, 1), (2, 0, 0.5))
    )

    second = (20 + 0.5 + 26 * 0.2) / 26 - 1
    np.testing.assert_allclose(panel.returns, column(NAN, 2 * (26 + 1) / 60 - 1, second))


def test_no_return_is_booked_across_a_gap():
    close = column(10, NAN, 12, 15)

    panel = build_marks(close, NONE, NONE, NONE)

    np.testing.assert_allclose(panel.returns, column(NAN, NAN, NAN, 0.25))


def test_actions_of_one_instrument_leave_others_alone():
    close = np.array([[10.0, 10.0, NAN], [NAN, NAN, 5.0], [4.0, 11.0, 6.0]])

    panel = build_marks(close, events((1, 0, 2)), NONE, events((2, 1, 1)))

    np.testing.assert_array_equal(panel.mark[1], [5, 10, 5])
    np.testing.assert_array_equal(panel.split_index[2], [2, 1, 1])
    np.testing.assert_array_equal(panel.income.sum(axis=0), [0, 1, 0])


@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_a_later_session_changes_no_earlier_one(seed, cut):
    rng = np.random.default_rng(seed)
    close = np.where(rng.random((12, 3)) < 0.3, NAN, rng.uniform(1, 100, (12, 3)))
    actions = [
        Events(rng.integers(0, 12, 4), rng.integers(0, 3, 4), rng.uniform(0.5, 2, 4))
        for _ in range(3)
    ]

    whole = build_marks(close, *actions)
    early = [Events(*(part[kind.rows < cut] for part in kind)) for kind in actions]
    part = build_marks(close[:cut], *early)

    for full, short in zip(whole, part, strict=True):
        np.testing.assert_array_equal(full[:cut], short)
