"""The log of a process: to standard error, as the settings and ``-v`` say."""

import sys
from typing import TYPE_CHECKING

from riskmark import logs
from riskmark.cli.group import is_verbose

if TYPE_CHECKING:
    import typer

    from riskmark.settings import Settings


def start_logs(ctx: "typer.Context", settings: "Settings", *, is_service: bool = False) -> None:
    """Open the log until the command ends.

    A service always logs. Any other command shows a person what it does, and logs as well
    where the settings ask for it.
    """
    form, level = settings.log_format, settings.log_level
    if not is_service and form == level == "auto":
        return
    chosen: logs.Level = "info" if level == "auto" else level
    logs.open_logs(
        sys.stderr,
        as_json=form == "json" or (form == "auto" and not sys.stderr.isatty()),
        level="debug" if is_verbose(ctx) else chosen,
        secrets=settings.secrets,
    )
    ctx.call_on_close(logs.close_logs)
