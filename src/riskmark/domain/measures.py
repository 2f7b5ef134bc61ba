"""The scalar numbers of a snapshot, by the section of ``show`` that they stand in.

The names are the interface's: JSON keys and columns of the table ``snapshot``.
"""

SNAPSHOT = (
    "nav", "cash", "long_value", "short_value", "gross", "net",
    "flow", "inflow", "outflow", "pnl", "pnl_hypothetical", "return", "income",
    "cum_realized", "cum_unrealized", "cum_income", "excluded_weight", "proxied_weight",
)  # fmt: skip
"""``positions``, a count, stands beside these."""

PERFORMANCE = (
    "twr_mtd", "twr_qtd", "twr_ytd", "twr_1m", "twr_3m", "twr_6m", "twr_1y", "twr_inception",
    "mwr_inception", "max_drawdown", "drawdown", "volatility", "sharpe", "sortino",
)  # fmt: skip
"""``mwr_annualized``, true or false, and the dates of the maximum drawdown stand beside these."""

RISK = (
    "beta", "beta_1y", "rates_beta", "vol_21", "vol_63", "vol_252", "vol_ewma",
    "vol_har_1d", "vol_har_21d", "vol_trend", "vol_percentile", "har_fallback",
    "var_95", "var_99", "es_95", "es_99", "var_95_param", "var_99_param",
    "var_95_money", "var_99_money", "es_95_money", "es_99_money",
    "var_95_param_money", "var_99_param_money",
    "tracking_error", "active_beta", "benchmark_correlation", "information_ratio",
    "effective_bets", "diversification_ratio", "nonlinear_weight",
)  # fmt: skip

CONCENTRATION = ("hhi", "effective_positions", "top_1", "top_3", "top_10")

FACTOR_RISK = ("factor_share", "specific_share")
"""The contributions of single factors stand in ``factor_exposure``."""

CORRELATION = ("corr_mean", "corr_mean_abs", "effective_rank")
"""Summaries of the correlation matrix, which is itself computed again when it is shown."""

SECTION_OF = {
    **dict.fromkeys(SNAPSHOT, "snapshot"),
    **dict.fromkeys(PERFORMANCE, "performance"),
    **dict.fromkeys(RISK, "risk"),
    **dict.fromkeys(CONCENTRATION, "concentration"),
    **dict.fromkeys(FACTOR_RISK, "factor_risk"),
    **dict.fromkeys(CORRELATION, "correlation"),
}

STORED = SNAPSHOT + PERFORMANCE + RISK + CONCENTRATION + FACTOR_RISK + CORRELATION
"""The float columns of ``snapshot``, in order.

``vol_trend`` is stored as 1 (rising), 0 (flat) or −1 (falling), ``har_fallback`` as 1 or 0.
"""
