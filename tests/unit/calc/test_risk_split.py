"""The risk split against NumPy, its shares, and why some of it is null."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from riskmark.calc.arrays import CODE_OF, Measure, measure, reason_of
from riskmark.calc.exposures import Books
from riskmark.calc.factor_covariance import factor_covariances
from riskmark.calc.filled_returns import HISTORY
from riskmark.calc.portfolio_regression import fit_portfolios
from riskmark.calc.risk_split import exposure_errors, split_risk, undefined_errors
from riskmark.domain.reasons import NullReason

SESSIONS, WINDOW = 520, 100
ROWS = range(510, 520)
seeds = st.integers(0, 2**32 - 1)


class World:
    """Cells on some sessions: their x, exposures, fits, and the factors' covariances."""

    def __init__(self, seed, *, cells=5, scale=1000.0):
        rng = np.random.default_rng(seed)
        self.factors = rng.normal(0, 0.01, (SESSIONS, 3)) @ rng.normal(0.3, 0.5, (3, 3))
        self.cell_row = rng.integers(ROWS.start, ROWS.stop, cells)
        self.values = rng.normal(0, scale, (cells, 3))
        self.x = np.stack([self.factors[row - HISTORY + 1 : row + 1] @ b for row, b in self.pairs])
        self.x += rng.normal(0, 0.005 * scale, self.x.shape)
        self.exposures = measure(self.values)
        self.books = Books(
            nav=np.full(cells, scale),
            gross=np.full(cells, scale),
            held=np.ones(cells, bool),
            holdings_mode=np.zeros(cells, bool),
        )

    @property
    def pairs(self):
        return zip(self.cell_row, self.values, strict=True)

    @property
    def place(self):
        return self.cell_row - ROWS.start

    def fits(self, minimum=60):
        return fit_portfolios(
            self.x,
            self.factors,
            market=self.factors[:, 0],
            cell_row=self.cell_row,
            rows=ROWS,
            window=WINDOW,
            minimum=minimum,
        )

    def split(self, *, minimum=60):
        covariances = factor_covariances(self.factors, rows=ROWS, window=WINDOW, minimum=minimum)
        return split_risk(
            self.exposures, self.fits(), covariances, place=self.place, books=self.books
        )


def reasons(found):
    return [reason_of(int(code)) for code in found.nulls]


@given(seeds)
def test_the_shares_are_those_of_plain_matrices(seed):
    world = World(seed)

    found = world.split()

    for cell, (row, b) in enumerate(world.pairs):
        window = world.factors[row - WINDOW + 1 : row + 1]
        x = world.x[cell, -WINDOW:]
        design = np.column_stack([np.ones(WINDOW), window])
        residuals = x - design @ np.linalg.lstsq(design, x)[0]
        specific = residuals @ residuals / (WINDOW - 4)
        factor = b @ np.cov(window, rowvar=False) @ b
        share = factor / (factor + specific)
        each = b * (np.cov(window, rowvar=False) @ b) / (factor + specific)
        assert_allclose(found.factor_share.values[cell], share, rtol=1e-6)
        assert_allclose(found.specific_share.values[cell], 1 - share, rtol=1e-6, atol=1e-12)
        assert_allclose(found.contributions.values[cell], each, rtol=1e-6, atol=1e-11)


@given(seeds)
@example(234615586)
def test_contributions_sum_to_the_share_of_the_factors_and_shares_to_one(seed):
    found = World(seed).split()

    shares = found.factor_share.values
    assert_allclose(found.contributions.values.sum(axis=1), shares, rtol=1e-12, atol=1e-14)
    known = found.factor_share.nulls == 0  # of a seed in some millions not one is
    assert_allclose((shares + found.specific_share.values)[known], 1, rtol=1e-12)
    assert (np.isnan(shares) == ~known).all()
    assert ((shares[known] >= 0) & (shares[known] <= 1)).all()


@given(seeds, st.floats(-50, 50).filter(lambda leverage: abs(leverage) > 1e-3))
def test_leverage_changes_no_share(seed, leverage):
    world = World(seed)
    plain = world.split()
    world.x = leverage * world.x
    world.exposures = measure(leverage * world.values)

    levered = world.split()

    for one, other in zip(levered, plain, strict=True):
        # Ill-conditioned factors leave six digits of a share.
        assert_allclose(one.values, other.values, rtol=1e-6, atol=1e-12)


def test_nothing_held_has_no_split_and_no_errors():
    world = World(1)
    world.books = world.books._replace(held=np.array([False, True, True, True, True]))

    found = world.split()

    errors = exposure_errors(world.exposures, world.fits(), books=world.books)
    assert reasons(found.factor_share) == [NullReason.NO_HOLDINGS, None, None, None, None]
    assert_array_equal(found.contributions.nulls[:, 2] != 0, [True, False, False, False, False])
    assert_array_equal(errors.nulls[0], CODE_OF[NullReason.NO_HOLDINGS])
    assert not errors.nulls[1:].any()


def test_without_exposures_their_reason_is_that_of_everything():
    world = World(2)
    nulls = np.zeros((5, 3), np.int8)
    nulls[3] = CODE_OF[NullReason.ALL_EXCLUDED]
    world.exposures = Measure(np.where(nulls == 0, world.values, np.nan), nulls)

    found = world.split()

    errors = exposure_errors(world.exposures, world.fits(), books=world.books)
    for one in (found.factor_share, found.specific_share):
        assert reasons(one) == [None, None, None, NullReason.ALL_EXCLUDED, None]
    assert_array_equal(np.isnan(errors.values), nulls != 0)


def test_too_few_rows_leave_nothing_to_split():
    few = World(3)
    few.factors[:-30] = np.nan

    found = few.split()

    errors = exposure_errors(few.exposures, few.fits(), books=few.books)
    assert set(reasons(found.factor_share)) == {NullReason.TOO_FEW_OBSERVATIONS}
    assert (errors.nulls == CODE_OF[NullReason.TOO_FEW_OBSERVATIONS]).all()


def test_a_covariance_needs_its_own_minimum():
    found = World(4).split(minimum=WINDOW + 1)

    assert set(reasons(found.specific_share)) == {NullReason.TOO_FEW_OBSERVATIONS}


def test_what_never_moves_has_no_risk_to_share():
    world = World(5)
    world.x = np.zeros_like(world.x)
    world.exposures = measure(np.full((5, 3), 1e-13))

    found = world.split()

    assert set(reasons(found.factor_share)) == {NullReason.UNDEFINED_DENOMINATOR}


@pytest.mark.parametrize("null", [0, CODE_OF[NullReason.ALL_EXCLUDED]])
def test_a_model_without_errors_says_so(null):
    exposures = Measure(np.zeros((2, 3)), np.full((2, 3), null, np.int8))

    found = undefined_errors(exposures)

    assert (found.nulls == CODE_OF[NullReason.NOT_DEFINED]).all()
    assert np.isnan(found.values).all()
