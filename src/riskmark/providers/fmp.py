"""Financial Modeling Prep: the ``/stable`` endpoints over httpx.

The key stands in the address, so that no address is ever shown. Bars are adjusted for splits
and come newest first; an error may come with status 200; the limit of a day is refused like
the limit of a minute, and cannot be waited for.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from http import HTTPStatus
from types import GenericAlias
from typing import Any, TypeVar

import msgspec

from riskmark.domain.instruments import InstrumentKind
from riskmark.domain.reasons import AnswerReason
from riskmark.intake.market_data import Action, ActionKind
from riskmark.providers.adapter import Access, NetworkProvider
from riskmark.providers.checking import RawAnswer, RawBar
from riskmark.providers.limits import Gate
from riskmark.providers.outcomes import Outcome, Stopped
from riskmark.providers.port import Profile, Wanted
from riskmark.providers.replies import Reply, check_status, decode, refuse, retry_at
from riskmark.providers.spelling import with_hyphen
from riskmark.providers.web import Web

HOST = "https://financialmodelingprep.com"
_NOTHING = frozenset({b"{}", b"[]"})
"""What comes with status 404 for a symbol that it does not know."""
T = TypeVar("T", bound="_Of")


class _Of(msgspec.Struct):
    symbol: str


class _Bar(_Of):
    date: date
    open: float | None = None
    high: float | None = None
    low: float | None = None
    close: float | None = None
    volume: float | None = None


class _Split(_Of):
    date: date
    numerator: float
    denominator: float


class _Dividend(_Of, rename={"adjusted": "adjDividend"}):
    date: date
    adjusted: float


class _Profile(_Of, rename="camel"):
    company_name: str | None = None
    sector: str | None = None
    currency: str | None = None
    is_etf: bool = False
    is_fund: bool = False


class Fmp(NetworkProvider):
    """FMP over HTTP."""

    name = "fmp"
    domain = "fmp"

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        self._key = access.api_key or ""
        self._web = Web(access.gate, access.base_url or HOST, secret=self._key)

    def close(self) -> None:
        """Close the connections."""
        self._web.close()

    def _ask(self, wanted: Wanted) -> RawAnswer:
        asked = with_hyphen(wanted.symbol)
        dates = {"from": wanted.first.isoformat(), "to": wanted.last.isoformat()}
        bars = self._list(_Bar, "historical-price-eod/full", asked, dates)
        if not bars:
            raise Stopped(AnswerReason.NO_DATA_IN_RANGE, "an empty list")
        return RawAnswer(
            asked=asked,
            echoed=asked,
            rows=tuple(
                RawBar(bar.date, bar.open, bar.high, bar.low, bar.close, bar.volume)
                for bar in reversed(bars)
            ),
            actions=tuple(self._actions(asked, wanted)),
            is_adjusted=True,
        )

    def _actions(self, asked: str, wanted: Wanted) -> list[Action]:
        found: list[Action] = []
        for split in self._list(_Split, "splits", asked, {}):
            if split.numerator <= 0 or split.denominator <= 0:
                raise Stopped(AnswerReason.BAD_PAYLOAD, "a split without a ratio")
            ratio = split.numerator / split.denominator
            found.append(Action(wanted.symbol, split.date, ActionKind.SPLIT, ratio))
        paid: dict[date, float] = {}
        for dividend in self._list(_Dividend, "dividends", asked, {}):
            paid[dividend.date] = paid.get(dividend.date, 0.0) + dividend.adjusted
        for day, cash in paid.items():
            found.append(Action(wanted.symbol, day, ActionKind.DIVIDEND, cash))
        return [action for action in found if action.ex_date >= wanted.first]

    def _ask_profile(self, symbol: str) -> tuple[Profile, Outcome]:
        asked = with_hyphen(symbol)
        found = self._list(_Profile, "profile", asked, {})
        if not found:
            raise Stopped(AnswerReason.UNKNOWN_SYMBOL, "no profile")
        one = found[0]
        kind = InstrumentKind.STOCK
        if one.is_etf or one.is_fund:
            kind = InstrumentKind.ETF if one.is_etf else InstrumentKind.FUND
        profile = Profile(kind, one.company_name, one.sector or None, one.currency)
        return profile, Outcome(AnswerReason.OK)

    def _list(self, kind: type[T], path: str, asked: str, params: dict[str, str]) -> Sequence[T]:
        """Ask for a list whose every item is of the symbol that was asked for."""
        sent = {"symbol": asked, **params, "apikey": self._key}
        reply = self._web.get(f"/stable/{path}", sent, {})
        if reply.status == HTTPStatus.NOT_FOUND and reply.body.strip() in _NOTHING:
            return []
        _check_errors(reply, self._access.gate)
        listed: Any = GenericAlias(list, (kind,))
        found: list[T] = decode(reply, listed)
        for one in found:
            if one.symbol != asked:
                detail = f"the answer is for {one.symbol[:40]!r}, not {asked!r}"
                raise Stopped(AnswerReason.BAD_PAYLOAD, detail)
        return found


def _check_errors(reply: Reply, gate: Gate) -> None:
    """Stop at an error in FMP's words, else at one that all have."""
    said = reply.body[:2000].decode("utf-8", errors="replace")
    reason, now = AnswerReason, gate.now
    is_error = '"Error Message"' in said
    if "Limit Reach" in said or (reply.status == HTTPStatus.TOO_MANY_REQUESTS and is_error):
        if gate.limits.per_day is None:  # plans without a limit of a day have one of a minute
            raise Stopped(reason.RATE_LIMITED, reply.start, until=retry_at(reply, now))
        raise Stopped(reason.QUOTA_EXHAUSTED, reply.start, until=_next_utc_date(now))
    if "Invalid API KEY" in said:
        raise Stopped(reason.AUTH, "the key is not valid")
    if reply.status == HTTPStatus.PAYMENT_REQUIRED and "Premium Query Parameter" in said:
        is_of_symbol = "'symbol'" in said
        raise Stopped(
            reason.SYMBOL_NOT_IN_PLAN if is_of_symbol else reason.NO_DATA_IN_RANGE, reply.start
        )
    if reply.status == HTTPStatus.FORBIDDEN and "Legacy Endpoint" in said:
        raise Stopped(reason.ENDPOINT_NOT_IN_PLAN, reply.start)
    check_status(reply, now)
    if reply.status != HTTPStatus.OK or is_error:
        raise refuse(reply)


def _next_utc_date(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
