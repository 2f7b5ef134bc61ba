"""Ten books of our own making on real prices, 2020 to 2026: what people really hold.

Prices are those that somebody might have paid on the day, in the shares of that day. Dates
that are no sessions are meant: a Saturday, a holiday, the weekend between a stated exit and
the split that its session brings.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from riskmark.domain.portfolio import Flow, Lot
from riskmark.intake.lot_rows import InstrumentHint
from riskmark.intake.positions_csv import parse_positions

HEADER = "Symbol,Quantity,Entry Price Per Share,Entry Date,Exit Date,Exit Price Per Share\n"
TODAY = date(2026, 2, 28)
"""A Saturday; the session before it is the last with prices."""


@dataclass(frozen=True)
class RealBook:
    """A book as its owner states it; without an equity it is in holdings mode."""

    name: str
    equity: int | None
    positions: str
    flows: tuple[Flow, ...] = ()

    def read(self, today: date = TODAY) -> tuple[tuple[Lot, ...], tuple[InstrumentHint, ...]]:
        """Read the positions as they stood ``today``."""
        rows = [line.split(",") for line in self.positions.split()]
        known = [row for row in rows if row[3] <= today.isoformat()]
        open_then = [row[:4] if row[4:] and row[4] > today.isoformat() else row for row in known]
        lines = [",".join([*row, *[""] * (6 - len(row))]).replace("_", " ") for row in open_then]
        file = parse_positions((HEADER + "\n".join(lines)).encode(), today=today)
        assert file.errors == (), file.errors
        return file.lots, file.instruments

    def flows_until(self, today: date) -> tuple[Flow, ...]:
        """Return the flows that had been made ``today``."""
        return tuple(flow for flow in self.flows if flow.date <= today)


def _flow(day: str, amount: str) -> Flow:
    return Flow(date.fromisoformat(day), Decimal(amount))


INDEX = RealBook("index", 1_000_000, "SPY,3000,325,2020-01-02")

SPLITS = RealBook(
    "splits",
    400_000,
    """
    AAPL,100,300,2020-01-06
    TSLA,50,451,2020-01-06
    NVDA,100,240,2020-01-06
    GOOGL,20,1400,2020-01-10
    AMZN,15,1900,2020-01-10
    GE,1000,12,2020-01-13
    AAPL,100,318,2020-02-03,2020-08-31,128.25
    TSLA,20,700,2020-03-02,2022-08-24,891
    NVDA,40,245,2020-04-04,2024-06-08,1208
    AVGO,60,270,2020-05-01
    WMT,90,120,2020-05-01,2024-02-26,59.6
    SHW,15,560,2020-06-01,2023-01-17,235.5
    GE,500,7.2,2020-06-15,2021-08-02,104
    AMZN,5,3500,2021-11-28
    GOOGL,4,2900,2022-01-03,2022-07-16,2240
    NVDA,30.5,125.25,2024-06-11
    """,
)

SPIN_OFFS = RealBook(
    "spin-offs",
    300_000,
    """
    T,1500,38.9,2020-01-18
    GE,2000,11.8,2020-01-20
    MMM,200,160,2020-02-03
    IBM,150,146,2020-02-03
    MRK,200,88,2020-02-03
    PFE,400,37,2020-02-03
    DHR,100,162,2020-02-03
    RTX,150,150,2020-02-10
    O,200,78,2020-02-10
    T,500,30,2020-06-01,2022-04-11,19.6
    T,300,24.5,2022-04-08,2022-04-12,19.4
    GE,300,95,2022-01-03,2023-01-04,69.5
    GE,100,80,2022-12-31,2024-03-30,175
    MMM,100,98,2023-06-05,2024-04-01,93
    MMM,50,105,2024-03-29
    IBM,50,120,2021-11-03,2021-11-05,123
    PFE,200,38.5,2020-11-14,2021-12-31,59
    DHR,40,250,2023-09-30,2025-06-02,188
    """,
)

MARKET_NEUTRAL = RealBook(
    "market neutral",
    1_000_000,
    """
    MSFT,700,160,2020-01-02
    JNJ,600,145,2020-01-02
    COST,300,295,2020-01-02
    UNH,250,295,2020-01-02
    HD,400,220,2020-01-02
    V,500,190,2020-01-02
    SPY,-1000,325,2020-01-02
    SPY,-700,325,2020-01-03,2023-05-22,418.5
    T,-1000,38,2020-01-15,2023-03-15,18.4
    TSLA,-5,1620,2020-07-20,2021-01-08,870
    QQQ,-100,310,2021-01-05,2022-12-26,268
    """,
    (_flow("2021-07-04", "-25000"), _flow("2024-02-17", "40000.55")),
)

LONG_SHORT = RealBook(
    "long short",
    500_000,
    """
    XOM,2500,43,2020-08-03
    JPM,1500,97,2020-08-03
    LLY,700,152,2020-08-03
    META,400,255,2020-08-03,2022-02-04,237
    GS,500,200,2020-08-10
    CAT,500,135,2020-08-10
    PTON,-500,150,2021-01-04,2022-11-04,9.1
    ZM,-150,340,2021-01-04,2023-01-04,68.5
    ROKU,-60,415,2021-02-01,2025-01-31,83
    TLT,-400,158,2021-01-04
    META,600,125,2023-01-01
    NVDA,30,478,2024-01-02,2024-01-02,483.5
    INTC,-1500,43,2024-03-09,2024-11-29,24.1
    NVDA,25,1205,2024-06-07,2024-06-10,121.5
    """,
    (_flow("2023-01-01", "60000"), _flow("2025-12-25", "-15000")),
)

RETIREMENT = RealBook(
    "retirement",
    None,
    """
    VTI,400,165,2020-01-04
    BND,600,84,2020-01-04
    DIA,100,293,2020-02-15
    LQD,80,130,2020-02-15
    VTI,100,150,2020-06-20,2024-08-03,268
    SCHD,900,17.3,2020-07-03
    VEA,500,39,2020-07-04,2023-10-14,42.5
    VNQ,120,80,2020-09-07
    VTI,50.123,228.5,2021-09-06
    AGG,200,118,2021-01-01,2026-02-27,101.4
    GLD,60,172,2022-05-28
    """,
)

HEDGED_HOLDINGS = RealBook(
    "hedged holdings",
    None,
    """
    QQQ,300,220,2020-02-01
    IWM,-250,160,2020-02-03
    EEM,400,36,2020-03-14
    USO,500,2.5,2020-04-25,2021-10-16,56
    TLT,-200,160,2020-08-08,2023-10-07,85.5
    SMH,50,240,2021-01-30
    SLV,1000,25.8,2021-06-05
    HYG,-300,87,2021-06-05,2026-01-31,80.5
    EFA,150,75,2025-02-08
    """,
)

SAVER = RealBook(
    "saver",
    100_000,
    """
    SPY,150,322,2020-01-11,2022-06-18,367
    QQQ,80,215,2020-01-11,2022-06-18,275
    KO,200,54,2020-03-01,2022-06-18,60
    SPY,200,388,2023-03-18
    XLK,300,71.5,2023-03-18,2025-04-05,91
    MSFT,40,280,2023-04-07
    """,
    (
        _flow("2020-01-01", "5000"),
        _flow("2020-05-31", "2500"),
        _flow("2021-05-31", "2500"),
        _flow("2022-07-17", "-20000"),
        _flow("2022-12-25", "10000"),
        _flow("2023-03-18", "30000"),
        _flow("2024-09-28", "-7500.25"),
        _flow("2026-02-27", "1000"),
    ),
)

OPTIONS = RealBook(
    "options and unknown",
    250_000,
    """
    AAPL,400,160,2023-03-25
    AAPL__270115C00250000,5,35.5,2025-03-03
    SPY___260116P00500000,10,21.25,2025-01-11,2025-06-14,9.8
    ZZZQ,100,12.5,2023-04-03
    VFIAX,80,360,2023-04-01
    MSFT,150,280,2023-03-25
    """,
)

NEW_LISTINGS = RealBook(
    "new listings",
    None,
    """
    PLTR,1000,9.2,2020-09-29
    ABNB,80,145,2020-12-10
    COIN,40,328,2021-04-14
    JEPQ,300,49,2022-04-30
    PLTR,500,24,2021-01-09,2024-11-09,58
    """,
)

BOOKS = (
    INDEX,
    SPLITS,
    SPIN_OFFS,
    MARKET_NEUTRAL,
    LONG_SHORT,
    RETIREMENT,
    HEDGED_HOLDINGS,
    SAVER,
    OPTIONS,
    NEW_LISTINGS,
)
"""All ten."""
