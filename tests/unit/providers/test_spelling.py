"""Symbols as each provider writes them."""

import pytest

from riskmark.domain.reasons import AnswerReason
from riskmark.providers.outcomes import Stopped
from riskmark.providers.spelling import with_hyphen, with_point


@pytest.mark.parametrize(
    ("symbol", "hyphen", "point"),
    [
        ("AAPL", "AAPL", "AAPL"),
        ("BRK.B", "BRK-B", "BRK.B"),
        ("BRK-B", "BRK-B", "BRK.B"),
        ("VOD.L", "VOD.L", "VOD.L"),
        ("^GSPC", "^GSPC", "I:SPX"),
        ("EURUSD=X", "EURUSD=X", "EURUSD=X"),
    ],
)
def test_share_classes_and_indexes_are_written_as_each_provider_does(symbol, hyphen, point):
    assert with_hyphen(symbol) == hyphen
    assert with_point(symbol) == point


@pytest.mark.parametrize("symbol", ["A/B", "..", ".", "-A", "a b", "AAPL?x=1", "../../etc"])
def test_what_would_be_another_address_is_never_sent(symbol):
    with pytest.raises(Stopped) as stopped:
        with_hyphen(symbol)

    assert stopped.value.outcome.reason is AnswerReason.UNKNOWN_SYMBOL
