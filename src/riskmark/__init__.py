"""Riskmark: operated portfolio risk, self-hosted and open.

In a notebook, ``import riskmark as rm``: ``rm.open`` reads an installation (see
``riskmark.notebook``), and ``rm.calc`` has the arithmetic for arrays of one's own. Both are
imported when they are first asked for.
"""

from importlib import import_module

TYPE_CHECKING = False  # what type checkers take for True; the module typing is not for free
if TYPE_CHECKING:
    from riskmark import calc as calc
    from riskmark.notebook import Book as Book
    from riskmark.notebook import Portfolio as Portfolio
    from riskmark.notebook import open as open  # noqa: A004 - called as rm.open

__version__ = "0.1.0"

_OF_NOTEBOOK = ("Book", "Portfolio", "open")


def __getattr__(name: str) -> object:
    if name == "calc":
        return import_module("riskmark.calc")
    if name in _OF_NOTEBOOK:
        return getattr(import_module("riskmark.notebook"), name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return ["__version__", "calc", *_OF_NOTEBOOK]
