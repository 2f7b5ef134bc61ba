"""Every enumeration that users meet, in one place; the values are part of the interface."""

from enum import StrEnum


class MarkKind(StrEnum):
    """What a position is valued at."""

    CLOSE = "close"
    CARRIED = "carried"
    STALE = "stale"
    COST = "cost"
    MANUAL = "manual"
    MODEL = "model"


STALE_AFTER = 5
"""Sessions after which a carried close is called stale."""


class SymbolReason(StrEnum):
    """Why a symbol's mark makes a snapshot partial."""

    CARRIED = "carried"
    STALE = "stale"
    NEVER_PRICED = "never_priced"
    UNDERLYING_UNPRICED = "underlying_unpriced"
    FOREIGN_CURRENCY = "foreign_currency"
    QUARANTINED = "quarantined"


class AnswerReason(StrEnum):
    """How a provider answered for one symbol; all but the first say why something lacks."""

    OK = "ok"
    PARTIAL = "partial"
    NO_DATA_IN_RANGE = "no_data_in_range"
    UNKNOWN_SYMBOL = "unknown_symbol"
    SYMBOL_NOT_IN_PLAN = "symbol_not_in_plan"
    ENDPOINT_NOT_IN_PLAN = "endpoint_not_in_plan"
    AUTH = "auth"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXHAUSTED = "quota_exhausted"
    TRANSIENT = "transient"
    BAD_PAYLOAD = "bad_payload"
    NOT_FINAL_YET = "not_final_yet"


class PlanReason(StrEnum):
    """Why a cell (a portfolio on a session) is planned, in order of precedence."""

    NEW = "new"
    MISSING = "missing"
    GAP = "gap"
    SURPLUS = "surplus"
    HOLDINGS = "holdings"
    ACTION = "action"
    PRICE = "price"
    ACCEPTANCE = "acceptance"
    CALENDAR = "calendar"
    ENGINE = "engine"
    SETTINGS = "settings"
    FORCED = "forced"


class ChangeKind(StrEnum):
    """What changed in an input (the ledger's ``input_change.kind``)."""

    HOLDINGS = "holdings"
    PRICE = "price"
    ACTION = "action"
    ACCEPTANCE = "acceptance"
    CALENDAR = "calendar"


class NullReason(StrEnum):
    """Why a number is null. Every null that is shown has one of these."""

    TOO_FEW_OBSERVATIONS = "too_few_observations"
    NO_HOLDINGS = "no_holdings"
    ALL_EXCLUDED = "all_excluded"
    NAV_NOT_POSITIVE = "nav_not_positive"
    NAV_TOO_SMALL = "nav_too_small"
    NO_CAPITAL = "no_capital"
    UNDEFINED_DENOMINATOR = "undefined_denominator"
    YOUNGER_THAN_PERIOD = "younger_than_period"
    NO_FACTOR_DATA = "no_factor_data"
    NO_FACTOR_VARIATION = "no_factor_variation"
    COLLINEAR_FACTORS = "collinear_factors"
    NOT_DEFINED = "not_defined"
    NEVER_PRICED = "never_priced"
    STALE = "stale"
    CLOSED = "closed"
    NO_ROOT = "no_root"
    FIRST_SESSION = "first_session"
    NO_BENCHMARK_WEIGHTS = "no_benchmark_weights"
    BEFORE_DATA = "before_data"
    NOT_OVER_YET = "not_over_yet"
    EXPIRED = "expired"
    BELOW_INTRINSIC = "below_intrinsic"
    OUT_OF_RANGE = "out_of_range"
    NOT_COMPUTED_YET = "not_computed_yet"
    PRUNED = "pruned"


class RunStatus(StrEnum):
    """The state of a run: queued, running, then one of four ends."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Source(StrEnum):
    """Who started a run."""

    CRON = "cron"
    ONBOARDING = "onboarding"
    SETTINGS = "settings"
    ADMIN = "admin"
    CLI = "cli"
    API = "api"


class SnapshotState(StrEnum):
    """Whether every mark of a snapshot is as it should be."""

    COMPLETE = "complete"
    PARTIAL = "partial"


class PortfolioState(StrEnum):
    """How up to date a portfolio is."""

    CURRENT = "current"
    BEHIND = "behind"
    PARTIAL = "partial"
    EMPTY = "empty"


class FitQuality(StrEnum):
    """Whether a factor fit had its whole window of observations."""

    FULL = "full"
    LIMITED = "limited"


class VolatilityTrend(StrEnum):
    """Where the volatility of the last month is going."""

    RISING = "rising"
    FALLING = "falling"
    FLAT = "flat"


class TrafficLight(StrEnum):
    """What Basel's supervisors say to a number of VaR exceptions."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


class LeftOutReason(StrEnum):
    """Why an instrument does not stand in a correlation matrix."""

    SMALL = "small"
    NOT_AMONG_LARGEST = "not_among_largest"
    TOO_FEW_OBSERVATIONS = "too_few_observations"
    NO_VARIATION = "no_variation"
    TOO_FEW_IN_COMMON = "too_few_in_common"
    STALE = "stale"
    NEVER_PRICED = "never_priced"
