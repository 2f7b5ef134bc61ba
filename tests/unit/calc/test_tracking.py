"""Tracking of a benchmark, ex ante and ex post."""

import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from tests.holdings import books_of, make_world, value

from riskmark.calc.arrays import CODE_OF, Measure, measure, reason_of
from riskmark.calc.tracking import information_ratio, track
from riskmark.domain.reasons import NullReason

seeds = st.integers(0, 2**32 - 1)
LAST = range(199, 200)


def known(values):
    """Make a measure of numbers."""
    return measure(np.asarray(values, float))


def track_world(world, benchmark, *, books=None, counted=None):
    """Track ``benchmark`` by a world's cells, with betas of 1.2 and 0.9."""
    cells = len(world.cell_row)
    counted = np.diff(world.holdings.indptr) > 0 if counted is None else counted
    return track(
        world.series,
        benchmark,
        beta=known(np.full(cells, 1.2)),
        benchmark_beta=known(np.full(cells, 0.9)),
        counted=counted,
        books=world.books if books is None else books,
    )


def benchmark_of(seed, world, *, missing=0.0):
    """Make a benchmark that moves much like the market."""
    rng = np.random.default_rng(seed)
    benchmark = np.nan_to_num(world.market) + rng.normal(0, 0.004, len(world.market))
    benchmark[rng.random(len(benchmark)) < missing] = np.nan
    return benchmark


@given(seeds, st.sampled_from([0.0, 0.05]))
def test_x_is_held_against_the_benchmark_on_the_same_sessions(seed, missing):
    world = make_world(seed, missing=missing)
    benchmark = benchmark_of(seed, world, missing=missing)

    found = track_world(world, benchmark)

    for cell, row in enumerate(world.cell_row):
        sessions = [u for u in range(row + 1) if np.isfinite(world.market[u])]
        x = world.series.x[cell, -len(sessions) :] / world.books.nav[cell]
        both = np.isfinite(benchmark[sessions])
        active = (x - benchmark[sessions])[both]
        assert_allclose(
            found.tracking_error.values[cell], np.std(active, ddof=1) * 252**0.5, rtol=1e-9
        )
        if world.books.held[cell] and x.any():
            expected = np.corrcoef(x[both], benchmark[sessions][both])[0, 1]
            assert_allclose(found.benchmark_correlation.values[cell], expected, rtol=1e-9)
    assert_allclose(found.active_beta.values, 0.3)


@given(seeds, st.floats(0.1, 1e6))
def test_the_size_of_a_book_does_not_matter(seed, scale):
    world = make_world(seed)
    benchmark = benchmark_of(seed, world)
    scaled = value(
        world.returns, world.market, scale * world.holdings, world.cell_row, range(196, 200)
    )

    found = track_world(scaled, benchmark)

    expected = track_world(world, benchmark)
    held = world.books.held
    for one, other in zip(found, expected, strict=True):
        assert_allclose(one.values[held], other.values[held], rtol=1e-9)


def test_the_benchmark_itself_is_tracked_without_error():
    world = make_world(3, missing=0)
    own = value(world.returns, world.market, csr_array([[0, 9.0, 0, 0, 0]]), np.array([199]), LAST)

    found = track_world(own, world.returns[:, 1])

    assert_allclose(found.tracking_error.values, 0, atol=1e-12)
    assert_allclose(found.benchmark_correlation.values, 1)


@pytest.mark.parametrize(
    ("length", "reason"), [(125, NullReason.TOO_FEW_OBSERVATIONS), (126, None)]
)
def test_half_a_year_is_needed(length, reason):
    world = make_world(4, missing=0, length=length, rows=LAST)

    found = track_world(world, benchmark_of(4, world))

    for one in (found.tracking_error, found.benchmark_correlation):
        assert {reason_of(int(code)) for code in one.nulls} == {reason}


def test_cash_strays_from_the_benchmark_by_all_of_it():
    world = make_world(5, missing=0)
    nothing = csr_array((1, 5))
    cash = value(world.returns, world.market, nothing, np.array([199]), LAST)
    benchmark = benchmark_of(5, world)

    found = track_world(cash, benchmark)

    assert_allclose(found.tracking_error.values, np.std(benchmark, ddof=1) * 252**0.5)
    assert reason_of(int(found.benchmark_correlation.nulls[0])) == NullReason.NO_HOLDINGS
    empty = track_world(cash, benchmark, books=books_of(nothing, nav=0, holdings_mode=True))
    assert reason_of(int(empty.tracking_error.nulls[0])) == NullReason.NO_HOLDINGS


def test_every_null_has_its_reason():
    world = make_world(6, missing=0)
    benchmark = benchmark_of(6, world)

    excluded = track_world(world, benchmark, counted=np.zeros(6, bool))
    broke = track_world(world, benchmark, books=world.books._replace(nav=np.full(6, -1.0)))
    still = track_world(world, np.full(200, 0.01))

    for one in (excluded.tracking_error, excluded.benchmark_correlation):
        assert {reason_of(int(code)) for code in one.nulls} == {NullReason.ALL_EXCLUDED}
    codes = {reason_of(int(code)) for code in broke.tracking_error.nulls}
    assert codes == {NullReason.NAV_NOT_POSITIVE}
    assert not broke.benchmark_correlation.nulls.any()
    codes = {reason_of(int(code)) for code in still.benchmark_correlation.nulls}
    assert codes == {NullReason.UNDEFINED_DENOMINATOR}


def test_a_beta_that_is_missing_leaves_no_active_beta():
    world = make_world(7, cells=2)
    code = CODE_OF[NullReason.NO_FACTOR_DATA]
    missing = Measure(np.array([np.nan, 1.0]), np.array([code, 0], np.int8))

    found = track(
        world.series,
        benchmark_of(7, world),
        beta=known([1.0, 1.5]),
        benchmark_beta=missing,
        counted=np.ones(2, bool),
        books=world.books,
    ).active_beta

    assert_array_equal(found.nulls, [code, 0])
    assert_array_equal(found.values, [np.nan, 0.5])


def realized(seed, *, sessions=300, books=3):
    """Make returns of books of which some sessions had no capital."""
    rng = np.random.default_rng(seed)
    values = rng.normal(0.001, 0.01, (sessions, books))
    nulls = np.zeros(values.shape, np.int8)
    nulls[rng.random(values.shape) < 0.1] = CODE_OF[NullReason.NO_CAPITAL]
    nulls[: sessions // 3, 0] = CODE_OF[NullReason.NO_CAPITAL]
    benchmark = rng.normal(0, 0.01, sessions)
    benchmark[rng.random(sessions) < 0.02] = np.nan
    return Measure(np.where(nulls == 0, values, np.nan), nulls), benchmark


@given(seeds, st.integers(0, 299))
def test_the_information_ratio_is_that_of_the_last_year_that_counts(seed, first):
    returns, benchmark = realized(seed)

    found = information_ratio(returns, benchmark, range(first, 300))

    for book in range(3):
        for row in {first, 200, 299} - set(range(first)):
            pairs = zip(returns.values[: row + 1, book], benchmark, strict=False)
            active = [r - b for r, b in pairs if np.isfinite(r) and np.isfinite(b)][-252:]
            value_found = found.values[row - first, book]
            if len(active) < 126:
                assert np.isnan(value_found)
            else:
                expected = 252**0.5 * statistics.mean(active) / statistics.stdev(active)
                assert_allclose(value_found, expected, rtol=1e-9)


def test_a_null_return_among_those_that_count_makes_the_ratio_null():
    returns, benchmark = realized(1, sessions=600)
    code = CODE_OF[NullReason.NAV_NOT_POSITIVE]
    returns.nulls[250, 1], returns.values[250, 1] = code, np.nan
    benchmark[250] = 0.0

    found = information_ratio(returns, benchmark, range(200, 600))

    null = np.flatnonzero(found.nulls[:, 1] == code) + 200
    counts = np.isfinite(returns.values[:, 1]) & np.isfinite(benchmark)
    counts[250] = True
    last = np.flatnonzero(counts[250:].cumsum() == 252)[-1] + 250
    assert_array_equal(null, np.arange(250, last + 1))
    assert not (found.nulls[:, 2] == code).any()


def test_reasons_that_are_given_come_first_and_every_null_has_one():
    returns, _ = realized(2)
    nothing_held = np.zeros((1, 3), bool)
    nothing_held[0, 2] = True
    benchmark = np.where(np.isfinite(returns.values[:, 1]), returns.values[:, 1], 0.0)

    found = information_ratio(
        returns,
        benchmark,
        range(299, 300),
        nulls=((nothing_held, NullReason.NO_HOLDINGS),),
    )
    early = information_ratio(returns, benchmark, range(5))

    assert [reason_of(int(code)) for code in found.nulls[0]] == [
        None,
        NullReason.UNDEFINED_DENOMINATOR,
        NullReason.NO_HOLDINGS,
    ]
    codes = {reason_of(int(code)) for code in early.nulls.ravel()}
    assert codes == {NullReason.TOO_FEW_OBSERVATIONS}
    assert np.isnan(early.values).all()


def test_no_books_have_no_ratios():
    empty = Measure(np.zeros((10, 0)), np.zeros((10, 0), np.int8))

    assert information_ratio(empty, np.zeros(10), range(5, 10)).values.shape == (5, 0)
