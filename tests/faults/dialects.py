"""The shapes in which Yahoo, Massive and FMP answer, made from one market."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
YAHOO, MASSIVE, FMP = "yahoo", "massive", "fmp"


class Asked(NamedTuple):
    """A request, understood: whose dialect, what for, and in what range."""

    dialect: str
    target: str
    symbol: str
    first: date = date.min
    last: date = date.max
    events: str = ""
    page: int = 0


_YAHOO = re.compile(r"/v8/finance/chart/([^/]+)")
_SUMMARY = re.compile(r"/v10/finance/quoteSummary/([^/]+)")
_AGGS = re.compile(r"/v2/aggs/ticker/([^/]+)/range/1/day/([\d-]+)/([\d-]+)")
_TICKER = re.compile(r"/v3/reference/tickers/([^/]+)")


def understand(target):  # noqa: PLR0911 - one for each address
    """Return what a request line asks for; None if no provider has such an address."""
    parts = urlsplit(target)
    path = unquote(parts.path)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if match := _YAHOO.fullmatch(path):
        first, last = (_date(query.get(name)) for name in ("period1", "period2"))
        return Asked(YAHOO, "bars", match[1], first, last, query.get("events", ""))
    if match := _SUMMARY.fullmatch(path):
        return Asked(YAHOO, "profile", match[1])
    if path == "/v1/test/getcrumb":
        return Asked(YAHOO, "crumb", "")
    if path in {"/", "/consent"}:
        return Asked(YAHOO, "cookie", "")
    if match := _AGGS.fullmatch(path):
        first, last = date.fromisoformat(match[2]), date.fromisoformat(match[3])
        return Asked(MASSIVE, "bars", match[1], first, last, page=int(query.get("cursor", 0)))
    if match := _TICKER.fullmatch(path):
        return Asked(MASSIVE, "profile", match[1])
    if path.startswith("/v3/reference/"):
        return Asked(MASSIVE, path.rsplit("/", 1)[1], query.get("ticker", ""))
    if path == "/stable/historical-price-eod/full":
        first, last = (date.fromisoformat(query[name]) for name in ("from", "to"))
        return Asked(FMP, "bars", query["symbol"], first, last)
    if path.startswith("/stable/"):
        return Asked(FMP, path.rsplit("/", 1)[1], query.get("symbol", ""))
    return None


def house_symbol(symbol):
    """Write a provider's symbol as the market does."""
    return re.sub(r"^([A-Z]{1,5})-([A-C])$", r"\1.\2", symbol)


def render(asked, series, rows, now):
    """Return the JSON of an answer from these rows, which a fault may have changed."""
    return _RENDERERS[asked.dialect, asked.target](asked, series, rows, now)


def _yahoo_bars(asked, series, rows, now):
    stamps = [_stamp(row.day) for row in rows]
    adjusted = [_adjusted(row, series) for row in rows]
    columns = zip(*adjusted, strict=True) if adjusted else [()] * 5
    names = ("open", "high", "low", "close", "volume")
    quote = {name: list(column) for name, column in zip(names, columns, strict=True)}
    inside = [(ex, new, old) for ex, new, old in series.splits if ex >= asked.first]
    result = {
        "meta": {
            "currency": series.currency,
            "symbol": asked.symbol,
            "instrumentType": series.kind,
            "longName": series.name,
            "firstTradeDate": _stamp(series.rows[0].day),
            "regularMarketTime": int(now.timestamp()),
            "gmtoffset": -18000,
            "exchangeTimezoneName": "America/New_York",
            "validRanges": ["1d", "max"],
        },
        "timestamp": stamps,
        "events": {
            "dividends": {
                str(_stamp(ex)): {"amount": cash / series.adjustment(ex), "date": _stamp(ex)}
                for ex, cash in series.dividends
                if ex >= asked.first
            },
            "capitalGains": {
                str(_stamp(ex)): {"amount": cash / series.adjustment(ex), "date": _stamp(ex)}
                for ex, cash in series.gains
                if ex >= asked.first and "capitalGains" in asked.events
            },
            "splits": {
                str(_stamp(ex)): {"date": _stamp(ex), "numerator": new, "denominator": old}
                for ex, new, old in inside
            },
        },
        "indicators": {"quote": [quote if rows else {}], "adjclose": [{"adjclose": []}]},
    }
    if not rows:
        del result["timestamp"]
    return {"chart": {"result": [result], "error": None}}


def _yahoo_profile(asked, series, _rows, _now):
    modules = {
        "quoteType": {
            "symbol": asked.symbol, "quoteType": series.kind, "longName": series.name,
        },
        "assetProfile": {"sector": series.sector},
    }  # fmt: skip
    return {"quoteSummary": {"result": [modules], "error": None}}


def _massive_bars(asked, series, rows, _now):
    del series
    listed = [
        {"t": _midnight_ms(row.day), "o": row.open, "h": row.high, "l": row.low, "c": row.close,
         "v": row.volume}
        for row in rows
    ]  # fmt: skip
    page = {"ticker": asked.symbol, "queryCount": len(rows), "resultsCount": len(rows)}
    page |= {"adjusted": False, "status": "OK", "request_id": "1"}
    return page | ({"results": listed, "count": len(rows)} if rows else {})


def _massive_splits(asked, series, _rows, _now):
    results = [
        {"ticker": asked.symbol, "execution_date": str(ex), "split_from": old, "split_to": new}
        for ex, new, old in series.splits
    ]
    return {"results": results, "status": "OK"}


def _massive_dividends(asked, series, _rows, _now):
    results = [
        {"ticker": asked.symbol, "ex_dividend_date": str(ex), "cash_amount": cash}
        for ex, cash in series.dividends
    ]
    return {"results": results, "status": "OK"}


def _massive_profile(asked, series, _rows, _now):
    kind = {"EQUITY": "CS", "ETF": "ETF"}[series.kind]
    details = {"ticker": asked.symbol, "name": series.name, "type": kind, "currency_name": "usd"}
    return {"results": details, "status": "OK"}


def _fmp_bars(asked, series, rows, _now):
    names = ("open", "high", "low", "close", "volume")
    return [
        {"symbol": asked.symbol, "date": _text(row.day)}
        | dict(zip(names, _adjusted(row, series), strict=True))
        for row in reversed(rows)
    ]


def _fmp_splits(asked, series, _rows, _now):
    return [
        {"symbol": asked.symbol, "date": str(ex), "numerator": new, "denominator": old}
        for ex, new, old in series.splits
    ]


def _fmp_dividends(asked, series, _rows, _now):
    return [
        {"symbol": asked.symbol, "date": str(ex), "dividend": cash,
         "adjDividend": cash / series.adjustment(ex)}
        for ex, cash in series.dividends
    ]  # fmt: skip


def _fmp_profile(asked, series, _rows, _now):
    one = {"symbol": asked.symbol, "companyName": series.name, "sector": series.sector}
    return [one | {"currency": series.currency, "isEtf": series.kind == "ETF", "isFund": False}]


_RENDERERS = {
    (YAHOO, "bars"): _yahoo_bars,
    (YAHOO, "profile"): _yahoo_profile,
    (MASSIVE, "bars"): _massive_bars,
    (MASSIVE, "splits"): _massive_splits,
    (MASSIVE, "dividends"): _massive_dividends,
    (MASSIVE, "profile"): _massive_profile,
    (FMP, "bars"): _fmp_bars,
    (FMP, "splits"): _fmp_splits,
    (FMP, "dividends"): _fmp_dividends,
    (FMP, "profile"): _fmp_profile,
}


def _adjusted(row, series):
    """Put a row in the terms of today, as far as its values are numbers."""
    factor = series.adjustment(row.day) if isinstance(row.day, date) else 1.0
    prices = [value / factor if isinstance(value, float) else value for value in row[1:5]]
    return [*prices, row.volume * factor if isinstance(row.volume, float) else row.volume]


def _date(seconds):
    if seconds is None:
        return date.min
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(seconds))).date()


def _stamp(day):
    """Return the seconds of the opening bell; what is no date stays as it is."""
    if not isinstance(day, date):
        return day
    return int(datetime.combine(day, time(9, 30), NEW_YORK).timestamp())


def _midnight_ms(day):
    if not isinstance(day, date):
        return day
    return int(datetime.combine(day, time(), NEW_YORK).timestamp()) * 1000


def _text(day):
    return day.isoformat() if isinstance(day, date) else "0000-00-00"
