"""What the driver of the database says, in words that say what to do."""

import sqlite3
from types import SimpleNamespace

import psycopg
import pytest
from sqlalchemy import exc
from typer.testing import CliRunner

from riskmark.cli.main import app
from riskmark.cli.opening import database_problem
from riskmark.settings import load_settings
from riskmark.storage.engines import open_database


def problem_of(error, url="sqlite:///books.db"):
    settings = load_settings(None, {}, database_url=url).settings
    database = open_database(url)
    try:
        return database_problem(SimpleNamespace(database=database, settings=settings), error)
    finally:
        database.close()


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("attempt to write a readonly database", "make the file and its folder writable"),
        ("unable to open database file", "its folder must exist"),
        ("database is locked", "try again"),
        ("database or disk is full", "make room"),
        ("database disk image is malformed", "backup"),
        ("no such table: price", "no such table: price"),
        ("disk I/O error", "cannot be used: disk I/O error"),
    ],
)
def test_what_sqlite_says_becomes_advice(text, advice):
    error = sqlite3.OperationalError(text)

    for raised in (error, exc.OperationalError("SELECT 1", {}, error)):
        said = problem_of(raised)
        assert said.startswith("the database books.db ")
        assert advice in said


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (psycopg.OperationalError("connection failed\nmore"), "does its server run?"),
        (psycopg.errors.LockNotAvailable("lock timeout"), "lock timeout; try again"),
        (psycopg.errors.InsufficientPrivilege("permission denied"), "the right to write"),
        (psycopg.errors.ReadOnlySqlTransaction("read-only"), "the right to write"),
    ],
)
def test_what_postgresql_says_becomes_advice_without_the_password(error, advice):
    said = problem_of(error, "postgresql+psycopg://me:secret@db/books")

    assert "the database postgresql://me:***@db/books" in said
    assert advice in said
    assert "secret" not in said
    assert "\n" not in said


@pytest.mark.parametrize(
    "error",
    [sqlite3.IntegrityError("UNIQUE"), sqlite3.ProgrammingError("closed"), ValueError("other")],
)
def test_mistakes_of_the_program_keep_their_form(error):
    assert problem_of(error) is None


def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path):
    path = tmp_path / "notes.db"
    path.write_text("no database " * 100)

    done = CliRunner().invoke(app, ["--database", f"sqlite:///{path}", "status"])

    assert (done.exit_code, done.stdout) == (1, "")
    said = " ".join(done.stderr.split())
    assert "is not a database; name another file with --database" in said
    assert "DatabaseError" not in said
