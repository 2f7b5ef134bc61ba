"""A report as one HTML file: its figures and its style in it, nothing fetched from anywhere.

On a screen it is light or dark as the reader prefers; on paper it is light.
"""

from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from riskmark.reports.figures.palette import DARK, LIGHT, variables
from riskmark.reports.figures.static import static_svg
from riskmark.reports.printed.content import Block, Content, Picture, Row, Stack
from riskmark.reports.words import NULL_WORDS, in_words

WHOLE, HALF = 920, 450
"""Pixels of a figure over the whole width, and of one of two."""


def write_page(content: Content) -> bytes:
    """Write a report as HTML."""
    folder = files(__package__)
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals.update(svg_of=_svg, kind_of=_kind, why=_why)
    template = environment.from_string(folder.joinpath("report.html").read_text("utf-8"))
    style = Markup(  # noqa: S704 - our own file and colours
        folder.joinpath("report.css").read_text("utf-8")
    )
    written = template.render(
        report=content,
        style=style,
        light=Markup(variables(LIGHT)),  # noqa: S704 - the same
        dark=Markup(variables(DARK)),  # noqa: S704 - the same
    )
    return written.encode()


def _kind(block: Block | Stack) -> str:
    return type(block).__name__.lower()


def _svg(picture: Picture, row: Row) -> Markup:
    drawn = static_svg(picture.figure, width=WHOLE if len(row) == 1 else HALF)
    return Markup(drawn)  # noqa: S704 - Vega escapes what is text


def _why(picture: Picture) -> str:
    reason = picture.figure.reason
    return "" if reason is None else f"Not shown: {in_words(NULL_WORDS, reason)}."
