"""A migration that is killed at any statement never happened, and the next one finishes."""

import json
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
from tests import released
from tests.faults.installations import administer, with_database
from tests.faults.nursery import ROOT
from tests.support import PROFILE

from riskmark.storage.engines import open_database
from riskmark.storage.migrate import check_schema, migrate, schema_version

STATEMENTS = {"default": 2, "deep": None}[PROFILE]
"""How many statements a migration is killed at; None: at every one, and the commit."""
STARTS = ("empty", *released.RELEASED)


class Migrations:
    """Databases of one kind at each released schema, and a process that migrates copies."""

    def __init__(self, folder: Path, server: str | None) -> None:
        self._folder = folder
        self._server = server
        self._number = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.migrating"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._made: set[str] = set()

    def migrate(self, url: str, kill_at: int = 0) -> dict[str, int]:
        """Migrate in a process that dies before a statement."""
        self.start(url, kill_at)
        return self.wait()

    def start(self, url: str, kill_at: int = 0) -> None:
        """Start a process that migrates."""
        self._process.stdin.write(json.dumps([url, kill_at]) + "\n")
        self._process.stdin.flush()

    def wait(self) -> dict[str, int]:
        """Wait for its end."""
        return json.loads(self._process.stdout.readline())

    @contextmanager
    def copy(self, start: str) -> Iterator[str]:
        """Give the address of a fresh copy of a database, for the time of the block."""
        self._make(start)
        self._number += 1
        name = f"migrated_{self._number}"
        if self._server is None:
            path = self._folder / f"{name}.db"
            shutil.copy(self._folder / f"from_{start}.db", path)
            yield f"sqlite:///{path}"
            for left in self._folder.glob(f"{name}.db*"):
                left.unlink()
        else:
            administer(self._server, f"CREATE DATABASE {name} TEMPLATE from_{start}")
            yield with_database(self._server, name)
            administer(self._server, f"DROP DATABASE {name} WITH (FORCE)")

    def _make(self, start: str) -> None:
        if start in self._made:
            return
        self._made.add(start)
        name = f"from_{start}"
        url = f"sqlite:///{self._folder / name}.db"
        if self._server is not None:
            administer(self._server, f"CREATE DATABASE {name}")
            url = with_database(self._server, name)
        database = open_database(url)
        with database.write() as connection:
            if start != "empty":
                released.make(connection, start)
        database.close()

    def close(self) -> None:
        """End the process."""
        self._process.communicate()
        if self._server is not None:
            for start in self._made:
                administer(self._server, f"DROP DATABASE from_{start} WITH (FORCE)")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def migrations(request, tmp_path_factory):
    server = None if request.param == "sqlite" else request.getfixturevalue("postgresql_url")
    made = Migrations(tmp_path_factory.mktemp("migrations"), server)
    yield made
    made.close()


@pytest.mark.parametrize("start", STARTS)
def test_a_migration_killed_at_a_statement_is_finished_by_the_next(migrations, start):
    seed = secrets.randbits(32)
    with migrations.copy(start) as url:
        whole = migrations.migrate(url)
    every = range(1, whole["statements"] + 2)
    chosen = every if STATEMENTS is None else Random(seed).sample(every, STATEMENTS)
    print(f"seed {seed}: killed at {len(chosen)} of {len(every)} statements")

    for kill_at in chosen:
        with migrations.copy(start) as url:
            database = open_database(url)
            with database.read() as connection:
                columns = released.columns_of(connection)
                before = released.read(connection, columns)

            assert migrations.migrate(url, kill_at)["killed"]

            with database.read() as connection:
                assert schema_version(connection) == (None if start == "empty" else start)
                assert released.read(connection, released.columns_of(connection)) == before
            assert migrate(database)
            with database.read() as connection:
                check_schema(connection)
                assert released.read(connection, columns) == before
            database.close()


def test_of_two_processes_that_migrate_at_once_one_does_it(migrations, tmp_path):
    other = Migrations(tmp_path, None)

    with migrations.copy("0001") as url:
        for process in (migrations, other):
            process.start(url)
        ends = [process.wait() for process in (migrations, other)]
        database = open_database(url)
        with database.read() as connection:
            check_schema(connection)
        database.close()

    other.close()
    assert sorted(end["done"] for end in ends) == [False, True]
