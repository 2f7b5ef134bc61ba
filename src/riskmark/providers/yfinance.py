"""Yahoo through yfinance: its cookie, crumb and browser-like connection; our own reading.

``YfData.get`` is asked, not ``Ticker.history``: that makes two requests a symbol, six for
an unknown one, and keeps failures in a cache.
"""

from datetime import UTC, datetime, time, timedelta

from riskmark.domain.reasons import AnswerReason
from riskmark.providers.adapter import Access, NetworkProvider, catch_reply
from riskmark.providers.checking import RawAnswer
from riskmark.providers.outcomes import Outcome
from riskmark.providers.port import Profile, Wanted
from riskmark.providers.replies import Reply
from riskmark.providers.spelling import with_hyphen
from riskmark.providers.yahoo import EVENTS, read_chart, read_profile
from riskmark.providers.yahoo_session import YahooSession

_HOST = "https://query2.finance.yahoo.com"


class YFinance(NetworkProvider):
    """The first client of Yahoo."""

    name = "yfinance"
    domain = "yahoo"

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        self._session = YahooSession(access.gate, access.base_url)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _ask(self, wanted: Wanted) -> RawAnswer:
        asked = with_hyphen(wanted.symbol)
        now = self._access.gate.now
        start = datetime.combine(wanted.first, time(), UTC) - timedelta(days=1)
        params: dict[str, int | str] = {
            "period1": int(start.timestamp()),
            "period2": int((self._access.checker.now() + timedelta(days=1)).timestamp()),
            "interval": "1d",
            "includePrePost": "false",
            "events": EVENTS,
        }
        reply = self._get(f"{_HOST}/v8/finance/chart/{asked}", params)
        return read_chart(reply, asked=asked, symbol=wanted.symbol, now=now)

    def _ask_profile(self, symbol: str) -> tuple[Profile, Outcome]:
        asked = with_hyphen(symbol)
        url = f"{_HOST}/v10/finance/quoteSummary/{asked}"
        reply = self._get(url, {"modules": "assetProfile,quoteType"})
        profile = read_profile(reply, asked=asked, now=self._access.gate.now)
        return profile, Outcome(AnswerReason.OK)

    def _get(self, url: str, params: dict[str, int | str]) -> Reply:
        import yfinance.cache  # noqa: PLC0415 - a heavy client, and few commands ask
        from yfinance.data import YfData  # noqa: PLC0415 - a heavy client, and few commands ask

        # Its cookie would be kept in a database in the home folder, which other processes lock.
        kept = yfinance.cache._CookieCacheManager  # noqa: SLF001 - there is no setting for it
        kept._Cookie_cache = yfinance.cache._CookieCacheDummy()  # noqa: SLF001
        return catch_reply(lambda: YfData(session=self._session).get(url, params=params))
