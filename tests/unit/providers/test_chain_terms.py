"""No chain of answers can store a bar in other terms than those that are known."""

import math
from datetime import UTC, date, datetime, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.faults.quota import FastTime
from tests.market import CALENDAR
from tests.support import DATABASE_EXAMPLES

from riskmark.intake.market_data import Action, ActionKind
from riskmark.providers.chain import collect
from riskmark.providers.checking import Checker, RawAnswer, RawBar
from riskmark.providers.limits import Budget
from riskmark.providers.outcomes import Stopped
from riskmark.providers.port import Answer, Wanted

NOW = datetime(2024, 3, 8, 22, tzinfo=UTC)
CHECKER = Checker(CALENDAR, timedelta(minutes=30), lambda: NOW)
LAST = CALENDAR.on_or_before(date(2024, 3, 8))
COUNT = 24
DAYS = CALENDAR.sessions[LAST - COUNT + 1 : LAST + 1]

places = st.integers(0, COUNT - 1)
days = st.sets(places, max_size=COUNT)
# All of one direction: a split and its undoing by the next are a move that nobody sees.
splits = st.dictionaries(places, st.sampled_from([1.5, 2.0, 3.0, 4.0, 10.0]), max_size=3)


class Seller:
    """A provider that forgets to name some splits, or to apply some, or neither."""

    def __init__(self, name, truth, *, has, forgets=(), applies_not=()):
        self.name = self.domain = name
        listed = {ex: ratio for ex, ratio in truth.items() if ex not in forgets}
        applied = {ex: ratio for ex, ratio in truth.items() if ex not in applies_not}
        self.rows = [
            RawBar(DAYS[n], None, None, None, close(truth, n) / later(applied, n), None)
            for n in sorted(has)
        ]
        self.actions = actions(listed)

    def fetch(self, wanted):
        rows = tuple(row for row in self.rows if wanted.first <= row.day <= wanted.last)
        raw = RawAnswer("AAA", "AAA", rows, self.actions, is_adjusted=True)
        try:
            return CHECKER.check(raw, wanted)
        except Stopped as stop:
            return Answer(wanted.symbol, stop.outcome)


def later(ratios, place):
    """Multiply the ratios of the splits after a session."""
    return math.prod(ratio for ex, ratio in ratios.items() if ex > place)


def close(truth, place):
    """Return what was traded: a gentle walk, in the shares of the session."""
    return (100.0 + 3.0 * math.sin(place)) * later(truth, place)


def actions(ratios):
    return tuple(Action("AAA", DAYS[ex], ActionKind.SPLIT, r) for ex, r in sorted(ratios.items()))


@st.composite
def markets(draw):
    """Draw splits, what is stored, and up to three providers with faults of one kind each.

    Where nothing is stored, the first provider is right in what it has: of one answer alone
    nobody can tell.
    """
    truth = draw(splits)
    known = draw(days)
    sellers = []
    for number in range(draw(st.integers(1, 3))):
        is_right = number == 0 and not known
        has = draw(days if not is_right else days.filter(len))
        lost = set() if is_right or not truth else draw(st.sets(st.sampled_from(sorted(truth))))
        fault = draw(st.sampled_from(["forgets", "applies_not"]))
        sellers.append(Seller(str(number), truth, has=has, **{fault: lost}))
    return truth, known, sellers


# Each example asks a chain of providers, which takes as long as one with a database.
enough = settings(max_examples=2 * DATABASE_EXAMPLES)


@enough
@given(markets())
@example(
    (
        {2: 4.0},
        {0},
        [Seller("0", {2: 4.0}, has={0, *range(2, 9)}), Seller("1", {2: 4.0}, has={*range(24)})],
    )
)
@example(({2: 4.0}, {0, *range(2, 9)}, [Seller("0", {2: 4.0}, has={*range(24)}, forgets={2})]))
@example(
    (
        {1: 1.5, 2: 1.5},
        {1},
        [Seller("0", {1: 1.5, 2: 1.5}, has={*range(24)}, forgets={1})],
    )
)
@example(
    (
        {0: 1.5, 2: 1.5, 3: 1.5},
        {0, 2},
        [Seller("0", {0: 1.5, 2: 1.5, 3: 1.5}, has={*range(24)}, forgets={2})],
    )
)
def test_no_chain_of_answers_stores_a_bar_in_other_terms(market):
    truth, known, sellers = market
    stored = {DAYS[n]: close(truth, n) for n in known}
    recorded = actions(truth) if known else ()
    wanted = Wanted("AAA", DAYS[0], DAYS[-1], known=stored, splits=recorded)

    found = collect(wanted, sellers, checker=CHECKER, budget=Budget(60.0, FastTime()))

    for part in found.parts:
        for day, price in zip(part.bars.session.tolist(), part.bars.close.tolist(), strict=True):
            assert math.isclose(price, close(truth, DAYS.index(day)), rel_tol=1e-9)
    assert set(found.missing).isdisjoint(
        {*stored, *(day for part in found.parts for day in part.bars.session.tolist())}
    )
    assert all(said.outcome.reason != "ok" for said in found.said) or not found.missing
    named = {(action.ex_date, action.value) for action in found.actions}
    assert named <= {(action.ex_date, action.value) for action in actions(truth)}


@enough
@given(markets())
def test_with_a_provider_that_is_right_nothing_that_it_has_is_missing(market):
    truth, known, sellers = market
    stored = {DAYS[n]: close(truth, n) for n in known}
    right = Seller("right", truth, has=set(range(COUNT)))
    wanted = Wanted("AAA", DAYS[0], DAYS[-1], known=stored, splits=actions(truth))

    found = collect(wanted, [*sellers, right], checker=CHECKER, budget=Budget(60.0, FastTime()))

    assert found.missing == ()
