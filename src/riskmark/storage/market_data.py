"""The names of ``intake.market_data``, for the modules of storage that write what it holds.

Providers stand beside storage and may not import it, so that what both speak of, bars and
actions on their way in, lives below both.
"""

from riskmark.intake.market_data import (
    MAX_PRICE,
    MAX_RATIO,
    MAX_VOLUME,
    MIN_RATIO,
    MOST_NEW,
    MOST_OLD,
    RATIO_TOLERANCE,
    Action,
    ActionKind,
    Bars,
    BoolArray,
    DateArray,
    FloatArray,
    IntArray,
    TextArray,
    as_traded,
    classify,
    key_of,
    make_bars,
    split_ratio,
)

__all__ = [
    "MAX_PRICE",
    "MAX_RATIO",
    "MAX_VOLUME",
    "MIN_RATIO",
    "MOST_NEW",
    "MOST_OLD",
    "RATIO_TOLERANCE",
    "Action",
    "ActionKind",
    "Bars",
    "BoolArray",
    "DateArray",
    "FloatArray",
    "IntArray",
    "TextArray",
    "as_traded",
    "classify",
    "key_of",
    "make_bars",
    "split_ratio",
]
