"""Sums over the window of every session, for many columns at once.

The window of a session is that session and the ``window`` − 1 rows of the panel before it
(fewer at the start of the panel). Sums are made by additions only, of numbers inside the
window: a crash that has left the window leaves no rounding error behind, as it would in a
difference of running totals.
"""

from collections.abc import Iterator

import numpy as np

from riskmark.calc.arrays import FloatArray, IntArray

DIRECT_ROWS = 12
"""Up to so many sessions, a matrix product for each beats block sums over all of them."""
CHUNK = 1 << 20
"""Numbers in one temporary array (8 MiB): columns are taken so many at a time."""


def cut(panel: FloatArray, rows: range, window: int) -> FloatArray:
    """Cut out of a panel (T, …) what the windows of ``rows`` cover; NaN before the panel."""
    first = rows.start - window + 1
    if first >= 0:
        return panel[first : rows.stop]
    return np.pad(panel[: rows.stop], ((-first, 0), (0, 0)), constant_values=np.nan)


def chunks(columns: IntArray, each: int) -> Iterator[IntArray]:
    """Split ``columns`` so that ``each`` numbers for every one of them fit in a chunk."""
    size = max(1, CHUNK // each)
    for start in range(0, len(columns), size):
        yield columns[start : start + size]


def product_sums(left: FloatArray, right: FloatArray, window: int) -> FloatArray:
    """Sum ``left`` (S, P) × ``right`` (S, K) over each window: (R, P, K)."""
    count = len(left) - window + 1
    if count > DIRECT_ROWS:
        return window_sums(left[:, :, None] * right[:, None, :], window)
    each = [left[row : row + window].T @ right[row : row + window] for row in range(count)]
    return np.stack(each)


def square_sums(returns: FloatArray, window: int) -> FloatArray:
    """Sum the squares of ``returns`` (S, K) over each window: (R, K)."""
    count = len(returns) - window + 1
    if count > DIRECT_ROWS:
        return window_sums(returns * returns, window)
    parts = (returns[row : row + window] for row in range(count))
    return np.stack([np.einsum("tk,tk->k", part, part) for part in parts])


def window_sums(terms: FloatArray, window: int) -> FloatArray:
    """Sum every ``window`` consecutive rows of ``terms``.

    A window is the end of one block of ``window`` rows and the beginning of the next, so
    totals from the end of a block backwards and from its beginning forwards serve them all.
    """
    count = len(terms) - window + 1
    totals = np.empty((count, *terms.shape[1:]))
    for start in range(0, count, window):
        some = min(window, count - start)
        block = terms[start : start + window]
        totals[start : start + some] = np.cumsum(block[::-1], axis=0)[::-1][:some]
        after = terms[start + window : start + window + some - 1]
        totals[start + 1 : start + some] += np.cumsum(after, axis=0)
    return totals
