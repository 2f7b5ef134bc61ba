"""Settings: which value wins, and what a path in a file means."""

from pathlib import Path

import pytest

from riskmark.settings import load_settings


def write_config(folder, text):
    folder.mkdir(exist_ok=True)
    path = folder / "riskmark.toml"
    path.write_text(text, encoding="utf-8")
    return path


def database_url(config, environment=None):
    return load_settings(config, environment or {}).settings.database_url


def test_a_relative_database_in_a_file_is_beside_the_file(tmp_path, monkeypatch):
    write_config(tmp_path / "books", 'database_url = "sqlite:///data/mine.db"')
    monkeypatch.chdir(tmp_path)

    named_from_here = database_url(Path("books/riskmark.toml"))
    monkeypatch.chdir(tmp_path / "books")
    found_in_the_working_directory = database_url(None)

    beside = f"sqlite:///{tmp_path / 'books' / 'data' / 'mine.db'}"
    assert named_from_here == found_in_the_working_directory == beside


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////srv/riskmark.db",
        "sqlite:///:memory:",
        "sqlite://",
        "sqlite:///file:shared?uri=true",
        "postgresql://risk@db/riskmark",
    ],
)
def test_any_other_database_in_a_file_is_taken_as_it_stands(tmp_path, url):
    config = write_config(tmp_path, f'database_url = "{url}"')

    assert database_url(config) == url


def test_a_relative_database_elsewhere_is_in_the_working_directory(tmp_path):
    config = write_config(tmp_path, 'database_url = "sqlite:///mine.db"')
    url = "sqlite:///other.db"

    of_the_environment = database_url(config, {"RISKMARK_DATABASE_URL": url})
    of_the_command_line = load_settings(config, {}, database_url=url).settings.database_url

    assert of_the_environment == of_the_command_line == url
