"""The page on the client runs, and shows what it says it shows.

``python -m pytest tests/acceptance/test_client_page.py`` says what a cell shows now.
"""

import re
from contextlib import chdir

import pytest
from tests.acceptance.serving import listening, served
from tests.acceptance.working import worker_of
from tests.acceptance.world import FACTORS
from tests.unit.notebook.tutorial import DOCS, cells_of, run_cells

PAGE = DOCS / "howto" / "client.md"
_FILE = re.compile(r"`(\S+\.csv)`:\n\n```csv\n(.*?)```", re.DOTALL)


@pytest.fixture
def served_for_the_page(world, tmp_path, monkeypatch):
    """Serve an installation that has prices, and put the page's files into a folder of its own."""
    world.add_prices(*FACTORS, "AAPL", "MSFT", "TSLA")
    for name, text in _FILE.findall(PAGE.read_text(encoding="utf-8")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    with served(world) as site, listening(world.app) as address, worker_of(world.app):
        header = site.person("Ann").headers["authorization"]
        monkeypatch.setenv("RISKMARK_URL", address)
        monkeypatch.setenv("RISKMARK_TOKEN", header.removeprefix("Bearer "))
        with chdir(tmp_path):
            yield


@pytest.mark.usefixtures("served_for_the_page")
def test_the_cells_of_the_page_show_what_stands_under_them():
    cells = cells_of(PAGE.read_text(encoding="utf-8"))

    shown = run_cells(cells)

    assert len(cells) > 10
    for cell, text in zip(cells, shown, strict=True):
        assert (text or "").split() == (cell.shown or "").split(), cell.code
