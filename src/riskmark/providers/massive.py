"""Massive, formerly Polygon: its own client, with our own pool beneath it.

The client retries where it must not, follows redirects, and makes no bars of an error; so
every reply is caught in the pool (``Caught``), raw, and read here. Bars are asked for
unadjusted, so that nothing has to be undone.
"""
# ruff: noqa: ANN401 - the clients state no types

from datetime import date, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec

from riskmark.domain.instruments import InstrumentKind
from riskmark.domain.reasons import AnswerReason
from riskmark.intake.market_data import Action, ActionKind
from riskmark.providers.adapter import Access, Caught, NetworkProvider, catch_reply
from riskmark.providers.checking import EXCHANGE_ZONE, RawAnswer, RawBar
from riskmark.providers.outcomes import Outcome, Stopped
from riskmark.providers.port import Profile, Wanted
from riskmark.providers.replies import Reply, check_status, decode, refuse
from riskmark.providers.spelling import with_point
from riskmark.providers.web import Web

HOST = "https://api.massive.com"
SMALLEST_PLAN = timedelta(days=2 * 365 - 7)
"""What the free plan reaches back: two years, less some days of doubt about the edge."""
_TOO_OLD = "timeframe"
_NEW_YORK = ZoneInfo(EXCHANGE_ZONE)
_MAX_PAGES = 20
"""A page that is asked for holds 50,000 bars, more than two centuries; one that comes may not."""
_MAX_MS = 250_000_000_000_000
_KINDS = {
    "CS": InstrumentKind.STOCK,
    "ADRC": InstrumentKind.STOCK,
    "ETF": InstrumentKind.ETF,
    "FUND": InstrumentKind.FUND,
    "INDEX": InstrumentKind.INDEX,
}


class _Bar(msgspec.Struct):
    t: int
    c: float | None = None
    o: float | None = None
    h: float | None = None
    l: float | None = None  # noqa: E741 - the provider's name
    v: float | None = None


class _Page(msgspec.Struct, rename={"count": "resultsCount"}):
    status: str | None = None
    error: str | None = None
    message: str | None = None
    next_url: str | None = None
    ticker: str | None = None
    adjusted: bool | None = None
    count: int | None = None


class _Bars(_Page):
    results: list[_Bar] = []


class _Split(msgspec.Struct):
    ticker: str
    execution_date: date
    split_from: float
    split_to: float


class _Splits(_Page):
    results: list[_Split] = []


class _Dividend(msgspec.Struct):
    ticker: str
    ex_dividend_date: date
    cash_amount: float


class _Dividends(_Page):
    results: list[_Dividend] = []


class _Ticker(msgspec.Struct):
    ticker: str
    name: str | None = None
    type: str | None = None
    currency_name: str | None = None


class _Details(_Page):
    results: _Ticker | None = None


class _Pool:
    """The connections of the client: what it asks for goes through ours, and is caught."""

    def __init__(self, web: Web, base: str) -> None:
        self._web = web
        self._base = base

    def request(
        self, _method: str, url: str, *_: Any, fields: Any = None, headers: Any = None, **__: Any
    ) -> Any:
        """Ask once; raise ``Caught`` with the reply, or ``Stopped``."""
        if not url.startswith(f"{self._base}/"):
            raise Stopped(AnswerReason.BAD_PAYLOAD, "the client wanted to go elsewhere")
        raise Caught(self._web.get(url.removeprefix(self._base), fields, headers))


class Massive(NetworkProvider):
    """Massive through its own client."""

    name = "massive"
    domain = "massive"

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        self._base = access.base_url or HOST
        self._key = access.api_key or ""
        self._web = Web(access.gate, self._base, secret=self._key)
        self._client: Any = None
        self._reach = date.min
        """The first date that the plan has, as far as this run has found it out."""

    def close(self) -> None:
        """Close the connections."""
        self._web.close()

    def _ask(self, wanted: Wanted) -> RawAnswer:
        asked = with_point(wanted.symbol)
        pages = self._bars(asked, max(wanted.first, self._reach), wanted.last)
        _check_bars(pages, asked)
        rows = tuple(_row(bar) for page in pages for bar in page.results)
        if not rows:
            raise Stopped(AnswerReason.NO_DATA_IN_RANGE, "no bars in the range")
        return RawAnswer(
            asked=asked,
            echoed=asked,
            rows=rows,
            actions=(*self._splits(asked, wanted), *self._dividends(asked, wanted)),
            is_adjusted=False,
        )

    def _bars(self, asked: str, first: date, last: date) -> list[Any]:
        """Ask for bars; of a range that the plan does not reach, only for what it does."""
        if first > last:
            raise Stopped(AnswerReason.NO_DATA_IN_RANGE, "the plan does not reach this far back")
        try:
            return self._pages(
                _Bars,
                lambda client: client.list_aggs(
                    asked, 1, "day", first, last,
                    adjusted=False, sort="asc", limit=50_000, raw=True,
                ),
            )  # fmt: skip
        except Stopped as stop:
            reach = self._access.checker.now().date() - SMALLEST_PLAN
            if _TOO_OLD not in stop.outcome.detail or first >= reach:
                raise
            self._reach = reach
            return self._bars(asked, reach, last)

    def _splits(self, asked: str, wanted: Wanted) -> list[Action]:
        pages = self._pages(
            _Splits, lambda client: client.list_splits(ticker=asked, limit=1000, raw=True)
        )
        found: list[Action] = []
        for split in (split for page in pages for split in page.results):
            if split.ticker != asked or split.split_from <= 0 or split.split_to <= 0:
                raise Stopped(AnswerReason.BAD_PAYLOAD, "splits of another or without a ratio")
            ratio = split.split_to / split.split_from
            found.append(Action(wanted.symbol, split.execution_date, ActionKind.SPLIT, ratio))
        return [action for action in found if action.ex_date >= wanted.first]

    def _dividends(self, asked: str, wanted: Wanted) -> list[Action]:
        pages = self._pages(
            _Dividends, lambda client: client.list_dividends(ticker=asked, limit=1000, raw=True)
        )
        paid: dict[date, float] = {}
        for dividend in (one for page in pages for one in page.results):
            if dividend.ticker != asked:
                raise Stopped(AnswerReason.BAD_PAYLOAD, "dividends of another symbol")
            if dividend.ex_dividend_date >= wanted.first:
                day = dividend.ex_dividend_date
                paid[day] = paid.get(day, 0.0) + dividend.cash_amount
        kind = ActionKind.DIVIDEND
        return [Action(wanted.symbol, day, kind, cash) for day, cash in paid.items()]

    def _ask_profile(self, symbol: str) -> tuple[Profile, Outcome]:
        asked = with_point(symbol)
        pages = self._pages(_Details, lambda client: client.get_ticker_details(asked, raw=True))
        found = pages[0].results
        if found is None or found.ticker != asked:
            raise Stopped(AnswerReason.BAD_PAYLOAD, "the details are of another symbol")
        kind = _KINDS.get(found.type or "", InstrumentKind.OTHER)
        currency = None if found.currency_name is None else found.currency_name.upper()
        return Profile(kind, found.name, None, currency), Outcome(AnswerReason.OK)

    def _pages(self, kind: Any, ask: Any) -> list[Any]:
        """Ask through the client and follow its pages to the last one."""
        client = self._opened()
        pages = [self._page(kind, lambda: ask(client))]
        while (next_url := pages[-1].next_url) is not None:
            if len(pages) == _MAX_PAGES:
                raise Stopped(AnswerReason.BAD_PAYLOAD, "more pages than there can be")
            parts = urlsplit(next_url)
            # Only path and query: the address stays the one that settings name.
            url = f"{client.BASE}{parts.path}?{parts.query}"
            pages.append(
                self._page(
                    kind, lambda url=url: client.client.request("GET", url, headers=client.headers)
                )
            )
        return pages

    def _page(self, kind: Any, ask: Any) -> Any:
        reply = catch_reply(ask)
        _check_errors(reply, self._access.gate.now)
        page = decode(reply, kind)
        if page.status not in {"OK", "DELAYED"}:
            raise refuse(reply)
        return page

    def _opened(self) -> Any:
        if self._client is None:
            from massive import RESTClient  # noqa: PLC0415 - a heavy client, and few commands ask

            self._client = RESTClient(api_key=self._key, base=self._base)
            self._client.client = _Pool(self._web, self._base)
        return self._client


def _check_bars(pages: list[_Bars], asked: str) -> None:
    for page in pages:
        if page.ticker != asked:
            raise Stopped(AnswerReason.BAD_PAYLOAD, f"the answer is for {page.ticker!r}")
        if page.adjusted is not False:
            raise Stopped(AnswerReason.BAD_PAYLOAD, "adjusted bars, where none were asked for")
        if page.count is not None and page.count != len(page.results):
            raise Stopped(AnswerReason.BAD_PAYLOAD, "fewer or more bars than it says")


def _row(bar: _Bar) -> RawBar:
    day = None
    if -_MAX_MS // 8 < bar.t < _MAX_MS:
        epoch = datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC"))
        day = (epoch + timedelta(milliseconds=bar.t)).astimezone(_NEW_YORK).date()
    return RawBar(day, bar.o, bar.h, bar.l, bar.c, bar.v)


def _check_errors(reply: Reply, now: datetime) -> None:
    """Stop at an error in Massive's words, else at one that all have."""
    said = reply.body[:2000].decode("utf-8", errors="replace")
    reason = AnswerReason
    if reply.status == HTTPStatus.FORBIDDEN:
        if "before end of day" in said:
            raise Stopped(reason.NOT_FINAL_YET, reply.start)
        if _TOO_OLD in said:
            raise Stopped(reason.NO_DATA_IN_RANGE, reply.start)
        if "NOT_AUTHORIZED" in said:
            raise Stopped(reason.ENDPOINT_NOT_IN_PLAN, reply.start)
    if reply.status == HTTPStatus.NOT_FOUND and "NOT_FOUND" in said:
        raise Stopped(reason.UNKNOWN_SYMBOL, reply.start)
    check_status(reply, now)
    if reply.status != HTTPStatus.OK:
        raise refuse(reply)
