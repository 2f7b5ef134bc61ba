"""Value at risk and expected shortfall. Losses are positive; a gain even then is negative."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from riskmark.calc.arrays import FloatArray
from riskmark.calc.plain.columns import as_columns, as_vector
from riskmark.calc.tail import SPAN, tail_at
from riskmark.calc.volatility import SESSIONS_A_YEAR


class TailRisk(NamedTuple):
    """The tail of N series; for a single series plain numbers.

    Attributes
    ----------
    var : float64, shape (N,)
        Value at risk of one session, in the unit of the series: a loss is positive.
    es : float64, shape (N,)
        Expected shortfall, the mean loss in the tail, in the unit of the series.
    """

    var: FloatArray
    es: FloatArray


def estimate_tail_risk(returns: npt.ArrayLike, *, confidence: float = 0.95) -> TailRisk:
    """Measure historical VaR and ES of the last 252 observed values.

    Parameters
    ----------
    returns : float64, shape (T,) or (T, N)
        Returns a session as fractions, or P&L in money: the unit is kept. NaN: not observed,
        and passed over.
    confidence : float
        Share of the sessions that lose no more than VaR, a fraction between 0 and 1.

    Returns
    -------
    TailRisk
        In the unit of ``returns``; NaN with fewer than 126 values.

    Raises
    ------
    ShapeError
        ``returns`` is neither vector nor matrix.
    ValueError
        A value is infinite, or ``confidence`` is not between 0 and 1.

    Notes
    -----
    VaR is minus the (1 − confidence) quantile by linear interpolation (Hyndman and Fan 1996,
    type 7); ES is minus the mean of the values at or below it (Acerbi and Tasche 2002).
    """
    _check(confidence)
    given = as_columns(returns, "returns")
    var, es, _ = tail_at(given.pushed, confidence)
    return TailRisk(given.shaped(var.values), given.shaped(es.values))


def component_es(
    returns: npt.ArrayLike, weights: npt.ArrayLike, *, confidence: float = 0.95
) -> FloatArray:
    """Split the expected shortfall of a portfolio into parts of its positions, which sum to it.

    Parameters
    ----------
    returns : float64, shape (T, N)
        Simple returns of the instruments a session, as fractions. A session on which one is
        NaN does not count.
    weights : float64, shape (N,)
        What is held of each: fractions of NAV, or money, negative if short.
    confidence : float
        As in ``estimate_tail_risk``, a fraction.

    Returns
    -------
    float64, shape (N,)
        What each position adds, in the unit of ``weights``; NaN with fewer than 126 sessions.

    Raises
    ------
    ShapeError
        The two have different numbers of instruments.
    ValueError
        A return is infinite, or ``confidence`` is not between 0 and 1.

    Notes
    -----
    Minus the weight times the mean return in the portfolio's tail (Tasche 1999).
    """
    _check(confidence)
    given = as_columns(returns, "returns")
    held = as_vector(weights, "weights", length=given.values.shape[1])
    complete = given.values[np.isfinite(given.values).all(axis=1)][-SPAN:]
    var, _, inside = tail_at((complete @ held)[None], confidence)
    if np.isnan(var.values[0]):
        return np.full(len(held), np.nan)
    tail = inside[0, SPAN - len(complete) :]
    means: FloatArray = complete[tail].mean(axis=0)
    return -held * means


def estimate_normal_var(volatility: npt.ArrayLike, *, confidence: float = 0.95) -> FloatArray:
    """Compute the VaR of one session of normal returns with mean 0.

    Parameters
    ----------
    volatility : float64, any shape
        Annual volatility on 252 sessions, a fraction a year, or money a year. NaN stays NaN.
    confidence : float
        Share of the sessions that lose no more than VaR, a fraction between 0 and 1.

    Returns
    -------
    float64, shape of ``volatility``
        VaR of a session, in the unit of ``volatility``.

    Raises
    ------
    ValueError
        ``confidence`` is not between 0 and 1.

    Notes
    -----
    z · σ / √252 with the standard normal quantile z: RiskMetrics (1996).
    """
    _check(confidence)
    annual = np.asarray(volatility, np.float64)
    found: FloatArray = annual * (ndtri(confidence) / np.sqrt(SESSIONS_A_YEAR))
    return found


def _check(confidence: float) -> None:
    if not 0 < confidence < 1:
        message = f"confidence must be between 0 and 1, as 0.95; not {confidence}"
        raise ValueError(message)
