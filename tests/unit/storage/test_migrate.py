"""Migrations: from nothing to the newest schema, once, whole, and never back."""

import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from riskmark.storage import migrate as migrating
from riskmark.storage import schema
from riskmark.storage.engines import Database, open_database
from riskmark.storage.migrate import (
    SchemaMissing,
    SchemaTooNew,
    check_schema,
    migrate,
    schema_version,
)

EXPRESSION_INDEX = "uq_instrument_owner_symbol"


@pytest.fixture
def bare(database: Database):
    """Give a database with nothing in it at all."""
    if database.is_sqlite:
        path = database.engine.url.database
        opened = open_database(f"sqlite:///{path}.bare")
        yield opened
        opened.close()
        return
    with database.write() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    yield database
    migrate(database)


def _tables(database):
    with database.read() as connection:
        return set(inspect(connection).get_table_names())


def test_a_bare_database_gets_every_table_and_the_newest_version(bare):
    done = migrate(bare)

    with bare.read() as connection:
        assert schema_version(connection) == schema.HEAD
        check_schema(connection)
    assert done
    assert _tables(bare) == {*schema.metadata.tables, "alembic_version"}


def test_a_second_migration_does_nothing(bare):
    migrate(bare)

    assert not migrate(bare)


def test_the_migrations_build_the_schema_that_is_declared(bare):
    migrate(bare)

    with bare.read() as connection, warnings.catch_warnings():
        # An index on an expression cannot be compared; that it is there is asked below.
        warnings.simplefilter("ignore")
        differences = compare_metadata(MigrationContext.configure(connection), schema.metadata)
        kept = "sqlite_master" if bare.is_sqlite else "pg_indexes"
        rows = connection.execute(text(f"SELECT * FROM {kept}")).all()

    assert [one for one in differences if EXPRESSION_INDEX not in str(one)] == []
    assert any(EXPRESSION_INDEX in map(str, row) for row in rows)


def test_a_migration_that_breaks_off_never_happened(bare, monkeypatch):
    upgrade = command.upgrade

    def break_off(config, revision):
        upgrade(config, revision)
        raise OSError("the power went")

    monkeypatch.setattr(command, "upgrade", break_off)
    with pytest.raises(OSError, match="power"):
        migrate(bare)
    monkeypatch.undo()

    assert _tables(bare) == set()
    assert migrate(bare)


def test_many_processes_may_migrate_at_once(bare):
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: migrate(bare), range(4)))

    assert sorted(done) == [False, False, False, True]


def test_a_database_of_a_newer_riskmark_is_left_alone(bare):
    migrate(bare)
    with bare.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(SchemaTooNew, match="upgrade Riskmark"):
        migrate(bare)
    with bare.read() as connection, pytest.raises(SchemaTooNew):
        check_schema(connection)
    with bare.write() as connection:
        connection.execute(text(f"UPDATE alembic_version SET version_num = '{schema.HEAD}'"))


def test_a_database_without_a_schema_says_what_to_do(bare):
    with bare.read() as connection, pytest.raises(SchemaMissing, match="riskmark init"):
        check_schema(connection)


def test_the_head_is_the_newest_migration():
    versions = migrating.Path(migrating.__file__).with_name("migrations") / "versions"

    newest = max(path.stem.partition("_")[0] for path in versions.glob("[0-9]*.py"))

    assert newest == schema.HEAD
