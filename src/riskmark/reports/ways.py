"""What P&L can be attributed to; apart, so that the command line need not load the rest."""

from enum import StrEnum


class By(StrEnum):
    """A way to attribute P&L."""

    POSITION = "position"
    SECTOR = "sector"
    FACTOR = "factor"
