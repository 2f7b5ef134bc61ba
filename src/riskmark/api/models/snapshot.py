"""Everything that is known of a portfolio on a session, its parts, and the series of them."""

from datetime import date

from pydantic import RootModel

from riskmark.api.models import sections
from riskmark.api.models.common import Answer, Nulls, OfSession, PartOfSession, Provenance
from riskmark.domain.reasons import SnapshotState


class Snapshot(OfSession):
    """Everything, as ``riskmark show`` has it."""

    snapshot: sections.Balance
    nulls: Nulls
    performance: sections.Performance
    risk: sections.CellRisk
    concentration: sections.Concentration
    factors: list[sections.FactorLine]
    factor_risk: sections.FactorRisk
    sectors: list[sections.SectorLine]
    stress: list[sections.StressLine]
    replays: list[sections.ReplayLine]
    correlation: sections.Correlation
    factor_correlation: sections.FactorCorrelation
    backtests: sections.Backtests
    greeks: sections.Greeks
    positions: list[sections.PositionLine] | None
    provenance: Provenance


class Factors(PartOfSession):
    """Exposures to factors, and risk split by them."""

    factors: list[sections.FactorLine]
    factor_risk: sections.FactorRisk


class Risk(PartOfSession):
    """Risk numbers, their back-tests, concentration and greeks."""

    risk: sections.CellRisk
    concentration: sections.Concentration
    backtests: sections.Backtests
    greeks: sections.Greeks


class Stress(PartOfSession):
    """Scenarios and episodes."""

    stress: list[sections.StressLine]
    replays: list[sections.ReplayLine]


class Correlations(PartOfSession):
    """Correlations of positions and of factors."""

    correlation: sections.Correlation
    factor_correlation: sections.FactorCorrelation


class Sectors(PartOfSession):
    """Exposures to sectors."""

    sectors: list[sections.SectorLine]


class Positions(PartOfSession):
    """The positions of a session."""

    positions: list[sections.PositionLine] | None


class HistoryRow(sections.Balance):
    """A session of the series."""

    session: date
    state: SnapshotState


class History(RootModel[list[HistoryRow]]):
    """The sessions in ascending order."""


class CellNumbers(Answer):
    """A portfolio's numbers before or after trades."""

    snapshot: sections.Balance
    performance: sections.Performance
    risk: sections.CellRisk
    concentration: sections.Concentration
    factors: list[sections.FactorLine]
    factor_risk: sections.FactorRisk
    sectors: list[sections.SectorLine]
    stress: list[sections.StressTotal]
    replays: list[sections.ReplayLine]
    correlation: sections.CorrelationSummary
    greeks: sections.Greeks
    positions: list[sections.PositionLine]
