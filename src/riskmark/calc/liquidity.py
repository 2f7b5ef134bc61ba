"""Liquidity: how many sessions it takes to sell, at 20 % of the usual volume.

    sessions_i = |q_i| / (0.2 · median volume of the last 20 sessions)

Every position is sold at once, a fifth of its volume each session, until it is gone; the
portfolio's sessions are those after which 95 % of the value of all positions is sold. They
are not rounded: half a session is half of one session's volume.
"""

import numpy as np

from riskmark.calc.arrays import CODE_OF, CodeArray, FloatArray, Measure, measure
from riskmark.calc.holdings_returns import Holdings
from riskmark.domain.reasons import NullReason

SPAN = 20
"""Sessions of the median volume: a month, near enough."""
LEAST = 10
"""Fewest volumes that have a median worth the name."""
PARTICIPATION = 0.2
"""The share of the volume that one seller may be, without moving the price much."""
SOLD = 0.95
"""The share of value after which a portfolio counts as sold."""
MARGIN = 1e-9
"""Rounding on which the decision that enough can be sold must not hang."""
AT_ONCE = 1e-9
"""Sessions in which a position is sold at once."""
CELLS = 256
"""Portfolios that are sold at a time."""


def usual_volume(volume: FloatArray, split_index: FloatArray, *, row: int) -> Measure:
    """Return the median volume of each of N instruments, in the share terms of ``row``.

    ``volume`` (T, N) is in shares as traded, NaN where not observed; ``split_index`` (T, N)
    is the product of all split ratios up to a session.
    """
    some = slice(max(0, row - SPAN + 1), row + 1)
    shares = volume[some] * (split_index[row] / split_index[some])
    observed = np.isfinite(shares)
    enough = observed.sum(axis=0) >= LEAST
    median = np.full(shares.shape[1], np.nan)
    median[enough] = np.nanmedian(shares[:, enough], axis=0)
    return measure(median, (~enough, NullReason.TOO_FEW_OBSERVATIONS))


def sessions_to_sell(quantity: FloatArray, volume: Measure) -> Measure:
    """Return the sessions that it takes to sell ``quantity`` (Q,), signed, at ``volume`` (Q,).

    What is not traded at all cannot be sold.
    """
    idle = (volume.nulls == 0) & (volume.values == 0)
    traded = np.where((volume.nulls == 0) & ~idle, volume.values, 1.0)
    nulls = np.where(idle, CODE_OF[NullReason.UNDEFINED_DENOMINATOR], volume.nulls)
    sessions = np.abs(quantity) / (PARTICIPATION * traded)
    return Measure(np.where(nulls == 0, sessions, np.nan), nulls.astype(np.int8))


def portfolio_sessions(value: Holdings, sessions: Measure) -> Measure:
    """Return the sessions after which 95 % of the gross value of each cell is sold.

    ``value`` (C, N) are market values, and ``sessions`` (nnz,) those of its stored entries.
    Positions without a number are never sold: where they are more than 5 % of gross, there
    is no number for the portfolio either, for the reason of the largest of them.
    """
    cells = value.shape[0]
    sizes = np.diff(value.indptr).astype(np.int64)
    found, codes = np.full(cells, np.nan), np.zeros(cells, np.int8)
    for start in range(0, cells, CELLS):
        some = np.arange(start, min(start + CELLS, cells))
        inside = np.arange(int(sizes[some].max())) < sizes[some, None]
        entry = np.where(inside, value.indptr[some, None] + np.arange(inside.shape[1]), 0)
        if entry.size:
            size = np.where(inside, np.abs(value.data[entry]), 0.0)
            own = Measure(sessions.values[entry], sessions.nulls[entry])
            found[some], codes[some] = _sell(size, own)
    codes[sizes == 0] = CODE_OF[NullReason.NO_HOLDINGS]
    return Measure(np.where(codes == 0, found, np.nan), codes)


def _sell(size: FloatArray, sessions: Measure) -> tuple[FloatArray, CodeArray]:
    """Return the sessions of portfolios (C,) of positions (C, W), and codes of reasons."""
    gross = size.sum(axis=1, keepdims=True)
    share = size / np.where(gross > 0, gross, 1.0)
    sold = sessions.nulls == 0
    codes = np.zeros(len(size), np.int8)
    short = np.where(sold, share, 0.0).sum(axis=1) < SOLD * (1 - MARGIN)
    largest = np.where(sold, -1.0, share).argmax(axis=1)
    codes[short] = np.take_along_axis(sessions.nulls, largest[:, None], axis=1)[short, 0]
    codes[gross[:, 0] <= 0] = CODE_OF[NullReason.UNDEFINED_DENOMINATOR]
    # In the order of their ends, positions before the k-th are gone, the others still sell.
    ends = np.where(sold, sessions.values, np.inf)
    order = np.argsort(ends, axis=1, kind="stable")
    ends, share = (np.take_along_axis(part, order, axis=1) for part in (ends, share))
    takes = np.isfinite(ends) & (ends > AT_ONCE)
    rate = np.where(takes, share, 0.0) / np.where(takes, ends, 1.0)
    selling = np.cumsum(rate[:, ::-1], axis=1)[:, ::-1]
    gone = np.cumsum(share, axis=1) - share
    finite = np.where(np.isfinite(ends), ends, 0.0)
    at_end = gone + np.where(takes, finite * selling, share)
    enough = np.isfinite(ends) & (at_end >= SOLD * (1 - MARGIN))
    last = (np.arange(len(size)), enough.argmax(axis=1))
    left, pace, end = np.maximum(SOLD - gone[last], 0.0), selling[last], finite[last]
    # Dividing only where the answer lies before the end, a pace near zero cannot overflow.
    is_before = left < end * pace
    return np.divide(left, pace, out=end.copy(), where=is_before), codes
