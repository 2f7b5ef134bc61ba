"""An installation to read from: the demo, built once for all tests of notebooks."""

import pytest
from typer.testing import CliRunner

from riskmark import notebook
from riskmark.cli.main import app

NOW = "2022-12-28T23:00:00Z"


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """Build the demo; give its folder."""
    folder = tmp_path_factory.mktemp("notebook") / "riskmark-demo"
    done = CliRunner().invoke(app, ["demo", "--dir", str(folder)])
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def book(demo, monkeypatch):
    """Open the demo."""
    monkeypatch.setenv("RISKMARK_NOW", NOW)
    with notebook.open(demo) as opened:
        yield opened


@pytest.fixture
def growth(book):
    """Give one of its portfolios."""
    return book.portfolio("Growth")
