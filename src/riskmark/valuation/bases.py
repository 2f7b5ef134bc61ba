"""Base sessions of periods: the session that a return to date or over months starts from.

To date: the last session before the period's first calendar day. Rolling: the same day so
many months back (the month's last day if it is shorter), or the last session before it.
"""

import numpy as np
import numpy.typing as npt

from riskmark.calc.arrays import IntArray
from riskmark.calc.performance import RollingBases, ToDateBases

MONTHS = (1, 3, 6, 12)
_MONTHS_A_QUARTER = 3


def base_rows(days: IntArray, rows: range) -> tuple[ToDateBases, RollingBases]:
    """Return the base rows of ``rows``: to date and rolling.

    ``days`` (T,) are the sessions' dates as days since 1970. −1: before the first row.
    """
    dates = days[rows.start : rows.stop].astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    number = months.astype(np.int64)
    quarters = (number - number % _MONTHS_A_QUARTER).astype("datetime64[M]")
    to_date = ToDateBases(
        *(
            np.searchsorted(days, _day_numbers(start), side="left") - 1
            for start in (months, quarters, dates.astype("datetime64[Y]"))
        )
    )
    day_of_month = _day_numbers(dates) - _day_numbers(months)
    rolling = []
    for back in MONTHS:
        month = months - back
        length = _day_numbers(month + 1) - _day_numbers(month)
        day = _day_numbers(month) + np.minimum(day_of_month, length - 1)
        rolling.append(np.searchsorted(days, day, side="right") - 1)
    return to_date, RollingBases(*rolling)


def _day_numbers(dates: npt.NDArray[np.datetime64]) -> IntArray:
    found: IntArray = dates.astype("datetime64[D]").astype(np.int64)
    return found
