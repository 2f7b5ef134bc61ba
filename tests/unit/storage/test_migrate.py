"""Migrations: from nothing to the newest schema, once, whole, and never back."""

import warnings
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from tests import released

from riskmark.storage import migrate as migrating
from riskmark.storage import schema
from riskmark.storage.engines import Database, open_database
from riskmark.storage.migrate import (
    SchemaMissing,
    SchemaTooNew,
    alembic_config,
    check_schema,
    migrate,
    schema_version,
)

EXPRESSION_INDEX = "uq_instrument_owner_symbol"
OLD_ROWS = """
INSERT INTO position_value (portfolio_id, session, instrument_id, quantity, mark,
    mark_kind, mark_age, market_value, weight, pnl, beta)
    VALUES ('p', '2024-03-04', 7, 3, 0.1, 'close', 0, 0.3, 0.25, -1e-17, 1.5);
INSERT INTO position_value (portfolio_id, session, instrument_id, quantity,
    market_value, pnl, beta_null) VALUES ('p', '2024-03-04', 8, 0, 0, 2, 'closed');
INSERT INTO factor_exposure (portfolio_id, session, model, factor, exposure, money,
    coverage_null) VALUES ('p', '2024-03-04', 'market', 'Market', 1.1, 11, 'no_holdings');
INSERT INTO sector_exposure (portfolio_id, session, sector, long, gross)
    VALUES ('p', '2024-03-04', 'Energy', 0.5, 0.5);
INSERT INTO symbol_fit (instrument_id, model, factor, session, n, beta)
    VALUES (7, 'market', 'Market', '2024-03-04', 90, 0.7);
INSERT INTO snapshot (portfolio_id, session, state, positions, reasons, nulls,
    windows, run_id, computed_at, inputs_revision, engine_version, settings_hash, nav,
    cash, pnl) VALUES ('p', '2024-03-04', 'complete', 1, '[]', '{}', '{}', 'r',
    '2024-03-04 22:00:00.000000', 1, 1, 's', 10, 9, 2)
"""
"""Results as the first schema keeps them, a row for each line."""


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


def test_rows_of_lines_are_packed_and_read_as_before(bare):
    with bare.write() as connection:
        command.upgrade(alembic_config(connection), "0001")
        for statement in OLD_ROWS.split(";"):
            connection.execute(text(statement))

    migrate(bare)

    with bare.read() as connection:
        positions = connection.execute(
            text("SELECT * FROM position_value ORDER BY instrument_id")
        ).all()
        exposure = connection.execute(text("SELECT * FROM factor_exposure")).one()
        sector = connection.execute(text("SELECT * FROM sector_exposure")).one()
        fit = connection.execute(text("SELECT * FROM symbol_fit")).one()
    first, second = positions
    assert (first.instrument_id, first.mark, first.pnl, first.mark_kind) == (
        7,
        0.1,
        -1e-17,
        "close",
    )
    assert (second.mark, second.beta_null, second.component_es_95) == (None, "closed", None)
    assert (exposure.exposure, exposure.coverage_null, exposure.stderr) == (
        1.1,
        "no_holdings",
        None,
    )
    assert (sector.sector, sector.long, sector.short) == ("Energy", 0.5, None)
    assert (fit.instrument_id, fit.n, fit.beta, fit.vif) == (7, 90, 0.7, None)


def test_the_head_is_the_newest_migration():
    versions = migrating.Path(migrating.__file__).with_name("migrations") / "versions"

    newest = max(path.stem.partition("_")[0] for path in versions.glob("[0-9]*.py"))

    assert newest == schema.HEAD


@pytest.mark.parametrize("revision", released.RELEASED)
def test_a_released_schema_is_upgraded_with_every_row(bare, revision):
    with bare.write() as connection:
        released.make(connection, revision)
        columns = released.columns_of(connection)
        before = released.read(connection, columns)
    assert all(before.values())

    migrate(bare)

    with bare.read() as connection:
        check_schema(connection)
        after = released.read(connection, columns)
    assert after == before


def test_there_is_no_way_down(bare):
    migrate(bare)

    for revision in ("-1", "0001", "base"):
        with bare.write() as connection, pytest.raises(AttributeError, match="downgrade"):
            command.downgrade(alembic_config(connection), revision)

    with bare.read() as connection:
        check_schema(connection)


def test_who_waits_for_a_migration_finds_it_done(bare):
    started, may_end = Event(), Event()
    upgrade = command.upgrade

    def upgrade_slowly(config, revision):
        upgrade(config, revision)
        started.set()
        assert may_end.wait(30)

    with ThreadPoolExecutor(2) as pool, pytest.MonkeyPatch.context() as patched:
        patched.setattr(command, "upgrade", upgrade_slowly)
        first = pool.submit(migrate, bare)
        assert started.wait(30)
        second = pool.submit(migrate, bare)
        with pytest.raises(TimeoutError):
            second.result(timeout=0.3)
        may_end.set()

        assert (first.result(30), second.result(30)) == (True, False)
