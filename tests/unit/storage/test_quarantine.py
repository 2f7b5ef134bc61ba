"""Quarantine: which moves are suspicious, how long, and what lifts or releases it."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from tests.market import (
    AT,
    CALENDAR,
    changes,
    closes_of,
    dividend,
    instrument_id,
    load,
    spinoff,
    split,
)
from tests.support import DATABASE_EXAMPLES, fresh_schema

from riskmark.errors import UnknownSymbol
from riskmark.storage import schema
from riskmark.storage.ledger import current_revision
from riskmark.storage.quarantine import NotQuarantined, check, open_quarantines, release

MON, TUE, WED, THU, FRI = CALENDAR.sessions[260:265]
RATIOS = [2, 3, 4, 5, 6, 7, 8, 10, 30, 50, 60, 100]


def raised(imported):
    return [(move.symbol, move.session) for move in imported.checked.raised]


def lifted(imported):
    return [(move.symbol, move.session) for move in imported.checked.lifted]


def stored(connection):
    return [(move.symbol, move.session) for move in open_quarantines(connection)]


@pytest.mark.parametrize("ratio", [*RATIOS, *(1 / ratio for ratio in RATIOS)])
@pytest.mark.parametrize("part", [0.981, 1.0, 1.019])
def test_a_move_like_a_split_is_quarantined(tmp_path, ratio, part):
    from riskmark.storage.engines import open_database  # noqa: PLC0415

    database = open_database(f"sqlite:///{tmp_path / 'riskmark.db'}")
    fresh_schema(database)

    with database.write() as connection:
        imported = load(connection, closes_of("AAA", MON, [100, 100 * ratio * part]))

        assert raised(imported) == stored(connection) == [("AAA", TUE)]
    database.close()


@pytest.mark.parametrize("ratio", [1.0, 1.1, 0.9, 1.9, 0.55, 2.05, 2.5, 4.5, 1 / 4.5])
def test_other_moves_are_not(database, ratio):
    with database.write() as connection:
        imported = load(connection, closes_of("AAA", MON, [100, 100 * ratio]))

        assert raised(imported) == stored(connection) == []


@pytest.mark.parametrize("ratio", [1.5, 2 / 3])
def test_a_move_like_three_for_two_only_warns(database, ratio):
    with database.write() as connection:
        imported = load(connection, closes_of("AAA", MON, [100, 100 * ratio]))

        assert stored(connection) == []
    assert [move.session for move in imported.checked.warned] == [TUE]


def test_the_reason_names_the_split_that_it_looks_like(database):
    with database.write() as connection:
        imported = load(
            connection,
            [*closes_of("AAA", MON, [100, 25.02]), *closes_of("BBB", MON, [10, 79])],
        )

    reasons = [move.reason for move in imported.checked.raised]
    assert reasons == [
        "close fell to 0.2502 of the previous: a 4-for-1 split that is not recorded?",
        "close rose to 7.9000 times the previous: a 1-for-8 split that is not recorded?",
    ]


def test_a_recorded_split_explains_its_move(database):
    with database.write() as connection:
        imported = load(connection, closes_of("AAA", MON, [100, 25]), [split("AAA", TUE, 4)])

        assert raised(imported) == []


def test_a_split_on_no_session_takes_effect_on_the_next(database):
    rows = closes_of("AAA", FRI, [100, 25])

    with database.write() as connection:
        imported = load(connection, rows, [split("AAA", date(2024, 1, 6), 4)])

        assert raised(imported) == []


def test_a_split_within_a_gap_of_bars_explains_the_move_over_it(database):
    rows = [("AAA", MON, 100), ("AAA", THU, 25)]

    with database.write() as connection:
        imported = load(connection, rows, [split("AAA", TUE, 2), split("AAA", WED, 2)])

        assert raised(imported) == []


def test_a_dividend_explains_nothing(database):
    with database.write() as connection:
        imported = load(connection, closes_of("AAA", MON, [100, 50]), [dividend("AAA", TUE, 50)])

        assert raised(imported) == [("AAA", TUE)]


def test_a_split_that_the_prices_do_not_show_is_suspicious(database):
    with database.write() as connection:
        imported = load(connection, closes_of("AAA", MON, [100, 100]), [split("AAA", TUE, 4)])

    (move,) = imported.checked.raised
    assert move.reason.endswith("after the recorded ratio of 4: is that in the prices?")


def test_an_index_is_never_suspicious(database):
    with database.write() as connection:
        imported = load(connection, closes_of("^VIX", MON, [10, 20, 40]))

        assert raised(imported) == []


def test_an_instrument_has_one_quarantine_the_earliest(database):
    with database.write() as connection:
        imported = load(connection, closes_of("AAA", MON, [100, 50, 25]))

        assert raised(imported) == stored(connection) == [("AAA", TUE)]


def test_a_recorded_split_lifts_a_quarantine_and_the_next_move_raises_another(database):
    with database.write() as connection:
        load(connection, closes_of("AAA", MON, [100, 50, 25]))

    with database.write() as connection:
        imported = load(connection, actions=[split("AAA", TUE, 2)])

        assert lifted(imported) == [("AAA", TUE)]
        assert raised(imported) == stored(connection) == [("AAA", WED)]
        assert changes(connection)[1:] == [(2, "action", "AAA", TUE), (2, "price", "AAA", TUE)]


def test_a_corrected_close_lifts_a_quarantine(database):
    with database.write() as connection:
        load(connection, closes_of("AAA", MON, [100, 50, 51]))

    with database.write() as connection:
        imported = load(connection, [("AAA", TUE, 99), ("AAA", WED, 98)])

        assert lifted(imported) == [("AAA", TUE)]
        assert stored(connection) == []


def test_an_earlier_bar_moves_the_quarantine(database):
    with database.write() as connection:
        load(connection, [("AAA", MON, 100), ("AAA", THU, 50)])

    with database.write() as connection:
        imported = load(connection, [("AAA", TUE, 50)])

        assert lifted(imported) == [("AAA", THU)]
        assert stored(connection) == [("AAA", TUE)]


def test_bars_behind_an_open_quarantine_do_not_touch_it(database):
    with database.write() as connection:
        load(connection, closes_of("AAA", MON, [100, 50, 50]))

    with database.write() as connection:
        imported = load(connection, [("AAA", THU, 200), ("AAA", FRI, 50)])

        assert raised(imported) == lifted(imported) == []
        assert stored(connection) == [("AAA", TUE)]


def test_a_new_bar_is_compared_with_the_last_one_before_it(database):
    with database.write() as connection:
        load(connection, closes_of("AAA", MON, [100, 100]))

    with database.write() as connection:
        imported = load(connection, [("AAA", FRI, 50)])

        assert raised(imported) == [("AAA", FRI)]


def test_a_correction_makes_an_old_move_suspicious(database):
    with database.write() as connection:
        load(connection, closes_of("AAA", MON, [100, 100, 100]))

    with database.write() as connection:
        imported = load(connection, [("AAA", TUE, 200)])

        assert raised(imported) == [("AAA", TUE)]
        assert changes(connection)[-1] == (2, "price", "AAA", TUE)


def test_release_lets_the_bars_count_and_records_it(database):
    with database.write() as connection:
        load(connection, closes_of("AAA", MON, [100, 50, 51]))

    with database.write() as connection:
        checked = release(connection, "aaa", TUE, at=AT)

        assert checked.raised == ()
        assert stored(connection) == []
        assert changes(connection)[-1] == (2, "price", "AAA", TUE)


def test_a_released_session_is_never_raised_again(database):
    with database.write() as connection:
        load(connection, closes_of("AAA", MON, [100, 50, 51]))
        release(connection, "AAA", TUE, at=AT)

    with database.write() as connection:
        imported = load(connection, [("AAA", MON, 101), ("AAA", TUE, 25)])

        # The close after it is compared with what it is now.
        assert raised(imported) == [("AAA", WED)]


def test_release_looks_at_what_lies_behind(database):
    with database.write() as connection:
        load(connection, closes_of("AAA", MON, [100, 50, 25]))

        checked = release(connection, "AAA", TUE, at=AT)

        assert [move.session for move in checked.raised] == [WED]
        assert stored(connection) == [("AAA", WED)]


@pytest.mark.parametrize("session", [MON, WED])
def test_release_of_another_session_says_which_one_it_is(database, session):
    with database.write() as connection:
        load(connection, closes_of("AAA", MON, [100, 50, 51]))

        with pytest.raises(NotQuarantined, match=f"it is quarantined from {TUE} on"):
            release(connection, "AAA", session, at=AT)


def test_release_of_what_is_not_quarantined_is_an_error(database):
    with database.write() as connection:
        load(connection, [("AAA", MON, 100)])

        with pytest.raises(NotQuarantined, match="it is not quarantined"):
            release(connection, "AAA", MON, at=AT)
        with pytest.raises(UnknownSymbol):
            release(connection, "BBB", MON, at=AT)


def test_an_instrument_that_becomes_an_index_has_no_quarantine(database):
    with database.write() as connection:
        load(connection, closes_of("AAA", MON, [100, 50]))
        connection.execute(update(schema.instrument).values(kind="index"))

        checked = check(connection, {instrument_id(connection, "AAA"): MON}, at=AT)

        assert [move.session for move in checked.lifted] == [TUE]
        assert stored(connection) == []


@pytest.mark.parametrize("extreme", [1e300, 110.0, 12.5, 1 / 6.5, 1e-300])
def test_a_move_that_no_day_explains_is_quarantined(database, extreme):
    with database.write() as connection:
        imported = load(connection, closes_of("AAA", MON, [1.0, extreme]))

        assert raised(imported) == [("AAA", TUE)]


@pytest.mark.parametrize("extreme", [1e300, 1e-300])
def test_extreme_closes_are_no_trouble(database, extreme):
    with database.write() as connection:
        imported = load(connection, closes_of("AAA", MON, [1 / extreme, extreme, 1 / extreme]))

        assert raised(imported) == [("AAA", TUE)]


def expected_quarantine(closes, splits):
    """Say by the definition, step by step, where an instrument's quarantine begins."""
    sessions = sorted(closes)
    for before, after in pairwise(sessions):
        move = closes[after] / closes[before]
        for ex_date, ratio in splits.items():
            if before < ex_date <= after:
                move *= ratio
        near = any(abs(move / r - 1) <= 0.02 for ratio in RATIOS for r in (ratio, 1 / ratio))
        if near or not 1 / 5 <= move <= 5:
            return after
    return None


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("bar"),
            st.sampled_from(CALENDAR.sessions[:6]),
            st.sampled_from([100.0, 50.0, 25.0, 70.0]),
        ),
        st.tuples(
            st.just("split"),
            st.sampled_from(CALENDAR.sessions[:6]),
            st.sampled_from([2.0, 4.0, 0.5, 1.43]),
        ),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=DATABASE_EXAMPLES)
@given(steps=STEPS)
def test_any_order_of_bars_and_splits_ends_in_the_quarantine_of_the_whole(database, steps):
    fresh_schema(database)
    closes, ratios = {}, {}

    for kind, day, value in steps:
        with database.write() as connection:
            before = current_revision(connection)
            open_before = stored(connection)
            if kind == "bar":
                closes[day] = value
                load(connection, [("AAA", day, value)])
            elif value == 1.43:
                ratios[day, "spinoff"] = value
                load(connection, actions=[spinoff("AAA", day, value)])
            else:
                ratios[day, "split"] = value
                load(connection, actions=[split("AAA", day, value)])
            moved = stored(connection) != open_before
            sessions = [row[3] for row in changes(connection) if row[0] > before]
            # Whoever used a bar that a quarantine now holds back, or no longer does, hears of it.
            if moved:
                ends = [session for _, session in {*open_before, *stored(connection)}]
                assert min(sessions) <= min(ends)

    combined = {}
    for (day, _), ratio in ratios.items():
        combined[day] = combined.get(day, 1.0) * ratio
    with database.read() as connection:
        found = stored(connection)
    wanted = expected_quarantine(closes, combined)
    assert found == ([] if wanted is None else [("AAA", wanted)])


def test_a_quarantine_keeps_when_it_was_found(database):
    with database.write() as connection:
        load(connection, closes_of("AAA", MON, [100, 50]))

        row = connection.execute(select(schema.quarantine)).one()
    assert (row.created_at, row.released_at) == (AT, None)
