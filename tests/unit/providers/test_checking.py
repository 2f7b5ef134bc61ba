"""The one check of every provider's rows."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from tests.market import CALENDAR

from riskmark.domain.reasons import AnswerReason
from riskmark.intake.market_data import Action, ActionKind
from riskmark.providers.checking import Checker, RawAnswer, RawBar
from riskmark.providers.outcomes import Stopped
from riskmark.providers.port import Wanted

MON, TUE, WED, THU, FRI = (date(2024, 3, 4 + n) for n in range(5))
AFTER = datetime(2024, 3, 8, 22, tzinfo=UTC)
WANTED = Wanted("AAA", MON, FRI)


def checker(now=AFTER):
    return Checker(CALENDAR, timedelta(minutes=30), lambda: now)


def bar(day, close, **values):
    row = RawBar(day, close, close, close, close, 100.0)
    return row._replace(**values)


def answer(*rows, actions=(), is_adjusted=False, **options):
    given = {"asked": "AAA", "echoed": "AAA"} | options
    return RawAnswer(rows=rows, actions=actions, is_adjusted=is_adjusted, **given)


def week(*closes):
    return [bar(day, close) for day, close in zip((MON, TUE, WED, THU, FRI), closes, strict=False)]


def test_a_whole_week_is_ok_and_in_order():
    checked = checker().check(answer(*week(1.0, 2.0, 3.0, 4.0, 5.0)[::-1]), WANTED)

    assert checked.outcome.reason is AnswerReason.OK
    assert checked.bars.close.tolist() == [1, 2, 3, 4, 5]
    assert checked.bars.session.tolist() == [MON, TUE, WED, THU, FRI]


@pytest.mark.parametrize(
    "bad",
    [
        {"close": None},
        {"close": float("nan")},
        {"close": float("inf")},
        {"close": -1.0},
        {"close": 0.0},
        {"low": -1.0},
        {"close": 1e9, "high": 1e9, "open": 1e9},
        {"low": 9.0, "high": 8.0},
        {"low": 4.0, "high": 8.0},
        {"volume": -1.0},
        {"volume": float("nan")},
    ],
    ids=str,
)
def test_a_row_that_cannot_be_is_a_gap(bad):
    rows = week(1.0, 2.0, 3.0, 4.0, 5.0)
    rows[2] = rows[2]._replace(**bad)

    checked = checker().check(answer(*rows), WANTED)

    assert checked.outcome.reason is AnswerReason.PARTIAL
    assert checked.outcome.gaps == (WED,)
    assert [row.day for row in checked.refused] == [WED]


def test_two_rows_of_a_session_count_once_if_equal_and_not_at_all_if_not():
    rows = [*week(1.0, 2.0, 3.0, 4.0, 5.0), bar(TUE, 2.0), bar(WED, 3.1), bar(WED, 3.0)]

    checked = checker().check(answer(*rows), WANTED)

    assert checked.outcome.gaps == (WED,)
    assert checked.bars.close.tolist() == [1, 2, 4, 5]


def test_rows_on_no_session_and_in_the_future_are_refused():
    rows = [*week(1.0, 2.0, 3.0, 4.0, 5.0), bar(date(2024, 3, 9), 6.0), bar(date(2024, 3, 11), 7.0)]

    checked = checker().check(answer(*rows), WANTED)

    assert checked.outcome.reason is AnswerReason.OK
    assert checked.bars.close.tolist() == [1, 2, 3, 4, 5]
    assert len(checked.refused) == 2


@pytest.mark.parametrize(
    ("now", "count"),
    [
        (datetime(2024, 3, 8, 15, tzinfo=UTC), 4),
        (datetime(2024, 3, 8, 21, 29, tzinfo=UTC), 4),
        (datetime(2024, 3, 8, 21, 30, tzinfo=UTC), 5),
    ],
)
def test_a_session_is_final_from_its_close_and_the_delay_on(now, count):
    checked = checker(now).check(answer(*week(1.0, 2.0, 3.0, 4.0, 5.0)), WANTED)

    assert checked.outcome.reason is AnswerReason.OK
    assert len(checked.bars) == count


def test_a_row_from_before_the_close_is_not_final_long_after_it():
    early = datetime(2024, 3, 8, 18, tzinfo=UTC)

    checked = checker().check(answer(bar(FRI, 5.0), as_of=early), Wanted("AAA", FRI, FRI))

    assert checked.outcome.reason is AnswerReason.NOT_FINAL_YET
    assert len(checked.bars) == 0


def test_adjusted_bars_and_dividends_become_as_traded():
    split = Action("AAA", WED, ActionKind.SPLIT, 4.0)
    dividend = Action("AAA", TUE, ActionKind.DIVIDEND, 0.25)
    rows = week(10.0, 11.0, 12.0, 13.0, 14.0)

    checked = checker().check(answer(*rows, actions=(split, dividend), is_adjusted=True), WANTED)

    assert checked.bars.close.tolist() == [40, 44, 12, 13, 14]
    assert checked.bars.volume.tolist() == [25, 25, 100, 100, 100]
    assert [(a.kind, a.value) for a in checked.actions] == [("dividend", 1.0), ("split", 4.0)]


def test_a_split_of_tomorrow_changes_nothing_tonight():
    tonight = datetime(2024, 3, 8, 1, tzinfo=UTC)  # Thursday evening in New York
    split = Action("AAA", FRI, ActionKind.SPLIT, 4.0)

    checked = checker(tonight).check(
        answer(*week(1.0, 2.0, 3.0, 4.0), actions=(split,), is_adjusted=True), WANTED
    )

    assert checked.bars.close.tolist() == [1, 2, 3, 4]
    assert checked.actions == ()


def test_sessions_before_the_first_trade_are_no_gaps():
    rows = week(1.0, 2.0, 3.0, 4.0, 5.0)[2:]

    checked = checker().check(answer(*rows, first_trade=WED), WANTED)

    assert checked.outcome.reason is AnswerReason.OK


def test_an_answer_for_another_symbol_is_refused():
    with pytest.raises(Stopped) as stopped:
        checker().check(answer(*week(1.0), echoed="ZZZ"), WANTED)

    assert stopped.value.outcome.reason is AnswerReason.BAD_PAYLOAD


def test_with_an_impossible_split_nothing_is_believed():
    split = Action("AAA", WED, ActionKind.SPLIT, 1e9)

    with pytest.raises(Stopped) as stopped:
        checker().check(answer(*week(1.0), actions=(split,), is_adjusted=True), WANTED)

    assert "impossible" in stopped.value.outcome.detail


def test_a_range_without_any_published_session_is_not_final_yet():
    checked = checker(datetime(2024, 3, 4, 15, tzinfo=UTC)).check(answer(), WANTED)

    assert checked.outcome.reason is AnswerReason.NOT_FINAL_YET


@pytest.mark.parametrize(
    ("closes", "is_adjusted", "is_refused"),
    [
        ((40.0, 41.0, 10.0, 10.0, 10.0), True, True),
        ((10.0, 10.0, 10.0, 10.0, 10.0), True, False),
        ((40.0, 41.0, 10.0, 10.0, 10.0), False, False),
        ((10.0, 10.0, 10.0, 10.0, 10.0), False, True),
        ((10.0, 10.0, 7.0, 7.0, 7.0), True, False),
        ((40.0, 40.0, 14.0, 14.0, 14.0), False, False),
    ],
)
def test_bars_that_move_as_if_a_split_that_is_named_were_not_one_are_in_unknown_terms(
    closes, is_adjusted, is_refused
):
    raw = answer(*week(*closes), actions=(Action("AAA", WED, ActionKind.SPLIT, 4.0),))

    with pytest.raises(Stopped) if is_refused else nullcontext():
        checked = checker().check(replace(raw, is_adjusted=is_adjusted), WANTED)

        assert len(checked.bars) == 5
