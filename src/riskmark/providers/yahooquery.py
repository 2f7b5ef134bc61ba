"""Yahoo through yahooquery: another client of the same host, so it fails with yfinance."""
# ruff: noqa: ANN401 - the clients state no types

from datetime import timedelta
from typing import Any

from riskmark.domain.reasons import AnswerReason
from riskmark.providers.adapter import Access, NetworkProvider, catch_reply
from riskmark.providers.checking import RawAnswer
from riskmark.providers.outcomes import Outcome
from riskmark.providers.port import Profile, Wanted
from riskmark.providers.spelling import with_hyphen
from riskmark.providers.yahoo import EVENTS, read_chart, read_profile
from riskmark.providers.yahoo_session import YahooSession


class YahooQuery(NetworkProvider):
    """The second client of Yahoo."""

    name = "yahooquery"
    domain = "yahoo"

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        self._session = YahooSession(access.gate, access.base_url)
        self._ticker: Any = None

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _ask(self, wanted: Wanted) -> RawAnswer:
        asked = with_hyphen(wanted.symbol)
        now = self._access.gate.now
        start = wanted.first - timedelta(days=1)
        end = self._access.checker.now().date() + timedelta(days=1)
        reply = catch_reply(lambda: self._client(asked).history(start=start, end=end))
        return read_chart(reply, asked=asked, symbol=wanted.symbol, now=now)

    def _ask_profile(self, symbol: str) -> tuple[Profile, Outcome]:
        asked = with_hyphen(symbol)
        modules = "assetProfile quoteType"
        reply = catch_reply(lambda: self._client(asked).get_modules(modules))
        profile = read_profile(reply, asked=asked, now=self._access.gate.now)
        return profile, Outcome(AnswerReason.OK)

    def _client(self, asked: str) -> Any:
        """Return the client, set to one symbol; making one asks for a crumb."""
        from yahooquery import Ticker  # noqa: PLC0415 - a heavy client, and few commands ask

        if self._ticker is None:
            self._ticker = Ticker(asked, session=self._session)
            self._ticker.events = EVENTS  # the client takes parameters from its attributes
        self._ticker.symbols = asked
        return self._ticker
