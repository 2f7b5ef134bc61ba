"""Factors and benchmark of some sessions: what risk is measured against, whoever holds what."""

from collections.abc import Mapping
from dataclasses import dataclass

from riskmark.calc.arrays import FloatArray, Measure
from riskmark.calc.factor_covariance import FactorCovariances, factor_covariances
from riskmark.calc.filled_returns import HISTORY
from riskmark.calc.model_fits import fit_model
from riskmark.calc.stress import FactorMoves, factor_moves
from riskmark.domain.scenarios import STRESS_MODEL
from riskmark.settings import Settings
from riskmark.valuation.panels import Panel

MARKET_MODEL = "market"
"""The model whose only factor is the Market."""


@dataclass(frozen=True, slots=True)
class SessionFactors:
    """Factors of T sessions of a panel, and what follows from them for R of these, ``rows``.

    ``returns`` (T, F) and ``risk_free`` (T,) go by the model's name. ``covariances`` are
    those of the factors of ``default_model``, by which risk is split, over its window;
    ``moves`` what ``scenarios`` do to the factors of the stress model. ``benchmark`` (T,) are
    its returns, ``benchmark_beta`` (R,) its betas to the Market.
    """

    returns: Mapping[str, FloatArray]
    risk_free: Mapping[str, FloatArray]
    default_model: str
    covariances: FactorCovariances
    scenarios: tuple[str, ...]
    moves: FactorMoves
    benchmark: FloatArray
    benchmark_beta: Measure


def session_factors(panel: Panel, settings: Settings, *, rows: range) -> SessionFactors:
    """Take the factors of all models out of ``panel``, and measure them for ``rows``."""
    returns = {model.name: panel.factor_returns(model) for model in settings.factor_model}
    default = settings.model(settings.default_model)
    stressed = settings.model(STRESS_MODEL)
    benchmark = panel.returns_of(settings.benchmark)
    market = fit_model(
        benchmark[: rows.stop, None],
        returns[MARKET_MODEL][: rows.stop],
        model=settings.model(MARKET_MODEL),
        rows=rows,
    ).parts[0]
    return SessionFactors(
        returns=returns,
        risk_free={
            model.name: free
            for model in settings.factor_model
            if (free := panel.risk_free(model)) is not None
        },
        default_model=default.name,
        covariances=factor_covariances(returns[default.name], rows=rows, window=default.window),
        scenarios=tuple(one.name for one in settings.scenario),
        moves=factor_moves(
            [one.moves(settings.rates) for one in settings.scenario],
            [factor.name for factor in stressed.factors],
            factor_covariances(returns[STRESS_MODEL], rows=rows, window=HISTORY),
        ),
        benchmark=benchmark,
        benchmark_beta=Measure(market.beta[:, 0, 0], market.nulls[:, 0]),
    )
