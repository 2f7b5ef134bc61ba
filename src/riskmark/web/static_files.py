"""Style sheets, scripts and the font, each under an address that names what is in it.

One digest of everything stands in every address (``/static/<digest>/app.js``), so that browsers
keep files for a year and modules import each other by plain names. Files are read once, when the
site is made, and kept compressed: they are few and small.
"""

import gzip
import hashlib
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

from riskmark.reports.figures import DARK, LIGHT
from riskmark.web.charts_bundle import BUNDLE, bundle_version

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
}
FONT: Final = "inter.ttf"
PALETTE: Final = "palette.css"
"""The colours of figures, made of what ``reports.figures`` names."""
_LEVEL: Final = 6
"""Of compression: what is best takes seconds and saves a hundredth."""


class StaticFile(NamedTuple):
    """A file as it is sent, compressed."""

    content: bytes
    media_type: str


class StaticFiles:
    """The files by name, and the digest that stands in their addresses."""

    def __init__(self) -> None:
        found = dict(sorted(_read().items()))
        whole = hashlib.sha256(bundle_version().encode())
        for name, content in found.items():
            whole.update(name.encode() + hashlib.sha256(content).digest())
        self.digest = whole.hexdigest()[:16]
        self._files = {
            name: StaticFile(
                gzip.compress(content, _LEVEL, mtime=0), _TYPES[name[name.rindex(".") :]]
            )
            for name, content in found.items()
        }

    def address(self, name: str) -> str:
        """Return where a file is; a template that names a file that is not there is wrong."""
        if name != BUNDLE and name not in self._files:
            raise LookupError(name)
        return f"/static/{self.digest}/{name}"

    def find(self, digest: str, name: str) -> StaticFile | None:
        """Return a file of this digest; None if there is none."""
        return self._files.get(name) if digest == self.digest else None


def _read() -> dict[str, bytes]:
    folder = files("riskmark.web") / "static"
    found = {one.name: one.read_bytes() for one in folder.iterdir() if one.is_file()}
    found[PALETTE] = _palette().encode()
    font = _find_font()
    if font is not None:
        found[FONT] = font.read_bytes()
    return found


def _palette() -> str:
    pairs = " ".join(f"{name}: light-dark({light}, {DARK[name]});" for name, light in LIGHT.items())
    return f":root {{ {pairs} }}\n"


def _find_font() -> Path | None:
    """Return the file of the font, if its package is installed; else the system's serves."""
    spec = find_spec("fontpkg_inter")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "files" / "Inter[opsz,wght].ttf"
    return path if path.is_file() else None
