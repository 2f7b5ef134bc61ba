import json
import sqlite3

import pytest
from tests.acceptance.world import LAST, at_close
from typer.testing import CliRunner

from riskmark.cli.main import app
from riskmark.storage.engines import open_database


def call(*words, **environment):
    values = {"RISKMARK_NOW": at_close(LAST).isoformat()} | environment
    return CliRunner().invoke(app, list(map(str, words)), env=values)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in a folder of one's own, with nothing in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_sqlite_database_is_made_on_first_use(folder):
    done = call("status")

    assert done.exit_code == 0
    assert "created the database riskmark.db" in done.stderr
    assert (folder / "riskmark.db").exists()
    assert "created" not in call("status").stderr


def test_init_can_be_repeated():
    first, second = call("init"), call("init")

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "ready" in first.stderr
    assert "nothing to do" in second.stderr


def test_a_backup_makes_no_database(folder):
    done = call("backup", "copy.db")

    assert done.exit_code == 2
    assert list(folder.iterdir()) == []


def test_the_environment_names_the_database(folder):
    call("init", RISKMARK_DATABASE_URL=f"sqlite:///{folder / 'other.db'}")

    assert (folder / "other.db").exists()


def test_a_postgresql_database_is_not_made_in_passing(postgresql_url):
    database = open_database(postgresql_url)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
        connection.commit()
    database.close()

    done = call("--database", postgresql_url, "status")

    assert done.exit_code == 1
    assert "riskmark init" in done.stderr
    assert call("--database", postgresql_url, "init").exit_code == 0
    assert call("--database", postgresql_url, "status").exit_code == 0


CANARIES = ("canary-1", "canary-2", "canary-3")


def without_canaries(done):
    """Return what a command said, after a look for passwords in it."""
    said = done.stdout + done.stderr + str(done.exception or "")
    assert not any(canary in said for canary in CANARIES), said
    return said


@pytest.mark.parametrize(
    "words",
    [("init",), ("status",), ("-v", "runs", "list", "--json"), ("metrics",), ("backup", "b.db"),
     ("config", "show"), ("config", "show", "--json")],
)  # fmt: skip
@pytest.mark.parametrize("server", ["127.0.0.1:9", "127.0.0.1:none"])
def test_no_password_in_a_databases_address_is_shown(server, words):
    url = f"postgresql://u:canary-1@{server}/x?password=canary-2&sslpassword=canary-3"

    assert "***" in without_canaries(call("--database", url, *words))


def test_no_password_is_shown_by_a_command_that_succeeds(postgresql_url):
    sign = "&" if "?" in postgresql_url else "?"
    url = f"{postgresql_url}{sign}password=canary-2&sslpassword=canary-3"

    for words in (("init",), ("-v", "status"), ("metrics",), ("run", "--json"), ("backup", "b")):
        without_canaries(call("--database", url, *words))
    assert "***" in without_canaries(call("--database", url, "init"))


def test_config_shows_every_value_and_where_it_came_from(folder):
    (folder / "riskmark.toml").write_text('benchmark = "VOO"\n[lease]\nseconds = 90.0\n')

    done = call(
        "config", "show", "--json", "--database", "postgresql://me:hunter2@host/db",
        RISKMARK_RISK_FREE="0.02",
    )  # fmt: skip

    assert done.exit_code == 0
    assert "hunter2" not in done.stdout + done.stderr
    found = {one["key"]: (one["value"], one["origin"]) for one in json.loads(done.stdout)}
    assert found["database_url"] == ("postgresql://me:***@host/db", "command line")
    assert found["benchmark"] == ("VOO", "riskmark.toml")
    assert found["lease.seconds"] == (90.0, "riskmark.toml")
    assert found["risk_free"] == (0.02, "environment")
    assert found["base_currency"] == ("USD", "default")
    assert "VOO" in call("config", "show").stdout
    assert (
        "hunter2"
        not in call(
            "config", "show", RISKMARK_DATABASE_URL="postgresql://me:hunter2@host/db"
        ).stdout
    )
    assert not (folder / "riskmark.db").exists()


@pytest.mark.parametrize(
    ("words", "environment"),
    [
        (("--database", "oracle://x", "status"), {}),
        (("--database", "sqlite:////no/such/folder/x.db", "status"), {}),
        (("--config", "missing.toml", "status"), {}),
        (("status",), {"RISKMARK_NOW": "soon"}),
        (("status",), {"RISKMARK_NOW": "2026-01-08T12:00:00"}),
        (("status",), {"RISKMARK_COLOUR": "blue"}),
    ],
)
def test_an_installation_that_cannot_be_is_refused_in_one_line(folder, words, environment):
    done = call(*words, **environment)

    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert list(folder.iterdir()) == []


def test_a_file_that_is_no_database_is_refused(folder):
    (folder / "riskmark.db").write_bytes(b"hello" * 1_000)

    done = call("status")

    assert done.exit_code == 1
    assert "not a database" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_of_a_newer_riskmark_is_refused(folder):
    call("init")
    connection = sqlite3.connect(folder / "riskmark.db")
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()

    done = call("status")

    assert done.exit_code == 1
    assert "newer" in done.stderr
