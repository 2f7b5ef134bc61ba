"""Structured logs: what a process does, one line an event, to standard error.

Silent until a command opens them, so that who uses Riskmark as a library hears nothing and
pays nothing. Each event is a constant phrase with fields; ``bound`` adds fields to all that
is logged inside it. Nothing that is logged can end its line or begin another one, and no
secret of the settings passes.

Only the outer modules log. Arithmetic, planning and intake do not know of it.
"""

import logging
import re
import traceback
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, Literal, TextIO

from riskmark.domain.secrets import without_secrets

Level = Literal["debug", "info", "warning", "error"]
_DESCENDING: tuple[Level, ...] = ("error", "warning", "info", "debug")
_NUMBERS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""Characters that end a line, steer a terminal, or change the order of what is read."""

_Event = MutableMapping[str, Any]
_logger: Any = None


def open_logs(
    stream: TextIO, *, as_json: bool, level: Level, secrets: tuple[str, ...] = ()
) -> None:
    """Write what is logged from now on to ``stream``, from ``level`` up."""
    global _logger  # noqa: PLW0603 - a process has one log
    import structlog  # noqa: PLC0415 - only who logs pays for it

    def clean(_logger: object, _method: str, event: _Event) -> _Event:
        return {key: _clean(value, secrets, escape=not as_json) for key, value in event.items()}

    renderer: Any = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=stream.isatty(), pad_event_to=0)
    )
    _logger = structlog.wrap_logger(
        structlog.WriteLogger(stream),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            clean,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_NUMBERS[level]),
    )
    ours = logging.getLogger("riskmark")
    ours.handlers = [_Bridge()]
    ours.setLevel(_NUMBERS[level])
    ours.propagate = False


def close_logs() -> None:
    """Log nothing from now on."""
    global _logger  # noqa: PLW0603 - a process has one log
    _logger = None
    logging.getLogger("riskmark").handlers = []


class _Bridge(logging.Handler):
    """Passes on what is logged the standard library's way."""

    def emit(self, record: logging.LogRecord) -> None:
        fields = {}
        if record.exc_info:
            fields["traceback"] = "".join(traceback.format_exception(*record.exc_info))
        passed = (name for name in _DESCENDING if record.levelno >= _NUMBERS[name])
        level: Level = next(passed, "debug")
        log(level, record.getMessage(), **fields)


@contextmanager
def bound(**fields: object) -> Iterator[None]:
    """Add fields to whatever this thread logs inside the block."""
    if _logger is None:
        yield
        return
    from structlog.contextvars import bound_contextvars  # noqa: PLC0415 - only who logs pays

    with bound_contextvars(**fields):
        yield


def log(level: Level, event: str, **fields: object) -> None:
    """Log an event at a level that is known only when it happens."""
    if _logger is not None:
        getattr(_logger, level)(event, **fields)


def debug(event: str, **fields: object) -> None:
    """Log what only somebody who looks for an error wants to know."""
    log("debug", event, **fields)


def info(event: str, **fields: object) -> None:
    """Log what goes as it should."""
    log("info", event, **fields)


def warning(event: str, **fields: object) -> None:
    """Log what somebody should look at some time."""
    log("warning", event, **fields)


def error(event: str, *, cause: BaseException | None = None, **fields: object) -> None:
    """Log what failed; ``cause`` is told with its traceback."""
    if cause is not None:
        fields["error"] = f"{type(cause).__name__}: {cause}"
        fields["traceback"] = "".join(traceback.format_exception(cause))
    log("error", event, **fields)


def _clean(value: object, secrets: tuple[str, ...], *, escape: bool) -> object:
    """Return a value as it may stand in a line: JSON escapes by itself."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = without_secrets(str(value), secrets)
    return _UNPRINTABLE.sub(_escaped, text) if escape else text


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")
