"""Actions in the answers of providers: corrected, moved, withdrawn and doubted."""

import pytest
from sqlalchemy import select
from tests.market import CALENDAR, changes, closes_of, dividend, load, spinoff, split

from riskmark.storage import schema
from riskmark.storage.action_events import Claim
from riskmark.storage.held_actions import HeldReason, list_held

S = CALENDAR.sessions[260:290]
BEGIN, MON, TUE, WED = S[0], S[10], S[11], S[12]
ORDER = ("first", "second", "third")
FLAT = [100.0] * 30


def answer(connection, *actions, provider="second", rows=(), whole=(BEGIN, S[-1]), order=ORDER):
    claim = Claim("AAA", order, frozenset({provider}), whole)
    return load(connection, rows, actions, provider=provider, claim=claim)


def begin(connection, *actions, provider="second", closes=FLAT):
    return answer(connection, *actions, provider=provider, rows=closes_of("AAA", BEGIN, closes))


def stored(connection):
    action = schema.action
    columns = (action.c.ex_date, action.c.kind, action.c.value, action.c.provider)
    rows = connection.execute(select(*columns).order_by(action.c.ex_date, action.c.kind))
    return [tuple(row) for row in rows]


def held(connection):
    return [(one.ex_date, one.value) for one in list_held(connection)]


def test_a_dividend_that_its_provider_dates_anew_is_moved_and_changes_from_the_earlier_date(
    database,
):
    with database.write() as connection:
        begin(connection, dividend("AAA", MON, 1.25))

    with database.write() as connection:
        done = answer(connection, dividend("AAA", TUE, 1.25))

        assert stored(connection) == [(TUE, "dividend", 1.25, "second")]
        assert changes(connection)[-1] == (2, "action", "AAA", MON)
    assert (done.actions.stored, done.actions.corrected) == (0, 1)


def test_a_dividend_moved_to_an_earlier_date_changes_from_there_on(database):
    with database.write() as connection:
        begin(connection, dividend("AAA", WED, 1.25))

    with database.write() as connection:
        answer(connection, dividend("AAA", MON, 1.25))

        assert changes(connection)[-1] == (2, "action", "AAA", MON)


@pytest.mark.parametrize(
    ("provider", "day", "giver"), [("first", TUE, "first"), ("third", MON, "second")]
)
def test_another_provider_s_date_of_an_event_counts_if_it_is_asked_before(
    database, provider, day, giver
):
    with database.write() as connection:
        begin(connection, dividend("AAA", MON, 1.25))

    with database.write() as connection:
        answer(connection, dividend("AAA", TUE, 1.27), provider=provider)

        value = 1.27 if giver == "first" else 1.25
        assert stored(connection) == [(day, "dividend", value, giver)]


def test_a_provider_that_is_alone_in_the_order_moves_and_doubles_nothing_of_a_former_one(database):
    with database.write() as connection:
        begin(connection, dividend("AAA", MON, 1.25))

    with database.write() as connection:
        done = answer(connection, dividend("AAA", TUE, 1.25), provider="third", order=("third",))

        assert stored(connection) == [(MON, "dividend", 1.25, "second")]
    assert done.revision == 1


def test_what_an_earlier_provider_confirms_is_its_own_from_then_on(database):
    with database.write() as connection:
        begin(connection, dividend("AAA", MON, 1.25))
    with database.write() as connection:
        done = answer(connection, dividend("AAA", MON, 1.25), provider="first")

    with database.write() as connection:
        answer(connection, provider="first")

        assert stored(connection) == []
    assert done.revision == 1


def test_of_two_alike_within_days_in_one_answer_the_second_is_held_back(database):
    both = [dividend("AAA", MON, 0.5), dividend("AAA", WED, 0.5)]
    with database.write() as connection:
        begin(connection, *both)
        assert stored(connection) == [(MON, "dividend", 0.5, "second")]
        assert [one.reason for one in list_held(connection)] == [HeldReason.REPEATED]

    with database.write() as connection:
        done = answer(connection, *both)
        assert len(stored(connection)) == 1
        load(connection, actions=both, provider="file")

        assert [row[0] for row in stored(connection)] == [MON, WED]
        assert held(connection) == []
    assert done.revision == 1


def test_of_two_alike_the_one_that_is_stored_already_stays(database):
    with database.write() as connection:
        begin(connection, dividend("AAA", WED, 0.5))

    with database.write() as connection:
        done = answer(connection, dividend("AAA", MON, 0.5), dividend("AAA", WED, 0.5))

        assert stored(connection) == [(WED, "dividend", 0.5, "second")]
        assert held(connection) == [(MON, 0.5)]
    assert done.revision == 1


def test_two_of_different_size_within_days_both_count(database):
    with database.write() as connection:
        begin(connection, dividend("AAA", MON, 0.5), dividend("AAA", WED, 0.6))

        assert len(stored(connection)) == 2


def test_what_a_whole_answer_names_no_longer_is_withdrawn(database):
    with database.write() as connection:
        begin(connection, dividend("AAA", MON, 9.9))

    with database.write() as connection:
        done = answer(connection)

        assert stored(connection) == []
        assert changes(connection)[-1] == (2, "action", "AAA", MON)
    assert done.actions.withdrawn == 1


@pytest.mark.parametrize(
    "options",
    [
        {"whole": None},
        {"whole": (TUE, S[-1])},
        {"whole": (S[9], S[-1])},
        {"whole": (BEGIN, S[9])},
        {"provider": "first"},
        {"provider": "third"},
    ],
    ids=str,
)
def test_nothing_is_withdrawn_by_part_of_an_answer_of_another_range_or_provider(database, options):
    with database.write() as connection:
        begin(connection, dividend("AAA", MON, 9.9))

    with database.write() as connection:
        done = answer(connection, **options)

        assert len(stored(connection)) == 1
    assert done.revision == 1


def test_no_provider_moves_or_withdraws_what_people_imported(database):
    with database.write() as connection:
        begin(connection)
        load(connection, actions=[dividend("AAA", MON, 1.25)], provider="file")
    for provider in ORDER:
        with database.write() as connection:
            answer(connection, dividend("AAA", TUE, 1.25), provider=provider)
            answer(connection, provider=provider)

    with database.read() as connection:
        assert stored(connection) == [(MON, "dividend", 1.25, "file")]


def test_people_move_what_a_provider_gave(database):
    with database.write() as connection:
        begin(connection, dividend("AAA", MON, 1.25))

    with database.write() as connection:
        load(connection, actions=[dividend("AAA", TUE, 1.25)], provider="file")

        assert stored(connection) == [(TUE, "dividend", 1.25, "file")]


def test_a_moved_split_ends_its_quarantine_together_with_the_closes_it_converts(database):
    closes = [200.0] * 12 + [100.0] * 18
    wrong = [200.0] * 10 + [150.0] * 2 + [100.0] * 18
    with database.write() as connection:
        begun = begin(connection, split("AAA", MON, 2), closes=wrong)

    with database.write() as connection:
        done = answer(connection, split("AAA", WED, 2), rows=closes_of("AAA", BEGIN, closes))

        assert stored(connection) == [(WED, "split", 2.0, "second")]
        assert connection.execute(select(schema.quarantine)).all() == []
        assert {row[0] for row in changes(connection)} == {1, 2}
    assert done.checked.raised == ()
    assert begun.checked.lifted == ()


def test_a_split_that_is_dated_wrongly_is_quarantined_until_it_is_dated_anew(database):
    closes = [200.0] * 12 + [100.0] * 18
    with database.write() as connection:
        begun = begin(connection, split("AAA", MON, 2), closes=closes)

    with database.write() as connection:
        done = answer(connection, split("AAA", WED, 2))

    assert [move.session for move in begun.checked.raised] == [MON]
    assert [move.session for move in done.checked.lifted] == [MON]
    assert done.checked.raised == ()


def test_a_split_that_the_closes_show_is_not_withdrawn_and_another_is(database):
    closes = [200.0] * 10 + [100.0] * 20
    with database.write() as connection:
        begin(connection, split("AAA", MON, 2), spinoff("AAA", S[20], 1.281), closes=closes)

    with database.write() as connection:
        answer(connection)

        assert stored(connection) == [(MON, "split", 2.0, "second")]


def test_a_dividend_out_of_proportion_is_held_back_with_a_reason_and_changes_nothing(database):
    with database.write() as connection:
        begin(connection)

    with database.write() as connection:
        done = answer(connection, dividend("AAA", MON, 60_000.0))

        assert stored(connection) == []
        assert held(connection) == [(MON, 60_000.0)]
    assert done.revision == 1
    (text,) = done.actions.held
    assert "the dividend of 60,000" in text
    assert "600 times the close before it" in text


def test_a_correction_out_of_proportion_leaves_what_is_stored(database):
    with database.write() as connection:
        begin(connection, dividend("AAA", MON, 1.25))

    with database.write() as connection:
        answer(connection, dividend("AAA", MON, 125.0))

        assert stored(connection) == [(MON, "dividend", 1.25, "second")]
        assert held(connection) == [(MON, 125.0)]


def test_a_dividend_that_is_held_back_is_forgotten_when_it_is_withdrawn(database):
    with database.write() as connection:
        begin(connection, dividend("AAA", MON, 60_000.0))

    with database.write() as connection:
        answer(connection)

        assert held(connection) == []


def test_a_special_dividend_counts_if_the_price_fell_by_it(database):
    with database.write() as connection:
        begin(connection, dividend("AAA", MON, 70.0), closes=[100.0] * 10 + [33.0] * 20)

        assert stored(connection) == [(MON, "dividend", 70.0, "second")]
        assert held(connection) == []


def test_a_special_dividend_on_the_date_of_a_split_is_compared_with_the_new_shares(database):
    actions = (split("AAA", MON, 0.1), dividend("AAA", MON, 70.0))
    with database.write() as connection:
        begin(connection, *actions, closes=[10.0] * 10 + [100.0] * 20)

        assert held(connection) == [(MON, 70.0)]
    assert [row[1] for row in stored_of(database)] == ["split"]


def stored_of(database):
    with database.read() as connection:
        return stored(connection)


def test_a_dividend_without_a_close_after_it_waits_for_one(database):
    with database.write() as connection:
        begin(connection, dividend("AAA", MON, 70.0), closes=[100.0] * 10)
        assert held(connection) == [(MON, 70.0)]

    with database.write() as connection:
        rows = closes_of("AAA", MON, [30.0])
        done = answer(connection, dividend("AAA", MON, 70.0), rows=rows)

        assert stored(connection) == [(MON, "dividend", 70.0, "second")]
        assert held(connection) == []
    assert done.actions.stored == 1


def test_a_second_provider_that_names_it_too_confirms_a_dividend(database):
    with database.write() as connection:
        begin(connection, dividend("AAA", MON, 70.0))

    with database.write() as connection:
        answer(connection, dividend("AAA", TUE, 70.0), provider="third")

        assert stored(connection) == [(TUE, "dividend", 70.0, "third")]
        assert held(connection) == []


def test_another_client_of_the_same_host_confirms_nothing(database):
    claim = Claim("AAA", ORDER, frozenset({"first", "second"}), (BEGIN, S[-1]))
    with database.write() as connection:
        begin(connection, dividend("AAA", MON, 70.0))

        load(connection, actions=[dividend("AAA", MON, 70.0)], provider="first", claim=claim)

        assert stored(connection) == []


def test_people_who_import_a_dividend_that_is_held_back_are_believed(database):
    with database.write() as connection:
        begin(connection, dividend("AAA", MON, 70.0))

    with database.write() as connection:
        load(connection, actions=[dividend("AAA", MON, 70.0)], provider="file")

        assert stored(connection) == [(MON, "dividend", 70.0, "file")]
        assert held(connection) == []
