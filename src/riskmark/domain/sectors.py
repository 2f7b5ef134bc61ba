"""Sectors: what instruments are grouped by.

A stock has a GICS sector, if somebody has said which; there is no guess from the ticker.
Funds and private assets are groups of their own.
"""

from collections.abc import Mapping
from types import MappingProxyType

from riskmark.domain.instruments import InstrumentKind

UNCLASSIFIED = "Unclassified"

GICS_SECTORS = (
    "Communication Services",
    "Consumer Discretionary",
    "Consumer Staples",
    "Energy",
    "Financials",
    "Health Care",
    "Industrials",
    "Information Technology",
    "Materials",
    "Real Estate",
    "Utilities",
)
"""What most symbols are grouped by; a file of symbols may name others."""

SECTOR_OF_KIND: Mapping[InstrumentKind, str] = MappingProxyType(
    {
        InstrumentKind.ETF: "ETF",
        InstrumentKind.FUND: "Fund",
        InstrumentKind.PRIVATE: "Private",
    }
)

USUAL_SECTORS = frozenset({*GICS_SECTORS, *SECTOR_OF_KIND.values(), UNCLASSIFIED})
"""The groups that there may be without anybody naming another."""

_VENDORS = {
    "basic materials": "Materials",
    "consumer cyclical": "Consumer Discretionary",
    "consumer defensive": "Consumer Staples",
    "financial": "Financials",
    "financial services": "Financials",
    "healthcare": "Health Care",
    "technology": "Information Technology",
}
"""How vendors call sectors of their own that match GICS's."""


def gics_sector(text: str) -> str | None:
    """Return the GICS sector that a vendor means; None if it is none."""
    name = text.strip().casefold()
    known = {sector.casefold(): sector for sector in GICS_SECTORS}
    return known.get(name) or _VENDORS.get(name)


def sector_of(kind: InstrumentKind, sector: str | None) -> str:
    """Return the group that an instrument counts in."""
    return SECTOR_OF_KIND.get(kind) or sector or UNCLASSIFIED
