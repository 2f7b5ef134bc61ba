"""The figures by name."""

from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

from riskmark.errors import InputError

if TYPE_CHECKING:
    from riskmark.reports.figures.figure import Figure
    from riskmark.reports.figures.numbers import Numbers

_MODULE_OF: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("nav", "performance", "drawdown", "volatility"), "series"),
        **dict.fromkeys(("var", "backtest"), "tails"),
        **dict.fromkeys(("factors", "risk_shares", "stress"), "risks"),
        "correlation": "matrix",
        **dict.fromkeys(("sectors", "concentration"), "holdings"),
        **dict.fromkeys(
            ("attribution", "attribution_sectors", "attribution_factors"), "attributed"
        ),
    }
)

NAMES = tuple(_MODULE_OF)
"""The figures, in the order in which a page has them."""


class UnknownFigure(InputError):
    """There is no figure of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no figure {name!r}; there are {', '.join(NAMES)}")
        self.name = name


def check_name(name: str) -> None:
    """Raise ``UnknownFigure`` unless there is a figure of this name."""
    if name not in _MODULE_OF:
        raise UnknownFigure(name)


def draw(name: str, numbers: "Numbers") -> "Figure":
    """Draw one figure of ``NAMES``.

    ``numbers`` must have been loaded for it. Raises ``UnknownFigure``.
    """
    check_name(name)
    module = import_module(f"riskmark.reports.figures.{_MODULE_OF[name]}")
    drawer: Callable[[Numbers], Figure] = getattr(module, f"draw_{name}")
    return drawer(numbers)
