"""Reasons in words, for people; the enumerations themselves are in ``domain.reasons``."""

from collections.abc import Mapping
from types import MappingProxyType

from riskmark.domain.reasons import (
    STALE_AFTER,
    FitQuality,
    LeftOutReason,
    MarkKind,
    NullReason,
    PlanReason,
    PortfolioState,
    RunStatus,
    SnapshotState,
    SymbolReason,
    TrafficLight,
    VolatilityTrend,
)

NULL_WORDS: Mapping[str, str] = MappingProxyType(
    {
        NullReason.TOO_FEW_OBSERVATIONS: "too few observations",
        NullReason.NO_HOLDINGS: "nothing is held",
        NullReason.ALL_EXCLUDED: "no position is left to compute it from",
        NullReason.NAV_NOT_POSITIVE: "NAV is not positive",
        NullReason.NAV_TOO_SMALL: "NAV is under a tenth of gross",
        NullReason.NO_CAPITAL: "no capital was at work",
        NullReason.UNDEFINED_DENOMINATOR: "there is nothing to divide by",
        NullReason.YOUNGER_THAN_PERIOD: "the portfolio is younger than the period",
        NullReason.NO_FACTOR_DATA: "a factor has no data",
        NullReason.NO_FACTOR_VARIATION: "a factor did not move",
        NullReason.COLLINEAR_FACTORS: "the factors cannot be told apart",
        NullReason.NOT_DEFINED: "not defined in this case",
        NullReason.NEVER_PRICED: "never priced",
        NullReason.STALE: "the last close is too old",
        NullReason.CLOSED: "closed in this session",
        NullReason.NO_ROOT: "no rate solves it",
        NullReason.FIRST_SESSION: "this is the first session",
        NullReason.NO_BENCHMARK_WEIGHTS: "no benchmark weights are known",
        NullReason.BEFORE_DATA: "it begins before the data",
        NullReason.NOT_OVER_YET: "it ends after this session",
        NullReason.EXPIRED: "expired",
        NullReason.BELOW_INTRINSIC: "not above its intrinsic value",
        NullReason.OUT_OF_RANGE: "outside 1 to 500 %",
        NullReason.NOT_COMPUTED_YET: "not computed yet",
        NullReason.PRUNED: "no longer kept",
    }
)

SYMBOL_WORDS: Mapping[str, str] = MappingProxyType(
    {
        SymbolReason.CARRIED: "valued at an earlier close",
        SymbolReason.STALE: f"valued at a close more than {STALE_AFTER} sessions old",
        SymbolReason.NEVER_PRICED: "never priced, valued at cost",
        SymbolReason.UNDERLYING_UNPRICED: "its underlying has no price",
        SymbolReason.FOREIGN_CURRENCY: "priced in another currency, valued at cost",
        SymbolReason.QUARANTINED: "its newest closes are in quarantine",
    }
)

PLAN_WORDS: Mapping[str, str] = MappingProxyType(
    {
        PlanReason.NEW: "never valued",
        PlanReason.MISSING: "missing",
        PlanReason.GAP: "a gap",
        PlanReason.SURPLUS: "should not exist",
        PlanReason.HOLDINGS: "lots or flows changed",
        PlanReason.ACTION: "an action changed",
        PlanReason.PRICE: "a price changed",
        PlanReason.ACCEPTANCE: "an acceptance changed",
        PlanReason.CALENDAR: "the calendar changed",
        PlanReason.ENGINE: "a newer engine",
        PlanReason.SETTINGS: "other settings",
        PlanReason.FORCED: "forced",
    }
)

STATE_WORDS: Mapping[str, str] = MappingProxyType(
    {
        PortfolioState.CURRENT: "up to date",
        PortfolioState.BEHIND: "sessions are missing or out of date",
        PortfolioState.PARTIAL: "up to date, but not every mark is a close",
        PortfolioState.EMPTY: "holds nothing that could be valued",
    }
)

RUN_WORDS: Mapping[str, str] = MappingProxyType(
    {
        RunStatus.QUEUED: "waiting for a worker",
        RunStatus.RUNNING: "at work",
        RunStatus.SUCCEEDED: "everything that was to compute is computed",
        RunStatus.PARTIAL: "finished, but some sessions are partial or failed",
        RunStatus.FAILED: "nothing could be computed, or its process ended",
        RunStatus.CANCELLED: "stopped on request",
    }
)


MARK_WORDS: Mapping[str, str] = MappingProxyType(
    {
        MarkKind.CLOSE: "the close of the session",
        MarkKind.CARRIED: f"the last close, at most {STALE_AFTER} sessions old",
        MarkKind.STALE: f"the last close, more than {STALE_AFTER} sessions old",
        MarkKind.COST: "the cost of the lots: there is no close",
        MarkKind.MANUAL: "what its owner entered, for a private asset",
        MarkKind.MODEL: "an option's model price, on the mark of its underlying",
    }
)

LEFT_OUT_WORDS: Mapping[str, str] = MappingProxyType(
    {
        LeftOutReason.SMALL: "under a hundredth of gross",
        LeftOutReason.NOT_AMONG_LARGEST: "the matrix is full of larger ones",
        LeftOutReason.TOO_FEW_OBSERVATIONS: "too few returns were observed",
        LeftOutReason.NO_VARIATION: "its returns do not vary",
        LeftOutReason.TOO_FEW_IN_COMMON: "too few sessions in common with a larger one",
        LeftOutReason.STALE: "its last close is too old",
        LeftOutReason.NEVER_PRICED: "never priced, valued at cost",
    }
)

LIGHT_WORDS: Mapping[str, str] = MappingProxyType(
    {
        TrafficLight.GREEN: "no more than VaR allows",
        TrafficLight.YELLOW: "more than is likely",
        TrafficLight.RED: "far more, so VaR is too low",
    }
)

TREND_WORDS: Mapping[str, str] = MappingProxyType(
    {
        VolatilityTrend.RISING: "volatility has risen over the last month",
        VolatilityTrend.FALLING: "it has fallen",
        VolatilityTrend.FLAT: "it has done neither clearly",
    }
)

QUALITY_WORDS: Mapping[str, str] = MappingProxyType(
    {
        FitQuality.FULL: "every session of the window was observed",
        FitQuality.LIMITED: "some were not",
    }
)

SNAPSHOT_WORDS: Mapping[str, str] = MappingProxyType(
    {
        SnapshotState.COMPLETE: "every mark is as it should be, or accepted",
        SnapshotState.PARTIAL: "some mark is not",
    }
)


def in_words(words: Mapping[str, str], key: str) -> str:
    """Return the words for a reason; a reason of a newer version stands for itself."""
    return words.get(key, key.replace("_", " "))
