"""The catalogue of what a book is worth, and what it has returned."""

from riskmark.calc.holdings_returns import PROXY_SPAN
from riskmark.calc.money_weighted import DAYS_PER_YEAR
from riskmark.calc.return_ratios import FEWEST, SESSIONS_PER_YEAR
from riskmark.domain.reasons import NullReason
from riskmark.reports.catalogue.entry import (
    OF_SHARES,
    Entry,
    Section,
    Unit,
    Window,
)

_CAPITAL = (NullReason.NAV_NOT_POSITIVE,)
_CHAINED = (NullReason.NAV_NOT_POSITIVE, NullReason.NOT_DEFINED)
_ROLLING = (NullReason.YOUNGER_THAN_PERIOD, *_CHAINED)
_EMPYRICAL = "empyrical's convention"
_GIPS = "GIPS: returns of sub-periods, linked"
_HISTORY = Window(None, 1)
_RETURNS = Window(None, FEWEST)
_YEAR = SESSIONS_PER_YEAR


def _money(name: str, formula: str) -> Entry:
    return Entry(name, Unit.MONEY, formula, column=f"snapshot.{name}")


def snapshot() -> Section:
    """Return the section ``snapshot``: money, and what the session did to it."""
    return Section(
        "snapshot",
        "Snapshot: money",
        "Accounting identities on lots, flows, actions and marks: nothing is rolled forward from "
        "the session before. q is the quantity held, D the dividend a share, m the multiplier.",
        (
            _money("nav", "cash + Σ MV, always"),
            _money(
                "cash",
                "opening equity + flows − cost of entries + proceeds of exits + income, up to the "
                "session; 0 in holdings mode",
            ),
            _money("long_value", "Σ MV of symbols with MV > 0, lots of one symbol netted first"),
            _money("short_value", "Σ MV of symbols with MV < 0; ≤ 0"),
            _money("gross", "Σ |MV|"),
            _money("net", "Σ MV = long_value + short_value"),
            _money("flow", "money put in less money taken out, in the session"),
            _money("inflow", "max(flow, 0); the sum of what came in if NAV(t−1) would not do"),
            _money("outflow", "max(−flow, 0); the sum of what went out in that case"),
            _money("pnl", "NAV(t) − NAV(t−1) − flow(t)"),
            Entry(
                "pnl_hypothetical",
                Unit.MONEY,
                "Σ e_i(t−1) · r_i(t), missing returns filled as in x: the session's P&L had "
                "nothing been traded in it",
                "Basel Committee 1996: hypothetical P&L of a back-test",
                "snapshot.pnl_hypothetical",
                nulls=(
                    NullReason.FIRST_SESSION,
                    NullReason.NO_HOLDINGS,
                    NullReason.ALL_EXCLUDED,
                    NullReason.NO_FACTOR_DATA,
                ),
            ),
            Entry(
                "return",
                Unit.FRACTION,
                "(NAV(t) + outflow(t)) / (NAV(t−1) + inflow(t)) − 1",
                "GIPS: daily valuation",
                "snapshot.return",
                nulls=(NullReason.NAV_NOT_POSITIVE, NullReason.NO_CAPITAL),
            ),
            _money(
                "income", "Σ q · D · m of dividends and spin-offs with this ex-date; shorts pay"
            ),
            _money("cum_realized", "Σ (proceeds − cost) of all exits so far"),
            _money("cum_unrealized", "Σ (MV − cost) of what is held"),
            _money("cum_income", "Σ income so far"),
            Entry("positions", Unit.COUNT, "symbols held at the close", "", "snapshot.positions"),
            Entry(
                "excluded_weight",
                Unit.FRACTION,
                "share of gross that stands in no exposure: stale, at cost, or unfit to be filled",
                "",
                "snapshot.excluded_weight",
                nulls=OF_SHARES,
            ),
            Entry(
                "proxied_weight",
                Unit.FRACTION,
                "Σ |e_i| · (share of the values of x in the window that are filled for i) / gross",
                "",
                "snapshot.proxied_weight",
                Window(PROXY_SPAN, 1),
                OF_SHARES,
            ),
        ),
    )


def performance() -> Section:
    """Return the section ``performance``."""
    to_date = {"mtd": "month", "qtd": "quarter", "ytd": "year"}
    rolling = {"1m": "1 month", "3m": "3 months", "6m": "6 months", "1y": "1 year"}
    periods = [
        _twr(name, f"from the last session before this {period} on", nulls=_CHAINED)
        for name, period in to_date.items()
    ]
    periods += [
        _twr(name, f"from the same day {period} ago on, or the session before it", nulls=_ROLLING)
        for name, period in rolling.items()
    ]
    return Section(
        "performance",
        "Performance",
        "Of realised returns, up to the session. TWR = Π (1 + r_u) − 1 over the sessions u after "
        "the base; one without capital is skipped. From the first NAV that is not positive on, "
        "every span across it is null.",
        (
            *periods,
            _twr("inception", "from the first session on", nulls=_CHAINED, window=_HISTORY),
            _past(
                "mwr_inception",
                Unit.FRACTION,
                "the rate nearest 0 at which all flows and the closing NAV are worth 0",
                f"XIRR of spreadsheets: actual/{DAYS_PER_YEAR}",
                nulls=(NullReason.FIRST_SESSION, NullReason.NO_ROOT),
            ),
            _past(
                "mwr_annualized",
                Unit.FLAG,
                f"whether mwr_inception is a rate a year: from {DAYS_PER_YEAR} days on",
                nulls=(NullReason.FIRST_SESSION, NullReason.NO_ROOT),
            ),
            *_drawdowns(),
            _past(
                "volatility",
                Unit.A_YEAR,
                f"sd(r) · √{_YEAR}, n − 1",
                _EMPYRICAL,
                window=_RETURNS,
                nulls=(*_CAPITAL, NullReason.TOO_FEW_OBSERVATIONS),
            ),
            _ratio("sharpe", f"mean(r − f) / sd(r) · √{_YEAR}", "Sharpe 1994"),
            _ratio(
                "sortino",
                f"mean(r − f) / √mean(min(r − f, 0)²) · √{_YEAR}",
                "Sortino & Price 1994",
            ),
        ),
    )


def _past(
    name: str,
    unit: Unit,
    formula: str,
    source: str = "",
    *,
    window: Window | None = _HISTORY,
    nulls: tuple[NullReason, ...] = (),
) -> Entry:
    return Entry(name, unit, formula, source, f"snapshot.{name}", window, nulls)


def _twr(
    name: str, span: str, *, nulls: tuple[NullReason, ...], window: Window | None = None
) -> Entry:
    return _past(f"twr_{name}", Unit.FRACTION, f"TWR {span}", _GIPS, window=window, nulls=nulls)


def _ratio(name: str, formula: str, source: str) -> Entry:
    nulls = (*_CAPITAL, NullReason.TOO_FEW_OBSERVATIONS, NullReason.UNDEFINED_DENOMINATOR)
    text = f"{formula}; f = risk_free / {_YEAR}"
    return _past(name, Unit.RATIO, text, f"{source}; {_EMPYRICAL}", window=_RETURNS, nulls=nulls)


def _drawdowns() -> tuple[Entry, ...]:
    return (
        _past(
            "max_drawdown",
            Unit.FRACTION,
            "the lowest drawdown so far",
            _EMPYRICAL,
            nulls=_CHAINED,
        ),
        _past(
            "drawdown",
            Unit.FRACTION,
            "wealth / highest wealth so far − 1; wealth is 1 before the first session",
            _EMPYRICAL,
            nulls=_CHAINED,
        ),
        Entry(
            "max_drawdown_sessions",
            Unit.DATE,
            "peak, trough and recovery of the maximum drawdown; absent where there is none",
            column="snapshot.drawdown_peak, drawdown_trough, drawdown_recovery",
            window=_HISTORY,
        ),
    )
