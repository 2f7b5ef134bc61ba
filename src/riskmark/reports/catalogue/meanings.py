"""What the reasons mean, in a sentence; ``reports.words`` has the few words that tables show."""

from collections.abc import Mapping
from types import MappingProxyType

from riskmark.domain.reasons import STALE_AFTER, NullReason, PlanReason, SymbolReason

NULL_MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        NullReason.TOO_FEW_OBSERVATIONS: "Fewer sessions were observed than the number needs.",
        NullReason.NO_HOLDINGS: "Nothing is held at the close, and the number is one of holdings.",
        NullReason.ALL_EXCLUDED: (
            "Something is held, but nothing of it can be counted: it is stale, at cost, without "
            "a fit, or too small for a correlation."
        ),
        NullReason.NAV_NOT_POSITIVE: "NAV is 0 or below, and nothing can be a share of it.",
        NullReason.NAV_TOO_SMALL: (
            "Without a stated equity, NAV is under a tenth of gross: longs and shorts all but "
            "cancel, and it is no capital."
        ),
        NullReason.NO_CAPITAL: "No money was at work in the session, so it has no return.",
        NullReason.UNDEFINED_DENOMINATOR: "It would be divided by 0: nothing varies, or is there.",
        NullReason.YOUNGER_THAN_PERIOD: "The portfolio's first session lies within the period.",
        NullReason.NO_FACTOR_DATA: "In the whole window, no session has returns of all factors.",
        NullReason.NO_FACTOR_VARIATION: "A factor did not move on the sessions that count.",
        NullReason.COLLINEAR_FACTORS: "A factor follows from the others, so no slope is its own.",
        NullReason.NOT_DEFINED: (
            "There is no such number here: standard errors of ridge, a mean correlation of one "
            "symbol, a shock of what is no factor, or a return beyond what a number can hold."
        ),
        NullReason.NEVER_PRICED: "There is no close on or before the session.",
        NullReason.STALE: f"The last close is more than {STALE_AFTER} sessions old.",
        NullReason.CLOSED: "The position was closed in the session.",
        NullReason.NO_ROOT: "No rate makes the flows and the closing NAV worth 0.",
        NullReason.FIRST_SESSION: "It needs a session before, and this is the first.",
        NullReason.NO_BENCHMARK_WEIGHTS: "No weights of the benchmark are in force yet.",
        NullReason.BEFORE_DATA: "The episode begins before there are returns of its factors.",
        NullReason.NOT_OVER_YET: "The episode ends after the session.",
        NullReason.EXPIRED: "The option's price is of the day of its expiry, or later.",
        NullReason.BELOW_INTRINSIC: (
            "The option's price is not above what exercise at expiry is worth: no volatility "
            "explains it."
        ),
        NullReason.OUT_OF_RANGE: "The volatility implied is under 1 % or over 500 % a year.",
        NullReason.NOT_COMPUTED_YET: (
            "An older version stored the snapshot; the next run computes the number."
        ),
        NullReason.PRUNED: (
            "The lines of positions of so old a session were pruned, as `[retention]` says; "
            "`run --force --from` computes them again."
        ),
    }
)

SYMBOL_MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        SymbolReason.CARRIED: (
            f"No close on the session; the last one is at most {STALE_AFTER} sessions old."
        ),
        SymbolReason.STALE: (
            f"No close on the session; the last one is more than {STALE_AFTER} sessions old."
        ),
        SymbolReason.NEVER_PRICED: "No close at all up to the session: it is valued at cost.",
        SymbolReason.UNDERLYING_UNPRICED: "An option whose underlying has no price.",
        SymbolReason.FOREIGN_CURRENCY: "Its closes are in another currency, and are refused.",
        SymbolReason.QUARANTINED: "Its newest closes jump like a split that is not recorded.",
    }
)

PLAN_MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        PlanReason.NEW: "The portfolio has no snapshot yet.",
        PlanReason.MISSING: "The session has no snapshot, and is not a gap.",
        PlanReason.GAP: "A session between two snapshots has none.",
        PlanReason.SURPLUS: "There is a snapshot of what should have none; it is deleted.",
        PlanReason.HOLDINGS: "Lots or flows changed, with effect on the session.",
        PlanReason.ACTION: "A split, dividend or spin-off changed, with effect on the session.",
        PlanReason.PRICE: (
            "A close, a symbol's kind, factor returns or benchmark weights changed, with effect "
            "on the session."
        ),
        PlanReason.ACCEPTANCE: "A symbol's reason was accepted, or that was taken back.",
        PlanReason.CALENDAR: "The calendar of sessions changed.",
        PlanReason.ENGINE: "An older version of the engine stored the snapshot.",
        PlanReason.SETTINGS: "It was stored with other settings that change numbers.",
        PlanReason.FORCED: "`riskmark run --force` asked for it.",
    }
)
