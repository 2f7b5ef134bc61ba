"""Opening an installation from a notebook: by the rules of the command line, and never writing."""

import os
import shutil
import sqlite3
import subprocess
import sys
from datetime import date, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.unit.notebook.conftest import NOW

import riskmark as rm
from riskmark.cli.demo_setup import BOOKS
from riskmark.errors import InputError, SettingsError, StoreError, UnknownPortfolio
from riskmark.notebook.arguments import as_day
from riskmark.storage.engines import open_database
from riskmark.storage.migrate import SchemaMissing

NAMES = sorted(book.account.name for book in BOOKS)


@pytest.fixture(autouse=True)
def _at_the_demos_instant(monkeypatch):
    monkeypatch.setenv("RISKMARK_NOW", NOW)


@pytest.mark.parametrize("place", ["", "riskmark.toml", "riskmark.db"])
def test_a_folder_its_settings_and_its_database_are_all_ways_in(demo, place):
    with rm.open(demo / place) as book:
        assert list(book.portfolios().index) == NAMES


def test_a_url_names_the_database_and_config_the_settings(demo):
    url = f"sqlite:///{demo / 'riskmark.db'}"

    with rm.open(url, config=demo / "riskmark.toml") as book:
        assert book.portfolio("Growth").currency == "USD"
    assert repr(book) == f"Book({url!r})"


def test_without_a_source_the_settings_say_where_it_is(demo, monkeypatch, tmp_path):
    monkeypatch.chdir(demo)
    with rm.open() as in_its_folder:
        assert list(in_its_folder.portfolios().index) == NAMES

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RISKMARK_CONFIG", str(demo / "riskmark.toml"))
    with rm.open() as by_the_environment:
        assert list(by_the_environment.portfolios().index) == NAMES


def test_the_environment_wins_over_the_file_as_on_the_command_line(demo, monkeypatch, tmp_path):
    monkeypatch.setenv("RISKMARK_DATABASE_URL", f"sqlite:///{tmp_path / 'other.db'}")

    with pytest.raises(InputError, match=r"there is no database .*other\.db"):
        rm.open(demo)


def test_what_is_not_there_is_told_and_not_made(tmp_path):
    for source in (tmp_path / "nothing.db", tmp_path / "none", f"sqlite:///{tmp_path}/no.db"):
        with pytest.raises(InputError, match="there is no"):
            rm.open(source)
    with pytest.raises(InputError, match=r"holds no riskmark\.toml"):
        rm.open(tmp_path)
    with pytest.raises(SettingsError, match="no such file"):
        rm.open("sqlite:///x.db", config=tmp_path / "none.toml")

    assert list(tmp_path.iterdir()) == []


def test_two_settings_files_are_one_too_many(demo):
    with pytest.raises(InputError, match="two settings files"):
        rm.open(demo, config=demo / "riskmark.toml")


def test_a_file_of_something_else_is_refused_and_stays_as_it_is(tmp_path):
    other, words = tmp_path / "other.db", tmp_path / "words.db"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE mine (a INTEGER)")
    connection.commit()
    connection.close()
    words.write_text("no database at all, but a text long enough to be looked at by a reader " * 9)
    before = other.read_bytes()

    with pytest.raises(SchemaMissing, match="no schema; run: riskmark init"):
        rm.open(other)
    with pytest.raises(StoreError, match="cannot read the database"):
        rm.open(words)

    assert other.read_bytes() == before


def test_an_old_schema_is_not_migrated(demo, tmp_path):
    copy = tmp_path / "old.db"
    shutil.copy(demo / "riskmark.db", copy)
    connection = sqlite3.connect(copy)
    connection.execute("UPDATE alembic_version SET version_num = '0000'")
    connection.commit()
    connection.close()

    with pytest.raises(SchemaMissing, match="the old schema 0000; run: riskmark init"):
        rm.open(copy)


def test_a_database_opened_for_reading_refuses_to_write(database):
    url = database.engine.url.render_as_string(hide_password=False)
    reading = open_database(url.replace("postgresql+psycopg", "postgresql"), read_only=True)

    with pytest.raises(DBAPIError, match=r"readonly|read-only"), reading.write() as connection:
        connection.execute(text("UPDATE input_clock SET revision = 7"))

    with reading.read() as connection:
        assert connection.execute(text("SELECT revision FROM input_clock")).scalar() != 7
    reading.close()


def test_an_unknown_portfolio_is_told_by_its_name(book):
    with pytest.raises(UnknownPortfolio, match="'Growht'"):
        book.portfolio("Growht")


def test_a_portfolio_is_found_by_its_id_too(book, growth):
    assert book.portfolio(growth.id).name == "Growth"
    assert repr(growth) == "Portfolio('Growth', USD, equity mode)"


def test_a_session_is_a_date_or_iso_text():
    assert as_day("2022-12-28", "session") == date(2022, 12, 28)
    assert as_day(datetime(2022, 12, 28, 16), "session") == date(2022, 12, 28)  # noqa: DTZ001
    with pytest.raises(InputError, match=r"session '28\.12\.2022': expected"):
        as_day("28.12.2022", "session")
    with pytest.raises(InputError, match="expected a date"):
        as_day(20221228, "session")


def test_importing_riskmark_or_its_command_line_loads_no_notebook():
    heavy = ["numpy", "pandas", "altair", "sqlalchemy", "riskmark.notebook", "riskmark.calc"]
    code = f"import sys, riskmark; print([one for one in {heavy} if one in sys.modules])"
    of_commands = "import sys, riskmark.cli.main; print('riskmark.notebook' in sys.modules)"

    shown = [
        subprocess.run([sys.executable, "-c", one], capture_output=True, text=True, check=True)
        for one in (code, of_commands)
    ]

    assert [one.stdout.strip() for one in shown] == ["[]", "False"]


def test_without_pandas_or_altair_an_error_says_what_to_install(demo):
    code = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name in {'pandas', 'altair'}:\n"
        "            raise ModuleNotFoundError(f'No module named {name}', name=name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        "import riskmark as rm\n"
        f"growth = rm.open({str(demo)!r}).portfolio('Growth')\n"
        "for ask in (growth.risk, growth.plot.nav):\n"
        "    try:\n"
        "        ask()\n"
        "    except ImportError as error:\n"
        "        print(error)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )

    assert done.stdout.splitlines() == [
        f"{name} is not installed; install it: pip install 'riskmark[notebook]'"
        for name in ("pandas", "altair")
    ]
