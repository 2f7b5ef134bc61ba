"""What stored prices are like: who gave them, what is missing, corrected, odd or held back."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeAlias

from sqlalchemy import Connection, select

from riskmark.intake.symbols import canonical_symbol
from riskmark.reports.documents import Document
from riskmark.reports.gaps import QuarantineLine, load_gaps
from riskmark.reports.price_outliers import Outlier, load_outliers
from riskmark.reports.rules import Rules
from riskmark.storage import schema
from riskmark.storage.delistings import load_delisted
from riskmark.storage.engines import as_date, read_rows
from riskmark.storage.held_actions import HeldAction, HeldReason, list_held
from riskmark.storage.instruments import find_instrument

MOST_CORRECTIONS = 50
"""Corrections that a report names, the newest."""


@dataclass(frozen=True, slots=True)
class SymbolQuality:
    """The bars of a symbol: sessions from the first to the target, and bars of each provider.

    Of a delisted symbol sessions are expected up to its last bar.
    """

    symbol: str
    first: date
    last: date
    expected: int
    providers: dict[str, int]
    delisted_since: date | None = None

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
class ComparisonLine:
    """A symbol of which a second provider was asked, how it answered, and for which session."""

    symbol: str
    provider: str
    reason: str
    sessions: int
    differing: int
    target: date


@dataclass(frozen=True, slots=True)
class DifferenceLine:
    """A close of a second provider that differs from the stored one."""

    symbol: str
    session: date
    provider: str
    close: float
    stored_close: float
    stored_provider: str


@dataclass(frozen=True, slots=True)
class ConflictLine:
    """What a provider says of a symbol that contradicts what is known of it."""

    symbol: str
    provider: str
    conflict: str


_Line: TypeAlias = (
    Correction | DenialLine | ComparisonLine | DifferenceLine | ConflictLine | Outlier | HeldAction
)


@dataclass(frozen=True, slots=True)
class QualityReport:
    """Everything that is known of the quality of stored prices."""

    symbols: tuple[SymbolQuality, ...]
    corrections: tuple[Correction, ...]
    outliers: tuple[Outlier, ...]
    quarantine: tuple[QuarantineLine, ...]
    held_actions: tuple[HeldAction, ...]
    comparisons: tuple[ComparisonLine, ...]
    differences: tuple[DifferenceLine, ...]
    conflicts: tuple[ConflictLine, ...]
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
                    "delisted_since": one.delisted_since,
                }
                for one in self.symbols
            ],
            "corrections": [_fields(one) for one in self.corrections],
            "outliers": [_fields(one) for one in self.outliers],
            "quarantine": [one.document() for one in self.quarantine],
            "held_actions": [_fields(one) for one in self.held_actions],
            "comparisons": [_fields(one) for one in self.comparisons],
            "differences": [_fields(one) for one in self.differences],
            "conflicts": [_fields(one) for one in self.conflicts],
            "denials": [_fields(one) for one in self.denials],
        }


def _fields(one: _Line) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__slots__}


def load_quality(
    connection: Connection, *, rules: Rules, symbols: Sequence[str] | None = None
) -> QualityReport:
    """Read who gave the bars of ``symbols``, and what happened to them; None: of all.

    Raise ``UnknownSymbol`` for one that is neither stored nor was ever asked for.
    """
    denials = _load_denials(connection)
    asked = {one.symbol for one in denials}
    chosen = None if symbols is None else {_chosen(connection, text, asked) for text in symbols}

    def of_chosen(symbol: str) -> bool:
        return chosen is None or symbol in chosen

    quarantine = load_gaps(connection, rules=rules).quarantine
    return QualityReport(
        symbols=tuple(one for one in _load_symbols(connection, rules) if of_chosen(one.symbol)),
        corrections=_load_corrections(connection, chosen),
        outliers=load_outliers(connection, rules.calendar, rules.target, chosen),
        quarantine=tuple(one for one in quarantine if of_chosen(one.symbol)),
        held_actions=tuple(
            one
            for one in list_held(connection)
            if one.reason is not HeldReason.DELETED and of_chosen(one.symbol)
        ),
        comparisons=tuple(one for one in _load_comparisons(connection) if of_chosen(one.symbol)),
        differences=tuple(one for one in _load_differences(connection) if of_chosen(one.symbol)),
        conflicts=tuple(one for one in _load_conflicts(connection) if of_chosen(one.symbol)),
        denials=tuple(one for one in denials if of_chosen(one.symbol)),
    )


def _chosen(connection: Connection, text: str, asked: Collection[str]) -> str:
    name = canonical_symbol(text)
    return name if name is not None and name in asked else find_instrument(connection, text).symbol


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
    delisted = load_delisted(connection, rules.calendar, rules.target)
    lines = []
    for symbol, parts in found.items():
        first, last = min(part[2] for part in parts), max(part[3] for part in parts)
        begin, end = rules.calendar.on_or_after(first), rules.calendar.on_or_before(last)
        since = delisted.get(symbol)
        expected = (end if since is not None else max(end, rules.target)) - begin + 1
        providers = {provider: count for provider, count, _, _ in parts}
        lines.append(SymbolQuality(symbol, first, last, expected, providers, since))
    return tuple(lines)


def _load_corrections(
    connection: Connection, chosen: Collection[str] | None
) -> tuple[Correction, ...]:
    table, head = schema.price_correction, schema.instrument
    statement = select(head.c.symbol, table).join(head, head.c.id == table.c.instrument_id)
    if chosen is not None:
        statement = statement.where(head.c.symbol.in_(sorted(chosen)))
    rows = connection.execute(
        statement.order_by(table.c.at.desc(), head.c.symbol, table.c.session).limit(
            MOST_CORRECTIONS
        )
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


def _load_comparisons(connection: Connection) -> tuple[ComparisonLine, ...]:
    rows = read_rows(
        connection,
        "SELECT i.symbol, c.provider, c.reason, c.compared, count(d.session), c.target "
        "FROM cross_check c JOIN instrument i ON i.id = c.instrument_id "
        "LEFT JOIN price_difference d ON d.instrument_id = c.instrument_id "
        "AND d.provider = c.provider "
        "GROUP BY i.symbol, c.provider, c.reason, c.compared, c.target ORDER BY i.symbol",
    )
    return tuple(
        ComparisonLine(symbol, provider, reason, sessions, differing, as_date(target))
        for symbol, provider, reason, sessions, differing, target in rows
    )


def _load_differences(connection: Connection) -> tuple[DifferenceLine, ...]:
    rows = read_rows(
        connection,
        "SELECT i.symbol, d.session, d.provider, d.close, d.stored_close, d.stored_provider "
        "FROM price_difference d JOIN instrument i ON i.id = d.instrument_id "
        "ORDER BY i.symbol, d.session, d.provider",
    )
    return tuple(DifferenceLine(row[0], as_date(row[1]), *row[2:]) for row in rows)


def _load_conflicts(connection: Connection) -> tuple[ConflictLine, ...]:
    rows = read_rows(
        connection,
        "SELECT i.symbol, s.conflict_by, s.conflict FROM symbol_profile s "
        "JOIN instrument i ON i.id = s.instrument_id WHERE s.conflict IS NOT NULL "
        "ORDER BY i.symbol",
    )
    return tuple(ConflictLine(*row) for row in rows)


def _load_denials(connection: Connection) -> tuple[DenialLine, ...]:
    table = schema.provider_symbol
    rows = connection.execute(select(table).order_by(table.c.symbol, table.c.provider))
    return tuple(DenialLine(row.symbol, row.provider, row.reason, row.until) for row in rows)
