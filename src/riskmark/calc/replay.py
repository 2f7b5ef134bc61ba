"""Historical replays: what a stretch of history would do to the portfolios of today.

An episode is from the close of one session to the close of a later one. An instrument goes
through it with its own returns, compounded, where all of them were observed; else with those
of its factors, Σ_f β_f · f_u on each session, compounded, where a factor that was not
observed counts 0. One without a fit cannot do either, and is not replayed.

    pnl = Σ_i e_i · R_i

Options are repriced in full: what they gain beyond their delta when the underlying goes
through R_i at once is added.
Positions that are marked stale or at cost do not belong in the exposures that are given.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from riskmark.calc.arrays import BoolArray, FloatArray, IntArray, Measure, measure
from riskmark.calc.exposures import Books
from riskmark.calc.holdings_returns import Holdings
from riskmark.calc.regression import FactorFits
from riskmark.calc.repricing import OptionPositions, beyond_delta
from riskmark.domain.reasons import NullReason

PAIRS = 4096
"""Instruments on a session that are taken through their factors' returns at a time."""


class Episode(NamedTuple):
    """What was observed on the L sessions after an episode's first, up to its last.

    ``returns`` (L, N) of the instruments and ``factors`` (L, F), NaN where not observed.
    ``in_data``: the factors' data begin before the episode does.
    """

    returns: FloatArray
    factors: FloatArray
    in_data: bool


class Replays(NamedTuple):
    """Of C cells in E episodes (C, E): money, and shares of gross.

    ``replayed_share`` is the sum of the share that is replayed by its own returns and the
    share that is replayed by its factors'.
    """

    pnl: Measure
    own_share: Measure
    proxied_share: Measure
    replayed_share: Measure


class _Entries(NamedTuple):
    """The exposures one by one: cell, instrument, amount, and the fit of its session.

    ``pair`` is a place in ``fits``, the flat places of the distinct fits.
    """

    cell: IntArray
    instrument: IntArray
    amount: FloatArray
    pair: IntArray
    fits: IntArray


def replay(
    exposure: Holdings,
    fits: FactorFits,
    episodes: Sequence[Episode],
    *,
    fit_row: IntArray,
    is_over: BoolArray,
    books: Books,
    options: OptionPositions | None = None,
) -> Replays:
    """Take the exposures (C, N), in money, through ``episodes``.

    ``fit_row`` (C,) says which row of ``fits`` is that of the cell's session; ``is_over``
    (C, E) whether an episode's last session is not after it. ``options`` are those of which
    the exposures are deltas, none of them of another instrument. Null before the data and before
    the episode is over; where nothing can be replayed; shares where nothing is held.
    """
    entries = _entries(exposure, fits, fit_row)
    shape = (exposure.shape[0], len(episodes))
    pnl, own, proxied = (np.zeros(shape) for _ in range(3))
    for place, episode in enumerate(episodes):
        if not episode.in_data or not is_over[:, place].any():
            continue
        returns = _own_returns(episode)[entries.instrument]
        is_own = np.isfinite(returns)
        by_factors = _proxied_returns(episode, fits, entries, ~is_own)
        returns = np.where(is_own, returns, by_factors)
        is_proxied = ~is_own & np.isfinite(by_factors)
        counted = np.where(is_own | is_proxied, returns, 0.0)
        size = np.abs(entries.amount)
        for sums, terms in (
            (pnl, entries.amount * counted),
            (own, size * is_own),
            (proxied, size * is_proxied),
        ):
            sums[:, place] = np.bincount(entries.cell, terms, minlength=shape[0])
        if options is not None:
            moves = counted[_entry_of(options, exposure)]
            np.add.at(pnl[:, place], options.cell, beyond_delta(options, moves[:, None])[:, 0])
    return _measures(pnl, own, proxied, episodes=episodes, is_over=is_over, books=books)


def _entry_of(options: OptionPositions, exposure: Holdings) -> IntArray:
    """Return the entry of the exposures that each option is booked in; these are in order."""
    cell = np.repeat(np.arange(exposure.shape[0]), np.diff(exposure.indptr))
    keys = cell * exposure.shape[1] + exposure.indices
    return np.searchsorted(keys, options.cell * exposure.shape[1] + options.instrument)


def _entries(exposure: Holdings, fits: FactorFits, fit_row: IntArray) -> _Entries:
    cell = np.repeat(np.arange(exposure.shape[0]), np.diff(exposure.indptr))
    instrument = exposure.indices.astype(np.int64)
    key = np.asarray(fit_row, np.int64)[cell] * fits.nulls.shape[1] + instrument
    distinct, pair = np.unique(key, return_inverse=True)
    return _Entries(cell, instrument, exposure.data, pair, distinct)


def _own_returns(episode: Episode) -> FloatArray:
    """Compound each instrument's returns: (N,), NaN where one of them was not observed."""
    found: FloatArray = np.prod(1.0 + episode.returns, axis=0) - 1.0
    return found


def _proxied_returns(
    episode: Episode, fits: FactorFits, entries: _Entries, wanted: BoolArray
) -> FloatArray:
    """Compound the factors' returns by each entry's betas; NaN without a fit or not wanted."""
    found = np.full(len(entries.fits), np.nan)
    needed = np.zeros(len(entries.fits), np.bool_)
    needed[entries.pair[wanted]] = True
    row, instrument = np.divmod(entries.fits, max(fits.nulls.shape[1], 1))
    pairs = np.flatnonzero(needed & (fits.nulls[row, instrument] == 0))
    factors = np.where(np.isfinite(episode.factors), episode.factors, 0.0)
    for start in range(0, len(pairs), PAIRS):
        some = pairs[start : start + PAIRS]
        betas = fits.beta[row[some], instrument[some]]
        found[some] = np.prod(1.0 + factors @ betas.T, axis=0) - 1.0
    return found[entries.pair]


def _measures(
    pnl: FloatArray,
    own: FloatArray,
    proxied: FloatArray,
    *,
    episodes: Sequence[Episode],
    is_over: BoolArray,
    books: Books,
) -> Replays:
    shape = pnl.shape
    in_data = np.array([episode.in_data for episode in episodes], dtype=np.bool_)
    held = np.repeat(books.held[:, None], shape[1], axis=1)
    in_holdings_mode = np.repeat(books.holdings_mode[:, None], shape[1], axis=1)
    gross = np.where(books.gross > 0, books.gross, 1.0)[:, None]
    nothing = np.repeat(~(books.gross > 0)[:, None], shape[1], axis=1)
    time = (
        (np.repeat(~in_data[None], shape[0], axis=0), NullReason.BEFORE_DATA),
        (~is_over, NullReason.NOT_OVER_YET),
    )
    none = held & (own + proxied == 0)
    no_holdings = (~held, NullReason.NO_HOLDINGS)
    undefined = (nothing, NullReason.UNDEFINED_DENOMINATOR)
    return Replays(
        measure(
            pnl,
            (~held & in_holdings_mode, NullReason.NO_HOLDINGS),
            *((where & held, reason) for where, reason in time),
            (none, NullReason.ALL_EXCLUDED),
        ),
        *(
            measure(part / gross, no_holdings, *time, undefined)
            for part in (own, proxied, own + proxied)
        ),
    )
