"""Importing splits, dividends and spin-offs alone."""

from datetime import date

import pytest
from sqlalchemy import select
from tests.market import (
    AT,
    CALENDAR,
    LAST,
    changes,
    closes_of,
    dividend,
    instrument_id,
    load,
    spinoff,
    split,
)

from riskmark.storage import schema
from riskmark.storage.actions import import_actions

MON, TUE, WED = CALENDAR.sessions[260:263]


def act(connection, *actions, **options):
    arguments = {
        "provider": "test",
        "calendar": CALENDAR,
        "base_currency": "USD",
        "at": AT,
    } | options
    return import_actions(connection, actions, **arguments)


def stored(connection):
    action = schema.action
    rows = connection.execute(
        select(action.c.ex_date, action.c.kind, action.c.value).order_by(
            action.c.ex_date, action.c.kind
        )
    )
    return [tuple(row) for row in rows]


def test_new_actions_are_stored_with_one_change_for_each_instrument(database):
    with database.write() as connection:
        done = act(connection, split("AAA", WED, 4), dividend("AAA", TUE, 0.5))

        assert stored(connection) == [(TUE, "dividend", 0.5), (WED, "split", 4)]
        assert changes(connection) == [(1, "action", "AAA", TUE)]
    assert (done.actions.stored, done.actions.created, done.revision) == (2, ("AAA",), 1)


def test_the_same_action_again_writes_nothing(database):
    with database.write() as connection:
        act(connection, split("AAA", WED, 4))

    with database.write() as connection:
        done = act(connection, split("AAA", WED, 4.0000001))

        assert (done.actions.unchanged, done.revision) == (1, 1)


def test_a_corrected_dividend_takes_the_place_of_the_old(database):
    with database.write() as connection:
        act(connection, dividend("AAA", TUE, 0.5), dividend("AAA", WED, 0.5))

    with database.write() as connection:
        done = act(connection, dividend("AAA", TUE, 0.5), dividend("AAA", WED, 0.6))

        assert stored(connection) == [(TUE, "dividend", 0.5), (WED, "dividend", 0.6)]
        assert changes(connection)[-1] == (2, "action", "AAA", WED)
    assert (done.actions.corrected, done.actions.unchanged) == (1, 1)


def test_an_action_on_no_session_changes_numbers_from_the_next(database):
    with database.write() as connection:
        act(connection, dividend("AAA", date(2024, 1, 6), 0.5))

        assert changes(connection) == [(1, "action", "AAA", date(2024, 1, 8))]


def test_an_odd_split_is_stored_as_a_spinoff(database):
    with database.write() as connection:
        act(connection, split("AAA", TUE, 1.281), split("BBB", TUE, 0.333333))

        assert [row[1] for row in stored(connection)] == ["spinoff", "split"]
        assert stored(connection)[1][2] == 1 / 3


@pytest.mark.parametrize("ratio", [1.5, 1.281])
def test_a_ratio_that_is_named_as_the_other_kind_moves_there(database, ratio):
    first, second = (split, spinoff) if ratio == 1.5 else (spinoff, split)
    with database.write() as connection:
        act(connection, first("AAA", TUE, ratio))

    with database.write() as connection:
        act(connection, second("AAA", TUE, ratio))

        assert [row[1] for row in stored(connection)] == ["spinoff"]


def test_a_split_and_a_spinoff_of_one_day_both_stay(database):
    with database.write() as connection:
        act(connection, split("AAA", TUE, 2), spinoff("AAA", TUE, 1.2))
        act(connection, spinoff("AAA", TUE, 1.2))

        assert [row[1] for row in stored(connection)] == ["spinoff", "split"]


def test_actions_that_cannot_count_are_refused_and_counted(database):
    beyond = LAST.replace(year=LAST.year + 1)

    with database.write() as connection:
        done = act(
            connection,
            dividend("AAA", TUE, 0.0),
            dividend("AAA", TUE, float("nan")),
            split("AAA", TUE, float("inf")),
            dividend("AAA", date(1900, 1, 1), 1.0),
            dividend("AAA", beyond, 1.0),
            dividend("BBB", TUE, 1.0),
            create_missing=False,
        )

        assert stored(connection) == []
    assert done.actions.refused == (3, 2, 1)
    assert done.revision == 0


def test_an_action_alone_can_raise_and_lift_a_quarantine(database):
    with database.write() as connection:
        load(connection, closes_of("AAA", MON, [100, 50, 50]))

    with database.write() as connection:
        lifting = act(connection, split("AAA", TUE, 2))
        raising = act(connection, split("AAA", WED, 3))

        assert [move.session for move in lifting.checked.lifted] == [TUE]
        assert [move.session for move in raising.checked.raised] == [WED]


def test_an_action_moves_the_data_revision_of_its_instrument(database):
    with database.write() as connection:
        done = act(connection, split("AAA", WED, 4))

        revision = connection.execute(
            select(schema.instrument.c.data_revision).where(
                schema.instrument.c.id == instrument_id(connection, "AAA")
            )
        ).scalar_one()
    assert revision == done.revision
