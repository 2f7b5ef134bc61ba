"""Correlations against pandas, clusters against scikit-learn, repairs against numpy."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.sparse import csr_array
from sklearn.cluster import AgglomerativeClustering
from tests.holdings import books_of

from riskmark.calc.clusters import clusters
from riskmark.calc.correlation import correlation_matrix, correlation_summaries
from riskmark.calc.factor_correlation import factor_correlation


def panel(seed, *, instruments=30, missing=0.0, groups=5):
    """Make returns of which some groups move together."""
    rng = np.random.default_rng(seed)
    common = rng.normal(0, 0.02, (130, groups))[:, rng.integers(0, groups, instruments)]
    returns = common + rng.standard_t(4, (130, instruments)) * 0.006
    returns[rng.random(returns.shape) < missing] = np.nan
    return returns


def pandas_matrix(returns):
    """Correlate the last 90 sessions of ``returns``."""
    return pd.DataFrame(returns[-90:]).corr(min_periods=30).to_numpy()


@pytest.mark.parametrize(
    ("instruments", "missing"), [(2, 0.0), (30, 0.0), (50, 0.0), (2, 0.2), (8, 0.1), (30, 0.005)]
)
def test_a_matrix_is_that_of_pandas(instruments, missing):
    returns = panel(instruments, instruments=instruments, missing=missing)
    expected = pandas_matrix(returns)
    assert np.linalg.eigvalsh(expected)[0] > -1e-9
    exposure = csr_array(np.ones((1, instruments)))

    found = correlation_matrix(returns, exposure, row=129, gross=float(instruments))

    assert_allclose(found.correlation, expected, rtol=1e-9, atol=1e-12)


def test_means_are_those_of_pandas():
    returns = panel(3, missing=0.02)
    exposure = csr_array(np.ones((1, 30)))

    found = correlation_summaries(
        returns, exposure, cell_row=np.array([129]), books=books_of(exposure)
    )

    pairs = pandas_matrix(returns)[np.triu_indices(30, 1)]
    assert_allclose(found.mean.values, pairs.mean(), rtol=1e-9)
    assert_allclose(found.mean_abs.values, np.abs(pairs).mean(), rtol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_a_matrix_that_is_not_semi_definite_is_repaired_by_its_eigenvalues(seed):
    returns = panel(seed, missing=0.3)
    broken = pandas_matrix(returns)
    assert np.linalg.eigvalsh(broken)[0] < -1e-3
    exposure = csr_array(np.ones((1, 30)))

    found = correlation_matrix(returns, exposure, row=129, gross=30.0)

    kept = found.instruments
    values, vectors = np.linalg.eigh(pandas_matrix(returns[:, kept]))
    rebuilt = vectors @ np.diag(np.maximum(values, 0)) @ vectors.T
    scale = np.sqrt(np.diagonal(rebuilt))
    assert_allclose(found.correlation, rebuilt / np.outer(scale, scale), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_clusters_are_those_of_scikit_learn(seed):
    correlation = pandas_matrix(panel(seed))

    found = clusters(correlation)

    model = AgglomerativeClustering(
        n_clusters=None,
        metric="precomputed",
        linkage="average",
        distance_threshold=np.sqrt((1 - 0.7) / 2),
    ).fit(np.sqrt(np.maximum(1 - correlation, 0) / 2))
    expected = [np.flatnonzero(model.labels_ == label) for label in range(model.n_clusters_)]
    assert sorted(found) == sorted(tuple(one.tolist()) for one in expected)
    assert [members[0] for members in found] == sorted(members[0] for members in found)
    assert len(found) > 1


def test_factor_correlations_are_those_of_pandas():
    factors = panel(9, instruments=7, missing=0.02)

    found = factor_correlation(factors, row=125, window=100, minimum=60)

    rows = pd.DataFrame(factors[26:126]).dropna()
    assert found.n == len(rows)
    assert_allclose(found.correlation, rows.corr().to_numpy(), rtol=1e-9, atol=1e-12)
