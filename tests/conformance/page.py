"""The page docs/reference/conformance.md: how it is written, and what it lists."""

import platform
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.conformance.comparisons import Kind, Row, version_of

PATH = Path(__file__).parents[2] / "docs/reference/conformance.md"
COLUMNS = (
    "measure", "oracle", "version", "data", "values", "largest difference", "tolerance", "note",
)  # fmt: skip
MAY_DIFFER = (COLUMNS.index("version"), COLUMNS.index("largest difference"))
"""What depends on the installed packages and on the processor."""

INTRODUCTION = """\
# Conformance

Every measure against an implementation that is not ours, on real data and on published values.
This page is made by one command, which exits with 1 if a number is out of tolerance:

    make conformance                              # the same as: python -m tests.conformance

`make test` compares the same numbers, and fails if this page lists other rows than the code.

**Oracles** are other packages, publications, or a few lines of plain Python or numpy that were
written from the definitions and share no code with Riskmark. They run on every `make test`, with
the versions stated.

**Data** come with packages that are installed anyway, so nothing is fetched: the daily closes of 20
American stocks, five style funds and the S&P 500 in skfolio; the S&P 500, the Nasdaq and the
factors of Fama and French in arch; Longley's table in statsmodels. *With holes* means that some
returns were taken out, by a seed: single ones, a late listing, one that ended and one too new for
a fit. *Books* are drawn by a seed, long and short.

**Largest difference** is the largest of all values of a row: *relative* to the oracle's number,
value by value, *absolute*, or in units *of the last digit* that was printed, where half a unit is
what rounding leaves. A number that one side has and the other has not is an infinite difference.
What is no number, such as a date or a traffic light, is the same or it is not. The **tolerance**
of a number that may be near 0, being what larger ones leave, is relative *or* so much as is
stated, whichever is more; its difference is relative to the size from which on it is relative.
"""


def page_of(found: Mapping[str, Sequence[Row]]) -> str:
    """Write the page of the rows of each area."""
    lines = [INTRODUCTION, _made_on(found)]
    for area, rows in found.items():
        lines += ["", f"## {area}", "", _line(COLUMNS), _line(["---"] * len(COLUMNS))]
        lines += [_line(cells_of(row)) for row in rows]
    return "\n".join(lines) + "\n"


def cells_of(row: Row) -> tuple[str, ...]:
    """Return the cells of one line of a table."""
    return (
        row.measure,
        row.oracle.name,
        row.oracle.version,
        row.source,
        f"{row.values:,}",
        difference_of(row),
        tolerance_of(row),
        row.note,
    )


def difference_of(row: Row) -> str:
    """Write the largest difference, with its kind."""
    if row.kind is Kind.DIGIT:
        return f"{row.difference:.2f} {row.kind}"
    return f"{_short(f'{row.difference:.1e}')} {row.kind}" if row.difference else "0"


def tolerance_of(row: Row) -> str:
    """Write the tolerance, with its kind, and what may be near 0 may differ by."""
    if not row.tolerance:
        return "0"
    least = f" or {row.tolerance * row.least:.0e}" if row.least else ""
    return _short(f"{row.tolerance:g} {row.kind}{least}")


def _short(number: str) -> str:
    """Write 1e-9 for 1e-09."""
    return number.replace("e-0", "e-")


def listed(text: str) -> dict[str, list[tuple[str, ...]]]:
    """Return the cells that a page lists, by area, without those that may differ."""
    return {area: [lasting(cells) for cells in _tables(part)] for area, part in _parts(text)}


def lasting(cells: Sequence[str]) -> tuple[str, ...]:
    """Leave out the cells that depend on where the page was made."""
    return tuple(cell for place, cell in enumerate(cells) if place not in MAY_DIFFER)


def _made_on(found: Mapping[str, Sequence[Row]]) -> str:
    rows = [row for part in found.values() for row in part]
    return (
        f"{len(rows)} rows, {sum(row.values for row in rows):,} values, on "
        f"Python {platform.python_version()} with numpy {version_of('numpy')}, "
        f"{platform.system()} {platform.machine()}."
    )


def _parts(text: str) -> Iterator[tuple[str, str]]:
    _, *parts = re.split(r"^## ", text, flags=re.MULTILINE)
    for part in parts:
        title, _, body = part.partition("\n")
        yield title, body


def _tables(body: str) -> Iterator[tuple[str, ...]]:
    lines = [line for line in body.splitlines() if line.startswith("|")]
    for line in lines[2:]:
        yield tuple(cell.strip() for cell in line.strip("|").split("|"))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
