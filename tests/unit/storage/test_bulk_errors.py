"""What goes wrong in a bulk read or write is of the same kind as what goes wrong elsewhere."""

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError

from riskmark.storage import schema
from riskmark.storage.engines import Database, read_rows, write_rows


def test_a_bulk_read_that_fails_is_an_error_of_the_database(database: Database):
    with database.read() as connection, pytest.raises(DBAPIError, match="nowhere"):
        read_rows(connection, "SELECT 1 FROM nowhere")


@pytest.mark.parametrize("replace", [False, True])
def test_a_bulk_write_that_breaks_a_rule_says_so_as_any_statement_does(
    database: Database, *, replace: bool
):
    rows = [("nobody", 0, 0, 0, "")]
    columns = ("portfolio_id", "snapshots", "inputs_revision", "engine_version", "settings_hash")

    with pytest.raises(IntegrityError), database.write() as connection:
        write_rows(connection, schema.portfolio_progress, columns, rows, replace=replace)

    with database.read() as connection:
        assert read_rows(connection, "SELECT portfolio_id FROM portfolio_progress") == []
