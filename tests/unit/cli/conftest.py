"""The command line in process: an installation of each kind, and a way to call it."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.acceptance.world import LAST, World, at_close
from tests.unit.reports.conftest import calendar_rows, world  # noqa: F401 - fixtures
from tests.unit.reports.worlds import MON
from typer.testing import CliRunner

from riskmark.cli.main import app


@dataclass(frozen=True)
class Outcome:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        """What it printed to standard output, read as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True)
class CommandLine:
    """Calls commands on one installation, in a folder of its own."""

    world: World
    folder: Path

    def __call__(self, *words, now=None, stdin=None):
        """Carry out ``riskmark words…`` with the clock at ``now``."""
        instant = at_close(LAST) if now is None else at_close(now)
        result = CliRunner().invoke(
            app,
            ["--database", self.world.url, *map(str, words)],
            env={"RISKMARK_NOW": instant.isoformat()},
            input=stdin,
        )
        return Outcome(result.exit_code, result.stdout, result.stderr)

    def file(self, name, content):
        """Write a file and return its path."""
        path = self.folder / name
        path.write_text(content, encoding="utf-8")
        return path


@pytest.fixture
def riskmark(world, tmp_path, monkeypatch):  # noqa: F811 - a fixture is asked for by its name
    """Give the command line on a world with factor prices."""
    folder = tmp_path / "files"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "100")
    return CommandLine(world, folder)


@pytest.fixture
def book(riskmark):
    """Have a book of one symbol, with prices, that nothing is computed of."""
    riskmark.world.add_prices("AAA")
    riskmark.world.add_book("book", ("AAA",), MON)
    return riskmark
