"""Attribution: which factors the P&L of a book came from, session by session.

    P&L(t) = Σ_f money_f(t−1) · return_f(t)
             + specific(t) + excluded(t) + beyond_delta(t) + trading(t)
    specific(t)     = hypothetical P&L(t) − Σ_f money_f(t−1) · return_f(t)
    beyond_delta(t) = Σ_options P&L(t) − delta exposure(t−1) · return of the underlying(t)
    trading(t)      = P&L(t) − hypothetical P&L(t) − excluded(t) − beyond_delta(t)

The hypothetical P&L is what the holdings of the session before would have made, had they
been kept (``pnl_hypothetical``). *Specific* is what the factors leave over of it. *Excluded*
is the P&L of positions that it leaves out, as risk is not computed from them: private assets,
what is stale or at cost, what has too few returns. An option is in it with its delta alone;
*beyond delta* is what its curvature, time and volatility made. What remains is *trading*: what
purchases and sales within the session made against its closes.

Where nothing was held at the close before, no factor can have earned anything: all P&L is
trading. Where something was, but an exposure, a factor's return or the hypothetical P&L
cannot be had, the session's P&L is *unexplained*, with the reason, and nothing else of it is.
"""

from typing import NamedTuple

import numpy as np

from riskmark.calc.arrays import CODE_OF, BoolArray, CodeArray, FloatArray, Measure
from riskmark.domain.reasons import NullReason
from riskmark.errors import ShapeError

NOTHING_HELD = (CODE_OF[NullReason.FIRST_SESSION], CODE_OF[NullReason.NO_HOLDINGS])
"""Why there is no hypothetical P&L where nothing was held at the close before."""


class FactorAttribution(NamedTuple):
    """The P&L of S sessions by F factors, in money; on every session the parts sum to it.

    ``factors`` is (S, F), the rest (S,). ``nulls`` says why a session is unexplained: 0 where
    it is explained. All parts but ``unexplained`` are 0 on a session that is not.
    """

    factors: FloatArray
    specific: FloatArray
    excluded: FloatArray
    beyond_delta: FloatArray
    trading: FloatArray
    unexplained: FloatArray
    nulls: CodeArray

    @property
    def explained(self) -> BoolArray:
        """Whether a session's P&L could be split, (S,)."""
        found: BoolArray = self.nulls == 0
        return found


def attribute_to_factors(
    pnl: FloatArray,
    hypothetical: Measure,
    *,
    excluded: FloatArray,
    beyond_delta: FloatArray,
    exposures: Measure,
    factor_returns: FloatArray,
) -> FactorAttribution:
    """Split the P&L of each session by factor.

    Parameters
    ----------
    pnl : float64, shape (S,)
        The P&L of each session, in money.
    hypothetical : Measure, shape (S,)
        What the holdings of the session before would have made.
    excluded : float64, shape (S,)
        The P&L of the positions that it leaves out, in money.
    beyond_delta : float64, shape (S,)
        What the options in it have made beyond their delta, in money.
    exposures : Measure, shape (S, F)
        Exposures in money at the close before each session.
    factor_returns : float64, shape (S, F)
        The factors' returns on each session, as fractions; NaN where not observed.

    Returns
    -------
    FactorAttribution
        A factor without exposure earns 0, whether its return was observed or not.

    Raises
    ------
    ShapeError
        The inputs have different numbers of sessions or factors.
    """
    shape = (len(pnl), factor_returns.shape[1])
    if exposures.values.shape != shape or factor_returns.shape != shape:
        raise ShapeError(f"exposures and returns of {shape[0]} sessions and {shape[1]} factors")
    own = (hypothetical.values.shape, excluded.shape, beyond_delta.shape)
    if any(one != pnl.shape for one in own):
        raise ShapeError(f"hypothetical, excluded or options' P&L is not of {len(pnl)} sessions")
    was_flat = np.isin(hypothetical.nulls, NOTHING_HELD)
    idle = (exposures.values == 0.0) | was_flat[:, None]
    nulls = _nulls(hypothetical, exposures.nulls, np.isnan(factor_returns) & ~idle)
    nulls[was_flat] = 0
    explained = nulls == 0
    earns = explained[:, None] & ~idle
    factors = np.where(earns, exposures.values, 0.0) * np.where(earns, factor_returns, 0.0)
    kept, left_out, curved = (
        np.where(explained & ~was_flat, part, 0.0)
        for part in (hypothetical.values, excluded, beyond_delta)
    )
    return FactorAttribution(
        factors=factors,
        specific=kept - factors.sum(axis=1),
        excluded=left_out,
        beyond_delta=curved,
        trading=np.where(explained, pnl - kept - left_out - curved, 0.0),
        unexplained=np.where(explained, 0.0, pnl),
        nulls=nulls,
    )


def _nulls(hypothetical: Measure, exposures: CodeArray, unobserved: BoolArray) -> CodeArray:
    """Tell why a session cannot be split: an exposure's reason, a factor's, or that of the P&L."""
    no_return = np.where(unobserved.any(axis=1), CODE_OF[NullReason.NO_FACTOR_DATA], 0)
    first = np.argmax(exposures != 0, axis=1) if exposures.shape[1] else np.zeros(0, np.int64)
    own = exposures[np.arange(len(first)), first] if len(first) else np.zeros(len(no_return))
    found = np.where(own != 0, own, np.where(no_return != 0, no_return, hypothetical.nulls))
    return found.astype(np.int8)
