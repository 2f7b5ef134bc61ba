"""Listing the actions of a symbol and taking one back."""

import re

import pytest
from tests.market import AT, CALENDAR, changes, closes_of, dividend, load, split

from riskmark.errors import InputError
from riskmark.intake.market_data import ActionKind
from riskmark.storage.action_edits import delete_action, list_actions
from riskmark.storage.action_events import Claim
from riskmark.storage.held_actions import list_held

S = CALENDAR.sessions[260:290]
MON, TUE = S[10], S[11]
CLAIM = Claim("AAA", ("web",), frozenset({"web"}), (S[0], S[-1]))


@pytest.fixture
def filled(database):
    """Store thirty closes of a share that splits, and a dividend of a provider."""
    rows = closes_of("AAA", S[0], [200.0] * 10 + [100.0] * 20)
    actions = [split("AAA", MON, 2), dividend("AAA", TUE, 1.25)]
    with database.write() as connection:
        load(connection, rows, actions, provider="web", claim=CLAIM)
    return database


def delete(connection, day, kind):
    return delete_action(connection, "aaa", day, kind, calendar=CALENDAR, at=AT)


def listed(connection):
    return [(one.ex_date, one.kind, one.provider) for one in list_actions(connection, "aaa")]


def test_actions_are_listed_with_their_source(filled):
    with filled.read() as connection:
        found = listed(connection)

    assert found == [(MON, "split", "web"), (TUE, "dividend", "web")]


def test_a_deleted_dividend_is_gone_with_a_change_and_does_not_come_back_by_its_provider(filled):
    with filled.write() as connection:
        delete(connection, TUE, ActionKind.DIVIDEND)
        assert changes(connection)[-1] == (2, "action", "AAA", TUE)

    with filled.write() as connection:
        again = [split("AAA", MON, 2), dividend("AAA", S[12], 1.25)]
        done = load(connection, actions=again, provider="web", claim=CLAIM)

        assert listed(connection) == [(MON, "split", "web")]
    assert done.revision == 2


def test_the_other_of_two_alike_stays_when_one_is_deleted(filled):
    both = [split("AAA", MON, 2), dividend("AAA", TUE, 1.25), dividend("AAA", S[13], 1.30)]
    with filled.write() as connection:
        load(connection, actions=both, provider="web", claim=CLAIM)
        delete(connection, S[13], ActionKind.DIVIDEND)

    for named in (both, both[:2]):
        with filled.write() as connection:
            load(connection, actions=named, provider="web", claim=CLAIM)

            assert listed(connection) == [(MON, "split", "web"), (TUE, "dividend", "web")]


def test_an_import_brings_a_deleted_action_back(filled):
    with filled.write() as connection:
        delete(connection, TUE, ActionKind.DIVIDEND)

    with filled.write() as connection:
        load(connection, actions=[dividend("AAA", TUE, 1.25)], provider="file")

        assert listed(connection)[-1] == (TUE, "dividend", "file")
        assert list_held(connection) == ()


def test_closes_behind_a_deleted_split_are_quarantined(filled):
    with filled.write() as connection:
        done = delete(connection, MON, ActionKind.SPLIT)

    assert [move.session for move in done.checked.raised] == [MON]


def test_an_action_that_is_not_there_is_refused_and_those_that_are_are_named(filled):
    wanted = f"AAA, split on {TUE}: there is none; stored are: split on {MON}, dividend on {TUE}"

    with filled.write() as connection, pytest.raises(InputError, match=re.escape(wanted)):
        delete(connection, TUE, ActionKind.SPLIT)
