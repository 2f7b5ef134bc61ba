"""The whole catalogue, in the order of ``show --json``."""

from riskmark.domain.scenarios import STRESS_MODEL
from riskmark.reports.catalogue import book, factors, holdings, options
from riskmark.reports.catalogue.backtests import var_backtest, volatility_backtest
from riskmark.reports.catalogue.entry import Section
from riskmark.reports.catalogue.risk import risk
from riskmark.reports.catalogue.symbols import symbol_fit, symbol_metric
from riskmark.settings import Settings
from riskmark.valuation.factors import MARKET_MODEL


def catalogue(settings: Settings) -> tuple[Section, ...]:
    """Return what every number is, with the models that ``settings`` have."""
    default, shocked = settings.model(settings.default_model), settings.model(STRESS_MODEL)
    return (
        book.snapshot(),
        book.performance(),
        risk(settings),
        holdings.concentration(),
        factors.factors(),
        factors.factor_risk(default),
        holdings.sectors(),
        factors.stress(shocked),
        factors.replays(shocked),
        *factors.correlations(default),
        options.greeks(),
        holdings.positions(settings.model(MARKET_MODEL)),
        options.position_greeks(),
        var_backtest(),
        volatility_backtest(),
        symbol_fit(),
        symbol_metric(),
    )
