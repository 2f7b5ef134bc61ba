"""What tables and figures are made with, and a clear word where it is not installed."""

from importlib import import_module
from typing import Any

from riskmark.errors import RiskmarkError


class MissingExtra(RiskmarkError, ImportError):
    """A package of the extra ``notebook`` is not installed."""

    def __init__(self, package: str) -> None:
        super().__init__(
            f"{package} is not installed; install it: pip install 'riskmark[notebook]'"
        )
        self.package = package


def load_extra(package: str) -> Any:  # noqa: ANN401 - a module; what is in it is not ours
    """Import ``pandas`` or ``altair``; raise ``MissingExtra`` without it."""
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise MissingExtra(package) from error
