"""The tutorial, and the README's section: their blocks, what they show, and the notebook.

A block ``python`` is a cell; a block ``text`` after it is what the cell shows. Figures are made
and validated, and have no text. The notebook is made of the page of the tutorial.
``python -m tests.unit.notebook.tutorial`` writes what the cells show, and the notebook, anew.
"""

import ast
import contextlib
import json
import os
import re
import tempfile
from pathlib import Path
from typing import NamedTuple

import altair as alt
from typer.testing import CliRunner

from riskmark.cli.main import app

DOCS = Path(__file__).parents[3] / "docs"
PAGE, NOTEBOOK = DOCS / "tutorial.md", DOCS / "tutorial.ipynb"
README = DOCS.parent / "README.md"
_CELL = re.compile(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", re.DOTALL)


class Cell(NamedTuple):
    """Code, and what it is said to show; None: nothing is said."""

    code: str
    shown: str | None


def cells_of(page):
    """Return the cells of a page."""
    return [Cell(code, shown or None) for code, shown in _CELL.findall(page)]


def run_cells(cells):
    """Run cells one after another, as a notebook does; return what each of them shows."""
    names = {}
    return [show(run(cell.code, names)) for cell in cells]


def run(code, names):
    """Run a cell; return the value of its last line, if that is an expression."""
    tree = ast.parse(code)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<cell>", "exec"), names)  # noqa: S102 - this is what a notebook does
    if last is None:
        return None
    return eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)  # noqa: S307 - so


def show(value):
    """Write a value as a notebook does; a figure is validated instead."""
    if isinstance(value, alt.TopLevelMixin):
        value.to_dict()
        return ""
    return "" if value is None else "\n".join(line.rstrip() for line in repr(value).splitlines())


def with_shown(page, shown):
    """Return the page with what its cells show."""
    found = iter(shown)

    def block(match):
        text, cell = next(found), f"```python\n{match[1]}```\n"
        return f"{cell}\n```text\n{text}\n```\n" if text else cell

    return _CELL.sub(block, page)


def as_notebook(page):
    """Return the notebook of a page: its words, its cells, and what these show."""
    listed, end = [], 0
    for match in _CELL.finditer(page):
        listed.append(_words(page[end : match.start()]))
        listed.append(_code(match[1], match[2]))
        end = match.end()
    listed.append(_words(page[end:]))
    cells = [cell for cell in listed if cell["source"]]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number:03}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    document = {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _words(text):
    return {"cell_type": "markdown", "metadata": {}, "source": text.strip()}


def _code(code, shown):
    outputs = []
    if shown:
        text = {"text/plain": shown.rstrip("\n")}
        outputs = [
            {"output_type": "execute_result", "execution_count": None, "data": text, "metadata": {}}
        ]
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": outputs,
        "source": code.rstrip("\n"),
    }


def readme_section():
    """Return the section of the README that is about notebooks."""
    text = README.read_text(encoding="utf-8")
    start = text.index("## In a notebook")
    return text[start : text.index("\n## ", start)]


def write_anew():
    """Put what the cells show now into the pages, and make the notebook."""
    page, section = PAGE.read_text(encoding="utf-8"), readme_section()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        done = CliRunner().invoke(app, ["demo", "--dir", str(Path(folder) / "riskmark-demo")])
        assert done.exit_code == 0, done.output
        pages = [with_shown(text, run_cells(cells_of(text))) for text in (page, section)]
    readme = README.read_text(encoding="utf-8").replace(section, pages[1])
    README.write_text(readme, encoding="utf-8")
    PAGE.write_text(pages[0], encoding="utf-8")
    NOTEBOOK.write_text(as_notebook(pages[0]), encoding="utf-8")


if __name__ == "__main__":
    os.environ.pop("RISKMARK_CONFIG", None)
    write_anew()
