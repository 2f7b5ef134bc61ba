"""An installation of each kind, ready for use: a copy of one that was prepared once."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from tests.acceptance.world import LAST, World, at_close

from riskmark import app as application
from riskmark.settings import load_settings
from riskmark.storage.engines import open_database


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepare an empty SQLite installation."""
    path = tmp_path_factory.mktemp("template") / "riskmark.db"
    _prepare(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_template(postgresql_url: str) -> str:
    """Prepare an empty PostgreSQL installation, and return the name of its database."""
    _administer(postgresql_url, "CREATE DATABASE prepared")
    _prepare(_with_database(postgresql_url, "prepared"))
    return "prepared"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the address of a fresh installation of each kind."""
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        shutil.copy(template, tmp_path / "riskmark.db")
        yield f"sqlite:///{tmp_path / 'riskmark.db'}"
        return
    server: str = request.getfixturevalue("postgresql_url")
    name: str = request.getfixturevalue("postgresql_template")
    _administer(server, f"CREATE DATABASE world TEMPLATE {name}")
    yield _with_database(server, "world")
    _administer(server, "DROP DATABASE world WITH (FORCE)")


@pytest.fixture
def world(url: str) -> Iterator[World]:
    """Give an installation with nothing in it."""
    made = World(url)
    yield made
    made.close()


def _prepare(url: str) -> None:
    loaded = load_settings(None, {}, database_url=url)
    app = application.build(loaded, application.FixedClock(at_close(LAST)))
    application.initialise(app)
    app.database.close()


def _administer(url: str, statement: str) -> None:
    database = open_database(url)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(statement))
    database.close()


def _with_database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)
