"""A report as PDF: tagged, with its font in it, the same to the byte whenever it is written.

Typst makes it of a template and data. Names go in as data alone, so whatever they have in them
is shown and not carried out. A warning of Typst, as of a font that is not there, is an error.
"""

import json
from importlib.resources import files
from typing import Any

from riskmark.errors import RiskmarkError
from riskmark.reports.extras import load_extra
from riskmark.reports.figures.palette import LIGHT
from riskmark.reports.figures.static import EXTRA, font_folder, static_svg
from riskmark.reports.printed.content import Block, Content, Picture, Row, Stack
from riskmark.reports.printed.letters import REPLACEMENT, fit
from riskmark.reports.words import NULL_WORDS, in_words

STANDARD = "ua-1"
"""PDF/UA: what people who cannot see need of it."""
WHOLE, HALF = 764, 370
"""Pixels of a figure over the whole width, and of one of two."""
LINES = 185
"""Pixels of the height of a figure of lines: two of them and two tables share the first page."""
_TEMPLATE = "report.typ"


class PrintingFailed(RiskmarkError):
    """The report could not be set."""


def write_pdf(content: Content) -> bytes:
    """Write a report as PDF."""
    typst = load_extra("typst", EXTRA)
    template = files(__package__).joinpath(_TEMPLATE).read_bytes()
    try:
        written, warnings = typst.compile_with_warnings(
            template,
            format="pdf",
            font_paths=[str(font_folder().resolve())],
            ignore_system_fonts=True,
            sys_inputs={"report": _fitted(content)},
            pdf_standards=[STANDARD],
        )
    except typst.TypstError as error:
        raise PrintingFailed(f"the report cannot be set: {error.message}") from error
    if warnings:
        raise PrintingFailed(f"the report cannot be set as it should be: {warnings[0].message}")
    return bytes(written)


def _fitted(content: Content) -> str:
    """Write a report as JSON in characters that the font has, and say so if it lacks any."""
    plain = _plain(content)
    written = json.dumps(plain, ensure_ascii=False)
    fitted = fit(written)
    if fitted == written:
        return written
    said = f" {REPLACEMENT} stands for a character that the font of this document lacks."
    return fit(json.dumps(plain | {"basis": content.basis + said}, ensure_ascii=False))


def _plain(content: Content) -> dict[str, Any]:
    found = content._asdict()
    found["tiles"] = _block(content.tiles, WHOLE)
    found["sections"] = [
        {**one._asdict(), "rows": [_row(row) for row in one.rows]} for one in content.sections
    ]
    return found


def _row(row: Row) -> list[dict[str, Any]]:
    width = WHOLE if len(row) == 1 else HALF
    return [_block(one, width) for one in row]


def _block(block: Block | Stack, width: int) -> dict[str, Any]:
    kind = {"kind": type(block).__name__.lower()}
    if isinstance(block, Stack):
        return kind | {"blocks": [_block(one, width) for one in block.blocks]}
    if isinstance(block, Picture):
        return kind | _picture(block, width)
    plain = {
        name: [one._asdict() if hasattr(one, "_asdict") else one for one in value]
        if isinstance(value, tuple)
        else value
        for name, value in block._asdict().items()
    }
    return kind | plain


def _picture(block: Picture, width: int) -> dict[str, Any]:
    figure = block.figure
    drawn = None if figure.spec is None else static_svg(figure, LIGHT, width=width, height=LINES)
    reason = "" if figure.reason is None else f"Not shown: {in_words(NULL_WORDS, figure.reason)}."
    return {
        "title": figure.title,
        "note": figure.note,
        "svg": drawn,
        "reason": reason,
        "alt": f"{figure.title}. {figure.note}",
    }
