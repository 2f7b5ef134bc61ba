"""The root of the commands: global options anywhere, and errors to exit codes."""

import os
import traceback
from typing import cast

import typer
from typer.core import TyperGroup

from riskmark.cli import exits, output
from riskmark.errors import InputError, RiskmarkError

_WITH_VALUE = ("--database", "--config")
_FLAGS = ("-v", "--verbose")
BOOKS, DAILY, CARE = "Books and prices", "Every session", "Care"
PANELS = (BOOKS, DAILY, CARE)
"""The groups of commands in the help, in order."""

_MOST_ISSUES = 20
"""Lines of a file with errors that are shown; the rest are counted."""


class RiskmarkGroup(TyperGroup):
    """Takes global options also after a command, and ends every error as the interface says."""

    def list_commands(self, ctx: object) -> list[str]:
        """Return the commands in the order of their panels, then of their registration."""
        listed = super().list_commands(cast("typer.Context", ctx))
        panels = {name: getattr(self.commands[name], "rich_help_panel", None) for name in listed}
        last = len(PANELS)
        order: dict[str | None, int] = {panel: place for place, panel in enumerate(PANELS)}
        return sorted(listed, key=lambda name: order.get(panels[name], last))

    def parse_args(self, ctx: object, args: list[str]) -> list[str]:
        """Move global options to the front, where the root looks for them."""
        return super().parse_args(cast("typer.Context", ctx), global_options_first(args))

    def invoke(self, ctx: object) -> object:
        """Carry out the command; turn an error into a line and an exit code."""
        context = cast("typer.Context", ctx)
        try:
            return super().invoke(context)
        except KeyboardInterrupt as error:
            output.fail("interrupted")
            raise typer.Exit(exits.INTERRUPTED) from error
        except InputError as error:
            _show_input_error(error)
            raise typer.Exit(exits.BAD_INPUT) from error
        except (typer.Exit, typer.Abort, BrokenPipeError):
            raise
        except Exception as error:
            if _is_usage(error):
                raise
            _show_failure(error, is_verbose=is_verbose(context))
            raise typer.Exit(exits.FAILED) from error


def global_options_first(args: list[str]) -> list[str]:
    """Return ``args`` with the global options before everything else; not after ``--``."""
    moved: list[str] = []
    kept: list[str] = []
    place = 0
    while place < len(args):
        word = args[place]
        if word == "--":
            kept += args[place:]
            break
        if word in _WITH_VALUE and place + 1 < len(args):
            moved += args[place : place + 2]
            place += 1
        elif word in _FLAGS or word.startswith(tuple(f"{name}=" for name in _WITH_VALUE)):
            moved.append(word)
        else:
            kept.append(word)
        place += 1
    return moved + kept


def is_verbose(ctx: typer.Context) -> bool:
    """Whether the global option ``-v`` was given."""
    return bool(getattr(ctx.obj, "verbose", False))


def _is_usage(error: Exception) -> bool:
    """Whether the parser of the command line raised ``error``; it shows these itself."""
    return hasattr(error, "format_message") and hasattr(error, "exit_code")


def _show_input_error(error: InputError) -> None:
    output.fail(str(error))
    issues = getattr(error, "issues", ())
    for issue in issues[1:_MOST_ISSUES]:
        output.note(f"  {issue}")
    if len(issues) > _MOST_ISSUES:
        output.note(f"  … and {getattr(error, 'total', len(issues)) - _MOST_ISSUES:,} more")


def _show_failure(error: Exception, *, is_verbose: bool) -> None:
    if is_verbose:
        output.note("".join(traceback.format_exception(error)))
    if isinstance(error, RiskmarkError):
        output.fail(str(error))
        return
    cause = getattr(error, "orig", None) or error
    text = str(cause).split(os.linesep, maxsplit=1)[0]
    output.fail(f"{type(cause).__name__}: {text}" + ("" if is_verbose else " (-v shows where)"))
