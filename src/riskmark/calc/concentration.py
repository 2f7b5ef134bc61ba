"""Concentration and sectors: how the money of a book is spread.

    v_i = |e_i| / gross,   HHI = Σ v_i²,   effective positions = 1 / HHI

e_i is a cell's signed exposure to instrument i in money; lots and options on one instrument
have been added, and every position counts, stale ones and those at cost too.
"""

from typing import NamedTuple

import numpy as np

from riskmark.calc.arrays import FloatArray, IntArray, Measure, measure
from riskmark.calc.holdings_returns import Holdings
from riskmark.domain.reasons import NullReason

LARGEST = 10
"""Positions that are ranked."""
CHUNK = 1 << 20
"""Numbers in one temporary array (8 MiB): cells are ranked so many at a time."""


class Concentration(NamedTuple):
    """Concentration of C cells, as shares of gross; HHI between 0 and 1."""

    hhi: Measure
    effective_positions: Measure
    top_1: Measure
    top_3: Measure
    top_10: Measure


class SectorExposures(NamedTuple):
    """Money of C cells in S sectors; ``short`` ≤ 0, ``positions`` says how many entries."""

    long: FloatArray
    short: FloatArray
    net: FloatArray
    gross: FloatArray
    positions: IntArray


def concentration(exposure: Holdings, gross: FloatArray) -> Concentration:
    """Measure the concentration of ``exposure`` (C, N) in ``gross`` (C,)."""
    cells = exposure.shape[0]
    entries = np.diff(exposure.indptr)
    cell = np.repeat(np.arange(cells), entries)
    some = gross > 0
    shares = np.abs(exposure.data) / np.where(some, gross, 1.0)[cell]
    hhi = np.bincount(cell, shares * shares, minlength=cells)
    ranked = np.cumsum(_largest(shares, exposure.indptr.astype(np.int64)), axis=1)
    effective = 1 / np.where(hhi > 0, hhi, 1.0)
    reasons = (
        (entries == 0, NullReason.NO_HOLDINGS),
        (~some | (hhi <= 0), NullReason.UNDEFINED_DENOMINATOR),
    )
    return Concentration(
        *(measure(np.asarray(values, np.float64), *reasons) for values in (hhi, effective)),
        *(measure(ranked[:, place - 1], *reasons) for place in (1, 3, LARGEST)),
    )


def _largest(shares: FloatArray, bounds: IntArray) -> FloatArray:
    """Find the ten largest shares of each cell, descending; 0 where there are fewer.

    Cells are taken by size, so that a table of them wastes little on the largest.
    """
    entries = np.diff(bounds)
    largest = np.zeros((len(entries), LARGEST))
    order = np.argsort(entries, kind="stable")
    sizes = entries[order]
    start = int(np.searchsorted(sizes, 0, side="right"))
    while start < len(order):
        stop = _until(sizes, start)
        cells = order[start:stop]
        width = max(LARGEST, int(entries[cells[-1]]))
        inside = np.arange(width) < entries[cells, None]
        table = np.zeros(inside.shape)
        table[inside] = shares[(bounds[cells, None] + np.arange(width))[inside]]
        top = np.partition(table, width - LARGEST, axis=1)[:, -LARGEST:]
        largest[cells] = np.sort(top, axis=1)[:, ::-1]
        start = stop
    return largest


def _until(sizes: IntArray, start: int) -> int:
    """Return how far a table of cells in order of size may go: a chunk, or twice the first."""
    widest = max(2 * int(sizes[start]), LARGEST)
    alike = int(np.searchsorted(sizes, widest, side="right"))
    return min(alike, start + max(1, CHUNK // widest))


def sector_exposures(exposure: Holdings, sector: IntArray, *, sectors: int) -> SectorExposures:
    """Add up the exposures (C, N) by the sector of each instrument.

    ``sector`` (N,) holds numbers below ``sectors``, the columns of the result.
    """
    cells = exposure.shape[0]
    cell = np.repeat(np.arange(cells), np.diff(exposure.indptr))
    key = cell * sectors + sector[exposure.indices]
    amounts = exposure.data
    shape = (cells, sectors)
    long, short = (
        np.bincount(key, part, minlength=cells * sectors).reshape(shape).astype(np.float64)
        for part in (np.maximum(amounts, 0.0), np.minimum(amounts, 0.0))
    )
    positions = np.bincount(key, minlength=cells * sectors).reshape(shape)
    return SectorExposures(long, short, long + short, long - short, positions)
