"""Reads the sections of a docstring in the form of numpydoc."""

import inspect
import re
from typing import NamedTuple

_TITLE = re.compile(r"^([A-Z][A-Za-z ]+)\n-{3,}$", re.MULTILINE)
_ITEM = re.compile(r"^(\*?\w[\w, ]*) : (.+)\n((?:    .*\n?|\n)+)", re.MULTILINE)


class Item(NamedTuple):
    """A parameter or an attribute: its type as it is stated, and what is told of it."""

    kind: str
    text: str


def sections_of(documented):
    """Return the sections of a docstring by their titles."""
    text = inspect.getdoc(documented) or ""
    parts = _TITLE.split(text)
    return {"Summary": parts[0]} | dict(zip(parts[1::2], parts[2::2], strict=True))


def items_of(section):
    """Return the items of a section by their names; several names may share one."""
    found = {}
    for names, kind, text in _ITEM.findall(section.lstrip("\n") + "\n"):
        for name in names.split(","):
            found[name.strip().lstrip("*")] = Item(kind.strip(), " ".join(text.split()))
    return found
