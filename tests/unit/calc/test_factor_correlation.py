"""When factors have no correlation."""

import numpy as np
import pytest

from riskmark.calc.factor_correlation import factor_correlation
from riskmark.domain.reasons import NullReason


@pytest.mark.parametrize(
    ("change", "n", "reason"),
    [
        (lambda factors: factors.fill(np.nan), 0, NullReason.NO_FACTOR_DATA),
        (lambda factors: factors[:-59].fill(np.nan), 59, NullReason.TOO_FEW_OBSERVATIONS),
        (lambda factors: factors[:, 1].fill(0.01), 80, NullReason.NO_FACTOR_VARIATION),
        (lambda factors: factors[:-60].fill(np.nan), 60, None),
    ],
)
def test_the_reason_is_told(change, n, reason):
    factors = np.random.default_rng(1).normal(0, 0.01, (80, 3))
    change(factors)

    found = factor_correlation(factors, row=79, window=252, minimum=60)

    assert (found.n, found.null) == (n, reason)
    assert np.isnan(found.correlation).all() == (reason is not None)
