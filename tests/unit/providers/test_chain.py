"""The chain of providers: only what is missing, nothing spliced, a reason from each."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from tests.faults.quota import FastTime, MemoryQuota
from tests.market import CALENDAR

from riskmark.domain.rate_limits import Limits
from riskmark.domain.reasons import AnswerReason
from riskmark.intake.market_data import Action, ActionKind
from riskmark.providers.chain import ATTEMPTS, ask, collect
from riskmark.providers.checking import Checker, RawAnswer, RawBar
from riskmark.providers.limits import FAILURES_TO_OPEN, Budget, Gate
from riskmark.providers.outcomes import Outcome, Stopped
from riskmark.providers.port import Answer, Wanted

NOW = datetime(2024, 3, 8, 22, tzinfo=UTC)
CHECKER = Checker(CALENDAR, timedelta(minutes=30), lambda: NOW)
LAST = CALENDAR.on_or_before(date(2024, 3, 8))
DAYS = CALENDAR.sessions[LAST - 19 : LAST + 1]
WANTED = Wanted("AAA", DAYS[0], DAYS[-1])
_R = AnswerReason


class Shelf:
    """A provider that has these closes and notes what it was asked."""

    def __init__(self, name, closes=(), *, fails=(), domain=None, actions=()):
        self.name, self.domain = name, domain or name
        self.closes, self.actions = dict(closes), actions
        self.fails = list(fails)
        self.asked = []

    def fetch(self, wanted):
        self.asked.append(wanted)
        if self.fails:
            return Answer(wanted.symbol, self.fails.pop(0))
        days = [day for day in self.closes if wanted.first <= day <= wanted.last]
        rows = tuple(RawBar(day, None, None, None, self.closes[day], None) for day in days)
        raw = RawAnswer("AAA", "AAA", rows, self.actions, is_adjusted=False)
        return CHECKER.check(raw, wanted)


def closes(days=DAYS, factor=1.0):
    return {day: (100.0 + place) * factor for place, day in enumerate(DAYS) if day in days}


def collected(*providers, wanted=WANTED):
    return collect(wanted, providers, checker=CHECKER, budget=Budget(60.0, FastTime()))


def stored(found):
    """Return the closes of all parts and who gave each."""
    return {
        day: (part.provider, close)
        for part in found.parts
        for day, close in zip(part.bars.session.tolist(), part.bars.close.tolist(), strict=True)
    }


def reasons(found):
    return [(said.provider, said.outcome.reason) for said in found.said]


def test_the_second_provider_is_not_asked_when_the_first_has_all():
    one, two = Shelf("one", closes()), Shelf("two", closes())

    found = collected(one, two)

    assert found.is_complete
    assert len(one.asked) == 1
    assert two.asked == []


def test_only_what_is_missing_goes_to_the_next_with_some_sessions_to_compare():
    gap = DAYS[9:11]
    one = Shelf("one", closes([day for day in DAYS if day not in gap]))
    two = Shelf("two", closes())

    found = collected(one, two)

    assert found.is_complete
    assert (two.asked[0].first, two.asked[0].last) == (DAYS[4], DAYS[15])
    assert {day for day, (name, _) in stored(found).items() if name == "two"} == set(gap)


def test_a_provider_in_other_terms_is_not_spliced():
    gap = DAYS[9:11]
    one = Shelf("one", closes([day for day in DAYS if day not in gap]))
    two = Shelf("two", closes(factor=0.25))
    three = Shelf("three", closes())

    found = collected(one, two, three)

    assert reasons(found) == [
        ("one", _R.PARTIAL), ("two", _R.BAD_PAYLOAD), ("three", _R.OK),
    ]  # fmt: skip
    assert {name for name, _ in stored(found).values()} == {"one", "three"}


def test_bars_in_other_terms_than_the_stored_ones_are_not_taken():
    known = closes(DAYS[:10])
    one = Shelf("one", closes(factor=0.5))

    found = collected(one, wanted=replace(WANTED, known=known))

    assert found.parts == ()
    assert found.missing == DAYS[10:]
    assert "10 of 10" in found.said[0].outcome.detail


def test_one_corrected_close_among_the_stored_ones_is_taken():
    known = closes(DAYS[:10]) | {DAYS[3]: 90.0}
    one = Shelf("one", closes())

    found = collected(one, wanted=replace(WANTED, known=known))

    assert found.is_complete
    assert stored(found)[DAYS[3]] == ("one", 103.0)


def test_a_symbol_that_nobody_has_has_a_reason_from_each():
    outcomes = [_R.UNKNOWN_SYMBOL, _R.BAD_PAYLOAD, _R.SYMBOL_NOT_IN_PLAN, _R.AUTH]
    shelves = [Shelf(str(n), fails=[Outcome(reason)]) for n, reason in enumerate(outcomes)]

    found = collected(*shelves)

    assert [reason for _, reason in reasons(found)] == outcomes
    assert found.missing == DAYS


def test_a_host_that_refused_one_client_is_not_asked_by_the_other():
    refused = Outcome(_R.RATE_LIMITED, "too many", datetime(2099, 1, 1, tzinfo=UTC))
    one, two = Shelf("one", fails=[refused], domain="yahoo"), Shelf("two", domain="yahoo")
    three = Shelf("three", closes())

    found = collected(one, two, three)

    assert two.asked == []
    assert reasons(found)[1] == ("two", _R.TRANSIENT)
    assert found.is_complete


def test_what_a_provider_said_lately_of_a_symbol_is_believed():
    one, two = Shelf("one", closes()), Shelf("two", closes())
    believed = {"one": Outcome(_R.UNKNOWN_SYMBOL)}

    found = collected(one, two, wanted=replace(WANTED, believed=believed))

    assert one.asked == []
    assert reasons(found) == [("one", _R.UNKNOWN_SYMBOL), ("two", _R.OK)]


def test_an_action_that_both_name_on_dates_close_by_counts_once():
    dividend = Action("AAA", DAYS[9], ActionKind.DIVIDEND, 1.0)
    gap = DAYS[9:11]
    kept = closes([day for day in DAYS if day not in gap])
    one = Shelf("one", kept, actions=(replace(dividend, ex_date=DAYS[8]),))
    two = Shelf("two", closes(), actions=(dividend,))

    assert len(collected(one, two).actions) == 1
    assert len(collected(Shelf("one", kept), two).actions) == 1


def test_what_may_pass_is_asked_for_again_and_not_more_than_three_times():
    time = FastTime()
    budget = Budget(60.0, time)
    passing = Shelf("one", closes(), fails=[Outcome(_R.TRANSIENT)] * 2)
    lasting = Shelf("two", closes(), fails=[Outcome(_R.TRANSIENT)] * 9)

    answers = ask(passing, WANTED, budget), ask(lasting, WANTED, budget)

    assert [answer.outcome.reason for answer in answers] == [_R.OK, _R.TRANSIENT]
    assert (len(passing.asked), len(lasting.asked)) == (3, ATTEMPTS)


@pytest.mark.parametrize(("wait_s", "count"), [(2, 2), (60, 1)])
def test_a_provider_that_names_a_time_is_waited_for_if_it_is_near(wait_s, count):
    time = FastTime()
    until = time.now() + timedelta(seconds=wait_s)
    shelf = Shelf("one", closes(), fails=[Outcome(_R.RATE_LIMITED, "", until)])

    ask(shelf, WANTED, Budget(600.0, time))

    assert len(shelf.asked) == count
    assert (time.ahead >= 1.9) == (count == 2)


def gate(limits=Limits(), *, budget_s=60.0, store=None):  # noqa: B008 - it is frozen
    return Gate("fmp", limits, store or MemoryQuota(), Budget(budget_s, FastTime()))


def test_a_gate_waits_for_the_limit_of_a_minute_within_the_run_s_time():
    patient, hurried = gate(Limits(per_minute=2), budget_s=600.0), gate(Limits(per_minute=2))
    for _ in range(4):
        patient.admit()
    hurried.admit()
    hurried.admit()

    with pytest.raises(Stopped) as stopped:
        hurried.admit()

    assert patient.budget.time.ahead > 60
    assert stopped.value.outcome.reason is _R.RATE_LIMITED


def test_our_own_limit_leaves_the_circuit_as_it_is_for_other_processes():
    store = MemoryQuota()
    hurried = gate(Limits(per_minute=1), store=store, budget_s=5.0)
    hurried.admit()
    with pytest.raises(Stopped) as stopped:
        hurried.admit()

    hurried.report(stopped.value.outcome)

    assert store.states["fmp"].open_until is None
    assert store.states["fmp"].failures == 0


def test_a_wait_for_a_limit_is_told_with_its_end():
    waiting, told = gate(Limits(per_minute=1), budget_s=300.0), []
    waiting.budget.tell = told.append

    waiting.admit()
    waiting.admit()

    assert len(told) == 1
    assert told[0].startswith("waiting for fmp's limit until ")


def test_when_the_run_s_time_is_over_nothing_is_asked():
    closed = gate(budget_s=0.0)

    with pytest.raises(Stopped) as stopped:
        closed.admit()

    assert stopped.value.outcome.reason is _R.TRANSIENT
    assert closed.requests == 0


def test_an_outcome_that_forbids_closes_the_gate_for_the_run_alone():
    store = MemoryQuota()
    closed, next_run = gate(store=store), gate(store=store)
    closed.report(Outcome(_R.AUTH, "no such key"))

    with pytest.raises(Stopped) as stopped:
        closed.admit()

    assert stopped.value.outcome.detail == "no such key"
    assert next_run.admit() > 0


def test_failures_in_a_row_open_the_circuit_and_an_answer_closes_it():
    store = MemoryQuota()
    asking = gate(store=store)
    for _ in range(FAILURES_TO_OPEN - 1):
        asking.report(Outcome(_R.BAD_PAYLOAD, "HTML"))
    asking.admit()
    asking.report(Outcome(_R.NO_DATA_IN_RANGE))
    for _ in range(FAILURES_TO_OPEN):
        asking.report(Outcome(_R.BAD_PAYLOAD, "HTML"))

    with pytest.raises(Stopped) as stopped:
        asking.admit()

    assert stopped.value.outcome.reason is _R.BAD_PAYLOAD
    assert stopped.value.outcome.until > asking.now
