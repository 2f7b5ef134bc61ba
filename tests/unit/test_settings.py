"""Settings: which value wins, and what a path in a file means."""

from pathlib import Path

import pytest

from riskmark.errors import SettingsError
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


def problem_of(config, environment=None):
    with pytest.raises(SettingsError) as caught:
        load_settings(config, environment or {})
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("publish_delay_minutes", ["-1", "inf", "nan", "1e300"]),
        ("risk_free", ["1.5", "-1.01", "nan"]),
        ("benchmark", ['""', '"A B"', '" "']),
    ],
)
def test_a_value_that_cannot_be_is_an_error_of_its_setting(tmp_path, name, values):
    for value in values:
        config = write_config(tmp_path, f"{name} = {value}")

        assert problem_of(config).startswith(f"{name}: ")


@pytest.mark.parametrize(
    "variable",
    ["RISKMARK_FOO", "RISKMARK_CALENDAR", "RISKMARK_CALENDAR__FOO", "RISKMARK_FOO__BAR__X",
     "RISKMARK_BENCHMARK__X"],
)  # fmt: skip
def test_a_variable_that_is_no_setting_is_named(tmp_path, variable):
    config = write_config(tmp_path, "")

    assert problem_of(config, {variable: "1"}) == f"{variable}: unknown setting"


def test_factor_models_cannot_come_from_the_environment(tmp_path):
    config = write_config(tmp_path, "")

    assert "riskmark.toml" in problem_of(config, {"RISKMARK_FACTOR_MODEL": "a,b"})


MODEL = """
[[factor_model]]
name = "mine"
estimator = "ols"
window = 90
minimum = 30
factors = [{ name = "Market", long = "SPY" }]
"""


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (MODEL.replace("90", '"long"'), "factor_model 'mine'.window: "),
        (MODEL.replace("long =", "lang ="), "factor_model 'mine'.factors[0]: "),
        (MODEL.replace("window = 90", ""), "factor_model 'mine': "),
        (MODEL + MODEL.replace('name = "mine"', ""), "factor_model number 2: needs a name"),
        (MODEL.replace('name = "mine"', "name = 5"), "factor_model number 1: needs a name"),
        (MODEL + MODEL, "factor_model number 2: a second model named 'mine'"),
        ("factor_model = [1]", "factor_model number 1: needs a name"),
        ("factor_model = 1", "factor_model: "),
    ],
)
def test_a_bad_factor_model_is_named_as_its_file_knows_it(tmp_path, text, where):
    assert problem_of(write_config(tmp_path, text)).startswith(where)
