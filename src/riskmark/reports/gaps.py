"""Closes that are missing, why, and what is held back by quarantines."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, func, select

from riskmark.domain.reasons import STALE_AFTER, SymbolReason
from riskmark.domain.runs import STORED
from riskmark.reports.documents import Document
from riskmark.reports.rules import Rules
from riskmark.reports.runs import ProviderReason
from riskmark.storage import schema
from riskmark.storage.gaps import PriceGap, price_gaps
from riskmark.storage.universe import InstrumentSummary, list_universe


@dataclass(frozen=True, slots=True)
class GapLine:
    """Consecutive sessions of a symbol without a close, and what they are valued at instead.

    ``said``: what each provider answered last, where the gap goes up to the target.
    """

    symbol: str
    first: date
    last: date
    sessions: int
    reason: SymbolReason
    accepted: bool
    said: tuple[ProviderReason, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the gap as JSON has it."""
        return {
            "symbol": self.symbol,
            "from": self.first,
            "to": self.last,
            "sessions": self.sessions,
            "reason": self.reason,
            "accepted": self.accepted,
            "answers": [
                {"provider": one.provider, "reason": one.reason, "detail": one.detail}
                for one in self.said
            ],
        }


@dataclass(frozen=True, slots=True)
class QuarantineLine:
    """A symbol whose closes from a session on are stored and not used."""

    symbol: str
    first: date
    reason: str

    def document(self) -> dict[str, Any]:
        """Return the quarantine as JSON has it."""
        return {"symbol": self.symbol, "from": self.first, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class GapReport:
    """Everything that is missing up to a target session, by symbol."""

    target: date
    gaps: tuple[GapLine, ...]
    quarantine: tuple[QuarantineLine, ...]

    def document(self) -> Document:
        """Return the gaps as JSON has them."""
        return {
            "target": self.target,
            "gaps": [gap.document() for gap in self.gaps],
            "quarantine": [line.document() for line in self.quarantine],
        }


def load_gaps(
    connection: Connection, *, rules: Rules, symbols: Sequence[str] | None = None
) -> GapReport:
    """Read what is missing of ``symbols``; without them, of all that is held or a factor."""
    gaps = price_gaps(
        connection,
        rules.calendar,
        rules.target_session,
        symbols=symbols,
        factor_symbols=rules.factor_symbols,
    )
    known = {one.instrument.symbol: one for one in list_universe(connection)}
    target = rules.target_session
    said = load_said(connection, {gap.symbol for gap in gaps if gap.last == target})
    return GapReport(
        target=target,
        gaps=tuple(
            _line(gap, known[gap.symbol], said.get(gap.symbol, ()) if gap.last == target else ())
            for gap in gaps
        ),
        quarantine=tuple(
            QuarantineLine(symbol, one.quarantined_from, one.quarantine_reason or "")
            for symbol, one in known.items()
            if one.quarantined_from is not None
        ),
    )


def load_said(
    connection: Connection, symbols: Collection[str]
) -> dict[str, tuple[ProviderReason, ...]]:
    """Read what each provider answered last for symbols: in a run, or when asked by hand."""
    answers, denials = schema.run_symbol, schema.provider_symbol
    found: dict[str, dict[str, ProviderReason]] = {}
    for symbol in symbols:
        # The ids of runs are in order of time.
        is_of_symbol = answers.c.symbol == symbol
        newest = select(func.max(answers.c.run_id)).where(is_of_symbol).scalar_subquery()
        rows = connection.execute(
            select(answers.c.provider, answers.c.reason, answers.c.detail).where(
                is_of_symbol, answers.c.run_id == newest, answers.c.provider != STORED
            )
        ).all()
        rows = [
            *rows,
            *connection.execute(
                select(denials.c.provider, denials.c.reason, denials.c.detail).where(
                    denials.c.symbol == symbol
                )
            ).all(),
        ]
        found[symbol] = {row.provider: ProviderReason(*row) for row in rows}
    return {symbol: tuple(said[name] for name in sorted(said)) for symbol, said in found.items()}


def _line(gap: PriceGap, known: InstrumentSummary, said: tuple[ProviderReason, ...]) -> GapLine:
    is_before_any = known.first_session is None or gap.last < known.first_session
    reason = gap.reason
    if reason is None and is_before_any:
        reason = SymbolReason.NEVER_PRICED
    elif reason is None:
        is_long = gap.sessions > STALE_AFTER
        reason = SymbolReason.STALE if is_long else SymbolReason.CARRIED
    return GapLine(
        symbol=gap.symbol,
        first=gap.first,
        last=gap.last,
        sessions=gap.sessions,
        reason=reason,
        accepted=known.accepted is not None,
        said=said,
    )
