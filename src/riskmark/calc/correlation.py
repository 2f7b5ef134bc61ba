"""How the holdings of a cell move together, over the last 90 sessions.

Which instruments stand in a cell's matrix: those with |e| ≥ 1 % of gross, the 50 largest of
them; then without those with fewer than 30 observations or none that differ, and while a
pair has fewer than 30 sessions in common, without the smaller of the worst pair. Equal sizes
go in the order of the columns. What is left out is not replaced.

A matrix holds Pearson's correlations, each pair over its common sessions; made positive
semi-definite where need be. Returns are as observed, without fills. e, the exposures, and
gross are money; what is stale or at cost has no entry among the exposures.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import NamedTuple, TypeAlias

import numpy as np

from riskmark.calc.arrays import CodeArray, FloatArray, IntArray, Measure, measure
from riskmark.calc.exposures import Books
from riskmark.calc.holdings_returns import Holdings
from riskmark.calc.pairwise import (
    LEAST,
    Windows,
    complete_correlations,
    cut_windows,
    pairwise_correlations,
)
from riskmark.calc.spectra import effective_bets, effective_rank, semi_definite
from riskmark.domain.reasons import LeftOutReason, NullReason

LEAST_SHARE = 0.01
"""The share of gross that an instrument must have."""
MOST = 50
"""The largest matrix."""
MARGIN = 1e-9
"""Sizes that differ by this share are equal: order must not hang on rounding."""
ENTRIES = 1 << 15
"""Holdings that are looked at a time (24 MiB of returns)."""
CELLS = 32
"""Matrices that are computed at a time: what is at hand stays in the processor's cache."""

LEFT_OUT = tuple(LeftOutReason)
_CODE = {reason: 1 + place for place, reason in enumerate(LEFT_OUT)}


class CorrelationSummaries(NamedTuple):
    """Summaries of C cells: ``kept`` (C,) counts the instruments of each matrix.

    ``mean`` and ``mean_abs`` are off the diagonal. Rank and bets lie between 1 and ``kept``.
    """

    kept: IntArray
    mean: Measure
    mean_abs: Measure
    effective_rank: Measure
    effective_bets: Measure


class CorrelationMatrix(NamedTuple):
    """The matrix of one cell, its instruments in the order of the holdings.

    ``left_out`` are the other instruments held, each with its reason.
    """

    instruments: IntArray
    correlation: FloatArray
    left_out: tuple[tuple[int, LeftOutReason], ...]


class _Entries(NamedTuple):
    """Some holdings one by one, cell after cell: cell, row of its session, instrument, |e|.

    ``left_out`` is 0 for those that are to stand in a matrix, else the code of a reason.
    """

    cell: IntArray
    row: IntArray
    instrument: IntArray
    signed: FloatArray
    left_out: CodeArray


class _Matrices(NamedTuple):
    """Matrices of G cells with n instruments each: (G,) and (G, n)."""

    cell: IntArray
    entry: IntArray
    correlation: FloatArray
    eigenvalues: FloatArray
    deviation: FloatArray
    signed: FloatArray


_Job: TypeAlias = Callable[[], Iterator[_Matrices]]
_Summaries: TypeAlias = list[tuple[IntArray, int, FloatArray, FloatArray, FloatArray, FloatArray]]
"""Of some cells: how many instruments they have, rank, bets, mean and mean of sizes."""


def correlation_summaries(
    returns: FloatArray, exposure: Holdings, *, cell_row: IntArray, books: Books
) -> CorrelationSummaries:
    """Summarise the correlations of the cells of ``exposure`` (C, N).

    ``returns`` (T, N) is a panel, NaN where nothing was observed, and ``cell_row`` (C,) holds
    the row of each cell's session in it. There are no correlations where nothing is held
    (``no_holdings``) or where every instrument is left out (``all_excluded``), and no mean
    with one instrument only (``not_defined``).
    """
    cells = exposure.shape[0]
    kept = np.zeros(cells, np.int64)
    mean, mean_abs, rank, bets = (np.full(cells, np.nan) for _ in range(4))
    for entries in _chunks(exposure, cell_row):
        jobs = _jobs(returns, entries, books.gross)
        for some in _at_once(partial(_summarise, job) for job in jobs):
            for cell, n, *numbers in some:
                kept[cell] = n
                for column, values in zip((rank, bets, mean, mean_abs), numbers, strict=True):
                    column[cell] = values
    none = ((~books.held, NullReason.NO_HOLDINGS), (kept == 0, NullReason.ALL_EXCLUDED))
    alone = (kept == 1, NullReason.NOT_DEFINED)
    hedged = (np.isnan(bets), NullReason.UNDEFINED_DENOMINATOR)
    return CorrelationSummaries(
        kept,
        mean=measure(mean, *none, alone),
        mean_abs=measure(mean_abs, *none, alone),
        effective_rank=measure(rank, *none),
        effective_bets=measure(bets, *none, hedged),
    )


def _at_once(jobs: Iterable[Callable[[], _Summaries]]) -> Iterator[_Summaries]:
    """Do the jobs on all cores: eigenvalues, most of the work, need no interpreter's lock."""
    waiting = list(jobs)
    if len(waiting) <= 1:
        return (job() for job in waiting)
    with ThreadPoolExecutor() as pool:
        return iter(list(pool.map(lambda job: job(), waiting)))


def _summarise(job: _Job) -> _Summaries:
    found = []
    for some in job():
        n = some.entry.shape[1]
        nothing = np.full(len(some.cell), np.nan)
        mean, mean_abs = nothing, nothing
        if n > 1:
            pairs = n * (n - 1)
            mean = (some.correlation.sum(axis=(1, 2)) - n) / pairs
            mean_abs = (np.abs(some.correlation).sum(axis=(1, 2)) - n) / pairs
        rank = effective_rank(some.eigenvalues)
        bets = effective_bets(some.correlation, some.deviation, some.signed)
        found.append((some.cell, n, rank, bets, mean, mean_abs))
    return found


def correlation_matrix(
    returns: FloatArray, exposure: Holdings, *, row: int, gross: float
) -> CorrelationMatrix:
    """Correlate the holdings of one cell, the only row of ``exposure`` (1, N), at ``row``."""
    instruments, correlation = np.zeros(0, np.int64), np.zeros((0, 0))
    left_out: list[tuple[int, LeftOutReason]] = []
    for entries in _chunks(exposure, np.array([row])):
        for job in _jobs(returns, entries, np.array([gross])):
            for some in job():
                instruments = entries.instrument[some.entry[0]]
                correlation = some.correlation[0]
        out = np.flatnonzero(entries.left_out)
        codes = entries.left_out[out].tolist()
        reasons = [LEFT_OUT[code - 1] for code in codes]
        left_out = list(zip(entries.instrument[out].tolist(), reasons, strict=True))
    return CorrelationMatrix(instruments, correlation, tuple(left_out))


def _chunks(exposure: Holdings, cell_row: IntArray) -> Iterator[_Entries]:
    """Take the holdings in the order of their sessions, so many at a time."""
    sizes = np.diff(exposure.indptr).astype(np.int64)
    order = np.argsort(cell_row, kind="stable")
    order = order[sizes[order] > 0]
    ends = np.cumsum(sizes[order])
    start = 0
    while start < len(order):
        before = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + ENTRIES, side="right")))
        cells = order[start:stop]
        cell = np.repeat(cells, sizes[cells])
        offset = np.arange(len(cell)) - np.repeat(
            ends[start:stop] - before - sizes[cells], sizes[cells]
        )
        entry = exposure.indptr[cell] + offset
        yield _Entries(
            cell,
            np.asarray(cell_row, np.int64)[cell],
            exposure.indices[entry].astype(np.int64),
            exposure.data[entry],
            np.zeros(len(cell), np.int8),
        )
        start = stop


def _jobs(returns: FloatArray, entries: _Entries, gross: FloatArray) -> Iterator[_Job]:
    """Yield jobs that compute the matrices of the cells of ``entries``, each of its own cells.

    Fills in what is left out; a job may add to that.
    """
    left_out, size = entries.left_out, np.abs(entries.signed)
    floor = LEAST_SHARE * (1 - MARGIN) * gross[entries.cell]
    left_out[(size < floor) | (size == 0)] = _CODE[LeftOutReason.SMALL]
    _leave_out_beyond_the_largest(entries, size)
    chosen = np.flatnonzero(left_out == 0)
    if not len(chosen):
        return
    key = entries.row[chosen] * returns.shape[1] + entries.instrument[chosen]
    pairs, pair = np.unique(key, return_inverse=True)
    windows = cut_windows(returns, *np.divmod(pairs, returns.shape[1]))
    left_out[chosen[windows.flat[pair]]] = _CODE[LeftOutReason.NO_VARIATION]
    left_out[chosen[windows.n[pair] < LEAST]] = _CODE[LeftOutReason.TOO_FEW_OBSERVATIONS]
    place = np.full(len(left_out), -1)
    place[chosen] = pair
    for table, is_mixed in _tables(entries, windows.pattern[place]):
        correlate = _pairwise if is_mixed else _complete
        yield partial(correlate, entries, windows, table, place[table])


def _leave_out_beyond_the_largest(entries: _Entries, size: FloatArray) -> None:
    """Leave out all but the 50 largest of each cell's candidates."""
    candidate = entries.left_out == 0
    counts = np.bincount(entries.cell[candidate], minlength=int(entries.cell.max()) + 1)
    if counts.max() <= MOST:
        return
    many = np.flatnonzero(candidate & (counts > MOST)[entries.cell])
    rank = _rank(entries.cell[many], size[many], entries.instrument[many])
    entries.left_out[many[rank >= MOST]] = _CODE[LeftOutReason.NOT_AMONG_LARGEST]


def _rank(cell: IntArray, size: FloatArray, instrument: IntArray) -> IntArray:
    """Rank entries within their cells: the largest is 0, and equals go by instrument."""
    order = np.lexsort((-size, cell))
    ordered = size[order]
    begins = np.ones(len(order), np.bool_)
    begins[1:] = cell[order][1:] != cell[order][:-1]
    smaller = begins.copy()
    smaller[1:] |= ordered[1:] < ordered[:-1] * (1 - MARGIN)
    order = order[np.lexsort((instrument[order], np.cumsum(smaller)))]
    first = np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - first
    return rank


def _tables(entries: _Entries, pattern: IntArray) -> Iterator[tuple[IntArray, bool]]:
    """Yield tables (G, n) of the entries of cells with n of them each.

    With them goes whether the instruments of a cell differ in the ``pattern`` of what was
    observed; all cells of a table do, or none.
    """
    kept = np.flatnonzero(entries.left_out == 0)
    if not len(kept):
        return
    cell, kept_pattern = entries.cell[kept], pattern[kept]
    start = np.flatnonzero(np.diff(cell, prepend=-1))
    size = np.diff(start, append=len(kept))
    lowest = np.minimum.reduceat(kept_pattern, start)
    kind = 2 * size + (lowest < np.maximum.reduceat(kept_pattern, start))
    order = np.argsort(kind, kind="stable")
    bounds = [0, *(1 + np.flatnonzero(np.diff(kind[order]))).tolist(), len(order)]
    for begin, end in pairwise(bounds):
        for at in range(begin, end, CELLS):
            some = order[at : min(at + CELLS, end)]
            table = kept[start[some][:, None] + np.arange(size[some[0]])]
            yield table, bool(kind[some[0]] % 2)


def _complete(
    entries: _Entries, windows: Windows, table: IntArray, place: IntArray
) -> Iterator[_Matrices]:
    """Correlate instruments that were observed on the same sessions."""
    correlation = complete_correlations(windows.about[place])
    yield _finished(entries, table, correlation, windows.deviation[place])


def _pairwise(
    entries: _Entries, windows: Windows, table: IntArray, place: IntArray
) -> Iterator[_Matrices]:
    """Correlate instruments of which something is missing, dropping those with too little."""
    found = pairwise_correlations(windows.about[place], windows.observed[place])
    deviation = windows.deviation[place]
    enough = np.asarray((found.common >= LEAST).all(axis=(1, 2)))
    if enough.any():
        correlation = found.correlation[enough]
        yield _finished(entries, table[enough], correlation, deviation[enough])
    for one in np.flatnonzero(~enough).tolist():
        entry = table[one]
        rank = _rank(entries.cell[entry], np.abs(entries.signed[entry]), entries.instrument[entry])
        keep = _without_worst(found.common[one], rank)
        entries.left_out[np.delete(entry, keep)] = _CODE[LeftOutReason.TOO_FEW_IN_COMMON]
        correlation = found.correlation[one][np.ix_(keep, keep)][None]
        yield _finished(entries, entry[keep][None], correlation, deviation[one, keep][None])


def _without_worst(common: IntArray, rank: IntArray) -> IntArray:
    """Return the places that stay when the smaller of the worst pair goes again and again."""
    keep = np.argsort(rank)
    while True:
        left = common[np.ix_(keep, keep)]
        worst = left.min()
        if worst >= LEAST:
            return np.sort(keep)
        # The smaller of a pair stands behind the other; among equals, the smallest goes.
        behind = np.flatnonzero(np.tril(left == worst).any(axis=1))
        keep = np.delete(keep, behind[-1])


def _finished(
    entries: _Entries, table: IntArray, correlation: FloatArray, deviation: FloatArray
) -> _Matrices:
    cell, signed = entries.cell[table[:, 0]], entries.signed[table]
    return _Matrices(cell, table, *semi_definite(correlation), deviation, signed)
