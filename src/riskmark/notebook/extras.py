"""What tables and figures are made with, and a clear word where it is not installed."""

from typing import Any

from riskmark.reports import extras
from riskmark.reports.extras import MissingExtra

__all__ = ["MissingExtra", "load_extra"]


def load_extra(package: str) -> Any:  # noqa: ANN401 - a module; what is in it is not ours
    """Import ``pandas`` or ``altair``; raise ``MissingExtra`` without it."""
    return extras.load_extra(package, "notebook")
