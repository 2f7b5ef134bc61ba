"""The README's tour is what really happens: its commands are run, and their output compared.

A block ``console`` holds commands and what they print; a block ``csv NAME`` is a file that
they read; ``export`` lines of a block ``sh`` are the environment that they have. Ids and times
may differ. ``python -m tests.unit.test_readme`` runs the tour and writes what it prints anew.
"""

import itertools
import os
import re
import shlex
import tempfile
from contextlib import chdir
from pathlib import Path
from typing import NamedTuple

from typer.testing import CliRunner

from riskmark.cli.main import app

README = Path(__file__).parents[2] / "README.md"
FIRST, LAST = "## A first tour\n", "## How it works\n"
HOME = "/home/you"
"""Where the README's reader is."""

_BLOCK = re.compile(r"^```(console|sh|csv \S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PROGRESS = re.compile(r"(Prices|Symbol factors|Symbol metrics|Valuation|Analytics): .* of .*")
"""Lines that depend on how fast the machine is."""
_MAY_DIFFER = (
    (re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d\b"), "<instant>"),
    (re.compile(r"\b[0-9a-f]{12}\b"), "<run>"),
    (re.compile(r"(?<=flow )[0-9a-z]{12}\b"), "<id>"),
    (re.compile(r"(?<=\()[0-9a-z]{12}(?=\))"), "<id>"),
    (re.compile(r"\b\d+\.\d s\b"), "<time>"),
    (re.compile(r"─+"), "─"),
    (re.compile(r"\S*…"), "…"),
    (re.compile(r" +"), " "),
)


class Step(NamedTuple):
    """A command of the tour, and what it prints."""

    command: str
    lines: list[str]


def tour_of(text):
    """Return the part of the README that is the tour."""
    return text[text.index(FIRST) : text.index(LAST)]


def shown_steps(tour):
    """Return the commands of the tour, with the lines that the README shows after each."""
    steps = []
    for kind, body in _BLOCK.findall(tour):
        if kind == "console":
            for line in body.splitlines():
                if line.startswith("$ "):
                    steps.append(Step(line[2:], []))
                else:
                    steps[-1].lines.append(line)
    return steps


def take_tour(tour, folder):
    """Carry out the blocks of the tour in ``folder``; return what each command prints."""
    steps = []
    # The width of a page, whatever terminal the tests run in.
    environment = {"PWD": str(folder), "RISKMARK_DATABASE_URL": None, "COLUMNS": "100"}
    with chdir(folder):
        for kind, body in _BLOCK.findall(tour):
            if kind.startswith("csv"):
                Path(kind.split()[1]).write_text(body, encoding="utf-8")
            for line in body.splitlines():
                if kind == "sh" and line.startswith("export "):
                    name, _, value = line.removeprefix("export ").partition("=")
                    environment[name] = value.replace("$PWD", str(folder))
                elif kind == "console" and line.startswith("$ "):
                    steps.append(Step(line[2:], printed(line[2:], environment, folder)))
    return steps


def printed(command, environment, folder):
    """Run a command; return its lines as the reader of the README would see them."""
    program, *words = shlex.split(command)
    assert program == "riskmark"
    done = CliRunner().invoke(app, words, env=environment)
    text = done.output.replace(str(folder), HOME)
    return [line.rstrip() for line in text.splitlines() if not _PROGRESS.fullmatch(line)]


def comparable(steps):
    """Return steps with what may differ made equal, and without empty lines."""
    found = []
    for step in steps:
        found.append(f"$ {step.command}")
        for line in step.lines:
            same = line
            for pattern, stands_for in _MAY_DIFFER:
                same = pattern.sub(stands_for, same)
            found += [same.strip()] if same.strip() else []
    return found


def test_the_tour_of_the_readme_shows_what_its_commands_print(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    tour = tour_of(README.read_text(encoding="utf-8"))
    (tmp_path / "riskmark").touch(mode=0o755)
    folder = tmp_path / "you"
    folder.mkdir()

    taken = take_tour(tour, folder)

    assert len(taken) > 10
    assert comparable(shown_steps(tour)) == comparable(taken)


def test_commands_that_the_readme_only_names_exist_with_their_options():
    text = README.read_text(encoding="utf-8")
    blocks = [body for kind, body in _BLOCK.findall(text) if kind == "sh"]
    named = re.findall(r"^riskmark .*", "\n".join(blocks), re.MULTILINE)
    named += re.findall(r"`(riskmark [^`-][^`]*)`", text)

    assert len(named) > 5
    for command in named:
        words = shlex.split(command, comments=True)[1:]
        verbs = list(itertools.takewhile(str.isalpha, words))
        shown = CliRunner().invoke(app, [*verbs, "--help"], env={"COLUMNS": "200"})
        options = {word for word in words if word.startswith("--")}
        assert shown.exit_code == 0, command
        assert {option for option in options if option not in shown.output} == set(), command


def write_anew():
    """Put what the commands of the tour print now into the README."""
    text = README.read_text(encoding="utf-8")
    tour = tour_of(text)
    with tempfile.TemporaryDirectory() as folder:
        taken = iter(take_tour(tour, Path(folder).resolve()))

    def block(match):
        if match[1] != "console":
            return match[0]
        lines = []
        for step in shown_steps(match[0]):
            lines += [f"$ {step.command}", *next(taken).lines, ""]
        return "\n".join(["```console", *lines[:-1], "```"])

    README.write_text(text.replace(tour, _BLOCK.sub(block, tour)), encoding="utf-8")


if __name__ == "__main__":
    write_anew()
