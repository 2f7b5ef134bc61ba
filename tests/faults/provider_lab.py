"""The laboratory: real client libraries against the local server, one fault at a time.

``python -m tests.faults.provider_lab`` tries every fault on every provider, prints the table
and writes it into ``docs/reference/provider-faults.md``.
"""

import argparse
import contextlib
import math
import warnings
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from tests.faults.dialects import FMP, MASSIVE, YAHOO
from tests.faults.provider_faults import FAULTS
from tests.faults.quota import FastTime, MemoryQuota
from tests.faults.quotes import small_market
from tests.faults.server import ProviderServer
from tests.market import AT, CALENDAR

from riskmark.providers.adapter import Access
from riskmark.providers.chain import collect
from riskmark.providers.checking import Checker
from riskmark.providers.fmp import Fmp
from riskmark.providers.limits import Budget, Gate, Limits
from riskmark.providers.massive import Massive
from riskmark.providers.port import Wanted
from riskmark.providers.yahooquery import YahooQuery
from riskmark.providers.yfinance import YFinance

PAGE = Path(__file__).parents[2] / "docs/reference/provider-faults.md"
PROVIDERS = {"yfinance": YFinance, "yahooquery": YahooQuery, "massive": Massive, "fmp": Fmp}
DIALECT = {"yfinance": YAHOO, "yahooquery": YAHOO, "massive": MASSIVE, "fmp": FMP}
SYMBOLS = ("AAA", "BBB", "BRK.B")
MARKET = small_market(CALENDAR.sessions)
CHECKER = Checker(CALENDAR, timedelta(minutes=30), lambda: AT)
TARGET = CALENDAR.sessions[CALENDAR.target(AT, timedelta(minutes=30))]
FIRST = CALENDAR.sessions[CALENDAR.on_or_before(TARGET) - 40]
BUDGET_S = 120.0
LIMITS = Limits(per_day=100_000)
"""None that is felt; that there is one of the day is what FMP's free plan is told by."""
TIMEOUT_S = 0.3
"""Longer than any right answer takes here, shorter than the silence of the server."""


class Seen(NamedTuple):
    """What became of three symbols: whether complete, else why, and in how many requests."""

    words: tuple[str, ...]
    requests: int
    wrong: tuple[str, ...]
    seconds: float


def cases():
    """Give every fault with every provider that can have it."""
    return [
        (fault, provider)
        for fault in FAULTS
        for provider in PROVIDERS
        if DIALECT[provider] in fault.dialects
    ]


def make_provider(name, url, *, time=None, store=None, limits=LIMITS, timeout_s=TIMEOUT_S):
    """Make the adapter of a provider, its client pointed at ``url``."""
    budget = Budget(BUDGET_S, time or FastTime())
    provider = PROVIDERS[name]
    gate = Gate(provider.domain, limits, store or MemoryQuota(), budget, timeout_s=timeout_s)
    return provider(Access(gate, CHECKER, base_url=url, api_key="k")), budget


def wanted(symbol):
    """Want the last sessions of a symbol, of which the newest ten but one are known."""
    closes = MARKET[symbol].closes
    days = [day for day in closes if FIRST <= day < TARGET][-9:]
    return Wanted(symbol, FIRST, TARGET, {day: closes[day] for day in days})


def observe(server, name, fault, at):
    """Fetch three symbols of one provider while the fault meets requests ``at``."""
    forget_yahoo()
    server.play(fault, at)
    provider, budget = make_provider(name, server.url)
    start = budget.time.monotonic()
    words, wrong = [], []
    for symbol in SYMBOLS:
        found = collect(wanted(symbol), [provider], checker=CHECKER, budget=budget)
        words.append(_word(found))
        wrong.extend(_wrong(found))
    seconds = budget.time.monotonic() - start
    provider.close()
    return Seen(tuple(words), len(server.shop.asked), tuple(wrong), seconds)


def _word(found):
    outcome = found.said[-1].outcome
    if outcome.gaps and found.parts:
        return f"{outcome.reason} ({len(outcome.gaps)} missing)"
    if any(part.bars.currency[0] != "USD" for part in found.parts if part.bars.currency[0]):
        return f"{outcome.reason} (foreign currency)"
    return str(outcome.reason)


def _wrong(found):
    """Name every accepted close that is not the true one; a foreign one is not accepted."""
    closes = MARKET[found.symbol].closes
    for part in found.parts:
        if part.bars.currency[0] not in {"", "USD"}:
            continue
        days = part.bars.session.tolist()
        for day, close in zip(days, part.bars.close.tolist(), strict=True):
            if not math.isclose(close, closes[day], rel_tol=1e-9):
                yield f"{found.symbol} {day}: {close} instead of {closes[day]}"


def forget_yahoo():
    """Let yfinance forget cookie and crumb, which it keeps for the process."""
    from yfinance.data import YfData  # noqa: PLC0415 - a second

    shared = YfData()
    shared._crumb = shared._cookie = None
    shared._cookie_strategy = "basic"


def table(rows):
    """Render the table: one line a fault and provider."""
    lines = ["| fault | provider | first request | every request |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {fault.name} | {provider} | {_cell(once)} | {_cell(always)} |"
        for fault, provider, once, always in rows
    ]
    return lines


def _cell(words):
    """Show the outcomes of three symbols, equal ones once."""
    if len(set(words)) == 1:
        return words[0]
    if len(set(words[1:])) == 1:
        return f"{words[0]}, then {words[1]}"
    return ", ".join(words)


HEAD = """# What providers can do, and what Riskmark makes of it

Each line is a fault that a provider on this machine commits, met by the real client library
of the provider: on the first request for bars only (three symbols follow each other), and on
every request. A word is the outcome of a symbol; where the three differ, all are named.
No line lets a wrong price through: what is not believed is a gap, with this outcome as its
reason, which the next provider is asked to fill. Made by `python -m tests.faults.provider_lab`.

"""


def main():
    """Try everything and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--provider", choices=PROVIDERS)
    parser.add_argument("--fault")
    chosen = parser.parse_args()
    rows = []
    warnings.simplefilter("ignore")
    with ProviderServer(MARKET) as server:
        for fault, provider in cases():
            if chosen.fault in {None, fault.name} and chosen.provider in {None, provider}:
                once = observe(server, provider, fault, {0})
                always = observe(server, provider, fault, None)
                rows.append((fault, provider, once.words, always.words))
                wrong = (*once.wrong[:1], *always.wrong[:1])
                print(table(rows)[-1], once.requests, always.requests, *wrong)
    if chosen.fault is None and chosen.provider is None:
        PAGE.write_text(HEAD + "\n".join(table(rows)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
