"""What stands in two places of the project says the same in both."""

import itertools
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import riskmark

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def test_make_alone_lists_every_target_that_stands_for_itself():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"\.PHONY:((?:.*\\\n)*.*)", makefile)
    targets = {name for name in phony[1].split() if name != "\\"}
    parts = {name for name in targets if name.startswith("check-")}
    alone = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}

    shown = subprocess.run(
        ["make"], cwd=ROOT, env=alone, capture_output=True, text=True, check=True
    ).stdout

    listed = [line.split()[:2] for line in shown.splitlines()]
    assert sorted(name for _, name in listed) == sorted(targets - parts)
    assert {"demo", "test", "test-deep", "check", "bench"} <= targets


def test_the_package_has_the_version_of_the_project():
    assert riskmark.__version__ == PYPROJECT["project"]["version"]


def test_the_package_is_run_as_the_command_is():
    command = [sys.executable, "-m", "riskmark", "--version"]

    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert shown.strip() == f"riskmark {riskmark.__version__}"


def test_the_newest_version_in_the_changelog_is_this_one():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    versions = re.findall(r"^## (\S+)", changelog, re.MULTILINE)

    assert versions[0] == riskmark.__version__


def test_the_supported_pythons_are_the_same_everywhere():
    project = PYPROJECT["project"]
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    bootstrap = (ROOT / "scripts/uv").read_text(encoding="utf-8")
    looked_for = re.search(r"for PYTHON in python3 (.*);", bootstrap)[1]

    assert tuple(named) == PYTHONS
    assert project["requires-python"] == ">=3.11,<3.15"
    assert sorted(looked_for.split()) == [f"python{version}" for version in PYTHONS]
    assert "(3, 11) <= sys.version_info[:2] <= (3, 14)" in bootstrap


def test_every_module_stands_on_a_layer():
    on_a_line = {name for line in layers() for name in line}

    assert modules() <= on_a_line


def test_the_contributors_page_shows_the_layers_that_are_enforced():
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")

    block = re.search(r"\n\n((?:    [a-z| ]+\n)+)", page[page.index("stack of layers") :])[1]

    shown = [line.replace("|", " ").split() for line in block.splitlines()]
    named = {name for line in shown for name in line}
    enforced = [[name for name in line if name in named] for line in layers()]
    assert modules() <= named
    assert [sorted(line) for line in shown] == [sorted(line) for line in enforced if line]


def test_the_inner_modules_are_the_ones_that_the_contract_guards():
    guarded = PYPROJECT["tool"]["importlinter"]["contracts"][1]["source_modules"]

    assert guarded == [f"riskmark.{name}" for name in ("calc", "domain", "intake", "planning")]


def test_every_rule_that_is_off_says_why():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    section = text[text.index("ignore = [") : text.index("[tool.ruff.lint.pydocstyle]")]

    rules = re.findall(r'^  "[A-Z]+\d*".*$', section, re.MULTILINE)

    assert rules
    assert [rule for rule in rules if not re.search(r", +# \S", rule)] == []


def test_every_link_between_pages_leads_to_a_file():
    tracked = itertools.chain(ROOT.glob("*.md"), ROOT.glob("docs/**/*.md"))

    dead = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in tracked
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]

    assert dead == []


def test_every_decision_has_its_number_and_is_listed():
    folder = ROOT / "docs/decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")

    pages = sorted(path.name for path in folder.glob("[0-9]*.md"))

    assert [page[:4] for page in pages] == [f"{n:04}" for n in range(1, len(pages) + 1)]
    assert re.findall(r"\]\((\d{4}-[^)]+)\)", index) == pages
    for page in pages:
        assert (folder / page).read_text(encoding="utf-8").startswith(f"# {page[:4]}: ")


def test_every_word_of_the_glossary_stands_there_once():
    glossary = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")

    entries = re.findall(r"^\*\*(.+)\*\*$", glossary, re.MULTILINE)

    words = [word for entry in entries for word in entry.split(", ")]
    assert len(words) == len(set(words))
    assert len(re.findall(r"^: ", glossary, re.MULTILINE)) == len(entries)


@pytest.mark.parametrize(
    ("python", "complaint"),
    [
        ("exit 1", "riskmark: needs a Python from 3.11 to 3.14, found no python3"),
        ('[ "$1" = -V ] && echo Python 3.9.2; exit 1', "found no python3"),
        ('case "$1" in -V) echo Python 3.9.2 ;; *) exit 1 ;; esac', "found Python 3.9.2"),
        ('case "$2" in *ensurepip*) exit 1 ;; *) exit 0 ;; esac', "python3 has no venv module"),
    ],
    ids=["none", "broken", "too old", "without venv"],
)
def test_a_python_that_does_not_do_is_told_in_one_line(tmp_path, python, complaint):
    fake = tmp_path / "bin/python3"
    fake.parent.mkdir()
    fake.write_text(f"#!/bin/sh\n{python}\n")
    fake.chmod(0o755)
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")

    told = subprocess.run(
        [tmp_path / "scripts/uv", "--version"],
        env={"PATH": str(fake.parent), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert told.returncode == 2
    assert told.stdout == ""
    assert len(told.stderr.splitlines()) == 1
    assert complaint in told.stderr


def modules():
    """Return the names of the modules and subpackages of the package that hold code."""
    package = ROOT / "src/riskmark"
    files = {path.stem for path in package.glob("*.py")} - {"__init__", "__main__"}
    return files | {path.name for path in package.iterdir() if any(path.glob("**/*.py"))}


def layers():
    """Return the module names of each line of layers, the highest first."""
    contract = PYPROJECT["tool"]["importlinter"]["contracts"][0]
    return [re.findall(r"\w+", line) for line in contract["layers"]]
