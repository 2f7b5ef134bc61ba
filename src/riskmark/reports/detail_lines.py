"""The lines of a snapshot: factor exposures, sectors and positions, each with its nulls."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, select

from riskmark.domain.factor_models import FactorModel
from riskmark.domain.instruments import InstrumentKind
from riskmark.domain.reasons import MarkKind, NullReason
from riskmark.domain.sectors import sector_of
from riskmark.reports.option_lines import OptionLine, option_nulls, read_option
from riskmark.storage import schema
from riskmark.storage.benchmarks import load_sector_weights
from riskmark.storage.symbol_scope import public_ids

_NO_NAV = NullReason.NAV_NOT_POSITIVE
_SHARES = ("long", "short", "net", "gross")
Nulls = Iterator[tuple[str, str]]
"""Pairs of a null's name and its reason."""


@dataclass(frozen=True, slots=True)
class FactorLine:
    """A portfolio's exposure to one factor of one model."""

    model: str
    factor: str
    exposure: float | None
    money: float | None
    stderr: float | None
    coverage: float | None
    risk_share: float | None
    """What the factor contributes to the variance, in the model by which risk is split."""
    risk_share_reason: str | None
    reasons: tuple[tuple[str, str], ...]
    """The null fields of this line, each with its reason."""

    def document(self) -> dict[str, Any]:
        """Return the line as JSON has it."""
        return {
            "model": self.model,
            "factor": self.factor,
            "exposure": self.exposure,
            "money": self.money,
            "stderr": self.stderr,
            "coverage": self.coverage,
        }

    def nulls(self) -> Nulls:
        """Yield the line's nulls."""
        for name, reason in self.reasons:
            yield f"factors.{self.model}.{self.factor}.{name}", reason


@dataclass(frozen=True, slots=True)
class StressLine:
    """What a portfolio gains or loses in a scenario, in money."""

    scenario: str
    direct: float | None
    predictive: float | None
    reasons: tuple[tuple[str, str], ...]
    """The null fields of this line, each with its reason."""

    def document(self) -> dict[str, Any]:
        """Return the line as JSON has it."""
        return {
            "scenario": self.scenario,
            "direct": self.direct,
            "predictive": self.predictive,
        }

    def nulls(self) -> Nulls:
        """Yield the line's nulls."""
        for name, reason in self.reasons:
            yield f"stress.{self.scenario}.{name}", reason


@dataclass(frozen=True, slots=True)
class SectorLine:
    """Exposure to a sector as shares of NAV; null where nothing can be divided by NAV."""

    sector: str
    long: float | None
    short: float | None
    net: float | None
    gross: float | None
    benchmark: float | None
    """The benchmark's weight; null where no weights are in force."""
    reason: str | None
    """Why the shares are null."""

    def document(self) -> dict[str, Any]:
        """Return the line as JSON has it."""
        return {
            "sector": self.sector,
            "long": self.long,
            "short": self.short,
            "net": self.net,
            "gross": self.gross,
            "benchmark": self.benchmark,
        }

    def nulls(self) -> Nulls:
        """Yield the line's nulls."""
        if self.reason is not None:
            for name in ("long", "short", "net", "gross"):
                yield f"sectors.{self.sector}.{name}", self.reason
        if self.benchmark is None:
            yield f"sectors.{self.sector}.benchmark", NullReason.NO_BENCHMARK_WEIGHTS


@dataclass(frozen=True, slots=True)
class PositionLine:
    """A position held at the close, or one that was closed in the session (quantity 0)."""

    symbol: str
    quantity: float
    mark: float | None
    mark_kind: MarkKind | None
    mark_age: int | None
    market_value: float
    weight: float | None
    pnl: float
    beta: float | None
    component_es_95: float | None
    sector: str
    component_reason: str | None
    beta_reason: str | None
    weight_reason: str | None
    option: OptionLine | None = None
    """Of an option that is held."""

    @property
    def is_closed(self) -> bool:
        """Whether it ended in the session."""
        return self.mark_kind is None

    def document(self) -> dict[str, Any]:
        """Return the line as JSON has it."""
        return {
            "symbol": self.symbol,
            "quantity": self.quantity,
            "mark": self.mark,
            "mark_kind": self.mark_kind,
            "mark_age": self.mark_age,
            "market_value": self.market_value,
            "weight": self.weight,
            "pnl": self.pnl,
            "beta": self.beta,
            "component_es_95": self.component_es_95,
            "sector": self.sector,
            **({} if self.option is None else {"greeks": self.option.document()}),
        }

    def nulls(self) -> Nulls:
        """Yield the line's nulls."""
        found: list[tuple[str, str]] = []
        if self.is_closed:
            found += [(name, NullReason.CLOSED) for name in ("mark", "mark_kind", "mark_age")]
        elif self.mark_age is None:
            found.append(("mark_age", NullReason.NEVER_PRICED))
        if self.weight is None and self.weight_reason is not None:
            found.append(("weight", self.weight_reason))
        if self.beta is None and self.beta_reason is not None:
            found.append(("beta", self.beta_reason))
        if self.component_es_95 is None and self.component_reason is not None:
            found.append(("component_es_95", self.component_reason))
        for name, reason in found:
            yield f"positions.{self.symbol}.{name}", reason
        if self.option is not None:
            yield from option_nulls(self.symbol, self.option)


def reason_of_nav(nav: float) -> str:
    """Return why a number that is divided by NAV is null, if it is."""
    return NullReason.NAV_NOT_POSITIVE if nav <= 0 else NullReason.NAV_TOO_SMALL


def load_factors(
    connection: Connection,
    portfolio_id: str,
    session: date,
    *,
    models: Sequence[FactorModel],
) -> tuple[FactorLine, ...]:
    """Read the exposures of a cell in the order of the models and their factors."""
    table = schema.factor_exposure
    order = {
        (model.name, factor.name): place
        for place, (model, factor) in enumerate(
            (model, factor) for model in models for factor in model.factors
        )
    }
    lines = []
    for row in connection.execute(
        select(table).where(table.c.portfolio_id == portfolio_id, table.c.session == session)
    ).mappings():
        fields = ("exposure", "money", "stderr", "coverage")
        reasons = [(name, row[f"{name}_null"]) for name in fields if row[name] is None]
        lines.append(
            FactorLine(
                model=row["model"],
                factor=row["factor"],
                exposure=row["exposure"],
                money=row["money"],
                stderr=row["stderr"],
                coverage=row["coverage"],
                risk_share=row["risk_share"],
                risk_share_reason=row["risk_share_null"],
                reasons=tuple((name, reason) for name, reason in reasons if reason is not None),
            )
        )
    last = len(order)
    lines.sort(key=lambda line: (order.get((line.model, line.factor), last), line.model))
    return tuple(lines)


def load_stress(
    connection: Connection, portfolio_id: str, session: date, *, scenarios: Sequence[str]
) -> tuple[StressLine, ...]:
    """Read what scenarios do to a cell, in the order of ``scenarios``."""
    table = schema.stress_result
    place = {name: index for index, name in enumerate(scenarios)}
    lines = [
        StressLine(
            scenario=row["scenario"],
            direct=row["direct"],
            predictive=row["predictive"],
            reasons=tuple(
                (name, row[f"{name}_null"])
                for name in ("direct", "predictive")
                if row[name] is None and row[f"{name}_null"] is not None
            ),
        )
        for row in connection.execute(
            select(table).where(table.c.portfolio_id == portfolio_id, table.c.session == session)
        ).mappings()
    ]
    lines.sort(key=lambda line: (place.get(line.scenario, len(place)), line.scenario))
    return tuple(lines)


def load_sectors(
    connection: Connection,
    portfolio_id: str,
    session: date,
    *,
    nav_reason: str | None,
    benchmark: str,
) -> tuple[SectorLine, ...]:
    """Read the sectors of a cell, the largest first; ``nav_reason``: why shares are null.

    Beside them stand the weights of the symbol ``benchmark`` that are in force then.
    """
    table = schema.sector_exposure
    weights = weights_in_force(connection, benchmark, session)
    rows = connection.execute(
        select(table).where(table.c.portfolio_id == portfolio_id, table.c.session == session)
    ).mappings()
    shares = [(row["sector"], *(row[name] for name in _SHARES)) for row in rows]
    return sector_lines(shares, weights, nav_reason=nav_reason)


def sector_lines(
    shares: Iterable[tuple[str, float | None, float | None, float | None, float | None]],
    weights: Mapping[str, float] | None,
    *,
    nav_reason: str | None,
) -> tuple[SectorLine, ...]:
    """Return the lines of a cell's sectors, the largest first.

    ``shares`` are a sector's name and what is long, short, net and gross in it, as parts of
    NAV; ``weights`` are the benchmark's, None where it has none: its sectors that the book
    lacks have lines too.
    """
    lines = [
        SectorLine(
            sector=sector,
            long=long,
            short=short,
            net=net,
            gross=gross,
            benchmark=None if weights is None else weights.get(sector, 0.0),
            reason=nav_reason if gross is None else None,
        )
        for sector, long, short, net, gross in shares
    ]
    lines += _not_held(lines, weights or {}, nav_reason=nav_reason)
    lines.sort(key=lambda line: (-(line.gross or 0.0), -(line.benchmark or 0.0), line.sector))
    return tuple(lines)


def _not_held(
    lines: Sequence[SectorLine], weights: Mapping[str, float], *, nav_reason: str | None
) -> list[SectorLine]:
    """Return lines for what the benchmark has and the book has not: 0, where shares are known."""
    is_null = any(line.gross is None for line in lines) if lines else nav_reason == _NO_NAV
    share = None if is_null else 0.0
    reason = nav_reason if is_null else None
    known = {line.sector for line in lines}
    return [
        SectorLine(sector, share, share, share, share, weight, reason)
        for sector, weight in weights.items()
        if sector not in known
    ]


def weights_in_force(
    connection: Connection, benchmark: str, session: date
) -> Mapping[str, float] | None:
    """Return the benchmark's weights by sector on ``session``; None if there are none yet."""
    key = public_ids(connection, [benchmark]).get(benchmark)
    stated = () if key is None else load_sector_weights(connection, key)
    in_force = [one for one in stated if one.date <= session]
    return max(in_force, key=lambda one: one.date).weights if in_force else None


def load_positions(
    connection: Connection, portfolio_id: str, session: date, *, nav_reason: str | None
) -> tuple[PositionLine, ...]:
    """Read the positions of a cell, the largest first, those that ended last."""
    lines = [
        PositionLine(
            symbol=row["symbol"],
            quantity=row["quantity"],
            mark=row["mark"],
            mark_kind=None if row["mark_kind"] is None else MarkKind(row["mark_kind"]),
            mark_age=row["mark_age"],
            market_value=row["market_value"],
            weight=row["weight"],
            pnl=row["pnl"],
            beta=row["beta"],
            component_es_95=row["component_es_95"],
            component_reason=row["component_es_95_null"],
            sector=_sector(row),
            beta_reason=row["beta_null"],
            weight_reason=nav_reason,
            option=_option(row),
        )
        for row in connection.execute(_positions(portfolio_id, session)).mappings()
    ]
    lines.sort(key=lambda line: (line.is_closed, -abs(line.market_value), line.symbol))
    return tuple(lines)


def _sector(row: RowMapping) -> str:
    """Return the sector that a position counts in: an option's is its underlying's."""
    if row["booked_kind"] is not None:
        return sector_of(InstrumentKind(row["booked_kind"]), row["booked_sector"])
    return sector_of(InstrumentKind(row["kind"]), row["sector"])


def _option(row: RowMapping) -> OptionLine | None:
    if row["kind"] != InstrumentKind.OPTION or row["mark_kind"] is None:
        return None
    return read_option(row, row["booked_symbol"])


def _positions(portfolio_id: str, session: date) -> Select[Any]:
    table, instrument = schema.position_value, schema.instrument
    booked = instrument.alias()
    return (
        select(
            table,
            instrument.c.symbol,
            instrument.c.kind,
            instrument.c.sector,
            booked.c.symbol.label("booked_symbol"),
            booked.c.kind.label("booked_kind"),
            booked.c.sector.label("booked_sector"),
        )
        .join(instrument, instrument.c.id == table.c.instrument_id)
        .outerjoin(booked, booked.c.id == table.c.booked_to)
        .where(table.c.portfolio_id == portfolio_id, table.c.session == session)
    )
