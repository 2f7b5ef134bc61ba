"""Figures as SVG, drawn without a browser: for reports."""

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from riskmark.reports.extras import load_extra
from riskmark.reports.figures.figure import Figure
from riskmark.reports.figures.palette import Palette
from riskmark.reports.figures.spec import HEIGHT, HOVER, Spec

EXTRA = "pdf"
FAMILY = "Inter"


class _Drawing(NamedTuple):
    """The library that draws, and where its font is."""

    library: Any
    fonts: Path


class NothingToDraw(ValueError):
    """The figure has no document."""


def static_svg(
    figure: Figure, palette: Palette | None = None, *, width: int = 640, height: int | None = None
) -> str:
    """Draw a figure as SVG of ``width`` pixels.

    ``height`` is that of a figure of lines; bars take what they need.

    With a ``palette`` its colours are put in; without one they stay names, for a page that has
    their values. Raises ``MissingExtra``, and ``NothingToDraw`` for a figure without a document.
    """
    if figure.spec is None:
        raise NothingToDraw(figure.name)
    spec = still(figure.spec) | {"width": width}
    if height is not None and spec["height"] == HEIGHT:
        spec["height"] = height
    drawn: str = _drawing().library.vegalite_to_svg(json.dumps(spec, ensure_ascii=False))
    return coloured(drawn, palette) if palette else drawn


def font_folder() -> Path:
    """Return the folder with the font of figures and reports."""
    return Path(load_extra("fontpkg_inter", EXTRA).ROOT) / "files"


def still(spec: Spec) -> Spec:
    """Return a document without what serves only a pointer."""
    kept = {key: value for key, value in spec.items() if key != "params"}
    if "layer" in kept:
        kept["layer"] = [still(one) for one in kept["layer"] if one.get("name") != HOVER]
    return kept


def coloured(drawn: str, palette: Palette) -> str:
    """Put the values of a palette where its names stand."""
    for name, value in palette.items():
        drawn = drawn.replace(f"var({name})", value)
    return drawn


@cache
def _drawing() -> _Drawing:
    library, fonts = load_extra("vl_convert", EXTRA), font_folder()
    library.register_font_directory(str(fonts))
    return _Drawing(library, fonts)
