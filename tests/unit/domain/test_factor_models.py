"""Factor models: what a factor is made of, and what a model needs."""

import pytest

from riskmark.domain.factor_models import Estimator, Factor, FactorModel


def test_a_factor_is_a_symbol_or_a_difference_of_two_or_a_column():
    assert Factor("Market", "SPY").symbols == ("SPY",)
    assert Factor("Value", "VTV", "VUG").symbols == ("VTV", "VUG")
    assert Factor("HML", column="hml").symbols == ()


@pytest.mark.parametrize(
    "parts", [{}, {"long": "SPY", "column": "mkt"}, {"short": "SPY", "column": "mkt"}]
)
def test_a_factor_has_one_source(parts):
    with pytest.raises(ValueError, match="a factor"):
        Factor("Market", **parts)


def test_a_model_needs_each_symbol_and_column_once():
    factors = (
        Factor("Market", "SPY"),
        Factor("Size", "IWM", "SPY"),
        Factor("HML", column="hml"),
        Factor("HML again", column="hml"),
    )

    model = FactorModel("mixed", Estimator.OLS, 90, 30, factors, excess_over="rf")

    assert model.symbols == ("SPY", "IWM")
    assert model.columns == ("hml", "rf")
