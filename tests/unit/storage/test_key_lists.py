"""Lists of keys as one value of a statement."""

from datetime import date

from tests.support import fresh_schema

from riskmark.storage.engines import as_date, read_rows
from riskmark.storage.key_lists import among, ranges, run_statement

DAY, NEXT = date(2024, 1, 2), date(2024, 1, 3)


def test_a_list_of_keys_has_no_limit(database):
    with database.read() as connection:
        listed = among(connection, range(100_000))

        rows = read_rows(connection, f"SELECT 1 WHERE 99999 {listed.sql}", listed.values)

    assert len(rows) == 1


def test_no_key_is_among_none(database):
    with database.read() as connection:
        for keys in ([], ["BBB"], [""]):
            listed = among(connection, keys)
            statement = f"SELECT id FROM account WHERE id {listed.sql}"
            assert read_rows(connection, statement, listed.values) == []


def test_texts_are_compared_as_they_are(database):
    fresh_schema(database)

    with database.read() as connection:
        listed = among(connection, ["local", 'it\'s "quoted"', "☃"])
        rows = read_rows(connection, f"SELECT id FROM account WHERE id {listed.sql}", listed.values)

    assert [tuple(row) for row in rows] == [("local",)]


def test_ranges_come_back_as_rows(database):
    spans = {7: (DAY, NEXT), 3: (date(1, 1, 1), date(9999, 12, 31))}

    with database.read() as connection:
        listed = ranges(connection, spans)
        rows = read_rows(connection, f"SELECT * FROM ({listed.sql}) AS t", listed.values)

    assert {row[0]: (as_date(row[1]), as_date(row[2])) for row in rows} == spans


def test_a_statement_says_how_many_rows_it_touched(database):
    with database.write() as connection:
        assert (
            run_statement(connection, "UPDATE account SET name = ? WHERE id = ?", ("x", "y")) == 0
        )
        assert run_statement(connection, "UPDATE account SET name = ?", ("x",)) == 1
