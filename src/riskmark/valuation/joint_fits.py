"""A model's fits as one set with all its factors, also where they were made one at a time."""

import numpy as np

from riskmark.calc.model_fits import ModelFits
from riskmark.calc.regression import FactorFits


def joint_fits(fits: ModelFits) -> FactorFits:
    """Put the parts of a model side by side; a factor without a fit counts 0.

    A symbol has no fit only if it has none in any part; the reason is that of the first.
    """
    if len(fits.parts) == 1:
        return fits.parts[0]
    unfitted = np.stack([part.nulls != 0 for part in fits.parts])
    none = unfitted.all(axis=0)
    first = fits.parts[0]
    beta = np.concatenate([part.beta for part in fits.parts], axis=2)
    missing = np.repeat(
        np.moveaxis(unfitted, 0, 2), [part.beta.shape[2] for part in fits.parts], axis=2
    )
    beta[missing] = 0.0
    beta[none] = np.nan
    return first._replace(
        beta=beta,
        stderr=np.concatenate([part.stderr for part in fits.parts], axis=2),
        nulls=np.where(none, first.nulls, 0).astype(np.int8),
    )
