"""Volatility of the holdings-based series x: how much today's holdings would have moved.

Annual, as a fraction: the standard deviation (n − 1) of the last n values × √252. The mean
is taken off before anything is squared.
"""

import numpy as np

from riskmark.calc.arrays import FloatArray, Measure, measure
from riskmark.domain.reasons import NullReason

SESSIONS_A_YEAR = 252


def trailing_volatility(x: FloatArray, n: int) -> Measure:
    """Compute the volatility of the last ``n`` (at least 2) values of each row of ``x``.

    ``x`` (C, L) ends at each cell's session. All n values are needed.
    """
    if n < 2:  # noqa: PLR2004
        message = f"a standard deviation needs 2 values, not {n}"
        raise ValueError(message)
    if n > x.shape[1]:
        values = np.full(len(x), np.nan)
        return measure(values, (np.isnan(values), NullReason.TOO_FEW_OBSERVATIONS))
    tail = x[:, -n:]
    deviations = tail - tail.mean(axis=1, keepdims=True)
    variance = np.einsum("cn,cn->c", deviations, deviations) / (n - 1)
    values = np.sqrt(SESSIONS_A_YEAR * variance)
    return measure(values, (np.isnan(values), NullReason.TOO_FEW_OBSERVATIONS))
