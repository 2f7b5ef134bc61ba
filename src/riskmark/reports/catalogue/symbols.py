"""The catalogue of what is stored of single symbols: newest fits, and metrics of prices."""

from collections.abc import Mapping
from types import MappingProxyType

from riskmark.domain.reasons import NullReason
from riskmark.reports.catalogue.entry import OF_FIT, Entry, Section, Unit, Window
from riskmark.valuation.risk import VOLATILITY_WINDOWS

_YEAR = max(VOLATILITY_WINDOWS)
_NEVER_PRICED = (NullReason.NEVER_PRICED,)
_FEW = (NullReason.TOO_FEW_OBSERVATIONS,)
_METRIC_NULLS: Mapping[str, tuple[NullReason, ...]] = MappingProxyType(
    {
        "close": _NEVER_PRICED,
        "mark_kind": (),
        "mark_age": _NEVER_PRICED,
        "return": _FEW,
        **{f"vol_{n}": _FEW for n in VOLATILITY_WINDOWS},
        "high_252": _FEW,
        "low_252": _FEW,
        "observed_252": (),
    }
)
_ALWAYS = ("n", "quality", "reason")
_NOT_FOR_RIDGE = ("stderr", "stderr_hac", "vif")


def symbol_fit() -> Section:
    """Return the columns of the table ``symbol_fit``."""
    return Section(
        "symbol_fit",
        "Symbol fits",
        "The regression of each symbol on each model at its newest session; windows and minimums "
        "are the models' (below). Why there is no fit stands in reason; ridge has no "
        "standard errors. A beta is never clipped.",
        (
            _fit("n", Unit.SESSIONS, "sessions with the symbol's and all factors' returns"),
            _fit("alpha", Unit.FRACTION, "intercept, a session", "least squares"),
            _fit("beta", Unit.RATIO, "slope", "least squares; Hoerl & Kennard 1970 for ridge"),
            _fit("stderr", Unit.RATIO, "standard error of beta, n − k − 1", "least squares"),
            _fit(
                "stderr_hac",
                Unit.RATIO,
                "robust standard error; floor(4 · (n / 100)^(2/9)) lags, Bartlett's weights",
                "Newey & West 1987; statsmodels",
            ),
            _fit("vif", Unit.RATIO, "1 / (1 − R²) of the factor on the others", "Marquardt 1970"),
            _fit("r2", Unit.FRACTION, "1 − SSR / SST", "least squares"),
            _fit("residual_sd", Unit.FRACTION, "√(SSR / (n − k − 1))", "least squares"),
            _fit("quality", Unit.CODE, "full: n is the whole window; else limited"),
            _fit("reason", Unit.CODE, "why there is no fit"),
        ),
    )


def symbol_metric() -> Section:
    """Return the columns of the table ``symbol_metric``."""
    volatilities = (
        _metric(
            f"vol_{n}", Unit.A_YEAR, f"sd(last {n} returns) · √{_YEAR}, n − 1", sessions=n, least=n
        )
        for n in VOLATILITY_WINDOWS
    )
    return Section(
        "symbol_metric",
        "Symbol metrics",
        "Of the newest session of each symbol. The table has no column of reasons.",
        (
            _metric("close", Unit.PRICE, "the close, or the last one before, with its actions"),
            _metric("mark_kind", Unit.CODE, "where that is from (below)"),
            _metric("mark_age", Unit.SESSIONS, "sessions since"),
            _metric(
                "return",
                Unit.FRACTION,
                "s · (P(t) + D) / P(t−1) − 1, between observed closes; s: split ratio",
            ),
            *volatilities,
            _metric(
                "high_252", Unit.PRICE, "highest close, in today's shares", sessions=_YEAR, least=1
            ),
            _metric(
                "low_252", Unit.PRICE, "lowest close, in today's shares", sessions=_YEAR, least=1
            ),
            _metric("observed_252", Unit.SESSIONS, "closes observed", sessions=_YEAR, least=0),
        ),
    )


def _fit(name: str, unit: Unit, formula: str, source: str = "") -> Entry:
    nulls = () if name in _ALWAYS else OF_FIT
    if name in _NOT_FOR_RIDGE:
        nulls = (*nulls, NullReason.NOT_DEFINED)
    return Entry(name, unit, formula, source, f"symbol_fit.{name}", nulls=nulls)


def _metric(
    name: str, unit: Unit, formula: str, *, sessions: int | None = None, least: int = 1
) -> Entry:
    window = None if sessions is None else Window(sessions, least)
    return Entry(
        name,
        unit,
        formula,
        column=f"symbol_metric.{name}",
        window=window,
        nulls=_METRIC_NULLS[name],
    )
