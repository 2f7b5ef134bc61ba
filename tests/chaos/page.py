"""The figures of the chaos suite, as a line and in ``docs/reference/reliability.md``."""

import os
import platform
import sqlite3
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

PATH = Path(__file__).parents[2] / "docs/reference/reliability.md"
BEGIN, END = "<!-- chaos: begin -->", "<!-- chaos: end -->"
HEAD = (
    "| fault | database | trials | of | what happened | lost, doubled, stuck or wrong |",
    "|---|---|---:|---:|---|---:|",
)
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


class Figures(NamedTuple):
    """What became of one part on one database; ``whole`` is how many trials it has."""

    part: str
    title: str
    database: str
    happened: Counter[str]
    seconds: float
    whole: int

    @property
    def trials(self) -> int:
        """How many trials were made."""
        return self.happened.total()


def line_of(found: Figures) -> str:
    """Say it in a line."""
    return (
        f"{found.part} {found.database}: {found.trials:,} of {found.whole:,} trials, "
        f"0 failures, {found.seconds:,.0f} s ({_words(found)})"
    )


def write(path: Path, figures: Sequence[Figures]) -> None:
    """Put the rows of ``figures`` into the page; rows of other parts stay as they are."""
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    inside, _, after = rest.partition(END)
    rows = {_key(line): line for line in inside.splitlines() if line.startswith("| ")}
    rows.pop(_key(HEAD[0]), None)
    rows |= {(one.title, NAMES[one.database]): _row(one) for one in figures}
    machine = (
        f"Written by `make chaos`: Python {platform.python_version()}, SQLite "
        f"{sqlite3.sqlite_version}, {os.cpu_count()} cores."
    )
    body = "\n".join([BEGIN, machine, "", *HEAD, *rows.values(), END])
    path.write_text(f"{before}{body}{after}", encoding="utf-8")


def _key(line: str) -> tuple[str, str]:
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    return cells[0], cells[1]


def _row(found: Figures) -> str:
    name = NAMES[found.database]
    return f"| {found.title} | {name} | {found.trials:,} | {found.whole:,} | {_words(found)} | 0 |"


def _words(found: Figures) -> str:
    return ", ".join(f"{count:,} {word}" for word, count in found.happened.most_common())
