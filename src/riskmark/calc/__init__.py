"""The numbers: arrays in, arrays out; no dates, symbols or database.

What is listed in ``PUBLIC`` is for everybody, in a notebook too (``rm.calc.fit_factors``): see
``riskmark.calc.plain`` for its conventions. It is imported when it is first asked for, so that
nobody pays for what is not used. The modules beside it are the engine's own: they compute many
portfolios at once, and return NamedTuples of arrays.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from riskmark.calc.plain.correlations import Correlation as Correlation
    from riskmark.calc.plain.correlations import diversification_ratio as diversification_ratio
    from riskmark.calc.plain.correlations import effective_bets as effective_bets
    from riskmark.calc.plain.correlations import effective_rank as effective_rank
    from riskmark.calc.plain.correlations import estimate_correlation as estimate_correlation
    from riskmark.calc.plain.correlations import find_clusters as find_clusters
    from riskmark.calc.plain.correlations import repair_correlation as repair_correlation
    from riskmark.calc.plain.fits import FactorFit as FactorFit
    from riskmark.calc.plain.fits import RollingFit as RollingFit
    from riskmark.calc.plain.fits import fit_factors as fit_factors
    from riskmark.calc.plain.fits import fit_rolling_factors as fit_rolling_factors
    from riskmark.calc.plain.options import OptionGreeks as OptionGreeks
    from riskmark.calc.plain.options import imply_volatility as imply_volatility
    from riskmark.calc.plain.options import option_greeks as option_greeks
    from riskmark.calc.plain.options import price_options as price_options
    from riskmark.calc.plain.performance import Drawdown as Drawdown
    from riskmark.calc.plain.performance import ReturnRatios as ReturnRatios
    from riskmark.calc.plain.performance import measure_drawdown as measure_drawdown
    from riskmark.calc.plain.performance import measure_return_ratios as measure_return_ratios
    from riskmark.calc.plain.performance import solve_xirr as solve_xirr
    from riskmark.calc.plain.scores import VarScore as VarScore
    from riskmark.calc.plain.scores import VolatilityScore as VolatilityScore
    from riskmark.calc.plain.scores import backtest_var as backtest_var
    from riskmark.calc.plain.scores import backtest_volatility as backtest_volatility
    from riskmark.calc.plain.stresses import ReplayResult as ReplayResult
    from riskmark.calc.plain.stresses import StressResult as StressResult
    from riskmark.calc.plain.stresses import (
        estimate_factor_covariance as estimate_factor_covariance,
    )
    from riskmark.calc.plain.stresses import replay_exposures as replay_exposures
    from riskmark.calc.plain.stresses import stress_exposures as stress_exposures
    from riskmark.calc.plain.tails import TailRisk as TailRisk
    from riskmark.calc.plain.tails import component_es as component_es
    from riskmark.calc.plain.tails import estimate_normal_var as estimate_normal_var
    from riskmark.calc.plain.tails import estimate_tail_risk as estimate_tail_risk
    from riskmark.calc.plain.volatilities import HarFit as HarFit
    from riskmark.calc.plain.volatilities import VolatilityForecast as VolatilityForecast
    from riskmark.calc.plain.volatilities import estimate_volatility as estimate_volatility
    from riskmark.calc.plain.volatilities import fit_har as fit_har
    from riskmark.calc.plain.volatilities import forecast_volatility as forecast_volatility
    from riskmark.calc.plain.volatilities import volatility_percentile as volatility_percentile
    from riskmark.calc.plain.volatilities import volatility_trend as volatility_trend

_OF_MODULE = {
    "fits": ("FactorFit", "RollingFit", "fit_factors", "fit_rolling_factors"),
    "volatilities": (
        "HarFit",
        "VolatilityForecast",
        "estimate_volatility",
        "fit_har",
        "forecast_volatility",
        "volatility_percentile",
        "volatility_trend",
    ),
    "tails": ("TailRisk", "component_es", "estimate_normal_var", "estimate_tail_risk"),
    "correlations": (
        "Correlation",
        "diversification_ratio",
        "effective_bets",
        "effective_rank",
        "estimate_correlation",
        "find_clusters",
        "repair_correlation",
    ),
    "stresses": (
        "ReplayResult",
        "StressResult",
        "estimate_factor_covariance",
        "replay_exposures",
        "stress_exposures",
    ),
    "performance": (
        "Drawdown",
        "ReturnRatios",
        "measure_drawdown",
        "measure_return_ratios",
        "solve_xirr",
    ),
    "scores": ("VarScore", "VolatilityScore", "backtest_var", "backtest_volatility"),
    "options": ("OptionGreeks", "imply_volatility", "option_greeks", "price_options"),
}

PUBLIC = tuple(sorted(name for names in _OF_MODULE.values() for name in names))
"""The names that are for everybody."""

_PLACE_OF = {name: module for module, names in _OF_MODULE.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _PLACE_OF:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"{__name__}.plain.{_PLACE_OF[name]}"), name)


def __dir__() -> list[str]:
    return list(PUBLIC)
