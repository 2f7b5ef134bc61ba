"""What figures and reports are made with, and a clear word where it is not installed."""

from importlib import import_module
from typing import Any

from riskmark.errors import RiskmarkError


class MissingExtra(RiskmarkError, ImportError):
    """A package of an optional extra is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed; install it: pip install 'riskmark[{extra}]'")
        self.package = package
        self.extra = extra


def load_extra(package: str, extra: str) -> Any:
    """Import a package of an ``extra``; raise ``MissingExtra`` without it."""
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise MissingExtra(package, extra) from error
