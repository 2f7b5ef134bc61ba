"""Stress and replay: what shocks, and stretches of history, would do to what is held."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from riskmark.calc.arrays import CODE_OF, BoolArray, FloatArray
from riskmark.calc.exposures import Books
from riskmark.calc.factor_covariance import MINIMUM, FactorCovariances, factor_covariances
from riskmark.calc.plain.columns import as_columns, as_square, as_vector
from riskmark.calc.regression import FactorFits
from riskmark.calc.replay import Episode, replay
from riskmark.calc.stress import factor_moves
from riskmark.domain.reasons import NullReason
from riskmark.errors import ShapeError


class StressResult(NamedTuple):
    """What S scenarios do to exposures to F factors.

    Attributes
    ----------
    direct : float64, shape (S,)
        Gain or loss by the shocked factors alone, in the unit of the exposures.
    predictive : float64, shape (S,)
        The same with the other factors following, in the unit of the exposures.
    moves : float64, shape (S, F)
        How far each factor moves then, a fraction.
    """

    direct: FloatArray
    predictive: FloatArray
    moves: FloatArray


class ReplayResult(NamedTuple):
    """What an episode does to what is held.

    Attributes
    ----------
    pnl : float
        Gain or loss in the unit of the exposures.
    own_share : float
        Share of gross that goes through it with its own returns, a fraction.
    proxied_share : float
        Share of gross that goes through it with the returns of its factors, a fraction.
    """

    pnl: float
    own_share: float
    proxied_share: float


def estimate_factor_covariance(factors: npt.ArrayLike, *, minimum: int = MINIMUM) -> FloatArray:
    """Compute the covariances of factors over the sessions on which all were observed.

    Parameters
    ----------
    factors : float64, shape (T, F)
        Returns a session, as fractions. A session on which one is NaN does not count.
    minimum : int
        Fewest sessions, a count.

    Returns
    -------
    float64, shape (F, F)
        Covariances with n − 1, fraction² a session; NaN throughout with fewer than
        ``minimum`` sessions. A factor that does not move has 0.

    Raises
    ------
    ShapeError
        ``factors`` is neither vector nor matrix.
    ValueError
        A return is infinite.

    Notes
    -----
    Around the mean, without decay or shrinkage. Source: the sample covariance.
    """
    given = as_columns(factors, "factors").values
    if not len(given):
        return np.full((given.shape[1], given.shape[1]), np.nan)
    rows = range(len(given) - 1, len(given))
    found = factor_covariances(given, rows=rows, window=len(given), minimum=minimum)
    matrix: FloatArray = found.matrix[0]
    return matrix


def stress_exposures(
    exposures: npt.ArrayLike, shocks: npt.ArrayLike, covariance: npt.ArrayLike
) -> StressResult:
    """Shock some factors, let the others follow, and tell what that gains or loses.

    Parameters
    ----------
    exposures : float64, shape (F,)
        Exposures to the factors, in money or as fractions of NAV.
    shocks : float64, shape (F,) or (S, F)
        Returns that each scenario gives to the factors, as fractions; NaN: not shocked, and
        free to follow (0 holds a factor still).
    covariance : float64, shape (F, F)
        Covariances of the factors, fraction²; their scale does not matter.

    Returns
    -------
    StressResult
        In the unit of ``exposures``. ``predictive`` and ``moves`` are NaN where the shocked
        factors do not move at all, or determine one another.

    Raises
    ------
    ShapeError
        The three have different numbers of factors.
    ValueError
        The covariances hold NaN, or a shock is infinite.

    Notes
    -----
    The others move by Σ_fs · Σ_ss⁻¹ · shock, their mean given the shock if returns are normal
    (Kupiec 1998). Nothing is clipped, and no expected return added.
    """
    matrix = as_square(covariance, "covariance")
    held = as_vector(exposures, "exposures", length=len(matrix))
    stated = np.atleast_2d(np.asarray(shocks, np.float64))
    if stated.ndim != 2 or stated.shape[1] != len(held):  # noqa: PLR2004 - scenarios, factors
        raise ShapeError(f"shocks must be ({len(held)},) or (S, {len(held)}), not {stated.shape}")
    if np.isinf(stated).any():
        message = "a shock is infinite; NaN says that a factor is not shocked"
        raise ValueError(message)
    names = [str(place) for place in range(len(held))]
    scenarios = [
        {names[place]: float(row[place]) for place in np.flatnonzero(~np.isnan(row))}
        for row in stated
    ]
    known = FactorCovariances(np.array([len(held)]), matrix[None], np.zeros(1, np.int8))
    found = factor_moves(scenarios, names, known)
    return StressResult(
        direct=found.direct @ held,
        predictive=found.predictive[0] @ held,
        moves=found.predictive[0],
    )


def replay_exposures(
    exposures: npt.ArrayLike,
    returns: npt.ArrayLike,
    *,
    factors: npt.ArrayLike | None = None,
    betas: npt.ArrayLike | None = None,
) -> ReplayResult:
    """Take what is held through an episode of history.

    Parameters
    ----------
    exposures : float64, shape (N,)
        What is held of each instrument, in money or as fractions of NAV, negative if short.
    returns : float64, shape (L, N)
        Simple returns of the instruments on the sessions of the episode, as fractions. One
        with a NaN among them goes through it with its factors instead.
    factors : float64, shape (L, F), optional
        Returns of the factors on the same sessions, as fractions; NaN counts as 0.
    betas : float64, shape (N, F), optional
        Slopes on the factors, a ratio; NaN: that instrument cannot be replayed so.

    Returns
    -------
    ReplayResult
        P&L in the unit of ``exposures``; NaN where nothing can be replayed.

    Raises
    ------
    ShapeError
        Numbers of instruments, sessions or factors do not agree.
    ValueError
        A return is infinite, or only one of ``factors`` and ``betas`` is given.

    Notes
    -----
    Returns are compounded over the episode; holdings do not change in it (buy and hold).
    """
    if (factors is None) != (betas is None):
        message = "factors and betas go together: give both or neither"
        raise ValueError(message)
    own = as_columns(returns, "returns").values
    held = as_vector(exposures, "exposures", length=own.shape[1])
    proxies = np.zeros((len(own), 0)) if factors is None else as_columns(factors, "factors").values
    slopes = np.full((len(held), proxies.shape[1]), np.nan)
    if betas is not None:
        slopes = np.asarray(betas, np.float64).reshape(len(held), -1)
    if len(proxies) != len(own) or slopes.shape != (len(held), proxies.shape[1]):
        message = f"returns {own.shape}, factors {proxies.shape} and betas {slopes.shape} differ"
        raise ShapeError(message)
    found = replay(
        csr_array(held[None]),
        _fits(slopes),
        [Episode(own, proxies, in_data=True)],
        fit_row=np.zeros(1, np.int64),
        is_over=np.ones((1, 1), np.bool_),
        books=_book(held),
    )
    pnl, own_share, proxied_share, _ = (float(one.values[0, 0]) for one in found)
    return ReplayResult(pnl, own_share, proxied_share)


def _fits(slopes: FloatArray) -> FactorFits:
    """Stand in for the fits of one session: nothing but slopes, and whether there are any."""
    usable: BoolArray = np.isfinite(slopes).all(axis=1) & (slopes.shape[1] > 0)
    nothing = np.full((1, len(slopes)), np.nan)
    codes = np.where(usable, 0, CODE_OF[NullReason.NO_FACTOR_DATA]).astype(np.int8)
    return FactorFits(
        n=np.zeros((1, len(slopes)), np.int64),
        alpha=nothing,
        beta=np.where(usable[:, None], slopes, np.nan)[None],
        stderr=np.full((1, *slopes.shape), np.nan),
        r2=nothing,
        residual_sd=nothing,
        nulls=codes[None],
    )


def _book(held: FloatArray) -> Books:
    """Stand in for a book with a stated equity that holds this."""
    gross = np.array([np.abs(held).sum()])
    return Books(nav=gross, gross=gross, held=gross > 0, holdings_mode=np.zeros(1, np.bool_))
