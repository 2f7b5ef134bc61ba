"""The real market data, read in plain Python: for the oracle, and for the files to import.

Nothing of Riskmark reads these files here; what was traded on a day is worked out anew from
what vendors state in the shares of today.
"""

import csv
import gzip
import os
from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

from tests.oracles.day_loop import Market

FOLDER = Path(os.environ.get("RISKMARK_MARKET_DATA", "no/market/data"))
PRICES = FOLDER / "prices_core.csv.gz"
ACTIONS = FOLDER / "corporate_actions_core.csv"
SOURCES = FOLDER / "sources.csv"
CONSTITUENTS = FOLDER / "sp500_constituents.csv"

SPIN_OFFS = frozenset({"T", "MMM", "IBM", "MRK", "PFE", "DHR", "RTX", "O"})
"""Symbols of which every split that the vendor reports is a spin-off; GE has both kinds."""
GE_SPLIT = date(2021, 8, 2)
_KINDS = {"mutual fund": "fund", "etn": "etf", "rate": "index"}

Closes = dict[str, dict[date, Decimal]]


def read_market(symbols: Collection[str], last: date) -> Market:
    """Read what was traded of ``symbols`` up to the session ``last``, and all actions."""
    closes = _read_closes({*symbols, "SPY"})
    sessions = [day for day in sorted(closes["SPY"]) if day <= last]
    splits: Closes = defaultdict(dict)
    spinoffs: Closes = defaultdict(dict)
    dividends: Closes = defaultdict(dict)
    for symbol, day, kind, value in _read_actions():
        if kind == "dividend":
            dividends[symbol][day] = value
        elif symbol in SPIN_OFFS or (symbol == "GE" and day != GE_SPLIT):
            spinoffs[symbol][day] = value
        else:
            splits[symbol][day] = value
    for symbol in {*splits, *spinoffs}:
        ratios = splits[symbol] | spinoffs[symbol]
        for series in (closes.get(symbol, {}), dividends[symbol]):
            for day in series:
                series[day] *= _product(ratio for later, ratio in ratios.items() if later > day)
    return Market(sessions, closes, splits, spinoffs, dividends)


def _read_closes(symbols: Collection[str]) -> Closes:
    closes: Closes = defaultdict(dict)
    with gzip.open(PRICES, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["symbol"] in symbols and row["close"]:
                closes[row["symbol"]][date.fromisoformat(row["date"])] = Decimal(row["close"])
    return closes


def _read_actions() -> Iterator[tuple[str, date, str, Decimal]]:
    with ACTIONS.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            day = date.fromisoformat(row["ex_date"])
            yield row["symbol"], day, row["type"], Decimal(row["value"])


def _product(ratios: Iterator[Decimal]) -> Decimal:
    product = Decimal(1)
    for ratio in ratios:
        product *= ratio
    return product


def write_symbols(path: Path) -> None:
    """Write a file of symbols in Riskmark's form: names, kinds and sectors of what is priced."""
    with CONSTITUENTS.open(encoding="utf-8") as file:
        sectors = {
            row["Symbol"].replace(".", "-"): row["GICS Sector"] for row in csv.DictReader(file)
        }
    with gzip.open(PRICES, "rt", encoding="utf-8") as file:
        priced = {row["symbol"] for row in csv.DictReader(file)}
    with SOURCES.open(encoding="utf-8") as file, path.open("w", encoding="utf-8") as target:
        writer = csv.writer(target)
        writer.writerow(["symbol", "name", "kind", "sector"])
        for row in csv.DictReader(file):
            symbol, kind = row["symbol"], _KINDS.get(row["kind"], row["kind"])
            if symbol in priced:
                sector = sectors.get(symbol, "") if kind == "stock" else ""
                writer.writerow([symbol, row["name"], kind, sector])
