"""The log of a command: to standard error, as the settings and ``-v`` say."""

import sys
from typing import TYPE_CHECKING

from riskmark import logs
from riskmark.cli.group import is_verbose

if TYPE_CHECKING:
    import typer

    from riskmark.settings import Settings


def start_logs(ctx: "typer.Context", settings: "Settings", *, is_service: bool = False) -> None:
    """Open the log; a service tells what it does, a command only what somebody should see."""
    as_json = settings.log_format == "json"
    if settings.log_format == "auto":
        as_json = not sys.stderr.isatty()
    level: logs.Level
    if settings.log_level == "auto":
        level = "info" if is_service != is_verbose(ctx) else "debug" if is_service else "warning"
    else:
        level = "debug" if is_verbose(ctx) else settings.log_level
    logs.open_logs(sys.stderr, as_json=as_json, level=level, secrets=settings.secrets)
