"""The migrations build the schema, whatever they start from."""

import warnings

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from riskmark.storage import schema
from riskmark.storage.engines import open_database
from riskmark.storage.migrate import (
    SchemaMissing,
    SchemaTooNew,
    alembic_config,
    check_schema,
    migrate,
    schema_version,
)


@pytest.fixture
def empty(tmp_path):
    opened = open_database(f"sqlite:///{tmp_path / 'empty.db'}")
    yield opened
    opened.close()


def differences(connection):
    """List where a database is not what the schema says."""
    with warnings.catch_warnings():
        # An index of an expression cannot be read back from SQLite; both libraries say so.
        warnings.filterwarnings("ignore", ".*expression-based index")
        return compare_metadata(MigrationContext.configure(connection), schema.metadata)


def test_the_migrations_build_what_the_schema_says(database):
    with database.write() as connection:
        assert differences(connection) == []


def test_the_newest_migration_is_the_one_that_is_expected(database):
    with database.read() as connection:
        scripts = ScriptDirectory.from_config(alembic_config(connection))

        assert scripts.get_heads() == [schema.HEAD]
        assert schema_version(connection) == schema.HEAD
        check_schema(connection)


def test_a_database_of_an_older_schema_is_brought_up_to_date_and_keeps_its_rows(empty):
    with empty.write() as connection:
        command.upgrade(alembic_config(connection), "0001")
        connection.execute(
            text(
                "INSERT INTO symbol_fit (instrument_id, model, factor, session, n) "
                "VALUES (1, 'market', 'Market', '2024-01-02', 90)"
            )
        )
    with empty.read() as connection, pytest.raises(SchemaMissing, match="riskmark init"):
        check_schema(connection)

    changed = migrate(empty)

    with empty.write() as connection:
        assert changed
        assert differences(connection) == []
        rows = connection.execute(text("SELECT n, stderr_hac, vif FROM symbol_fit")).all()
        assert rows == [(90, None, None)]


def test_a_database_that_is_up_to_date_is_left_alone(empty):
    assert migrate(empty)

    assert not migrate(empty)


def test_a_database_of_a_newer_riskmark_is_refused(empty):
    migrate(empty)
    with empty.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(SchemaTooNew, match="upgrade Riskmark"):
        migrate(empty)
