"""The catalogue of the section ``risk``: what today's holdings would have done."""

from riskmark.calc import diversification, forecasts, har, liquidity, pairwise, tail, tracking
from riskmark.calc.filled_returns import HISTORY
from riskmark.calc.volatility import LEAST_FIT, LEAST_MOVE, MONTH, SESSIONS_A_YEAR
from riskmark.domain.factor_models import FactorModel
from riskmark.domain.reasons import NullReason
from riskmark.reports.catalogue.entry import (
    NO_HOLDINGS,
    OF_ONE_FIT,
    OF_SHARES,
    OF_X,
    OF_X_OVER_NAV,
    OVER_NAV,
    Entry,
    Section,
    Unit,
    Window,
)
from riskmark.settings import Settings
from riskmark.valuation.risk import VOLATILITY_WINDOWS

_YEAR = SESSIONS_A_YEAR
_FITTED = (*NO_HOLDINGS, *OVER_NAV, NullReason.ALL_EXCLUDED, *OF_ONE_FIT)
_RISKMETRICS = "RiskMetrics Technical Document 1996"
_CORSI = "Corsi 2009; the fallback after Bollerslev, Patton & Quaedvlieg 2016"
_TAIL = Window(tail.SPAN, tail.LEAST)
_TRACKED = Window(tracking.SPAN, tracking.LEAST)
_EWMA = Window(HISTORY, forecasts.SEED + 1)
_COURSE = MONTH - 1
"""Values of x behind the first rolling volatility."""
_CONFIDENCE = {"95": 0.95, "99": 0.99}


def risk(settings: Settings) -> Section:
    """Return the section ``risk``."""
    return Section(
        "risk",
        "Risk",
        f"x_u = Σ w_i(t) · r_i(u): what the holdings of session t would have returned on the last "
        f"{HISTORY} sessions on which the Market was observed, missing returns filled from the "
        "symbol's market fit and its own residuals. Windows are the tail of x.",
        (
            _beta("beta", settings.model("market"), "Market"),
            _beta("beta_1y", settings.model("market_1y"), "Market"),
            _beta("rates_beta", settings.model("rates"), "Rates"),
            *_volatilities(),
            *_forecasts(),
            *_course(),
            *_losses(),
            *_tracking(settings.model("market")),
            *_mixture(),
            Entry(
                "sessions_to_sell_95",
                Unit.SESSIONS,
                f"sessions until {100 * liquidity.SOLD:g} % of the value of all positions is "
                f"sold, each at {100 * liquidity.PARTICIPATION:g} % of its median volume",
                "a participation rate, as in the liquidity rules of funds",
                None,
                Window(liquidity.SPAN, liquidity.LEAST),
                (
                    *NO_HOLDINGS,
                    NullReason.TOO_FEW_OBSERVATIONS,
                    NullReason.UNDEFINED_DENOMINATOR,
                ),
            ),
        ),
    )


def _entry(
    name: str,
    unit: Unit,
    formula: str,
    source: str,
    *,
    window: Window,
    nulls: tuple[NullReason, ...],
) -> Entry:
    return Entry(name, unit, formula, source, f"snapshot.{name}", window, nulls)


def _beta(name: str, model: FactorModel, factor: str) -> Entry:
    return _entry(
        name,
        Unit.RATIO,
        f"Σ w_i · beta_i to {factor} ({model.name}), over the symbols with a fit",
        "Sharpe 1963; ordinary least squares",
        window=Window(model.window, model.minimum),
        nulls=_FITTED,
    )


def _volatilities() -> list[Entry]:
    return [
        _entry(
            f"vol_{n}",
            Unit.A_YEAR,
            f"sd(last {n} x) · √{_YEAR}, n − 1",
            "sample standard deviation",
            window=Window(n, n),
            nulls=OF_X_OVER_NAV,
        )
        for n in VOLATILITY_WINDOWS
    ]


def _forecasts() -> tuple[Entry, ...]:
    behind = har.MONTH - 1
    decay, horizon, least = forecasts.DECAY, forecasts.HORIZON, forecasts.LEAST_ROWS
    parts = f"on RV_u and its means over {har.WEEK} and {har.MONTH} sessions; RV = x²"
    return (
        _entry(
            "vol_ewma",
            Unit.A_YEAR,
            f"√({_YEAR} · V), V_u = {decay:g} · V_(u−1) + {1 - decay:.2f} · x_u², from the "
            f"variance of the first {forecasts.SEED} x on",
            _RISKMETRICS,
            window=_EWMA,
            nulls=OF_X_OVER_NAV,
        ),
        _entry(
            "vol_har_1d",
            Unit.A_YEAR,
            f"√({_YEAR} · forecast); least squares of RV_(u+1) {parts}; EWMA's variance where the "
            "forecast lies outside the observed targets",
            _CORSI,
            window=Window(HISTORY, least + behind + 1),
            nulls=OF_X_OVER_NAV,
        ),
        _entry(
            f"vol_har_{horizon}d",
            Unit.A_YEAR,
            f"the same for the mean RV of the next {horizon} sessions, direct",
            _CORSI,
            window=Window(HISTORY, least + behind + horizon),
            nulls=OF_X_OVER_NAV,
        ),
        _entry(
            "har_fallback",
            Unit.FLAG,
            "whether EWMA stands in for HAR at either horizon; stored as 1 or 0",
            "",
            window=Window(HISTORY, least + behind + 1),
            nulls=OF_X,
        ),
    )


def _course() -> tuple[Entry, ...]:
    trend = MONTH + _COURSE
    return (
        _entry(
            "vol_trend",
            Unit.CODE,
            f"rising or falling if |slope · {MONTH}| > {100 * LEAST_MOVE:g} % of the mean of the "
            f"last {MONTH} rolling vol_{MONTH} and R² > {LEAST_FIT:g}, else flat; stored as "
            "1, −1 or 0",
            "least squares line",
            window=Window(trend, trend),
            nulls=OF_X,
        ),
        _entry(
            "vol_percentile",
            Unit.FRACTION,
            f"share of the last {_YEAR} rolling vol_{MONTH} that are ≤ the newest",
            "empirical distribution",
            window=Window(_YEAR + _COURSE, _YEAR + _COURSE),
            nulls=OF_X,
        ),
    )


def _losses() -> list[Entry]:
    found = []
    for name, share in _CONFIDENCE.items():
        quantile, z = f"{100 * (1 - share):.0f} % quantile", tail.NORMAL_QUANTILE[share]
        found += [
            _loss(f"var_{name}", f"−({quantile} of x), interpolated", _HISTORICAL, window=_TAIL),
            _loss(f"es_{name}", f"−mean(x | x ≤ {quantile})", "Acerbi & Tasche 2002", window=_TAIL),
            _loss(
                f"var_{name}_param", f"{z:.4f} · vol_ewma / √{_YEAR}", _RISKMETRICS, window=_EWMA
            ),
        ]
    in_money = [
        _entry(
            f"{one.name}_money",
            Unit.MONEY,
            f"{one.name} with Σ e_i · r_i in the place of x",
            one.source,
            window=one.window or _TAIL,
            nulls=OF_X,
        )
        for one in found
    ]
    return found + in_money


_HISTORICAL = "historical simulation; Hyndman & Fan 1996, type 7 (numpy's linear)"


def _loss(name: str, formula: str, source: str, *, window: Window) -> Entry:
    text = f"{formula}; one session, a loss is positive"
    return _entry(name, Unit.FRACTION, text, source, window=window, nulls=OF_X_OVER_NAV)


def _tracking(market: FactorModel) -> tuple[Entry, ...]:
    return (
        _entry(
            "tracking_error",
            Unit.A_YEAR,
            f"sd(x − b) · √{_YEAR}; b = return of the benchmark",
            "Grinold & Kahn 1999, ex ante",
            window=_TRACKED,
            nulls=OF_X_OVER_NAV,
        ),
        _entry(
            "active_beta",
            Unit.RATIO,
            "beta − the benchmark's own beta to the Market",
            "Grinold & Kahn 1999",
            window=Window(market.window, market.minimum),
            nulls=_FITTED,
        ),
        _entry(
            "benchmark_correlation",
            Unit.CORRELATION,
            "Pearson's correlation of x and b",
            "Pearson 1895",
            window=_TRACKED,
            nulls=(*OF_X, NullReason.UNDEFINED_DENOMINATOR),
        ),
        _entry(
            "information_ratio",
            Unit.RATIO,
            f"√{_YEAR} · mean(r − b) / sd(r − b) of realised returns r",
            "Goodwin 1998",
            window=_TRACKED,
            nulls=(
                *NO_HOLDINGS,
                NullReason.NAV_NOT_POSITIVE,
                NullReason.TOO_FEW_OBSERVATIONS,
                NullReason.UNDEFINED_DENOMINATOR,
            ),
        ),
    )


def _mixture() -> tuple[Entry, ...]:
    none = (*NO_HOLDINGS, NullReason.ALL_EXCLUDED)
    return (
        _entry(
            "effective_bets",
            Unit.RATIO,
            "exp(−Σ p_k · ln p_k), p_k = (e_k'w)² · λ_k / w'Σw over the principal components",
            "Meucci 2009",
            window=Window(pairwise.SPAN, pairwise.LEAST),
            nulls=(*none, NullReason.UNDEFINED_DENOMINATOR),
        ),
        _entry(
            "diversification_ratio",
            Unit.RATIO,
            "Σ |w_i| · σ_i / σ_p",
            "Choueifaty & Coignard 2008",
            window=Window(diversification.SPAN, diversification.LEAST),
            nulls=(*OF_X, NullReason.UNDEFINED_DENOMINATOR),
        ),
        Entry(
            "nonlinear_weight",
            Unit.FRACTION,
            "Σ |delta · S · units| of options / Σ |MV|; VaR takes them for straight lines",
            column="snapshot.nonlinear_weight",
            nulls=OF_SHARES,
        ),
    )
