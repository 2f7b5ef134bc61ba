"""P&L by the factors of a model: what each has earned, and what they leave over."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import Connection

from riskmark.calc.arrays import CODE_OF, FloatArray, Measure, reason_of
from riskmark.calc.attribution import FactorAttribution, attribute_to_factors
from riskmark.domain.factor_models import FactorModel
from riskmark.domain.portfolio import Portfolio
from riskmark.domain.reasons import NullReason
from riskmark.domain.sessions import Calendar
from riskmark.reports.attribution_range import Range
from riskmark.reports.beyond_delta import BeyondDelta, load_beyond_delta
from riskmark.reports.factor_history import load_factor_returns_of, load_money_exposures
from riskmark.reports.pnl_apart import load_pnl_apart
from riskmark.settings import Settings


@dataclass(frozen=True, slots=True)
class FactorPnl:
    """What exposure to a factor has made, on the sessions that can be explained.

    ``exposure`` is the mean of the exposures in money at the closes before,
    ``factor_return`` the factor's own, compounded. ``reason`` says why both are null.
    """

    factor: str
    exposure: float | None
    factor_return: float | None
    pnl: float | None
    reason: str | None

    def document(self) -> dict[str, Any]:
        """Return the line as JSON has it."""
        return {
            "factor": self.factor,
            "exposure": self.exposure,
            "return": self.factor_return,
            "pnl": self.pnl,
        }


@dataclass(frozen=True, slots=True)
class Unexplained:
    """Sessions whose P&L, or that of an option, cannot be split, for one reason."""

    reason: str
    sessions: int
    pnl: float

    def document(self) -> dict[str, Any]:
        """Return the line as JSON has it."""
        return {"reason": self.reason, "sessions": self.sessions, "pnl": self.pnl}


@dataclass(frozen=True, slots=True)
class ByFactor:
    """P&L by the factors of ``model``, and what is left over.

    ``specific``, ``excluded``, ``beyond_delta`` and ``trading`` are null where no session can be
    explained. ``inseparable`` is P&L of options whose delta cannot be taken out: what it has
    beyond that stays in ``trading``.
    """

    model: str
    factors: tuple[FactorPnl, ...]
    specific: float | None
    excluded: float | None
    beyond_delta: float | None
    trading: float | None
    unexplained: float
    reasons: tuple[Unexplained, ...]
    inseparable: tuple[Unexplained, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the part as JSON has it."""
        return {
            "model": self.model,
            "lines": [line.document() for line in self.factors],
            "specific": self.specific,
            "excluded": self.excluded,
            "beyond_delta": self.beyond_delta,
            "trading": self.trading,
            "unexplained": self.unexplained,
            "unexplained_reasons": [one.document() for one in self.reasons],
            "beyond_delta_reasons": [one.document() for one in self.inseparable],
        }

    def nulls(self) -> Iterable[tuple[str, str]]:
        """Yield the nulls, each with its reason."""
        for line in self.factors:
            fields = {"exposure": line.exposure, "return": line.factor_return, "pnl": line.pnl}
            for name, value in fields.items():
                if value is None and line.reason is not None:
                    yield f"factors.{line.factor}.{name}", line.reason
        if self.specific is None and self.reasons:
            for name in ("specific", "excluded", "beyond_delta", "trading"):
                yield f"factors.{name}", self.reasons[0].reason


def load_by_factor(
    connection: Connection,
    calendar: Calendar,
    settings: Settings,
    portfolio: Portfolio,
    *,
    model: FactorModel,
    chosen: Range,
    pruned: Collection[date] = (),
) -> ByFactor:
    """Attribute the P&L of the sessions ``chosen`` to the factors of ``model``.

    What has lost its lines of positions, then or at the close before, is unexplained.
    """
    ordinals = [calendar.on_or_before(row.session) for row in chosen.rows]
    asked = range(ordinals[0], ordinals[-1] + 1)
    places = np.array(ordinals, dtype=np.int64) - asked.start
    returns = load_factor_returns_of(connection, calendar, settings, model=model, sessions=asked)[
        places
    ]
    before = [calendar.sessions[max(ordinal - 1, 0)] for ordinal in ordinals]
    exposures = load_money_exposures(
        connection, portfolio.portfolio_id, model=model, sessions=before
    )
    apart = load_pnl_apart(
        connection,
        portfolio.portfolio_id,
        sessions=[row.session for row in chosen.rows],
        before=before,
    )
    beyond = load_beyond_delta(
        connection, calendar, settings, apart.options, ordinals=places + asked.start
    )
    found = attribute_to_factors(
        np.array([row.pnl for row in chosen.rows]),
        _hypothetical(chosen, before, pruned),
        excluded=apart.excluded,
        beyond_delta=beyond.pnl,
        exposures=exposures,
        factor_returns=returns,
    )
    summed = _sum_up(found, model, exposures, returns=returns, chosen=chosen)
    return replace(summed, inseparable=_inseparable(beyond, found))


def _hypothetical(chosen: Range, before: Sequence[date], pruned: Collection[date]) -> Measure:
    values = [row.hypothetical for row in chosen.rows]
    codes = [0 if row.reason is None else CODE_OF[NullReason(row.reason)] for row in chosen.rows]
    for place, (row, earlier) in enumerate(zip(chosen.rows, before, strict=True)):
        if row.reason is None and (row.session in pruned or earlier in pruned):
            values[place], codes[place] = None, CODE_OF[NullReason.PRUNED]
    return Measure(
        np.array([np.nan if value is None else value for value in values], dtype=np.float64),
        np.array(codes, dtype=np.int8),
    )


def _sum_up(
    found: FactorAttribution,
    model: FactorModel,
    exposures: Measure,
    *,
    returns: FloatArray,
    chosen: Range,
) -> ByFactor:
    reasons = _reasons(found)
    some = bool(found.explained.any())
    # Where nothing was held there is no exposure to speak of, and nothing was earned by it.
    known = found.explained & (exposures.nulls == 0).all(axis=1)
    why = reasons[0].reason if not some else _why_flat(chosen)
    lines = []
    for place, factor in enumerate(model.factors):
        own = returns[known, place]
        own = own[np.isfinite(own)]
        lines.append(
            FactorPnl(
                factor=factor.name,
                exposure=float(exposures.values[known, place].mean()) if known.any() else None,
                factor_return=float(np.prod(1.0 + own) - 1.0) if own.size else None,
                pnl=float(found.factors[:, place].sum()) if some else None,
                reason=NullReason.NO_FACTOR_DATA if known.any() else why,
            )
        )
    return ByFactor(
        model=model.name,
        factors=tuple(lines),
        specific=float(found.specific.sum()) if some else None,
        excluded=float(found.excluded.sum()) if some else None,
        beyond_delta=float(found.beyond_delta.sum()) if some else None,
        trading=float(found.trading.sum()) if some else None,
        unexplained=float(found.unexplained.sum()),
        reasons=reasons,
    )


def _why_flat(chosen: Range) -> str:
    return next((row.reason for row in chosen.rows if row.reason), NullReason.NO_HOLDINGS)


def _reasons(found: FactorAttribution) -> tuple[Unexplained, ...]:
    """Count the sessions that are unexplained, by reason, the most frequent first."""
    sums: dict[str, list[float]] = {}
    for code, pnl in zip(found.nulls.tolist(), found.unexplained.tolist(), strict=True):
        reason = reason_of(code)
        if reason is not None:
            sums.setdefault(reason, []).append(pnl)
    return _in_order(
        Unexplained(reason, len(each), float(sum(each))) for reason, each in sums.items()
    )


def _inseparable(beyond: BeyondDelta, found: FactorAttribution) -> tuple[Unexplained, ...]:
    """Count the sessions on which an option's delta could not be taken out, by reason."""
    return _in_order(
        Unexplained(reason, len(each), sum(each.values()))
        for reason, each in beyond.reasons(found.explained).items()
    )


def _in_order(lines: Iterable[Unexplained]) -> tuple[Unexplained, ...]:
    return tuple(sorted(lines, key=lambda line: (-line.sessions, line.reason)))
