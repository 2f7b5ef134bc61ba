"""Sectors: what instruments are grouped by.

A stock has a GICS sector, if somebody has said which; there is no guess from the ticker.
Funds and private assets are groups of their own.
"""

from collections.abc import Mapping
from types import MappingProxyType

from riskmark.domain.instruments import InstrumentKind

UNCLASSIFIED = "Unclassified"

SECTOR_OF_KIND: Mapping[InstrumentKind, str] = MappingProxyType(
    {
        InstrumentKind.ETF: "ETF",
        InstrumentKind.FUND: "Fund",
        InstrumentKind.PRIVATE: "Private",
    }
)


def sector_of(kind: InstrumentKind, sector: str | None) -> str:
    """Return the group that an instrument counts in."""
    return SECTOR_OF_KIND.get(kind) or sector or UNCLASSIFIED
