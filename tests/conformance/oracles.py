"""The oracle packages that warn of what they do without as they are imported."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import empyrical

__all__ = ["empyrical"]
