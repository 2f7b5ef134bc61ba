"""The catalogue of back-tests: whether VaR and volatility, as they were stated, were right."""

from riskmark.calc.backtests import RED_FROM, YELLOW_FROM
from riskmark.domain.reasons import NullReason
from riskmark.reports.backtest_lines import SPAN
from riskmark.reports.catalogue.entry import Entry, Section, Unit, Window

_WINDOW = Window(SPAN, 1)
_FEW = (NullReason.TOO_FEW_OBSERVATIONS,)


def var_backtest() -> Section:
    """Return what a back-test of VaR tells."""
    none: tuple[NullReason, ...] = ()
    return Section(
        "backtests",
        "Back-tests of VaR",
        "VaR of 95 and 99 % of session t−1 against pnl_hypothetical of t; the actual P&L stands "
        "beside it. L(p) = (1 − p)^(n − x) · p^x with x exceptions on n sessions. Computed when "
        "shown, from snapshots; a session without both numbers is skipped and counted.",
        (
            _entry("measure", Unit.NAMES, "the VaR that is tested", "", nulls=none),
            _entry("confidence", Unit.FRACTION, "1 − p", "", nulls=none),
            _entry("sessions", Unit.SESSIONS, "n: sessions with a VaR and a P&L", "", nulls=none),
            _entry("skipped", Unit.SESSIONS, "sessions without", "", nulls=none),
            _entry("exceptions", Unit.COUNT, "x: sessions with −P&L > VaR", "", nulls=none),
            _entry(
                "actual_exceptions",
                Unit.COUNT,
                "of the n, those on which the actual P&L fell below −VaR",
                "",
                nulls=none,
            ),
            _entry("expected", Unit.COUNT, "n · p, p = 5 or 1 %", "", nulls=none),
            _entry("kupiec", Unit.RATIO, "LR_uc = 2 · ln(L(x / n) / L(p))", "Kupiec 1995"),
            _entry("kupiec_p", Unit.FRACTION, "χ² with 1 degree of freedom", "Kupiec 1995"),
            _entry(
                "independence",
                Unit.RATIO,
                "LR_ind: one probability against two, after a session with and without exception",
                "Christoffersen 1998",
            ),
            _entry("independence_p", Unit.FRACTION, "χ² with 1 degree", "Christoffersen 1998"),
            _entry("conditional", Unit.RATIO, "LR_uc + LR_ind", "Christoffersen 1998"),
            _entry("conditional_p", Unit.FRACTION, "χ² with 2 degrees", "Christoffersen 1998"),
            _entry(
                "traffic_light",
                Unit.CODE,
                f"yellow from {100 * YELLOW_FROM:g} % of the binomial distribution on, red from "
                f"{100 * RED_FROM:g} % on",
                "Basel Committee 1996",
            ),
            _entry("exception_sessions", Unit.DATE, "the sessions of x", "", nulls=none),
        ),
    )


def volatility_backtest() -> Section:
    """Return what a back-test of volatility forecasts tells."""
    return Section(
        "backtests",
        "Back-tests of volatility",
        "Of HAR and EWMA: the variance h that was forecast at t, against "
        "v = (Σ w_i(t) · r_i(t+1))².",
        (
            _entry("measure", Unit.NAMES, "the forecast that is scored", "", nulls=()),
            _entry(
                "sessions", Unit.SESSIONS, "sessions with a forecast and a return", "", nulls=()
            ),
            _entry("skipped", Unit.SESSIONS, "sessions without", "", nulls=()),
            _entry(
                "qlike",
                Unit.RATIO,
                "mean(ln h + v / h)",
                "Patton 2011",
                nulls=(*_FEW, NullReason.UNDEFINED_DENOMINATOR),
            ),
            _entry("mse", Unit.RATIO, "mean((v − h)²)", "Patton 2011"),
        ),
    )


def _entry(
    name: str, unit: Unit, formula: str, source: str, *, nulls: tuple[NullReason, ...] = _FEW
) -> Entry:
    return Entry(name, unit, formula, source, window=_WINDOW, nulls=nulls)
