"""The characters that the font of printed reports has.

PDF/UA forbids text that cannot be displayed, and no font has every script. What ours lacks is
replaced by a sign that stands for it; the HTML report shows whatever the reader's machine can.
"""

import struct
from functools import cache
from pathlib import Path

from riskmark.reports.figures.static import font_folder

REPLACEMENT = "\N{WHITE SQUARE}"
_FULL = 12
"""The format of a table of characters that has all planes: groups of (first, last, glyph)."""


def fit(words: str) -> str:
    """Return ``words`` with a sign in the place of each character that the font lacks."""
    known = _characters()
    return "".join(one if one in known or one.isspace() else REPLACEMENT for one in words)


@cache
def _characters() -> frozenset[str]:
    """Read which characters the upright font has."""
    (path,) = (one for one in font_folder().glob("*.ttf") if "Italic" not in one.name)
    table = _find_table(path)
    (count,) = struct.unpack_from(">H", table, 2)
    places = (struct.unpack_from(">L", table, 8 + 8 * one)[0] for one in range(count))
    found: set[str] = set()
    for place in places:
        if struct.unpack_from(">H", table, place)[0] != _FULL:
            continue
        (groups,) = struct.unpack_from(">L", table, place + 12)
        for group in range(groups):
            first, last, _ = struct.unpack_from(">LLL", table, place + 16 + 12 * group)
            found.update(map(chr, range(first, last + 1)))
    return frozenset(found)


def _find_table(path: Path) -> bytes:
    """Return the table of characters of a TrueType font."""
    content = path.read_bytes()
    (count,) = struct.unpack_from(">H", content, 4)
    for one in range(count):
        tag, _, start, size = struct.unpack_from(">4sLLL", content, 12 + 16 * one)
        if tag == b"cmap":
            return content[start : start + size]
    raise ValueError(f"{path.name} has no table of characters")
