"""The colours of figures: names in the documents, values where they are shown.

A document says ``var(--c-blue)``; a page has the values in its style sheet, light and dark, and a
static figure has them put in. Blue, vermilion and teal differ in lightness as well as in hue, so
that they can be told apart by people who see no red or no green (after Okabe and Ito). The nine
of a heat map go from vermilion (−1) to blue (+1); they are steps, as names cannot be blended.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

Palette: TypeAlias = Mapping[str, str]
"""A value for each name of a colour."""

LIGHT: Palette = MappingProxyType(
    {
        "--c-text": "#1b2430",
        "--c-label": "#5b6675",
        "--c-grid": "#e4e8ed",
        "--c-surface": "#ffffff",
        "--c-blue": "#0067a5",
        "--c-vermilion": "#c94f00",
        "--c-teal": "#00896b",
        "--c-bar": "#9aa7b6",
        "--c-strong": "#ffffff",
        "--c-heat-1": "#b24500",
        "--c-heat-2": "#d9763a",
        "--c-heat-3": "#ecab84",
        "--c-heat-4": "#f7dccb",
        "--c-heat-5": "#f3f4f6",
        "--c-heat-6": "#d0e2f0",
        "--c-heat-7": "#92bddc",
        "--c-heat-8": "#4a8fc1",
        "--c-heat-9": "#0b5f98",
    }
)
DARK: Palette = MappingProxyType(
    {
        "--c-text": "#e8ecf1",
        "--c-label": "#a3afbd",
        "--c-grid": "#2c3643",
        "--c-surface": "#151b23",
        "--c-blue": "#5aa9e6",
        "--c-vermilion": "#f08a4b",
        "--c-teal": "#3cc9a4",
        "--c-bar": "#66758a",
        "--c-strong": "#ffffff",
        "--c-heat-1": "#c85a17",
        "--c-heat-2": "#a04e1e",
        "--c-heat-3": "#743f24",
        "--c-heat-4": "#4a3129",
        "--c-heat-5": "#262e38",
        "--c-heat-6": "#22394d",
        "--c-heat-7": "#1f4a6b",
        "--c-heat-8": "#1c5f90",
        "--c-heat-9": "#1a76b8",
    }
)

TEXT, LABEL, GRID = "var(--c-text)", "var(--c-label)", "var(--c-grid)"
SURFACE, STRONG = "var(--c-surface)", "var(--c-strong)"
BLUE, VERMILION, TEAL = "var(--c-blue)", "var(--c-vermilion)", "var(--c-teal)"
BAR = "var(--c-bar)"
"""Of many bars behind lines that matter more."""
HEAT = tuple(f"var(--c-heat-{step})" for step in range(1, 10))


def variables(palette: Palette) -> str:
    """Write a palette as declarations of a style sheet."""
    return " ".join(f"{name}: {value};" for name, value in palette.items())
