"""What is stored in other terms than a provider's gives way, where that one is to be believed."""

from datetime import UTC, date, datetime, timedelta

from tests.faults.quota import FastTime
from tests.market import CALENDAR

from riskmark.intake.market_data import Action, ActionKind
from riskmark.providers.checking import Checker, RawAnswer, RawBar
from riskmark.providers.healing import Known, heal, is_healable, name_remedy
from riskmark.providers.limits import Budget
from riskmark.providers.port import Wanted
from riskmark.providers.sources import Sources

NOW = datetime(2024, 3, 8, 22, tzinfo=UTC)
CHECKER = Checker(CALENDAR, timedelta(minutes=30), lambda: NOW)
LAST = CALENDAR.on_or_before(date(2024, 3, 8))
DAYS = CALENDAR.sessions[LAST - 39 : LAST + 1]
TRUE = {day: 100.0 + place % 7 for place, day in enumerate(DAYS)}
SPLIT = Action("AAA", DAYS[-1], ActionKind.SPLIT, 2.0)
HALVED_LAST = TRUE | {DAYS[-1]: TRUE[DAYS[-1]] / 2}


class Shelf:
    """A provider that has these closes, as traded, and these splits."""

    def __init__(self, name, closes, *, actions=(), domain=None):
        self.name, self.domain = name, domain or name
        self.closes, self.actions = closes, actions
        self.asked = []

    def fetch(self, wanted):
        self.asked.append(wanted)
        days = [day for day in self.closes if wanted.first <= day <= wanted.last]
        rows = tuple(RawBar(day, None, None, None, self.closes[day], None) for day in days)
        return CHECKER.check(RawAnswer("AAA", "AAA", rows, self.actions, is_adjusted=False), wanted)


def night(*providers, stored, giver="one", splits=()):
    """Ask for the newest ten sessions; return what was found and what it is healed to."""
    sources = Sources(providers, CHECKER, Budget(60.0, FastTime()))
    known = {day: close for day, close in stored.items() if day >= DAYS[-10]}
    wanted = Wanted("AAA", DAYS[-10], DAYS[-1], known=known, splits=splits)
    found = sources.collect(wanted)
    whole = Known(stored, dict.fromkeys(stored, giver), splits)
    return found, heal(sources, wanted, found, whole) if is_healable(found) else None


def closes_of(found):
    (part,) = found.parts
    return dict(zip(part.bars.session.tolist(), part.bars.close.tolist(), strict=True))


def upto(closes, factor=1.0, last=-1):
    return {day: closes[day] * factor for day in DAYS[:last]}


def test_three_corrections_of_nine_by_the_provider_that_gave_them_are_taken():
    stored = upto(TRUE)
    for day in DAYS[-6:-3]:
        stored[day] *= 1.03
    one = Shelf("one", TRUE)

    found, healed = night(one, stored=stored)

    assert found.missing == (DAYS[-1],)
    assert closes_of(healed) == TRUE
    assert healed.missing == ()
    assert len(one.asked) == 2


def test_what_was_adjusted_on_the_evening_before_a_split_is_put_right_by_its_giver():
    one = Shelf("one", HALVED_LAST, actions=(SPLIT,))

    _, healed = night(one, stored=upto(TRUE, 0.5))

    assert closes_of(healed) == HALVED_LAST
    assert healed.actions == (SPLIT,)


def test_a_split_named_late_puts_right_what_is_stored_before_it():
    split = Action("AAA", DAYS[-5], ActionKind.SPLIT, 2.0)
    real = {day: close * (2 if day < DAYS[-5] else 1) for day, close in TRUE.items()}
    one = Shelf("one", real, actions=(split,))

    _, healed = night(one, stored=upto(TRUE))

    assert closes_of(healed) == real


def test_a_whole_series_in_other_terms_is_not_taken_on_the_word_of_its_giver():
    one = Shelf("one", {day: close / 2 for day, close in TRUE.items()})

    found, healed = night(one, stored=upto(TRUE))

    assert healed is None
    assert "prices import" in name_remedy(found).said[0].outcome.detail


def test_a_split_named_late_by_another_than_the_giver_is_not_believed_alone():
    two = Shelf("two", HALVED_LAST, actions=(SPLIT,))

    _, healed = night(two, stored=upto(TRUE, 0.5))

    assert healed is None


def test_two_providers_that_agree_against_what_is_stored_win():
    two, three = Shelf("two", TRUE), Shelf("three", TRUE)

    _, healed = night(two, three, stored=upto(TRUE, 0.7))

    assert closes_of(healed) == TRUE
    assert healed.parts[0].provider == "two"


def test_two_clients_of_one_host_do_not_confirm_each_other():
    two, three = Shelf("two", TRUE, domain="host"), Shelf("three", TRUE, domain="host")

    _, healed = night(two, three, stored=upto(TRUE, 0.7))

    assert healed is None


def test_an_answer_that_lacks_a_stored_session_replaces_nothing():
    lacking = {day: close for day, close in HALVED_LAST.items() if day != DAYS[3]}
    one = Shelf("one", lacking, actions=(SPLIT,))

    _, healed = night(one, stored=upto(TRUE, 0.5))

    assert healed is None
