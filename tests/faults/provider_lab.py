"""The laboratory: real client libraries against the local server, one fault at a time.

``python -m tests.faults.provider_lab`` tries every fault on every provider, prints the table
and writes it into ``docs/reference/provider-faults.md``.
"""

import argparse
import contextlib
import functools
import itertools
import math
import tempfile
import warnings
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import delete, select
from tests.faults.dialects import FMP, MASSIVE, YAHOO
from tests.faults.provider_faults import FAULTS
from tests.faults.quota import FastTime, MemoryQuota
from tests.faults.quotes import small_market
from tests.faults.server import ProviderServer
from tests.market import AT, CALENDAR, closes_of, load
from tests.support import fresh_schema

from riskmark.domain.rate_limits import Limits
from riskmark.engine.price_collection import Rules, fetch_symbol
from riskmark.providers.adapter import Access
from riskmark.providers.checking import Checker
from riskmark.providers.fmp import Fmp
from riskmark.providers.limits import Budget, Gate
from riskmark.providers.massive import Massive
from riskmark.providers.sources import Sources
from riskmark.providers.yahooquery import YahooQuery
from riskmark.providers.yfinance import YFinance
from riskmark.storage import schema
from riskmark.storage.engines import open_database

PAGE = Path(__file__).parents[2] / "docs/reference/provider-faults.md"
PROVIDERS = {"yfinance": YFinance, "yahooquery": YahooQuery, "massive": Massive, "fmp": Fmp}
DIALECT = {"yfinance": YAHOO, "yahooquery": YAHOO, "massive": MASSIVE, "fmp": FMP}
SYMBOLS = ("AAA", "BBB", "BRK.B", "SSS", "TTT")
MARKET = small_market(CALENDAR.sessions)
CHECKER = Checker(CALENDAR, timedelta(minutes=30), lambda: AT)
TARGET = CALENDAR.sessions[CALENDAR.target(AT, timedelta(minutes=30))]
FIRST = CALENDAR.sessions[CALENDAR.on_or_before(TARGET) - 40]
RULES = Rules(CALENDAR, TARGET, "USD", AT, timedelta(days=90))
PAGE_ROWS, PAGES = 16, 3
"""Rows of a page at Massive, and the pages of each symbol."""
BUDGET_S = 120.0
LIMITS = Limits(per_day=100_000)
"""None that is felt; that there is one of the day is what FMP's free plan is told by."""
SLOW = frozenset({"delay", "drip", "drip headers"})
SHORT_S, LONG_S = 0.4, 10.0
"""How long a request may take: shorter than the slow faults, else longer than any answer."""
POSITIONS = ("first", "middle", "last", "every")


class Seen(NamedTuple):
    """What became of all symbols: whether complete, else why, and in how many requests."""

    words: tuple[str, ...]
    requests: int
    wrong: tuple[str, ...]
    unnamed: tuple[str, ...]
    seconds: float


def cases():
    """Give every fault with every provider that can have it."""
    return [
        (fault, provider)
        for fault in FAULTS
        for provider in PROVIDERS
        if DIALECT[provider] in fault.dialects
    ]


@contextlib.contextmanager
def laboratory():
    """Open a database, and a server that sells the market in pages."""
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{folder}/riskmark.db")
        fresh_schema(database)
        with ProviderServer(MARKET, page_rows=PAGE_ROWS) as server:
            yield Laboratory(database, server)
        database.close()


class Laboratory(NamedTuple):
    """Where faults are tried."""

    database: object
    server: ProviderServer


def make_provider(name, url, *, budget, fault=None, store=None, limits=LIMITS, key="k"):
    """Make the adapter of a provider, its client pointed at ``url``."""
    provider = PROVIDERS[name]
    timeout_s = SHORT_S if fault is not None and fault.wire in SLOW else LONG_S
    gate = Gate(provider.domain, limits, store or MemoryQuota(), budget, timeout_s=timeout_s)
    return provider(Access(gate, CHECKER, base_url=url, api_key=key))


def places(lab, name, target):
    """Return which requests for ``target`` are the first, the middle, the last and every one."""
    count = _count(lab, name, target)
    return dict(zip(POSITIONS, ({0}, {count // 2}, {count - 1}, None), strict=True))


@functools.cache
def _count(lab, name, target):
    observe(lab, name, None, None)
    return sum(target in {"*", asked.target} for asked in lab.server.shop.asked)


def observe(lab, name, fault, at, **options):
    """Fetch and store all symbols from one provider while the fault meets requests ``at``."""
    forget_yahoo()
    know_some(lab.database, name)
    lab.server.play(fault, at)
    budget = Budget(BUDGET_S, FastTime())
    provider = make_provider(name, lab.server.url, budget=budget, fault=fault, **options)
    sources = Sources((provider,), CHECKER, budget)
    start = budget.time.monotonic()
    found = [
        fetch_symbol(lab.database, sources, symbol, dates=(FIRST, TARGET), rules=RULES)
        for symbol in SYMBOLS
    ]
    seconds = budget.time.monotonic() - start
    sources.close()
    held = _quarantined(lab.database)
    words = tuple(_word(one, held) for one in found)
    unnamed = tuple(one.symbol for one in found if one.missing and not _is_named(one))
    wrong = tuple(_wrong(lab.database, held))
    return Seen(words, len(lab.server.shop.asked), wrong, unnamed, seconds)


def know_some(database, name):
    """Store closes of the begin and of the end of the range, as the provider's own."""
    days = CALENDAR.sessions[CALENDAR.on_or_before(FIRST) : CALENDAR.on_or_before(TARGET)]
    with database.write() as connection:
        for table in reversed(schema.metadata.sorted_tables):
            if "instrument" in table.c or table.name == "instrument" or "instrument_id" in table.c:
                connection.execute(delete(table))
        for symbol in SYMBOLS:
            closes = MARKET[symbol].closes
            for part in (days[:5], days[-9:]):
                rows = closes_of(symbol, part[0], [closes[day] for day in part])
                load(connection, rows, provider=name, target=TARGET)


def _word(found, held):
    outcome = found.said[-1].outcome
    if found.symbol in held:
        return f"{outcome.reason} (held back)"
    if outcome.gaps and found.parts:
        return f"{outcome.reason} ({len(outcome.gaps)} missing)"
    if any(part.bars.currency[0] not in {"", "USD"} for part in found.parts):
        return f"{outcome.reason} (foreign currency)"
    return str(outcome.reason)


def _is_named(found):
    """Whether each provider that was asked has said why something is missing."""
    return all(said.outcome.reason != "ok" for said in found.said) and len(found.said) > 0


def _quarantined(database):
    instrument, quarantine = schema.instrument, schema.quarantine
    joined = select(instrument.c.symbol).join(
        quarantine, quarantine.c.instrument_id == instrument.c.id
    )
    with database.read() as connection:
        return set(connection.execute(joined).scalars())


def _wrong(database, held):
    """Name every stored close that is not the true one; one that is held back is not used."""
    instrument, price = schema.instrument, schema.price
    rows = select(instrument.c.symbol, price.c.session, price.c.close).join(
        price, price.c.instrument_id == instrument.c.id
    )
    with database.read() as connection:
        stored = connection.execute(rows).all()
    for symbol, day, close in stored:
        true = MARKET[symbol].closes[day]
        if symbol not in held and not math.isclose(close, true, rel_tol=1e-9):
            yield f"{symbol} {day}: {close} instead of {true}"


def forget_yahoo():
    """Let yfinance forget cookie and crumb, which it keeps for the process."""
    from yfinance.data import YfData  # noqa: PLC0415 - a second

    shared = YfData()
    shared._crumb = shared._cookie = None
    shared._cookie_strategy = "basic"


def line(fault, provider, words):
    """Render a line of the table: the outcomes for each position."""
    cells = [cell(each) for each in words]
    return f"| {fault.name} | {provider} | {' | '.join(cells)} |"


def cell(words):
    """Show the outcomes of all symbols, those that follow each other and are equal once."""
    groups = [(word, len(list(same))) for word, same in itertools.groupby(words)]
    if len(groups) == 1:
        return words[0]
    return ", ".join(f"{count} {word}" for word, count in groups)


HEAD = f"""# What providers can do, and what Riskmark makes of it

Each line is a fault that a provider on this machine commits, met by the real client library
of the provider, while {len(SYMBOLS)} symbols are fetched and stored one after the other: on the
first, the middle and the last of the requests of its kind, and on every one. At Massive a
symbol is {PAGES} pages. A word is the outcome of a symbol, in the order in which they are
asked for; where all are equal it stands once. No line stores a wrong price: what is not
believed is a gap, with this outcome as its reason, which the next provider is asked to fill;
and what moved as if by a split that nobody recorded is *held back* (quarantined). What each
word means and what to do is in [market data](../howto/market-data.md). Made by
`python -m tests.faults.provider_lab`.

| fault | provider | {" | ".join(f"{name} request" for name in POSITIONS)} |
| --- | --- | --- | --- | --- | --- |
"""


def main():
    """Try everything and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--provider", choices=PROVIDERS)
    parser.add_argument("--fault")
    chosen = parser.parse_args()
    lines = []
    warnings.simplefilter("ignore")
    with laboratory() as lab:
        for fault, provider in cases():
            if chosen.fault in {None, fault.name} and chosen.provider in {None, provider}:
                spots = places(lab, provider, fault.target).values()
                seen = [observe(lab, provider, fault, at) for at in spots]
                lines.append(line(fault, provider, [one.words for one in seen]))
                bad = [text for one in seen for text in (*one.wrong[:1], *one.unnamed[:1])]
                print(lines[-1], *(one.requests for one in seen), *bad, flush=True)
    if chosen.fault is None and chosen.provider is None:
        PAGE.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
