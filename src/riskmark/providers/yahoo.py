"""Yahoo's dialect: what the chart and profile endpoints answer, whichever client asks.

Bars are adjusted for every split up to now, events cover only the range that was asked: so
the range always reaches to the present. ``close`` is not adjusted for dividends.
"""

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from http import HTTPStatus
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from riskmark.domain.instruments import InstrumentKind
from riskmark.domain.reasons import AnswerReason
from riskmark.intake.market_data import Action, ActionKind
from riskmark.providers.checking import EXCHANGE_ZONE, RawAnswer, RawBar
from riskmark.providers.outcomes import Stopped
from riskmark.providers.port import Profile
from riskmark.providers.replies import Reply, check_status, decode, refuse

KINDS = {
    "EQUITY": InstrumentKind.STOCK,
    "ETF": InstrumentKind.ETF,
    "MUTUALFUND": InstrumentKind.FUND,
    "INDEX": InstrumentKind.INDEX,
}
EVENTS = "div,splits,capitalGains"
"""What the chart is asked for beside bars."""
_IS_DOWN = b"Will be right back"
_MAX_SECONDS = 250_000_000_000
"""Of a date that is one in every time zone."""
Number = float | None


class _Error(msgspec.Struct):
    code: str | None = None
    description: str | None = None


class _Dividend(msgspec.Struct):
    amount: float
    date: int


class _Split(msgspec.Struct):
    date: int
    numerator: float
    denominator: float


class _Events(msgspec.Struct, rename={"gains": "capitalGains"}):
    dividends: dict[str, _Dividend] = {}
    gains: dict[str, _Dividend] = {}
    splits: dict[str, _Split] = {}


class _Meta(msgspec.Struct, rename="camel"):
    symbol: str | None = None
    currency: str | None = None
    instrument_type: str | None = None
    long_name: str | None = None
    short_name: str | None = None
    first_trade_date: int | None = None
    regular_market_time: int | None = None
    exchange_timezone_name: str | None = None
    gmtoffset: int = 0


class _Quote(msgspec.Struct):
    open: list[Number] = []
    high: list[Number] = []
    low: list[Number] = []
    close: list[Number] = []
    volume: list[Number] = []


class _Indicators(msgspec.Struct):
    quote: list[_Quote]


class _Result(msgspec.Struct):
    meta: _Meta
    indicators: _Indicators
    timestamp: list[int] | None = None
    events: _Events | None = None


class _Chart(msgspec.Struct):
    result: list[_Result] | None = None
    error: _Error | None = None


class _Envelope(msgspec.Struct):
    chart: _Chart | None = None
    finance: _Chart | None = None


def read_chart(reply: Reply, *, asked: str, symbol: str, now: datetime) -> RawAnswer:
    """Understand a reply of the chart endpoint, or stop."""
    check_status(reply, now)
    if _IS_DOWN in reply.body:
        raise Stopped(AnswerReason.TRANSIENT, "Yahoo says that it will be right back")
    if reply.status != HTTPStatus.OK and not reply.body.lstrip().startswith(b"{"):
        raise refuse(reply)
    envelope = decode(reply, _Envelope)
    chart = envelope.chart or envelope.finance
    if chart is None:
        raise refuse(reply)
    if chart.error is not None:
        raise _stop_of(chart.error, reply)
    if not chart.result or reply.status != HTTPStatus.OK:
        raise refuse(reply)
    return _raw(chart.result[0], reply, asked=asked, symbol=symbol)


def _stop_of(error: _Error, reply: Reply) -> Stopped:
    detail = f"{error.code}: {error.description}"[:160]
    if error.code == "Not Found":
        return Stopped(AnswerReason.UNKNOWN_SYMBOL, detail)
    if error.code == "Unauthorized":
        return Stopped(AnswerReason.AUTH, detail)
    if (error.description or "").startswith("Data doesn't exist"):
        return Stopped(AnswerReason.NO_DATA_IN_RANGE, detail)
    return refuse(reply)


def _raw(result: _Result, reply: Reply, *, asked: str, symbol: str) -> RawAnswer:
    meta = result.meta
    zone, zone_name = _zone(meta)
    stamps = result.timestamp or []
    if not result.indicators.quote:
        raise refuse(reply)
    quote = result.indicators.quote[0]
    columns = [quote.open, quote.high, quote.low, quote.close, quote.volume]
    if any(len(column) != len(stamps) for column in columns if column or stamps):
        raise Stopped(AnswerReason.BAD_PAYLOAD, "columns of different lengths")
    rows = tuple(
        RawBar(_day(stamp, zone), *values) for stamp, *values in zip(stamps, *columns, strict=True)
    )
    kind = KINDS.get(meta.instrument_type or "", InstrumentKind.OTHER)
    events = result.events or _Events()
    is_fund = kind is InstrumentKind.FUND  # the time of a net asset value is no market time
    return RawAnswer(
        asked=asked,
        echoed=meta.symbol,
        rows=rows,
        actions=tuple(_actions(events, symbol, zone, rows)),
        is_adjusted=True,
        profile=Profile(kind, meta.long_name or meta.short_name, None, meta.currency),
        as_of=None if is_fund else _instant(meta.regular_market_time),
        first_trade=_day(meta.first_trade_date, zone),
        zone=zone_name,
    )


def _actions(events: _Events, symbol: str, zone: tzinfo, rows: tuple[RawBar, ...]) -> list[Action]:
    found: list[Action] = []
    for split in events.splits.values():
        day = _day(split.date, zone)
        if day is None or split.numerator <= 0 or split.denominator <= 0:
            raise Stopped(AnswerReason.BAD_PAYLOAD, "a split without a ratio")
        ratio = split.numerator / split.denominator
        found.append(Action(symbol, day, ActionKind.SPLIT, ratio))
    paid = _cash(events.dividends, zone)
    for day, cash in _with_gains(paid, dict(_cash(events.gains, zone)), rows):
        found.append(Action(symbol, day, ActionKind.DIVIDEND, cash))
    return found


def _cash(events: dict[str, _Dividend], zone: tzinfo) -> list[tuple[date, float]]:
    dated = [(_day(one.date, zone), one.amount) for one in events.values()]
    return [(day, amount) for day, amount in dated if day is not None]


def _with_gains(
    paid: list[tuple[date, float]], gains: dict[date, float], rows: tuple[RawBar, ...]
) -> list[tuple[date, float]]:
    """Add the gains that a fund distributed to its dividends.

    Yahoo has put the gains of some funds into their dividends already. Closes tell which, all
    of a fund's distributions taken together: they fall by what was paid.
    """
    is_in, is_apart = 0.0, 0.0
    dividends = dict(paid)
    for before, after in pairwise(row for row in rows if row.close is not None):
        gain = gains.get(after.day) if after.day is not None else None
        dividend = dividends.get(after.day, 0.0) if after.day is not None else 0.0
        if gain is None or dividend < gain or before.close is None or after.close is None:
            continue
        fall = before.close - after.close
        is_in += abs(fall - dividend)
        is_apart += abs(fall - dividend - gain)
    alone = [(day, gain) for day, gain in gains.items() if day not in dividends]
    if is_in < is_apart:
        gains = {day: gain for day, gain in gains.items() if dividends.get(day, 0.0) < gain}
    return [(day, cash + gains.get(day, 0.0)) for day, cash in paid] + alone


def _zone(meta: _Meta) -> tuple[tzinfo, str]:
    try:
        return ZoneInfo(meta.exchange_timezone_name or ""), meta.exchange_timezone_name or ""
    except (ZoneInfoNotFoundError, ValueError, OSError):
        if abs(meta.gmtoffset) >= 24 * 3600:
            raise Stopped(AnswerReason.BAD_PAYLOAD, "no time zone") from None
        return timezone(timedelta(seconds=meta.gmtoffset)), EXCHANGE_ZONE


def _instant(seconds: int | None) -> datetime | None:
    if seconds is None or not -_MAX_SECONDS // 8 < seconds < _MAX_SECONDS:
        return None
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def _day(seconds: int | None, zone: tzinfo) -> date | None:
    instant = _instant(seconds)
    return None if instant is None else instant.astimezone(zone).date()


class _Summary(msgspec.Struct):
    result: list[dict[str, Any]] | None = None
    error: _Error | None = None


class _SummaryEnvelope(msgspec.Struct, rename={"summary": "quoteSummary"}):
    summary: _Summary | None = None
    finance: _Summary | None = None


def read_profile(reply: Reply, *, asked: str, now: datetime) -> Profile:
    """Understand a reply of the summary endpoint with the modules of a profile, or stop."""
    check_status(reply, now)
    envelope = decode(reply, _SummaryEnvelope)
    summary = envelope.summary or envelope.finance
    if summary is None or reply.status == HTTPStatus.BAD_REQUEST:
        raise refuse(reply)
    if summary.error is not None:
        raise _stop_of(summary.error, reply)
    modules = (summary.result or [{}])[0]
    price = _module(modules, "quoteType")
    if price.get("symbol") != asked:
        raise Stopped(AnswerReason.BAD_PAYLOAD, "the profile is of another symbol")
    profile = _module(modules, "assetProfile")
    kind = KINDS.get(str(price.get("quoteType")), InstrumentKind.OTHER)
    return Profile(kind, _text(price, "longName"), _text(profile, "sector"), None)


def _module(modules: dict[str, Any], name: str) -> dict[str, Any]:
    found = modules.get(name)
    return found if isinstance(found, dict) else {}


def _text(module: dict[str, Any], name: str) -> str | None:
    found = module.get(name)
    return found if isinstance(found, str) and found else None
