"""Concentration and sectors: numbers by hand, and what must hold for any book."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

from riskmark.calc.arrays import reason_of
from riskmark.calc.concentration import concentration, sector_exposures
from riskmark.domain.reasons import NullReason

amounts = st.floats(-1e6, 1e6).map(lambda amount: round(amount, 2)).filter(bool)
books = st.lists(st.lists(amounts, max_size=30), max_size=6)


def cells(held):
    """Put the positions of each book into the first columns of its row."""
    bounds = np.concatenate([[0], np.cumsum([len(book) for book in held], dtype=np.int64)])
    columns = np.array([place for book in held for place in range(len(book))], np.int64)
    money = np.array([amount for book in held for amount in book], float)
    width = max((len(book) for book in held), default=0)
    exposure = csr_array((money, columns, bounds), shape=(len(held), max(width, 1)))
    return exposure, np.array([sum(map(abs, book)) for book in held], float)


def test_the_numbers_of_a_small_book_are_those_made_by_hand():
    exposure, gross = cells([[50.0, -30.0, 20.0]])

    found = concentration(exposure, gross)

    assert_allclose(found.hhi.values, 0.38)
    assert_allclose(found.effective_positions.values, 1 / 0.38)
    assert_allclose(found.top_1.values, 0.5)
    assert_allclose(found.top_3.values, 1)
    assert_allclose(found.top_10.values, 1)


def test_equal_positions_are_as_effective_as_they_are_many():
    exposure, gross = cells([[7.0] * 40, [-3.0] * 4])

    found = concentration(exposure, gross)

    assert_allclose(found.effective_positions.values, [40, 4])
    assert_allclose(found.top_10.values, [0.25, 1])
    assert_allclose(found.top_3.values, [3 / 40, 0.75])


@given(books)
def test_concentration_is_that_of_sorted_shares(held):
    exposure, gross = cells(held)

    found = concentration(exposure, gross)

    for cell, book in enumerate(held):
        if not book:
            assert {reason_of(int(measure.nulls[cell])) for measure in found} == {
                NullReason.NO_HOLDINGS
            }
            continue
        shares = sorted((abs(amount) / gross[cell] for amount in book), reverse=True)
        assert_allclose(found.hhi.values[cell], sum(share**2 for share in shares))
        assert_allclose(found.effective_positions.values[cell] * found.hhi.values[cell], 1)
        for count, measure in ((1, found.top_1), (3, found.top_3), (10, found.top_10)):
            assert_allclose(measure.values[cell], sum(shares[:count]))


@given(books, st.floats(0.01, 100))
def test_doubling_quantities_leaves_concentration(held, factor):
    exposure, gross = cells(held)

    scaled = concentration(factor * exposure, factor * gross)

    for one, other in zip(scaled, concentration(exposure, gross), strict=True):
        assert_allclose(one.values, other.values, rtol=1e-9)


@given(books, st.randoms(use_true_random=False))
def test_the_order_of_positions_does_not_matter(held, random):
    shuffled = [random.sample(book, len(book)) for book in held]

    found = concentration(*cells(shuffled))

    for one, other in zip(found, concentration(*cells(held)), strict=True):
        assert_allclose(one.values, other.values, rtol=1e-9)


def test_positions_without_value_have_no_concentration():
    exposure = csr_array((np.zeros(2), np.array([0, 1]), np.array([0, 2])), shape=(1, 2))

    found = concentration(exposure, np.zeros(1))

    assert {reason_of(int(measure.nulls[0])) for measure in found} == {
        NullReason.UNDEFINED_DENOMINATOR
    }


def test_books_are_ranked_so_many_at_a_time_without_changing_a_number(monkeypatch):
    rng = np.random.default_rng(1)
    exposure, gross = cells([list(rng.normal(size=rng.integers(0, 90))) for _ in range(80)])
    whole = concentration(exposure, gross)
    monkeypatch.setattr("riskmark.calc.concentration.CHUNK", 100)

    found = concentration(exposure, gross)

    for one, other in zip(found, whole, strict=True):
        assert_array_equal(one.values, other.values)


def test_sectors_add_up_longs_and_shorts():
    exposure = csr_array([[10.0, -4.0, 5.0, 0.0], [0.0, 0.0, -1.0, -2.0]])

    found = sector_exposures(exposure, np.array([2, 2, 0, 0]), sectors=3)

    assert_array_equal(found.long, [[5, 0, 10], [0, 0, 0]])
    assert_array_equal(found.short, [[0, 0, -4], [-3, 0, 0]])
    assert_array_equal(found.net, [[5, 0, 6], [-3, 0, 0]])
    assert_array_equal(found.gross, [[5, 0, 14], [3, 0, 0]])
    assert_array_equal(found.positions, [[1, 0, 2], [2, 0, 0]])


@given(books)
def test_sectors_sum_to_the_book(held):
    exposure, gross = cells(held)
    sector = np.arange(exposure.shape[1]) % 4

    found = sector_exposures(exposure, sector, sectors=4)

    assert_allclose(found.gross.sum(axis=1), gross, atol=1e-6)
    assert_allclose(found.net.sum(axis=1), [sum(book) for book in held], atol=1e-6)
    assert (found.short <= 0).all()
    assert (found.long >= 0).all()


@pytest.mark.parametrize("cells_held", [0, 3])
def test_sectors_of_nothing_are_empty(cells_held):
    found = sector_exposures(csr_array((cells_held, 2)), np.array([0, 1]), sectors=5)

    assert found.net.shape == (cells_held, 5)
    assert not found.positions.any()
