"""What a provider can do to its customers: each fault by name, in each one's own words.

A fault changes the rows, the JSON, the whole reply, or how the reply goes over the wire.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

from tests.faults.dialects import FMP, MASSIVE, YAHOO

ALL = (YAHOO, MASSIVE, FMP)
AT_YAHOO, AT_MASSIVE, AT_FMP = (YAHOO,), (MASSIVE,), (FMP,)


class Raw(NamedTuple):
    """A reply to be sent as it is."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}


@dataclass(frozen=True)
class Fault:
    """What happens to replies of one target; ``dialects`` says whose."""

    name: str
    rows: Callable[[list[Any], Any], list[Any]] | None = None
    payload: Callable[[Any, str], Any] | None = None
    reply: Mapping[str, Raw] | Raw | None = None
    wire: str = ""
    target: str = "bars"
    dialects: tuple[str, ...] = field(default=ALL)

    def raw(self, dialect):
        """Return the reply that takes the place of the right one; None if none does."""
        return self.reply.get(dialect) if isinstance(self.reply, dict) else self.reply


def _json(status, value, **headers):
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    body = json.dumps(value).encode()
    return Raw(status, body, {"Content-Type": "application/json"} | names)


def _text(status, text, **headers):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Raw(status, text.encode(), {"Content-Type": "text/html"} | names)


def _chart(code, description):
    return {"chart": {"result": None, "error": {"code": code, "description": description}}}


def _massive(status, **said):
    return {"status": status, "request_id": "1", **said}


def _fmp(text):
    return {"Error Message": text}


def too_many(**headers):
    return {
        YAHOO: _text(429, "Too Many Requests\r\n", **headers),
        MASSIVE: _json(
            429,
            _massive("ERROR", error="You've exceeded the maximum requests per minute"),
            **headers,
        ),
        FMP: _text(429, "Too Many Requests", **headers),
    }


def _change(**values):
    """Change one row in the middle."""

    def changed(rows, _now):
        rows = list(rows)
        place = len(rows) // 2
        rows[place] = rows[place]._replace(**values)
        return rows

    return changed


def _newest(factor):
    """Multiply all prices of the newest row of a day that is over."""
    names = ("open", "high", "low", "close")

    def changed(rows, now):
        newest = max((row.day for row in rows if row.day < now.date()), default=None)
        return [
            row._replace(**{name: getattr(row, name) * factor for name in names})
            if row.day == newest
            else row
            for row in rows
        ]

    return changed


def _every(**values):
    return lambda rows, _now: [row._replace(**values) for row in rows]


def _added(days):
    """Add a row that many days after the last, or on the session that is open."""

    def changed(rows, now):
        day = now.date() if days == 0 else now.date() + timedelta(days=days)
        return [*rows, rows[-1]._replace(day=day, close=rows[-1].close * 1.5)]

    return changed


def _twice(factor):
    def changed(rows, _now):
        again = rows[len(rows) // 2]
        other = {name: getattr(again, name) * factor for name in ("open", "high", "low", "close")}
        return sorted([*rows, again._replace(**other)], key=lambda row: row.day)

    return changed


def _without_last(rows, now):
    return [row for row in rows if row.day < now.date()][:-1]


def _early(result):
    """Let the last finished session be answered for as it was an hour after the opening."""
    result["meta"]["regularMarketTime"] = result["timestamp"][-2] + 3600


def _weekend(rows, _now):
    friday = next(row for row in rows if row.day.weekday() == 4)
    return [*rows, friday._replace(day=friday.day + timedelta(days=1))]


def _scaled(rows, _now):
    names = ("open", "high", "low", "close")
    return [row._replace(**{name: getattr(row, name) * 2 for name in names}) for row in rows]


def _echo(payload, dialect):
    """Answer for another symbol."""
    if dialect == YAHOO:
        payload["chart"]["result"][0]["meta"]["symbol"] = "ZZZ"
    elif dialect == MASSIVE:
        payload["ticker"] = "ZZZ"
    else:
        payload = [row | {"symbol": "ZZZ"} for row in payload]
    return payload


def _yahoo(change):
    def changed(payload, _dialect):
        change(payload["chart"]["result"][0])
        return payload

    return changed


def _impossible_split(result):
    split = {"date": 1716300000, "numerator": 0.0, "denominator": 1.0}
    result["events"]["splits"] = {"1716300000": split}


def _without_splits(payload, _dialect):
    payload["chart"]["result"][0]["events"]["splits"] = {}
    return payload


_NO_SPLITS = {MASSIVE: _json(200, {"status": "OK", "results": []}), FMP: _json(200, [])}
_DATA = "Your plan doesn't include this data timeframe."
_SPECIAL = "Premium Query Parameter: 'Special Endpoint : This value set for 'symbol' is not ..."
_RESTRICTED = "Restricted Endpoint: This endpoint is not available under your subscription"
_ENTITLED = "You are not entitled to this data."
_TODAY = "Attempted to request today's data before end of day."
_LEGACY = "Legacy Endpoint : Due to Legacy endpoints being no longer supported"
_GONE = "No data found, symbol may be delisted"
_CRUMB = {
    "finance": {"result": None, "error": {"code": "Unauthorized", "description": "Invalid Crumb"}}
}
_CONSENT = "<html><form action='/v2/collectConsent'><input name='csrfToken'></form></html>"
_ZZZ = {"symbol": "ZZZ", "date": "2024-01-05", "numerator": 2, "denominator": 1}

FAULTS = (
    Fault("429", reply=too_many()),
    Fault("429, retry after 1 s", reply=too_many(Retry_After="1")),
    Fault("429, retry after a year", reply=too_many(Retry_After="31536000")),
    Fault("429, retry after nonsense", reply=too_many(Retry_After="soon")),
    Fault(
        "429 of the day", reply=_json(429, _fmp("Limit Reach . Please upgrade")), dialects=AT_FMP
    ),
    Fault("limit with status 200", reply=_json(200, _fmp("Limit Reach .")), dialects=AT_FMP),
    Fault(
        "401",
        reply={
            YAHOO: _json(401, _CRUMB),
            MASSIVE: _json(401, _massive("ERROR", error="Unknown API Key")),
            FMP: _json(401, _fmp("Invalid API KEY. Please retry")),
        },
    ),
    Fault(
        "402",
        reply={YAHOO: _text(402, "Pay"), MASSIVE: _text(402, "Pay"), FMP: _text(402, _RESTRICTED)},
    ),
    Fault("402 for the symbol", reply=_text(402, _SPECIAL), dialects=AT_FMP),
    Fault(
        "403",
        reply={
            YAHOO: _text(403, "Forbidden"),
            MASSIVE: _json(403, _massive("NOT_AUTHORIZED", message=_ENTITLED)),
            FMP: _json(403, _fmp(_LEGACY)),
        },
    ),
    Fault(
        "403 for the time",
        reply=_json(403, _massive("NOT_AUTHORIZED", message=_DATA)),
        dialects=AT_MASSIVE,
    ),
    Fault(
        "403 for today",
        reply=_json(403, _massive("NOT_AUTHORIZED", message=_TODAY)),
        dialects=AT_MASSIVE,
    ),
    Fault(
        "404",
        reply={
            YAHOO: _json(404, _chart("Not Found", _GONE)),
            MASSIVE: _json(404, _massive("NOT_FOUND", message="Ticker not found.")),
            FMP: _json(404, {}),
        },
    ),
    Fault("404 in HTML", reply=_text(404, "<html>not here</html>")),
    Fault(
        "not found with status 200", reply=_json(200, _chart("Not Found", _GONE)), dialects=AT_YAHOO
    ),
    Fault("400", reply=_text(400, "Bad Request")),
    Fault(
        "400, no data for the dates",
        reply=_json(400, _chart("Bad Request", "Data doesn't exist for startDate = 1")),
        dialects=AT_YAHOO,
    ),
    Fault("500", reply=_text(500, "oops")),
    Fault("502 in HTML", reply=_text(502, "<html>Bad Gateway</html>")),
    Fault("503, retry after 1 s", reply=_text(503, "busy", Retry_After="1")),
    Fault("redirect elsewhere", reply=Raw(302, b"", {"Location": "http://127.0.0.1:9/consent"})),
    Fault("status 204", reply=Raw(204, b"")),
    Fault(
        "error with status 200",
        reply={
            YAHOO: _json(200, _chart("Internal", "something")),
            MASSIVE: _json(200, _massive("ERROR", error="something")),
            FMP: _json(200, _fmp("something")),
        },
    ),
    Fault("consent page", reply=_text(200, _CONSENT)),
    Fault("will be right back", reply=_text(200, "<h1>Will be right back</h1>"), dialects=AT_YAHOO),
    Fault("empty body", reply=Raw(200, b"")),
    Fault("null", reply=_json(200, None)),
    Fault("another shape", reply=_json(200, {"data": [1, 2]})),
    Fault("deep nesting", reply=Raw(200, b"[" * 100_000)),
    Fault("not UTF-8", reply=Raw(200, b'{"chart": "\xff\xfe"}')),
    Fault("JSON cut in the middle", wire="cut"),
    Fault("transfer cut in the middle", wire="truncate"),
    Fault("no gzip, though it says so", wire="gzip"),
    Fault("connection reset", wire="reset"),
    Fault("a long silence", wire="delay"),
    Fault("byte by byte", wire="drip"),
    Fault("headers one by one", wire="drip headers"),
    Fault("a body without end", wire="endless"),
    Fault("a gzip bomb", wire="bomb"),
    Fault("packed as nobody asked for", wire="snappy"),
    Fault("another symbol", payload=_echo),
    Fault("no rows", rows=lambda _rows, _now: []),
    Fault("some rows missing", rows=lambda rows, _now: rows[:5] + rows[9:]),
    Fault("the last row missing", rows=_without_last),
    Fault("newest first", rows=lambda rows, _now: rows[::-1]),
    Fault("a row twice", rows=_twice(1.0)),
    Fault("a row twice, differing", rows=_twice(1.1)),
    Fault("a close of null", rows=_change(close=None)),
    Fault("a row of nulls", rows=_change(open=None, high=None, low=None, close=None, volume=None)),
    Fault("all closes null", rows=_every(close=None)),
    Fault("a close of NaN", rows=_change(close=float("nan"))),
    Fault("a close of infinity", rows=_change(close=float("inf"))),
    Fault("a negative close", rows=_change(close=-50.0, low=-51.0)),
    Fault("a close of zero", rows=_change(close=0.0, low=0.0)),
    Fault("an absurd close", rows=_change(open=1e12, high=1e12, low=1e12, close=1e12)),
    Fault("a close outside low and high", rows=_change(low=1.0, high=2.0)),
    Fault("low above high", rows=_change(low=900.0, high=1.0)),
    Fault("a close in text", rows=_change(close="12.5")),
    Fault("a negative volume", rows=_change(volume=-1.0)),
    Fault("a row of the open session", rows=_added(0)),
    Fault("rows of the future", rows=_added(30)),
    Fault("a row on a Saturday", rows=_weekend),
    Fault("a row without a date", rows=_change(day=10**17)),
    Fault("a row of the year 9999", rows=_change(day=date(9999, 12, 31))),
    Fault("all prices doubled", rows=_scaled),
    Fault("the newest bar times 100", rows=_newest(100.0)),
    Fault("the newest bar by seven", rows=_newest(1 / 7)),
    Fault("a split is forgotten", payload=_without_splits, dialects=AT_YAHOO),
    Fault("splits are forgotten", reply=_NO_SPLITS, target="splits", dialects=(MASSIVE, FMP)),
    Fault(
        "prices in pence",
        payload=_yahoo(lambda r: r["meta"].update(currency="GBp")),
        dialects=AT_YAHOO,
    ),
    Fault(
        "columns of different lengths",
        payload=_yahoo(lambda r: r["timestamp"].pop()),
        dialects=AT_YAHOO,
    ),
    Fault(
        "no time zone",
        payload=_yahoo(lambda r: r["meta"].pop("exchangeTimezoneName")),
        dialects=AT_YAHOO,
    ),
    Fault("an impossible split", payload=_yahoo(_impossible_split), dialects=AT_YAHOO),
    Fault(
        "row from before the close",
        payload=_yahoo(_early),
        dialects=AT_YAHOO,
    ),
    Fault(
        "crumb refused",
        reply=_text(429, "Too Many Requests\r\n"),
        target="crumb",
        dialects=AT_YAHOO,
    ),
    Fault("crumb in HTML", reply=_text(200, "<html>no</html>"), target="crumb", dialects=AT_YAHOO),
    Fault("crumb connection reset", wire="reset", target="crumb", dialects=AT_YAHOO),
    Fault("cookie page fails", reply=_text(500, "no"), target="cookie", dialects=AT_YAHOO),
    Fault("adjusted bars", payload=lambda p, _d: p | {"adjusted": True}, dialects=AT_MASSIVE),
    Fault(
        "fewer bars than it says",
        payload=lambda p, _d: p | {"resultsCount": 9999},
        dialects=AT_MASSIVE,
    ),
    Fault(
        "pages without end",
        payload=lambda p, _d: (
            p
            | {
                "next_url": "https://elsewhere.test/v2/aggs/ticker/AAA/range/1/day/2024-01-02/2024-01-03?cursor=1"
            }
        ),
        dialects=AT_MASSIVE,
    ),
    Fault("splits fail", reply=_text(500, "no"), target="splits", dialects=(MASSIVE, FMP)),
    Fault(
        "dividends not in plan",
        reply={
            MASSIVE: _json(403, _massive("NOT_AUTHORIZED", message=_ENTITLED)),
            FMP: _text(402, _RESTRICTED),
        },
        target="dividends",
        dialects=(MASSIVE, FMP),
    ),
    Fault(
        "splits of another symbol",
        reply={
            MASSIVE: _json(
                200,
                {
                    "status": "OK",
                    "results": [
                        {
                            "ticker": "ZZZ",
                            "execution_date": "2024-01-05",
                            "split_from": 1,
                            "split_to": 2,
                        }
                    ],
                },
            ),
            FMP: _json(200, [_ZZZ]),
        },
        target="splits",
        dialects=(MASSIVE, FMP),
    ),
)
"""Every fault, in the order in which the page shows them."""
