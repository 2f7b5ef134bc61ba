"""What stored prices are like: who gave them, what is missing, corrected, held back, denied."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select

from riskmark.reports.documents import Document
from riskmark.reports.gaps import QuarantineLine, load_gaps
from riskmark.reports.rules import Rules
from riskmark.storage import schema
from riskmark.storage.engines import as_date, read_rows

MOST_CORRECTIONS = 50
"""Corrections that a report names, the newest."""


@dataclass(frozen=True, slots=True)
class SymbolQuality:
    """The bars of a symbol: how many sessions they span, and how many each provider gave."""

    symbol: str
    first: date
    last: date
    expected: int
    providers: dict[str, int]

    @property
    def received(self) -> int:
        """How many bars are stored."""
        return sum(self.providers.values())


@dataclass(frozen=True, slots=True)
class Correction:
    """A close that a later answer changed."""

    symbol: str
    session: date
    old_close: float
    new_close: float
    old_provider: str
    provider: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DenialLine:
    """A provider's word that it does not have a symbol, believed until then."""

    symbol: str
    provider: str
    reason: str
    until: datetime


@dataclass(frozen=True, slots=True)
class QualityReport:
    """Everything that is known of the quality of stored prices."""

    symbols: tuple[SymbolQuality, ...]
    corrections: tuple[Correction, ...]
    quarantine: tuple[QuarantineLine, ...]
    denials: tuple[DenialLine, ...]

    def document(self) -> Document:
        """Return the report as JSON has it."""
        return {
            "symbols": [
                {
                    "symbol": one.symbol,
                    "from": one.first,
                    "to": one.last,
                    "expected": one.expected,
                    "received": one.received,
                    "providers": one.providers,
                }
                for one in self.symbols
            ],
            "corrections": [_fields(one) for one in self.corrections],
            "quarantine": [one.document() for one in self.quarantine],
            "denials": [_fields(one) for one in self.denials],
        }


def _fields(one: Correction | DenialLine) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__slots__}


def load_quality(connection: Connection, *, rules: Rules) -> QualityReport:
    """Read who gave the bars of each symbol, and what happened to them."""
    return QualityReport(
        symbols=_load_symbols(connection, rules),
        corrections=_load_corrections(connection),
        quarantine=load_gaps(connection, rules=rules).quarantine,
        denials=_load_denials(connection),
    )


def _load_symbols(connection: Connection, rules: Rules) -> tuple[SymbolQuality, ...]:
    rows = read_rows(
        connection,
        "SELECT i.symbol, p.provider, count(*), min(p.session), max(p.session) "
        "FROM price p JOIN instrument i ON i.id = p.instrument_id "
        "GROUP BY i.id, i.symbol, p.provider ORDER BY i.symbol, p.provider",
    )
    found: dict[str, list[tuple[str, int, date, date]]] = {}
    for symbol, provider, count, first, last in rows:
        found.setdefault(symbol, []).append((provider, count, as_date(first), as_date(last)))
    lines = []
    for symbol, parts in found.items():
        first, last = min(part[2] for part in parts), max(part[3] for part in parts)
        begin, end = rules.calendar.on_or_after(first), rules.calendar.on_or_before(last)
        providers = {provider: count for provider, count, _, _ in parts}
        lines.append(SymbolQuality(symbol, first, last, end - begin + 1, providers))
    return tuple(lines)


def _load_corrections(connection: Connection) -> tuple[Correction, ...]:
    table, head = schema.price_correction, schema.instrument
    rows = connection.execute(
        select(head.c.symbol, table)
        .join(head, head.c.id == table.c.instrument_id)
        .order_by(table.c.at.desc(), head.c.symbol, table.c.session)
        .limit(MOST_CORRECTIONS)
    )
    return tuple(
        Correction(
            symbol=row.symbol,
            session=row.session,
            old_close=row.old_close,
            new_close=row.new_close,
            old_provider=row.old_provider,
            provider=row.provider,
            at=row.at,
        )
        for row in rows
    )


def _load_denials(connection: Connection) -> tuple[DenialLine, ...]:
    table = schema.provider_symbol
    rows = connection.execute(select(table).order_by(table.c.symbol, table.c.provider))
    return tuple(DenialLine(row.symbol, row.provider, row.reason, row.until) for row in rows)
