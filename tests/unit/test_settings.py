"""Settings: which value wins, and what a path in a file means."""

from pathlib import Path

import pytest

from riskmark.domain.factor_models import Estimator
from riskmark.errors import SettingsError
from riskmark.settings import load_settings

BUILT_IN_SCENARIOS = {
    "market_up_5": {"Market": 0.05},
    "market_up_10": {"Market": 0.10},
    "market_up_25": {"Market": 0.25},
    "market_down_5": {"Market": -0.05},
    "market_down_10": {"Market": -0.10},
    "market_down_20": {"Market": -0.20},
    "market_down_35": {"Market": -0.35},
    "rates_up_25bp": {"Rates": -0.04009375},
    "rates_up_50bp": {"Rates": -0.077875},
    "rates_up_100bp": {"Rates": -0.1465},
    "rates_up_300bp": {"Rates": -0.3285},
    "rates_down_25bp": {"Rates": 0.04240625},
    "rates_down_50bp": {"Rates": 0.087125},
    "rates_down_100bp": {"Rates": 0.1835},
    "value_rotation": {"Value": 0.15},
    "growth_rally": {"Value": -0.15, "Market": 0.05},
    "small_cap_rally": {"Size": 0.10},
    "quality_flight": {"Quality": 0.08, "Market": -0.05},
    "momentum_crash": {"Momentum": -0.15, "Market": 0.05},
    "low_vol_unwind": {"Low Volatility": -0.10},
    "liquidity_crisis": {
        "Market": -0.20, "Size": -0.10, "Quality": 0.08, "Low Volatility": 0.08,
    },
    "stagflation": {"Market": -0.15, "Rates": -0.205875},
}  # fmt: skip
BUILT_IN_REPLAYS = {
    "gfc_2008": ("2008-09-12", "2008-11-20"),
    "debt_ceiling_2011": ("2011-07-22", "2011-08-19"),
    "q4_2018": ("2018-09-20", "2018-12-24"),
    "covid_2020": ("2020-02-19", "2020-03-23"),
    "bear_2022": ("2022-01-03", "2022-10-12"),
}


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


@pytest.mark.parametrize("name", ["rate", "dividend_yield"])
@pytest.mark.parametrize("value", ["1.5", "-1.01", "nan"])
def test_options_are_priced_with_rates_that_can_be(tmp_path, name, value):
    config = write_config(tmp_path, f"[options]\n{name} = {value}")

    assert problem_of(config).startswith(f"options.{name}: ")


def test_what_options_are_priced_with_makes_stored_numbers_out_of_date(tmp_path):
    plain = load_settings(write_config(tmp_path, ""), {}).settings
    other = load_settings(None, {"RISKMARK_OPTIONS__RATE": "0.04"}).settings

    assert other.options.rate == 0.04
    assert plain.options.rate == 0
    assert plain.numbers_hash != other.numbers_hash


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
        (MODEL + MODEL, "factor_model number 2: a second one named 'mine'"),
        ("factor_model = [1]", "factor_model number 1: needs a name"),
        ("factor_model = 1", "factor_model: "),
    ],
)
def test_a_bad_factor_model_is_named_as_its_file_knows_it(tmp_path, text, where):
    assert problem_of(write_config(tmp_path, text)).startswith(where)


def settings_of(folder, text):
    return load_settings(write_config(folder, text), {}).settings


def test_the_built_in_scenarios_shock_what_they_are_called_after():
    settings = load_settings(None, {}).settings

    found = {one.name: one.moves(settings.rates) for one in settings.scenario}

    assert list(found) == list(BUILT_IN_SCENARIOS)
    for name, shocks in BUILT_IN_SCENARIOS.items():
        assert found[name] == pytest.approx(shocks, rel=1e-12), name


def test_the_built_in_replays_are_the_known_episodes():
    settings = load_settings(None, {}).settings

    found = {one.name: (str(one.first), str(one.last)) for one in settings.replay}

    assert found == BUILT_IN_REPLAYS


def test_the_built_in_models_use_each_estimator():
    models = {one.name: one for one in load_settings(None, {}).settings.factor_model}

    assert list(models) == [
        "market", "market_1y", "style", "rates", "spread", "ridge", "ff5m",
    ]  # fmt: skip
    assert (models["spread"].estimator, models["spread"].alpha) == (Estimator.OLS_EACH, 0)
    assert (models["ridge"].estimator, models["ridge"].alpha) == (Estimator.RIDGE, 25)
    assert models["ff5m"].columns == ("mkt_rf", "smb", "hml", "rmw", "cma", "mom", "rf")
    assert models["ff5m"].symbols == ()
    assert [(one.window, one.minimum) for one in models.values()] == [
        (90, 30), (252, 60), (252, 60), (90, 30), (180, 60), (252, 60), (252, 60),
    ]  # fmt: skip


def test_a_scenario_in_a_file_replaces_the_one_of_its_name_or_is_added(tmp_path):
    text = """
        [[scenario]]
        name = "market_down_20"
        shocks = { Market = -0.22 }
        [[scenario]]
        name = "mine"
        shocks = { Size = -0.1 }
        rates_bp = -75
    """

    found = settings_of(tmp_path, text).scenario

    names = [one.name for one in found]
    assert names == [*BUILT_IN_SCENARIOS, "mine"]
    assert found[names.index("market_down_20")].shocks == {"Market": -0.22}
    assert found[-1].rates_bp == -75


def test_a_replay_in_a_file_replaces_the_one_of_its_name_or_is_added(tmp_path):
    text = """
        [[replay]]
        name = "covid_2020"
        first = 2020-02-19
        last = 2020-04-30
        [[replay]]
        name = "banks_2023"
        first = 2023-03-08
        last = 2023-03-13
    """

    found = {one.name: str(one.last) for one in settings_of(tmp_path, text).replay}

    assert list(found) == [*BUILT_IN_REPLAYS, "banks_2023"]
    assert found["covid_2020"] == "2020-04-30"


def test_another_bond_changes_every_rates_shock_and_the_hash(tmp_path):
    plain = load_settings(None, {}).settings

    shorter = settings_of(tmp_path, "[rates]\nduration = 7.5\nconvexity = 65")

    (up,) = (one for one in shorter.scenario if one.name == "rates_up_100bp")
    assert up.moves(shorter.rates) == {"Rates": pytest.approx(-0.07175)}
    assert shorter.numbers_hash != plain.numbers_hash


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[[scenario]]\nname = "mine"', "shocks nothing"),
        ('[[scenario]]\nname = "mine"\nshocks = { Markte = -0.1 }', "no factor 'Markte'"),
        ('[[scenario]]\nname = "mine"\nshocks = { HML = -0.1 }', "no factor 'HML'"),
        ('[[scenario]]\nname = "mine"\nshocks = { Market = -10 }', "a shock is a fraction"),
        ('[[scenario]]\nname = "mine"\nrates_bp = 500', "beyond 446 bp"),
        ('[[scenario]]\nname = "mine"\nrates = 50', "unknown key 'rates'"),
        ("[[scenario]]\nrates_bp = 50", "scenario number 1: needs a name"),
        ('[[scenario]]\nname = "a"\nrates_bp = 5\n' * 2, "a second one named 'a'"),
        ("scenario = 3", "scenario"),
        ("[rates]\nlength = 7", "rates: unknown key 'length'"),
        ("rates = 7", "rates"),
        ("[rates]\nduration = -1", "duration must be above 0"),
        ('[rates]\nfactor = "Market"\n', "shocks Market twice"),
        ('[[replay]]\nname = "a"\nfirst = 2020-01-02\nlast = 2020-01-02', "must end after"),
        ('[[replay]]\nname = "a"\nfirst = 2020-01-02', "last"),
    ],
)
def test_a_scenario_or_replay_that_cannot_be_computed_is_refused(tmp_path, text, problem):
    assert problem in problem_of(write_config(tmp_path, text))


MODEL_FORM = """
    [[factor_model]]
    name = "{name}"
    estimator = "{estimator}"
    window = 90
    minimum = 30
    factors = [{factors}]
"""
SPY = '{ name = "Market", long = "SPY" }'


def model(factors=SPY, *, name="mine", estimator="ols", more=""):
    return MODEL_FORM.format(name=name, estimator=estimator, factors=factors) + more


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (model('{ name = "Nothing" }'), "either a long symbol or a column"),
        (model('{ name = "Both", long = "SPY", column = "mkt" }'), "either a long symbol"),
        (model('{ name = "Odd", short = "SPY", column = "mkt" }'), "needs a long one"),
        (
            model('{ name = "M", lang = "SPY" }'),
            "factor_model 'mine'.factors[0]: unknown key 'lang'",
        ),
        (model(more="alfa = 5"), "unknown key 'alfa'"),
        (model(estimator="ridge"), "an alpha above 0 goes with the estimator ridge"),
        (model(more="alpha = 5"), "an alpha above 0 goes with the estimator ridge"),
        (model(estimator="ridge", more="alpha = -5"), "alpha must be 0 or more"),
        (model(estimator="lasso"), "lasso"),
        (model(name="market", estimator="ols_each"), "must be ols"),
        (model(name="market", more='excess_over = "rf"'), "must be ols on plain returns"),
        (model('{ name = "M", column = "mkt" }', name="market"), "must have one factor"),
        (model(SPY + ', { name = "R", long = "TLT" }', name="market_1y"), "must have one factor"),
        (model() + model(), "a second one named 'mine'"),
    ],
)
def test_a_model_that_cannot_be_fitted_is_refused(tmp_path, text, problem):
    assert problem in problem_of(write_config(tmp_path, text))


def test_ones_own_style_model_may_lack_what_built_in_scenarios_shock(tmp_path):
    found = settings_of(tmp_path, model(name="style"))

    assert len(found.scenario) == len(BUILT_IN_SCENARIOS)
    assert [factor.name for factor in found.model("style").factors] == ["Market"]


def test_ones_own_model_may_mix_symbols_and_columns(tmp_path):
    columns = '{ name = "HML", column = "hml" }'

    found = settings_of(tmp_path, model(f"{SPY}, {columns}", more='excess_over = "cash"'))

    assert found.model("mine").columns == ("hml", "cash")
    assert found.factor_columns[-1] == "cash"
