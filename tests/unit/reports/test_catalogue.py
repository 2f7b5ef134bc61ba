"""The catalogue has every number that is stored or shown, and the page is made from it."""

from dataclasses import replace
from itertools import chain
from pathlib import Path

import msgspec
import pytest
from tests.unit.reports.worlds import MON

import riskmark
from riskmark.calc.backtests import VarBacktest, VolatilityBacktest
from riskmark.domain.measures import STORED
from riskmark.domain.reasons import NullReason
from riskmark.reports import words
from riskmark.reports.backtest_lines import VarLine, VolatilityLine
from riskmark.reports.catalogue.entry import Window
from riskmark.reports.catalogue.whole import catalogue
from riskmark.reports.measures_page import ENUMERATIONS, render_measures_page
from riskmark.reports.snapshot import load_snapshot
from riskmark.settings import load_settings
from riskmark.storage.schema import metadata, views

BUILT_IN = load_settings(Path(riskmark.__file__).with_name("defaults.toml"), {}).settings
SECTIONS = catalogue(BUILT_IN)
PAGE = Path(__file__).parents[3] / "docs/reference/measures.md"
TABLES = {**metadata.tables, **views.tables}
KEYS_OF_TABLES = {
    "instrument_id", "model", "factor", "session", "data_revision", "settings_hash",
}  # fmt: skip


def entries_of(*names):
    return [one for section in SECTIONS if section.name in names for one in section.entries]


def columns_of(table):
    return {
        column.partition(".")[2]
        for one in chain.from_iterable(section.entries for section in SECTIONS)
        for column in (one.column or "").split(", ")
        if column.partition(".")[0] == table
    }


def test_every_measure_that_is_stored_with_a_snapshot_is_in_the_catalogue():
    beside = {"positions", "mwr_annualized", "drawdown_peak"}

    assert columns_of("snapshot") == {*STORED, *beside}


@pytest.mark.parametrize("table", ["symbol_fit", "symbol_metric"])
def test_every_number_of_a_symbol_is_in_the_catalogue(table):
    stored = {column.name for column in TABLES[table].columns}

    assert columns_of(table) == stored - KEYS_OF_TABLES


def test_every_column_that_the_catalogue_names_exists():
    for section in SECTIONS:
        for one in section.entries:
            table, _, names = (one.column or "").partition(".")
            for name in names.split(", ") if names else []:
                assert name in TABLES[table].columns, one


def test_everything_that_show_has_is_in_the_catalogue_by_its_section_and_name(world):
    world.add_prices("AAA")
    world.add_book("book", ("AAA",), MON)
    world.run()
    with world.app.database.read() as connection:
        document = load_snapshot(
            connection, world.app.principal, "book", settings=world.app.settings
        ).document()

    parts = {section.name for section in SECTIONS} & document.keys()

    beside = {"portfolio", "session", "state", "reasons", "nulls", "provenance"}
    assert document.keys() == parts | beside
    for part in parts:
        if part == "backtests":
            continue
        shown = document[part]
        keys = set(shown if isinstance(shown, dict) else shown[0])
        named = {one.name for one in entries_of(part)}
        assert keys == named, part


def test_back_tests_have_every_field_that_is_shown_of_them():
    with_nothing = VarLine("var_95", 0.95, 0, 0, 0, 0, 0.0, {}, None, ())
    of_var, of_volatility = (section.entries for section in SECTIONS if section.name == "backtests")

    tests = VarBacktest._fields[4:-1]
    assert {one.name for one in of_var} == {*with_nothing.document(), *tests}
    scores = VolatilityLine("vol_ewma", 0, 0, {}).document()
    assert {one.name for one in of_volatility} == {*scores, *VolatilityBacktest._fields}


def test_no_name_stands_twice_in_a_section():
    for section in SECTIONS:
        names = [one.name for one in section.entries]

        assert len(names) == len(set(names)), section.name


def test_windows_follow_the_models_of_the_settings():
    models = tuple(
        replace(model, window=120, minimum=40) if model.name == "market" else model
        for model in BUILT_IN.factor_model
    )
    settings = msgspec.structs.replace(BUILT_IN, factor_model=models)

    (risk,) = (one for one in catalogue(settings) if one.name == "risk")

    found = {one.name: one.window for one in risk.entries}
    assert found["beta"] == found["active_beta"] == Window(120, 40)
    assert found["beta_1y"] == Window(252, 60)


def test_every_null_reason_has_words_and_stands_on_the_page():
    page = PAGE.read_text(encoding="utf-8")

    for reason in NullReason:
        assert words.NULL_WORDS[reason]
        assert f"\n| `{reason}` | " in page


def test_every_null_reason_is_that_of_some_number():
    used = {reason for section in SECTIONS for one in section.entries for reason in one.nulls}

    of_none = {NullReason.NOT_COMPUTED_YET, NullReason.PRUNED}  # any may be missing so
    assert used == set(NullReason) - of_none


@pytest.mark.parametrize("title", ENUMERATIONS)
def test_every_value_of_an_enumeration_is_explained(title):
    values, meanings = ENUMERATIONS[title]

    assert tuple(meanings) == tuple(values)


def test_every_model_scenario_and_episode_stands_on_the_page():
    page = PAGE.read_text(encoding="utf-8")

    for one in (*BUILT_IN.factor_model, *BUILT_IN.scenario, *BUILT_IN.replay):
        assert f"\n| `{one.name}` | " in page


def test_the_page_is_what_the_code_says():
    page = render_measures_page(BUILT_IN)

    assert PAGE.read_text(encoding="utf-8") == page, "make docs writes it anew"


def test_every_line_of_a_table_has_the_cells_of_its_head():
    blocks = render_measures_page(BUILT_IN).split("\n\n")
    tables = [block.splitlines() for block in blocks if block.startswith("| ")]

    for table in tables:
        cells = {line.replace("\\|", "").count("|") for line in table}
        assert len(cells) == 1, table[0]
