"""What a provider says that a symbol is, held against what is stored of it.

A blank is filled, and what a provider said before it may say anew. What people said, or
another provider, stays. Where kind, currency or name contradict what is known, the symbol may
have passed to somebody else: then nothing of the answer is taken, and the contradiction told.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

from riskmark.domain.instruments import InstrumentKind
from riskmark.domain.sectors import gics_sector

PEOPLE = "import"
"""Who said it, where a person did: with a file of symbols."""
MAX_NAME = 200
_FUNDS = frozenset({InstrumentKind.ETF, InstrumentKind.FUND})
_ANSWERS = _FUNDS | {InstrumentKind.STOCK, InstrumentKind.INDEX}
_FORMS = frozenset(
    re.findall(
        r"\w+",
        "a ab ag and adr class co common company corp corporation etf fund group holding holdings "
        "inc incorporated limited llc lp ltd n new nv of ordinary plc reit s sa se shares stock "
        "the trust",
    )
)
"""Words of names that many companies have."""
_WORD = re.compile(r"\w+")


class Said(NamedTuple):
    """What a provider says that a symbol is; None where it does not say."""

    provider: str
    kind: InstrumentKind | None = None
    name: str | None = None
    sector: str | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of a symbol and by whom; by None: a guess, or nothing.

    ``has_prices``: then its currency is that of its prices.
    """

    symbol: str
    kind: InstrumentKind
    name: str | None
    sector: str | None
    currency: str
    kind_by: str | None = None
    name_by: str | None = None
    sector_by: str | None = None
    currency_by: str | None = None
    has_prices: bool = False

    @property
    def is_index_by_form(self) -> bool:
        """Whether the symbol itself says that it is an index."""
        return self.symbol.startswith("^") and self.kind is InstrumentKind.INDEX

    @property
    def is_kind_known(self) -> bool:
        """Whether the kind is more than a guess from the symbol."""
        is_guess = self.kind is InstrumentKind.STOCK and self.kind_by is None
        return not is_guess or self.sector_by == PEOPLE

    @property
    def lacks(self) -> bool:
        """Whether something is not known that a provider may know."""
        has_sector = self.sector is not None or self.kind is not InstrumentKind.STOCK
        return self.name is None or not self.is_kind_known or not has_sector

    @property
    def is_settled_by_people(self) -> bool:
        """Whether people said everything that a provider could say."""
        sector_by = self.sector_by if self.kind is InstrumentKind.STOCK else PEOPLE
        return {self.kind_by, self.name_by, sector_by} == {PEOPLE}


class Settled(NamedTuple):
    """What of an answer is taken (None: nothing new), or what of it contradicts."""

    kind: InstrumentKind | None = None
    name: str | None = None
    sector: str | None = None
    currency: str | None = None
    conflict: str | None = None


def settle(known: Known, said: Said) -> Settled:
    """Decide what of an answer is stored."""
    if conflict := "; ".join(_contradictions(known, said)):
        return Settled(conflict=f"{said.provider} says {conflict}")
    kind = None
    if said.kind in _ANSWERS and not known.is_kind_known and not known.is_index_by_form:
        kind = said.kind
    name = None if said.name is None else " ".join(said.name.split())[:MAX_NAME]
    sector = None if said.sector is None else gics_sector(said.sector)
    if (kind or known.kind) is not InstrumentKind.STOCK:
        sector = None  # vendors file funds under the sector of their managers
    currency = None
    if not known.has_prices and said.currency and known.currency_by in {None, said.provider}:
        currency = said.currency
    return Settled(
        kind=kind,
        name=_taken(name, known.name, known.name_by, said.provider),
        sector=_taken(sector, known.sector, known.sector_by, said.provider),
        currency=None if currency == known.currency else currency,
    )


def _taken(new: str | None, old: str | None, by: str | None, provider: str) -> str | None:
    is_free = old is None or by == provider
    return new if new and new != old and is_free else None


def _contradictions(known: Known, said: Said) -> list[str]:
    found: list[str] = []
    if known.has_prices and said.currency and said.currency.upper() != known.currency.upper():
        found.append(f"currency {said.currency}, but prices in {known.currency} are stored")
    is_other = said.kind in _ANSWERS and said.kind is not known.kind
    if is_other and known.is_kind_known and not known.is_index_by_form:
        are_funds = said.kind in _FUNDS and known.kind in _FUNDS
        if not are_funds and known.kind is not InstrumentKind.OTHER:
            found.append(f"kind {said.kind}, not {known.kind}")
    if said.name and known.name and _are_different(known.name, said.name, known.symbol):
        found.append(f"name {said.name[:MAX_NAME]!r}, not {known.name!r}")
    return found


def _are_different(one: str, other: str, symbol: str) -> bool:
    """Whether two names have no word in common; a name may also be short for the other."""
    mine, theirs = _words(one), _words(other)
    if not mine or not theirs or {symbol.casefold()} & {one.casefold(), other.casefold()}:
        return False
    return not any(
        a.startswith(b) or b.startswith(a) or _is_short(a, theirs) or _is_short(b, mine)
        for a in mine
        for b in theirs
    )


def _words(name: str) -> list[str]:
    words: list[str] = _WORD.findall(name.casefold())
    return [word for word in words if word not in _FORMS and len(word) > 1] or words[:1]


def _is_short(word: str, words: list[str]) -> bool:
    return len(words) > 1 and word == "".join(each[0] for each in words)
