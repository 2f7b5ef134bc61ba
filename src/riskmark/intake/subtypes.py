"""Investment subtypes, by class, and the kind of instrument that each one implies."""

from riskmark.domain.instruments import InstrumentKind
from riskmark.domain.portfolio import InvestmentClass

SUBTYPES = {
    InvestmentClass.PUBLIC: {
        "STOCK": InstrumentKind.STOCK,
        "ADR": InstrumentKind.STOCK,
        "REIT": InstrumentKind.STOCK,
        "PREFERRED": InstrumentKind.STOCK,
        "ETF": InstrumentKind.ETF,
        "FUND": InstrumentKind.FUND,
        "MUTUAL_FUND": InstrumentKind.FUND,
        "MONEY_MARKET": InstrumentKind.FUND,
        "CLOSED_END_FUND": InstrumentKind.STOCK,
        "INDEX": InstrumentKind.INDEX,
        "BOND": InstrumentKind.OTHER,
        "OTHER": InstrumentKind.OTHER,
    },
    InvestmentClass.OPTIONS: {
        "CALL": InstrumentKind.OPTION,
        "PUT": InstrumentKind.OPTION,
    },
    InvestmentClass.PRIVATE: dict.fromkeys(
        (
            "PRIVATE_EQUITY",
            "VENTURE_CAPITAL",
            "HEDGE_FUND",
            "PRIVATE_CREDIT",
            "PRIVATE_REIT",
            "REAL_ESTATE",
            "INFRASTRUCTURE",
            "OTHER",
        ),
        InstrumentKind.PRIVATE,
    ),
}
"""A closed-end fund trades at a close as a stock does; a fund has one net asset value a session."""

UNSTATED_KIND = {
    InvestmentClass.PUBLIC: InstrumentKind.STOCK,
    InvestmentClass.OPTIONS: InstrumentKind.OPTION,
    InvestmentClass.PRIVATE: InstrumentKind.PRIVATE,
}
"""What an instrument is taken for while no subtype is stated."""


def subtype_key(text: str) -> str:
    """Write a subtype as the tables have it: "Mutual Fund" is ``MUTUAL_FUND``."""
    return text.upper().replace(" ", "_").replace("-", "_") if text.isascii() else text


def class_of_subtype(subtype: str) -> InvestmentClass | None:
    """Return the first class that has this subtype, or None."""
    return next((cls for cls, known in SUBTYPES.items() if subtype in known), None)
