"""How holdings move together: matrices, their repair and summaries, clusters, diversification."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.stats import entropy
from sklearn.cluster import AgglomerativeClustering
from tests.conformance import market
from tests.conformance.cells import CELLS, Cells, cells
from tests.conformance.comparisons import NUMPY, Against, Oracle, Row
from tests.conformance.portfolios import filled_returns

from riskmark.calc.clusters import clusters
from riskmark.calc.correlation import (
    CorrelationMatrix,
    correlation_matrix,
    correlation_summaries,
)
from riskmark.calc.diversification import diversification_ratio
from riskmark.calc.factor_correlation import factor_correlation
from riskmark.calc.spectra import semi_definite

AREA = "Correlation"

PANDAS = Oracle("pandas `DataFrame.corr(min_periods=30)`", "pandas")
REPAIR = Oracle("numpy `linalg.eigh`", "numpy")
ENTROPY = Oracle("numpy `eigvalsh`, scipy `entropy`", "scipy")
CLUSTERS = Oracle("scikit-learn `AgglomerativeClustering`", "scikit-learn")
COEFFICIENTS = Oracle("numpy `corrcoef`", "numpy")
HOLES = "skfolio: 20 stocks, 30 % missing"
SPAN, LEAST, SHARE = 90, 30, 0.01


def rows() -> Iterator[Row]:
    """Compare the books, whole and with holes; then clusters, repair and factors."""
    for with_holes in (False, True):
        source = market.HOLED if with_holes else market.SKFOLIO
        yield from of_books(cells(with_holes=with_holes), source)
    yield from repair()
    yield from groups()
    yield from of_factors()


def by_pandas(returns: np.ndarray, row: int) -> np.ndarray:
    """Correlate the 90 sessions up to ``row``."""
    part = returns[row - SPAN + 1 : row + 1]
    return pd.DataFrame(part).corr(min_periods=LEAST).to_numpy()


def of_books(of: Cells, source: str) -> Iterator[Row]:
    """Compare the matrix of each book and what is told of it."""
    found, expected, chosen, wanted, summaries, bets, ratios = [], [], [], [], [], [], []
    for cell in range(CELLS):
        row, weights = int(of.cell_row[cell]), of.weights[cell]
        kept = [
            i
            for i in np.flatnonzero(np.abs(weights) >= SHARE * np.abs(weights).sum())
            if np.isfinite(of.returns[row - SPAN + 1 : row + 1, i]).sum() >= LEAST
        ]
        theirs = by_pandas(of.returns[:, kept], row)
        ours = matrix_of(of, cell)
        chosen.append(ours.instruments.tolist())
        wanted.append(kept)
        found.append(ours.correlation.ravel())
        expected.append(theirs.ravel())
        off = theirs[np.triu_indices(len(kept), 1)]
        rank = np.exp(entropy(np.linalg.eigvalsh(theirs)))
        summaries.append([off.mean(), np.abs(off).mean(), rank])
        bets.append(bets_of(of, kept, theirs, cell))
        ratios.append(ratio_of(of, cell))
    against = Against(PANDAS, source)
    yield against.same("which instruments are in the matrix", chosen, wanted)
    ours, theirs = np.concatenate(found), np.concatenate(expected)
    yield against.relative("correlations", ours, theirs, least=1e-3)
    told = correlation_summaries(of.returns, of.holdings, cell_row=of.cell_row, books=of.books)
    (mean, _), (mean_abs, _) = told.mean, told.mean_abs
    theirs = np.array(summaries)
    yield against.relative(
        "`corr_mean`, `corr_mean_abs`",
        np.stack([mean, mean_abs], axis=1),
        theirs[:, :2],
        least=1e-3,
    )
    against = Against(ENTROPY, source)
    yield against.relative("`effective_rank`", told.effective_rank.values, theirs[:, 2])
    yield against.relative("`effective_bets`", told.effective_bets.values, bets)
    ours, _ = diversification_ratio(of.series, of.holdings, books=of.books)
    yield Against(NUMPY, source).relative("`diversification_ratio`", ours, ratios)


def matrix_of(of: Cells, cell: int) -> CorrelationMatrix:
    """Return our matrix of one book."""
    return correlation_matrix(
        of.returns,
        csr_array(of.weights[cell][None]),
        row=int(of.cell_row[cell]),
        gross=float(of.books.gross[cell]),
    )


def bets_of(of: Cells, kept: list[int], correlation: np.ndarray, cell: int) -> float:
    """Return Meucci's effective number of bets, from principal components."""
    row = int(of.cell_row[cell])
    deviation = np.nanstd(of.returns[row - SPAN + 1 : row + 1, kept], axis=0, ddof=1)
    values, vectors = np.linalg.eigh(correlation * np.outer(deviation, deviation))
    return float(np.exp(entropy((of.weights[cell, kept] @ vectors) ** 2 * values)))


def ratio_of(of: Cells, cell: int) -> float:
    """Return the diversification ratio, from filled returns."""
    row, sessions = int(of.cell_row[cell]), of.sessions(cell)
    apart = sum(
        abs(of.weights[cell, i]) * np.std(filled_returns(of, i, sessions, row)[0][-SPAN:], ddof=1)
        for i in of.included(cell)
    )
    return apart / float(np.std(of.series.x[cell, -SPAN:], ddof=1))


def broken() -> np.ndarray:
    """Return matrices of pairs so unlike that some eigenvalues are negative."""
    rng, found = np.random.default_rng(30), []
    returns = market.stocks()
    for row in range(len(returns) - 1, 300, -100):
        part = returns[row - SPAN + 1 : row + 1].copy()
        part[rng.random(part.shape) < 0.3] = np.nan
        one = by_pandas(part, SPAN - 1)
        if np.isfinite(one).all() and np.linalg.eigvalsh(one)[0] < -1e-9:
            found.append(one)
    return np.array(found)


def repair() -> Iterator[Row]:
    """Compare repaired matrices with eigenvalues clipped, and the diagonal rescaled."""
    matrices = broken()
    expected = []
    for one in matrices:
        values, vectors = np.linalg.eigh(one)
        rebuilt = vectors @ np.diag(np.maximum(values, 0)) @ vectors.T
        scale = np.sqrt(np.diagonal(rebuilt))
        expected.append(rebuilt / np.outer(scale, scale))
    found = semi_definite(matrices.copy()).correlation
    note = f"{len(matrices)} matrices with negative eigenvalues"
    yield Against(REPAIR, HOLES).relative("repair", found, expected, least=1e-3, note=note)


def groups() -> Iterator[Row]:
    """Compare the clusters of stocks and funds, quarter by quarter."""
    returns, found, expected = market.panel().returns, [], []
    for row in range(SPAN, len(returns), 63):
        correlation = by_pandas(returns, row)
        found.append(sorted(clusters(correlation)))
        model = AgglomerativeClustering(
            n_clusters=None,
            metric="precomputed",
            linkage="average",
            distance_threshold=np.sqrt((1 - 0.7) / 2),
        ).fit(np.sqrt(np.maximum(1 - correlation, 0) / 2))
        members = [np.flatnonzero(model.labels_ == one) for one in range(model.n_clusters_)]
        expected.append(sorted(tuple(one.tolist()) for one in members))
    note = f"{sum(map(len, found))} clusters in all; ours are scipy's `linkage`, cut"
    source = "skfolio: stocks, funds and index, each quarter"
    yield Against(CLUSTERS, source).same("clusters", found, expected, note=note)


def of_factors() -> Iterator[Row]:
    """Compare the correlations of the factors of ``style`` on every hundredth session."""
    factors, found, expected = market.factors_of(market.model("style")), [], []
    for row in range(300, len(factors), 100):
        one = factor_correlation(factors, row=row, window=252, minimum=60)
        found.append(one.correlation)
        expected.append(np.corrcoef(factors[row - 251 : row + 1], rowvar=False))
    against = Against(COEFFICIENTS, "skfolio: five funds and the index")
    yield against.relative("factor correlation", found, expected, least=1e-3)
