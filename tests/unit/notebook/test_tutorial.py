"""The tutorial and the README's notebook section run, and show what they say they show."""

import inspect
import json
import re
from contextlib import chdir

import pandas as pd
import pytest
from tests.unit.notebook.conftest import NOW
from tests.unit.notebook.tutorial import (
    NOTEBOOK,
    PAGE,
    as_notebook,
    cells_of,
    readme_section,
    run_cells,
)

import riskmark as rm


@pytest.fixture
def beside_the_demo(demo, monkeypatch):
    """Stand where the folder of the demo is, with pandas as it comes."""
    monkeypatch.setenv("RISKMARK_NOW", NOW)
    with chdir(demo.parent):
        yield
    pd.reset_option("display.width")
    pd.reset_option("display.precision")


def words_of(text):
    return [line.split() for line in (text or "").splitlines()]


@pytest.mark.usefixtures("beside_the_demo")
def test_the_cells_of_the_tutorial_show_what_stands_under_them():
    cells = cells_of(PAGE.read_text(encoding="utf-8"))

    shown = run_cells(cells)

    assert len(cells) > 20
    for cell, text in zip(cells, shown, strict=True):
        assert words_of(text) == words_of(cell.shown), cell.code


def test_the_notebook_is_made_of_the_page():
    page, notebook = PAGE.read_text(encoding="utf-8"), NOTEBOOK.read_text(encoding="utf-8")

    assert notebook == as_notebook(page), "python -m tests.unit.notebook.tutorial"
    code = [one["source"] for one in json.loads(notebook)["cells"] if one["cell_type"] == "code"]
    assert code == [cell.code.rstrip("\n") for cell in cells_of(page)]


def test_the_tutorial_shows_every_question_and_every_figure():
    page = PAGE.read_text(encoding="utf-8")

    asked = set(re.findall(r"growth\.(\w+)\(", page))
    drawn = set(re.findall(r"plot\.(\w+)\(", page))
    methods = inspect.getmembers(rm.Portfolio, inspect.isfunction)
    questions = {name for name, _ in methods if not name.startswith("_")}
    assert questions - asked - {"document", "positions", "sectors"} == set()
    assert drawn == {"nav", "drawdown", "var", "exposures", "stress", "sectors", "correlation"}


@pytest.mark.usefixtures("beside_the_demo")
def test_the_section_of_the_readme_shows_what_its_cells_print():
    cells = cells_of(readme_section())

    shown = run_cells(cells)

    assert cells
    for cell, found in zip(cells, shown, strict=True):
        assert words_of(found) == words_of(cell.shown), cell.code
