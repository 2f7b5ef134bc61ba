"""Importing bars: what is stored, refused, corrected, and what the ledger records."""

import contextlib
from dataclasses import replace
from datetime import date

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from tests.market import (
    AT,
    CALENDAR,
    HOLIDAY,
    add_lot,
    add_portfolio,
    changes,
    closes_of,
    instrument_id,
    load,
    spinoff,
    split,
    stored_closes,
)
from tests.support import DATABASE_EXAMPLES, fresh_schema

from riskmark.intake.market_data import make_bars
from riskmark.storage import schema
from riskmark.storage.ledger import current_revision
from riskmark.storage.prices import import_prices

MON, TUE, WED, THU, FRI = CALENDAR.sessions[260:265]


def test_new_bars_are_stored_with_one_change_for_each_instrument(database):
    rows = [*closes_of("AAA", MON, [10, 11, 12]), *closes_of("BBB", TUE, [5, 6])]

    with database.write() as connection:
        imported = load(connection, rows)

        assert stored_closes(connection, "AAA") == {MON: 10, TUE: 11, WED: 12}
        assert changes(connection) == [(1, "price", "AAA", MON), (1, "price", "BBB", TUE)]
    assert imported.bars.stored == imported.bars.received == 5
    assert imported.bars.created == ("AAA", "BBB")
    assert imported.revision == 1


def test_the_same_bars_again_change_nothing(database):
    rows = closes_of("AAA", MON, [10, 11, 12])
    with database.write() as connection:
        load(connection, rows)

    with database.write() as connection:
        again = load(connection, rows)

        assert (again.bars.unchanged, again.bars.stored, again.bars.corrected) == (3, 0, 0)
        assert current_revision(connection) == again.revision == 1


def test_a_last_digit_is_no_difference(database):
    with database.write() as connection:
        load(connection, [("AAA", MON, 10.0)])

    with database.write() as connection:
        again = load(connection, [("AAA", MON, 10.0 * (1 + 1e-12))])

        assert again.bars.unchanged == 1
        assert stored_closes(connection, "AAA") == {MON: 10.0}


def test_a_corrected_close_is_kept_with_what_it_was(database):
    with database.write() as connection:
        load(connection, closes_of("AAA", MON, [10, 11, 12]), provider="first")

    with database.write() as connection:
        imported = load(connection, [("AAA", TUE, 11.5), ("AAA", WED, 12)], provider="second")

        assert (imported.bars.corrected, imported.bars.unchanged) == (1, 1)
        assert stored_closes(connection, "AAA")[TUE] == 11.5
        assert changes(connection)[-1] == (2, "price", "AAA", TUE)
        kept = connection.execute(select(schema.price_correction)).one()
    assert (kept.session, kept.old_close, kept.new_close) == (TUE, 11, 11.5)
    assert (kept.old_provider, kept.provider, kept.at) == ("first", "second", AT)


def test_another_volume_is_written_and_changes_no_number(database):
    bars = make_bars([("AAA", MON, 10.0)])
    bars = replace(bars, volume=np.array([100.0]), open=np.array([9.0]))
    options = {
        "provider": "test",
        "calendar": CALENDAR,
        "target": FRI,
        "base_currency": "USD",
        "at": AT,
    }
    with database.write() as connection:
        import_prices(connection, bars, **options)

    with database.write() as connection:
        other = replace(bars, volume=np.array([150.0]), open=np.array([np.nan]))
        imported = import_prices(connection, other, **options)

        row = connection.execute(select(schema.price)).one()
        assert (imported.bars.amended, imported.revision) == (1, 1)
    assert (row.open, row.volume, row.close) == (9, 150, 10)


def test_a_field_that_was_not_observed_is_null(database):
    with database.write() as connection:
        load(connection, [("AAA", MON, 10.0)])

        row = connection.execute(select(schema.price)).one()
    assert (row.open, row.high, row.low, row.volume) == (None, None, None, None)


def test_prices_that_are_not_positive_are_not_observed(database):
    bars = make_bars([("AAA", MON, 10.0)])
    bars = replace(bars, open=np.array([0.0]), low=np.array([-1.0]), volume=np.array([np.inf]))

    with database.write() as connection:
        import_prices(
            connection,
            bars,
            provider="test",
            calendar=CALENDAR,
            target=FRI,
            base_currency="USD",
            at=AT,
        )

        row = connection.execute(select(schema.price)).one()
    assert (row.open, row.low, row.volume) == (None, None, None)


def test_bars_that_cannot_count_are_refused_and_counted(database):
    rows = [
        ("AAA", MON, 10),
        ("AAA", TUE, np.nan),
        ("AAA", WED, -1),
        ("AAA", THU, np.inf),
        ("AAA", FRI, 10),
        ("AAA", date(2024, 1, 6), 10),
        ("AAA", HOLIDAY, 10),
    ]

    with database.write() as connection:
        imported = load(connection, rows, target=THU)

        assert stored_closes(connection, "AAA") == {MON: 10}
    refused = imported.bars.refused
    assert (refused.unobserved, refused.not_positive) == (1, 2)
    assert (refused.not_final, refused.not_a_session) == (3, 0)


def test_a_bar_on_no_session_is_refused(database):
    rows = [("AAA", HOLIDAY, 10), ("AAA", date(1900, 1, 1), 10), ("AAA", date(2023, 1, 7), 10)]

    with database.write() as connection:
        imported = load(connection, rows)

    assert imported.bars.refused.not_a_session == 3
    assert imported.bars.created == ()
    assert imported.bars.without_bars == ("AAA",)


def test_an_unknown_symbol_is_refused_where_none_may_be_made(database):
    with database.write() as connection:
        load(connection, [("AAA", MON, 10)])

        imported = load(connection, [("AAA", TUE, 10), ("BBB", TUE, 10)], create_missing=False)

    assert imported.bars.refused.unknown_symbol == 1
    assert imported.bars.stored == 1


def with_currency(rows, *codes):
    return replace(make_bars(rows), currency=np.array(codes))


OPTIONS = {
    "provider": "test",
    "calendar": CALENDAR,
    "target": FRI,
    "base_currency": "USD",
    "at": AT,
}


def currency_of(connection, symbol):
    column = schema.instrument.c
    return connection.execute(select(column.currency).where(column.symbol == symbol)).scalar_one()


def test_a_bar_in_another_currency_is_refused_and_names_the_instruments_currency(database):
    bars = with_currency([("AAA", MON, 10), ("BBB", MON, 10)], "GBp", "")

    with database.write() as connection:
        imported = import_prices(connection, bars, **OPTIONS)

        assert imported.bars.refused.foreign_currency == 1
        assert imported.bars.foreign == ("AAA",)
        assert currency_of(connection, "AAA") == "GBp"
        assert currency_of(connection, "BBB") == "USD"


def test_a_lot_learns_that_its_symbol_is_in_another_currency(database):
    with database.write() as connection:
        load(connection, [("AAA", MON, 10)])
        connection.execute(schema.price.delete())
        add_lot(connection, add_portfolio(connection), "AAA", MON)

        import_prices(connection, with_currency([("AAA", FRI, 10)], "EUR"), **OPTIONS)

        assert changes(connection)[-1] == (2, "price", "AAA", MON)


def test_currencies_are_compared_case_by_case(database):
    bars = with_currency([("AAA", MON, 10)], "usd")

    with database.write() as connection:
        imported = import_prices(connection, bars, **OPTIONS)

    assert imported.bars.refused.foreign_currency == 1


def test_a_stray_foreign_bar_does_not_move_an_instrument_with_prices(database):
    with database.write() as connection:
        import_prices(connection, with_currency([("AAA", MON, 10)], "USD"), **OPTIONS)

        import_prices(connection, with_currency([("AAA", TUE, 9)], "EUR"), **OPTIONS)

        assert currency_of(connection, "AAA") == "USD"
        assert stored_closes(connection, "AAA") == {MON: 10}


def test_an_unstated_currency_is_the_instruments_own(database):
    with database.write() as connection:
        import_prices(connection, with_currency([("AAA", MON, 10)], "EUR"), **OPTIONS)

        unstated = import_prices(connection, make_bars([("AAA", TUE, 9)]), **OPTIONS)
        stated = import_prices(connection, with_currency([("AAA", WED, 9)], "USD"), **OPTIONS)

        assert unstated.bars.refused.foreign_currency == 1
        assert stated.bars.stored == 1
        assert currency_of(connection, "AAA") == "USD"


def test_odd_ranges_are_stored_and_counted(database):
    bars = make_bars([("AAA", MON, 10), ("AAA", TUE, 10), ("AAA", WED, 10)])
    bars = replace(
        bars,
        low=np.array([9.0, 11.0, np.nan]),
        high=np.array([11.0, 12.0, 9.0]),
        open=np.array([9.5, np.nan, np.nan]),
    )

    with database.write() as connection:
        imported = import_prices(connection, bars, **OPTIONS)

    assert imported.bars.odd_ranges == 2
    assert imported.bars.stored == 3


def test_a_bar_given_twice_counts_once_as_a_duplicate(database):
    with database.write() as connection:
        imported = load(connection, [("AAA", MON, 10), ("AAA", MON, 10), ("AAA", TUE, 11)])

        assert stored_closes(connection, "AAA") == {MON: 10, TUE: 11}
    assert (imported.bars.received, imported.bars.stored) == (3, 2)
    assert imported.bars.refused.duplicate == 1


def test_a_bar_under_a_former_symbol_goes_to_the_present_one(database):
    with database.write() as connection:
        load(connection, [("NEW", MON, 10)])
        key = instrument_id(connection, "NEW")
        connection.execute(
            schema.instrument_alias.insert().values(symbol="OLD", instrument_id=key, renamed_on=MON)
        )

        imported = load(connection, [("OLD", TUE, 11), ("OLD", WED, 99), ("NEW", WED, 12)])

        assert stored_closes(connection, "NEW") == {MON: 10, TUE: 11, WED: 12}
    assert imported.bars.refused.duplicate == 1
    assert imported.bars.created == ()


def test_an_index_symbol_makes_an_index(database):
    with database.write() as connection:
        load(connection, [("^VIX", MON, 10), ("AAPL  260116C00200000", MON, 1), ("AAA", MON, 1)])

        column = schema.instrument.c
        kinds = dict(map(tuple, connection.execute(select(column.symbol, column.kind)).all()))
    assert kinds == {
        "^VIX": "index",
        "AAPL  260116C00200000": "option",
        "AAPL": "stock",
        "AAA": "stock",
    }


def test_actions_of_the_same_import_explain_moves(database):
    rows = closes_of("AAA", MON, [100, 100, 25, 25])

    with database.write() as connection:
        imported = load(connection, rows, [split("AAA", WED, 4.0)])

        assert imported.checked.raised == ()
        assert changes(connection) == [(1, "price", "AAA", MON), (1, "action", "AAA", WED)]


def test_a_quarantine_is_part_of_the_one_change(database):
    rows = closes_of("AAA", MON, [100, 100, 25, 25])

    with database.write() as connection:
        imported = load(connection, rows)

        assert [move.session for move in imported.checked.raised] == [WED]
        assert changes(connection) == [(1, "price", "AAA", MON)]


def test_an_import_of_nothing_changes_nothing(database):
    with database.write() as connection:
        imported = load(connection)

        assert imported.revision == 0
        assert imported.bars.received == 0


def test_a_failed_import_leaves_nothing(database):
    with contextlib.suppress(RuntimeError), database.write() as connection:
        load(connection, [("AAA", MON, 10)])
        raise RuntimeError

    with database.read() as connection:
        assert connection.execute(select(schema.price)).all() == []
        assert current_revision(connection) == 0


def test_a_private_asset_does_not_take_the_prices_of_its_namesake(database):
    with database.write() as connection:
        load(connection, [("AAA", MON, 10)])
        connection.execute(
            update(schema.instrument).values(owner_id=schema.LOCAL_ACCOUNT, kind="private")
        )

        imported = load(connection, [("AAA", TUE, 10)])

        keys = connection.execute(select(schema.instrument.c.id)).all()
    assert imported.bars.created == ("AAA",)
    assert len(keys) == 2


SYMBOLS = st.sampled_from(["AAA", "BBB", "CCC"])
IMPORTS = st.lists(
    st.dictionaries(
        st.tuples(SYMBOLS, st.sampled_from(CALENDAR.sessions[:8])),
        st.sampled_from([10.0, 10.5, 11.0]),
        max_size=8,
    ),
    max_size=4,
)


@settings(max_examples=DATABASE_EXAMPLES)
@given(imports=IMPORTS)
def test_what_is_stored_is_the_last_import_of_each_bar(database, imports):
    fresh_schema(database)
    expected = {}

    for bars in imports:
        with database.write() as connection:
            before = current_revision(connection)
            different = {key: close for key, close in bars.items() if expected.get(key) != close}
            imported = load(connection, [(*key, close) for key, close in bars.items()])
            written = [row[2:] for row in changes(connection) if row[0] > before]
        first = {}
        for symbol, session in sorted(different):
            first.setdefault(symbol, session)
        expected |= bars
        assert imported.bars.stored + imported.bars.corrected == len(different)
        assert sorted(written) == sorted(first.items())

    with database.read() as connection:
        stored = connection.execute(
            select(schema.instrument.c.symbol, schema.price.c.session, schema.price.c.close).join(
                schema.instrument, schema.instrument.c.id == schema.price.c.instrument_id
            )
        ).all()
    assert {(row.symbol, row.session): row.close for row in stored} == expected


def test_a_spinoff_explains_a_move(database):
    rows = closes_of("AAA", MON, [100, 50])

    with database.write() as connection:
        imported = load(connection, rows, [spinoff("AAA", TUE, 2.0)])

    assert imported.checked.raised == ()
