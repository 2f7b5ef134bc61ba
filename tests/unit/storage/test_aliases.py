"""Renames, and two instruments that become one."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update
from tests.market import (
    AT,
    CALENDAR,
    add_lot,
    add_portfolio,
    changes,
    closes_of,
    dividend,
    instrument_id,
    load,
    split,
    stored_closes,
)
from tests.support import DATABASE_EXAMPLES, fresh_schema

from riskmark.domain.sessions import OutsideCalendar
from riskmark.errors import InputError, UnknownSymbol
from riskmark.storage import schema
from riskmark.storage.aliases import rename
from riskmark.storage.instruments import find_instrument
from riskmark.storage.quarantine import open_quarantines, release
from riskmark.storage.symbols import accept

MON, TUE, WED, THU, FRI = CALENDAR.sessions[260:265]


def alias(connection, old, new, day=WED):
    return rename(connection, old, new, day, calendar=CALENDAR, at=AT)


def symbols(connection):
    return sorted(connection.execute(select(schema.instrument.c.symbol)).scalars())


def aliases(connection):
    table = schema.instrument_alias.c
    rows = connection.execute(select(table.symbol, table.renamed_on).order_by(table.symbol))
    return [tuple(row) for row in rows]


def test_a_renamed_instrument_keeps_its_identity(database):
    with database.write() as connection:
        load(connection, [("FB", MON, 100)])
        key = instrument_id(connection, "FB")

        done = alias(connection, "fb", "meta")

        assert (done.instrument_id, done.symbol) == (key, "META")
        assert find_instrument(connection, "FB") == find_instrument(connection, "META")
        assert aliases(connection) == [("FB", WED)]
        assert changes(connection)[1:] == [(2, "price", "META", WED)]


def test_a_chain_of_renames_leads_to_the_present_symbol(database):
    with database.write() as connection:
        load(connection, [("AAA", MON, 100)])

        alias(connection, "AAA", "BBB")
        alias(connection, "BBB", "CCC", THU)

        found = [find_instrument(connection, s).symbol for s in ("AAA", "BBB", "CCC")]
    assert found == ["CCC"] * 3


def test_a_rename_can_be_undone(database):
    with database.write() as connection:
        load(connection, [("AAA", MON, 100)])
        alias(connection, "AAA", "BBB")

        alias(connection, "BBB", "AAA", THU)

        assert symbols(connection) == ["AAA"]
        assert aliases(connection) == [("BBB", THU)]


def test_a_rename_said_twice_moves_its_day_only(database):
    with database.write() as connection:
        load(connection, [("AAA", MON, 100)])
        alias(connection, "AAA", "BBB")

        alias(connection, "AAA", "BBB", THU)

        assert aliases(connection) == [("AAA", THU)]
        assert len(changes(connection)) == 2


def test_an_old_name_that_nothing_has_finds_the_new(database):
    with database.write() as connection:
        load(connection, [("META", MON, 100)])

        alias(connection, "FB", "META")

        assert find_instrument(connection, "FB").symbol == "META"
        assert len(changes(connection)) == 1


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("AAA", "AAA", "to itself"),
        ("A B", "AAA", "is not a symbol"),
        ("AAA", "A B", "is not a symbol"),
        ("AAPL  260116C00200000", "AAA", "is an option"),
        ("OLD", "BBB", "is a former symbol of AAA already"),
        ("OLD", "NEW", "is a former symbol of AAA already"),
    ],
)
def test_a_rename_that_makes_no_sense_is_refused(database, old, new, error):
    with database.write() as connection:
        load(connection, [(s, MON, 1) for s in ("AAA", "BBB", "AAPL  260116C00200000")])
        alias(connection, "OLD", "AAA")

        with pytest.raises(InputError, match=error):
            alias(connection, old, new)


def test_symbols_and_days_must_be_known(database):
    with database.write() as connection:
        load(connection, [("AAA", MON, 1)])

        with pytest.raises(UnknownSymbol):
            alias(connection, "XXX", "YYY")
        with pytest.raises(InputError, match="lies before"):
            alias(connection, "AAA", "BBB", date(1900, 1, 1))
        with pytest.raises(OutsideCalendar):
            alias(connection, "AAA", "BBB", date(2100, 1, 1))


def test_two_instruments_become_one(database):
    with database.write() as connection:
        load(
            connection,
            [
                *closes_of("FB", MON, [100, 101, 102]),
                *closes_of("META", TUE, [101 * (1 + 9e-7), 102, 103]),
            ],
            [dividend("FB", MON, 0.5), dividend("FB", THU, 9.0), split("META", FRI, 2)],
        )
        portfolio = add_portfolio(connection)
        add_lot(connection, portfolio, "FB", date(2023, 12, 30))
        add_lot(connection, portfolio, "META", WED)

        done = alias(connection, "FB", "META")

        assert stored_closes(connection, "META") == {
            MON: 100, TUE: 101 * (1 + 9e-7), WED: 102, THU: 103,
        }  # fmt: skip
        assert done == (done.instrument_id, "META", 1, 2, 1, True)
        assert symbols(connection) == ["META"]
        actions = connection.execute(
            select(schema.action.c.ex_date, schema.action.c.kind).order_by(schema.action.c.ex_date)
        ).all()
        assert [tuple(row) for row in actions] == [(MON, "dividend"), (FRI, "split")]
        lots = set(connection.execute(select(schema.lot.c.instrument_id)).scalars())
        assert lots == {done.instrument_id}
        assert changes(connection)[-1] == (2, "price", "META", date(2023, 12, 30))


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ([100, 101], [100 * (1 + 2e-6)], "on 1 of their sessions the closes differ, first on"),
        ([100, 101, 102, 103], [100, 101], "OLD has 2 bars from then on that NEW lacks"),
        ([100, 101, 102, 103], [], "OLD has 2 bars from then on that NEW lacks"),
    ],
)
def test_two_instruments_whose_bars_contradict_stay_two(database, old, new, error):
    with database.write() as connection:
        load(connection, [("NEW", CALENDAR.sessions[250], 100)])
        load(connection, [*closes_of("OLD", MON, old), *closes_of("NEW", MON, new)])
        before = (stored_closes(connection, "OLD"), stored_closes(connection, "NEW"))

        with pytest.raises(InputError, match=error):
            alias(connection, "OLD", "NEW")

        assert (stored_closes(connection, "OLD"), stored_closes(connection, "NEW")) == before
        assert symbols(connection) == ["NEW", "OLD"]
        assert aliases(connection) == []


def test_the_history_of_a_renamed_instrument_is_contradicted_like_any_other(database):
    with database.write() as connection:
        load(connection, [*closes_of("AAA", MON, [10, 11]), *closes_of("BBB", MON, [20, 21])])
        alias(connection, "AAA", "AAA2")

        for name in ("AAA2", "AAA"):
            with pytest.raises(InputError, match="BBB and AAA2 look like two instruments"):
                alias(connection, "BBB", name)

        assert symbols(connection) == ["AAA2", "BBB"]


def test_what_hangs_on_the_old_instrument_follows(database):
    with database.write() as connection:
        load(connection, [("FB", MON, 100), ("META", WED, 103), ("OTHER", MON, 1)])
        load(connection, [("FB", MON, 101)])
        old, new = (instrument_id(connection, s) for s in ("FB", "META"))
        accept(connection, "FB", "renamed", at=AT)
        portfolio = add_portfolio(connection)
        connection.execute(update(schema.portfolio).values(benchmark_id=old))
        alias(connection, "THEFACEBOOK", "FB")
        connection.execute(
            update(schema.instrument)
            .where(schema.instrument.c.id == old)
            .values(sector="Communication", name="Facebook")
        )
        connection.execute(
            insert(schema.price_pack).values(
                instrument_id=old, data_revision=1, calendar_revision=1, first_ordinal=0, closes=b""
            )
        )

        alias(connection, "FB", "META")

        assert find_instrument(connection, "THEFACEBOOK").symbol == "META"
        assert find_instrument(connection, "META").sector == "Communication"
        for table, column in (
            (schema.acceptance, "instrument_id"),
            (schema.price_correction, "instrument_id"),
            (schema.portfolio, "benchmark_id"),
        ):
            assert connection.execute(select(table.c[column])).scalars().all() == [new]
        assert connection.execute(select(schema.price_pack)).all() == []
    assert portfolio == "book"


def test_quarantines_are_found_again_among_the_bars_of_both(database):
    with database.write() as connection:
        load(
            connection,
            [*closes_of("OLD", MON, [100, 50]), *closes_of("NEW", WED, [120, 25, 26])],
        )
        assert len(open_quarantines(connection)) == 1
        release(connection, "OLD", TUE, at=AT)

        alias(connection, "OLD", "NEW")

        # 100, 50 (released), 120, 25, 26: neither 2.4 nor 0.208 is like a split.
        assert open_quarantines(connection) == ()


def test_the_seam_between_two_instruments_can_be_suspicious(database):
    with database.write() as connection:
        load(connection, [*closes_of("OLD", MON, [100, 100]), *closes_of("NEW", WED, [50, 50])])

        alias(connection, "OLD", "NEW")

        assert [(m.symbol, m.session) for m in open_quarantines(connection)] == [("NEW", WED)]
        assert changes(connection)[-1] == (2, "price", "NEW", MON)


@settings(max_examples=DATABASE_EXAMPLES)
@given(
    old=st.dictionaries(st.integers(0, 6), st.sampled_from([10.0, 11.0]), max_size=4),
    new=st.dictionaries(st.integers(0, 6), st.sampled_from([10.0, 11.0]), max_size=4),
    cut=st.integers(0, 7),
)
def test_a_merged_instrument_has_every_bar_of_both_or_nothing_is_merged(database, old, new, cut):
    fresh_schema(database)
    sessions = CALENDAR.sessions[:8]
    with database.write() as connection:
        load(connection, [("AAA", MON, 10), ("BBB", MON, 10)])
        load(connection, [("AAA", sessions[n], close) for n, close in old.items()])
        load(connection, [("BBB", sessions[n], close) for n, close in new.items()])

        if any(new[n] != old[n] if n in new else n >= cut for n in old):
            with pytest.raises(InputError, match="nothing was changed"):
                alias(connection, "AAA", "BBB", sessions[cut])
            merged = new
        else:
            done = alias(connection, "AAA", "BBB", sessions[cut])
            merged = old | new
            assert done.moved_bars == len(old.keys() - new.keys())
            # Both have the bar that was loaded first.
            assert done.dropped_bars == len(old.keys() & new.keys()) + 1
        stored = stored_closes(connection, "BBB")
    assert stored == {MON: 10.0} | {sessions[n]: close for n, close in merged.items()}
