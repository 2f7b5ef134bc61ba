"""What happens on a simulated exchange, and what a provider knows of it on each evening.

Everything follows from a seed: prices, splits and dividends, and which of them become known
late; closes that are wrong at first; net asset values of funds that come a session or more
later; nights on which providers fail.
"""

from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
from tests.faults.dialects import FMP, MASSIVE, YAHOO
from tests.faults.provider_faults import FAULTS
from tests.faults.quotes import Series, make_series

LATEST = 9
"""Sessions after which news is out at the latest: what is asked for again reaches so far."""
CALM = 14
"""Last nights on which nothing new goes wrong, so that all that did can end."""
RATIOS = ((2.0, 1.0), (3.0, 1.0), (4.0, 1.0), (1.0, 10.0), (3.0, 2.0))
OUTAGES = (
    "500",
    "429",
    "429, retry after a year",
    "connection reset",
    "consent page",
    "empty body",
    "no rows",
    "the last row missing",
    "all closes null",
    "another symbol",
)
HOSTS = ((YAHOO,), (YAHOO,), (YAHOO, MASSIVE), (MASSIVE,), (FMP,), (YAHOO, MASSIVE, FMP))


@dataclass(frozen=True)
class Symbol:
    """A symbol as it truly was, and from when on each part of that is known.

    ``wrong``: by session, what its close is multiplied by until a date. ``late``: by session
    of a fund, when its net asset value comes.
    """

    truth: Series
    known: dict[tuple[date, str], date] = field(default_factory=dict)
    wrong: dict[date, tuple[float, date]] = field(default_factory=dict)
    late: dict[date, date] = field(default_factory=dict)

    @property
    def is_fund(self):
        """Whether it has net asset values instead of trades."""
        return self.truth.kind == "MUTUALFUND"

    def seen(self, day):
        """Return what a provider knows of it on the evening of ``day``."""
        rows = self.truth.rows
        if any(until > day for _, until in self.wrong.values()):
            rows = tuple(self._given(row, day) for row in rows)
        if any(until > day for until in self.late.values()):
            rows = tuple(row for row in rows if self.late.get(row.day, row.day) <= day)
        splits = tuple(one for one in self.truth.splits if self._is_known(one[0], "split", day))
        paid = tuple(one for one in self.truth.dividends if self._is_known(one[0], "dividend", day))
        return replace(self.truth, rows=rows, splits=splits, dividends=paid)

    def _is_known(self, ex, kind, day):
        return self.known.get((ex, kind), ex) <= day

    def _given(self, row, day):
        factor, until = self.wrong.get(row.day, (1.0, day))
        return row if until <= day else _scaled(row, factor)


def before_the_close(series, day):
    """Return a series whose newest row is of the open session: a trade, and no close."""
    if series.kind == "MUTUALFUND":
        return replace(series, rows=tuple(row for row in series.rows if row.day < day))
    rows = tuple(_scaled(row, 1.013) if row.day == day else row for row in series.rows)
    return replace(series, rows=rows)


def _scaled(row, factor):
    names = ("open", "high", "low", "close")
    return row._replace(**{name: getattr(row, name) * factor for name in names})


def draw_symbol(seed, sessions, nights, *, kind, half_days):
    """Draw all that happens to one symbol; ``nights`` are those on which it may go wrong."""
    rng = np.random.default_rng(seed)
    years = len(nights) / 252
    calm = nights[: max(0, len(nights) - CALM)]

    def later(day, *, at_most=LATEST):
        place = sessions.index(day) + int(rng.integers(1, at_most + 1))
        return sessions[place]

    splits = ()
    if kind != "MUTUALFUND":
        days = _some(rng, calm, rng.poisson(0.35 * years))
        splits = tuple((day, *RATIOS[rng.integers(len(RATIOS))]) for day in days)
    dividends = tuple(
        (day, float(rng.uniform(0.1, 1.5))) for day in _some(rng, calm, rng.poisson(2 * years))
    )
    events = [(one[0], "split") for one in splits] + [(one[0], "dividend") for one in dividends]
    known = {event: later(event[0]) for event in events if rng.random() < 0.4}
    wrong = {day: (_error(rng), later(day)) for day in _some(rng, calm, rng.poisson(3 * years))}
    late = {}
    if kind == "MUTUALFUND":
        late = {
            day: later(day, at_most=1 if rng.random() < 0.8 else 4)
            for day in calm
            if day in half_days or rng.random() < 0.3
        }
    truth = make_series(
        sessions,
        seed=seed,
        price=float(rng.uniform(20, 300)),
        splits=splits,
        dividends=dividends,
        kind=kind,
    )
    return Symbol(truth, known, wrong, late)


def _some(rng, days, count):
    places = rng.choice(len(days), size=min(int(count), len(days)), replace=False)
    return [days[place] for place in sorted(places.tolist())]


def _error(rng):
    """Draw a slip: mostly small, now and then one that looks like a split."""
    return 0.5 if rng.random() < 0.1 else float(1 + rng.choice([-1, 1]) * rng.uniform(1e-4, 0.03))


def draw_outages(rng, nights):
    """Draw the nights on which providers fail, and how: a fault and the requests it meets."""
    faults = {fault.name: fault for fault in FAULTS}
    found = {}
    place = int(rng.integers(3, 12))
    while place < len(nights) - CALM:
        fault = faults[str(rng.choice(OUTAGES))]
        hosts = HOSTS[rng.integers(len(HOSTS))]
        length = int(rng.integers(8, 13)) if rng.random() < 0.1 else int(rng.integers(1, 4))
        at = set(rng.integers(0, 30, size=6).tolist()) if rng.random() < 0.3 else None
        for night in nights[place : min(place + length, len(nights) - CALM)]:
            found[night] = (replace(fault, dialects=hosts), at)
        place += length + int(rng.integers(4, 20))
    return found
