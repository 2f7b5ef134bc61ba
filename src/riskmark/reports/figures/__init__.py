"""Figures: what is known of a portfolio, drawn; the same for pages, notebooks and reports.

A figure is a Vega-Lite document and a table of the numbers that it draws. Both are made of what
``reports`` say of a session, its history and its P&L; nothing is computed here. A figure that
has nothing to draw has no document, and the reason why.

    numbers = load_numbers(connection, principal, "Growth", settings=…, calendar=…)
    figure = draw("drawdown", numbers)
"""

from riskmark.reports.figures.figure import Column, Figure, Kind, Table
from riskmark.reports.figures.gallery import NAMES, UnknownFigure, draw
from riskmark.reports.figures.numbers import Numbers, load_numbers
from riskmark.reports.figures.palette import DARK, LIGHT, Palette, variables

__all__ = [
    "DARK",
    "LIGHT",
    "NAMES",
    "Column",
    "Figure",
    "Kind",
    "Numbers",
    "Palette",
    "Table",
    "UnknownFigure",
    "draw",
    "load_numbers",
    "variables",
]
