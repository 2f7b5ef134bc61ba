"""Ranges that reach over a rename, at a provider that files sessions under their own symbol."""

from dataclasses import replace

import pytest
from tests.market import CALENDAR

from riskmark.domain.reasons import AnswerReason
from riskmark.intake.market_data import Action, ActionKind, make_bars
from riskmark.providers.outcomes import Outcome
from riskmark.providers.port import Answer, FormerSymbol, Profile, Wanted
from riskmark.providers.renames import ByNameOfTheTime

DAYS = CALENDAR.sessions[100:110]
RENAMED = DAYS[4]
WANTED = Wanted("XYZ", DAYS[0], DAYS[-1], former=(FormerSymbol("SQ", RENAMED),))


class Filed:
    """A provider that has bars of each symbol on the sessions on which it was one."""

    name = "filed"
    domain = "filed"

    def __init__(self, **failing):
        self.failing = failing
        self.asked = []

    def fetch(self, wanted):
        self.asked.append((wanted.symbol, wanted.first, wanted.last))
        days = [day for day in DAYS if wanted.first <= day <= wanted.last]
        if wanted.symbol in self.failing:
            gaps = tuple(days)
            return Answer(wanted.symbol, Outcome(self.failing[wanted.symbol], "no", gaps=gaps))
        bars = make_bars([(wanted.symbol, day, 10.0) for day in days])
        paid = Action(wanted.symbol, DAYS[-1], ActionKind.DIVIDEND, 1.0)
        return Answer(wanted.symbol, Outcome(AnswerReason.OK), bars, (paid,), Profile(name="X"))

    def fetch_profile(self, symbol):
        return Profile(name=symbol), Outcome(AnswerReason.OK)

    def close(self):
        self.asked.append("closed")


def test_each_part_is_asked_under_its_own_symbol_and_comes_back_under_the_present_one():
    filed = Filed()

    answer = ByNameOfTheTime(filed).fetch(WANTED)

    assert filed.asked == [
        ("SQ", DAYS[0], filed.asked[0][2]), ("XYZ", RENAMED, DAYS[-1]),
    ]  # fmt: skip
    assert filed.asked[0][2] < RENAMED
    assert answer.outcome.reason is AnswerReason.OK
    assert (answer.bars.symbols, len(answer.bars)) == (("XYZ",), len(DAYS))
    assert [(one.symbol, one.value) for one in answer.actions] == [("XYZ", 1.0)]


@pytest.mark.parametrize("wanted", [replace(WANTED, former=()), replace(WANTED, first=RENAMED)])
def test_a_range_without_a_rename_in_it_is_one_request(wanted):
    filed = Filed()

    ByNameOfTheTime(filed).fetch(wanted)

    assert filed.asked == [("XYZ", wanted.first, wanted.last)]


def test_a_part_that_is_not_had_is_a_gap():
    answer = ByNameOfTheTime(Filed(SQ=AnswerReason.SYMBOL_NOT_IN_PLAN)).fetch(WANTED)

    assert answer.outcome.reason is AnswerReason.PARTIAL
    assert answer.outcome.gaps == tuple(day for day in DAYS if day < RENAMED)
    assert len(answer.bars) == len(DAYS) - len(answer.outcome.gaps)


def test_what_may_pass_ends_the_whole_so_that_it_is_asked_again():
    filed = Filed(SQ=AnswerReason.TRANSIENT)

    answer = ByNameOfTheTime(filed).fetch(WANTED)

    assert (answer.outcome.reason, len(filed.asked)) == (AnswerReason.TRANSIENT, 1)


def test_where_no_part_is_had_the_last_reason_counts():
    filed = Filed(SQ=AnswerReason.UNKNOWN_SYMBOL, XYZ=AnswerReason.NO_DATA_IN_RANGE)

    assert ByNameOfTheTime(filed).fetch(WANTED).outcome.reason is AnswerReason.NO_DATA_IN_RANGE


def test_everything_else_is_the_provider_s():
    filed = Filed()
    dated = ByNameOfTheTime(filed)

    assert (dated.name, dated.domain) == ("filed", "filed")
    assert dated.fetch_profile("XYZ")[0].name == "XYZ"
    dated.close()
    assert filed.asked == ["closed"]
