"""Runs for people: live progress, the list, one run, and how it ended."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from riskmark.cli import formats, output
from riskmark.cli.tables import make_table
from riskmark.domain.reasons import RunStatus
from riskmark.domain.runs import PHASES, STORED
from riskmark.reports.words import RUN_WORDS, SYMBOL_WORDS, in_words

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import Progress as Bars
    from rich.progress import TaskID
    from rich.table import Table
    from rich.text import Text

    from riskmark.engine.recorder import Progress
    from riskmark.reports.runs import Event, Failure, ProviderReason, RunReport, RunSummary

TITLES = {phase.key: phase.title for phase in PHASES}
LINE_EVERY_S = 5.0
"""Without a terminal, progress within a phase is a line no more often than this."""
MOST_NAMED = 10
"""Symbols and failures that a summary names; the rest are counted."""
MOST_EVENTS = 15
"""Lines of the activity log that ``runs show`` prints without ``-v``."""
_LEVEL_STYLE = {"warning": "yellow", "error": "red"}
SHORT_ID = 12
"""Characters of an id's end that tell runs apart: its beginning is the time."""


class RunView:
    """Progress as plain lines: what logs and pipes can take."""

    def __init__(self, *, is_verbose: bool) -> None:
        self._is_verbose = is_verbose
        self._phase = ""
        self._said_at = 0.0

    def observe(self, progress: "Progress") -> None:
        """Show what a run in this process tells."""
        if progress.message is not None:
            self.log(progress.message)
        self.advance(progress.phase.key, progress.done, progress.total)

    def advance(self, phase: str, done: int, total: int) -> None:
        """Show how far a phase is."""
        now = time.monotonic()
        is_soon = phase == self._phase and now - self._said_at < LINE_EVERY_S
        if not done or (is_soon and done < total):
            return
        self._phase, self._said_at = phase, now
        output.note(f"{TITLES.get(phase, phase)}: {done:,} of {total:,}")

    def log(self, message: str, *, level: str = "info") -> None:
        """Show a line of the activity log; warnings of single symbols only when asked."""
        if level != "warning" or self._is_verbose:
            output.note(_event_text(message, level))


class BarView(RunView):
    """Progress as bars on a terminal, one a phase, with the log above them."""

    def __init__(self, bars: "Bars", *, is_verbose: bool) -> None:
        super().__init__(is_verbose=is_verbose)
        self._bars = bars
        self._tasks: dict[str, TaskID] = {
            key: bars.add_task(title, total=None, visible=False) for key, title in TITLES.items()
        }

    def advance(self, phase: str, done: int, total: int) -> None:
        """Move the phase's bar."""
        if total and phase in self._tasks:
            self._bars.update(self._tasks[phase], completed=done, total=total, visible=True)

    def log(self, message: str, *, level: str = "info") -> None:
        """Print a line of the activity log above the bars."""
        if level != "warning" or self._is_verbose:
            self._bars.console.print(_event_text(message, level))


@contextmanager
def open_run_view(*, is_verbose: bool) -> Iterator[RunView]:
    """Open a view on standard error: bars on a terminal, plain lines elsewhere."""
    console = output.error_console()
    if not console.is_terminal:
        yield RunView(is_verbose=is_verbose)
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    bars = Progress(
        TextColumn("{task.description:<14}"),
        BarColumn(bar_width=40),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )
    with bars:
        yield BarView(bars, is_verbose=is_verbose)


def end_view(found: "RunReport") -> "Iterator[RenderableType]":
    """Yield how a run ended, in a few lines that name what it lacked."""
    one = found.summary
    counts = [formats.plural(one.cells.computed, "session") + " computed"]
    counts += [
        f"{number:,} {what}"
        for number, what in (
            (one.cells.partial, "partial"),
            (one.cells.failed, "failed"),
            (one.cells.deleted, "deleted"),
        )
        if number
    ]
    took = f" in {formats.duration(one.took)}" if one.took is not None else ""
    if not one.cells.planned and one.status is RunStatus.SUCCEEDED:
        text = f": nothing to do, up to the session of {one.target}"
    else:
        text = f": {', '.join(counts)}{took}"
    yield formats.state(one.status).append(text, style="default")
    if found.unavailable:
        yield _unavailable_text(found)
    for failure in found.failures[:MOST_NAMED]:
        yield _failure_text(failure)
    if one.error:
        yield output.styled("[red]{error}[/]", error=one.error)
    if one.status is not RunStatus.SUCCEEDED:
        yield output.styled(f"[dim]more: riskmark runs show {one.run_id[-SHORT_ID:]}[/]")


def _failure_text(failure: "Failure") -> "Text":
    return output.styled(
        "[red]failed[/]: {cells} of {name}, {first} to {last}: {reason}",
        cells=formats.plural(failure.cells, "session"),
        name=failure.name,
        first=failure.first,
        last=failure.last,
        reason=failure.reason,
    )


def _unavailable_text(found: "RunReport") -> "Text":
    named = [
        f"{one.symbol} ({', '.join(_short_reason(said) for said in one.reasons)})"
        for one in found.unavailable[:MOST_NAMED]
    ]
    more = len(found.unavailable) - MOST_NAMED
    tail = f" and {more:,} more" if more > 0 else ""
    return output.styled(
        "[yellow]without a close[/]: {symbols}", symbols=f"{', '.join(named)}{tail}"
    )


def _short_reason(said: "ProviderReason") -> str:
    """Say in a few words what a provider answered, by name, or what is valued at instead."""
    if said.provider == STORED:
        return in_words(_SHORT_REASONS, said.reason)
    return f"{said.provider}: {said.reason.replace('_', ' ')}"


_SHORT_REASONS = {
    key: words.split(",")[0].replace("valued at ", "") for key, words in SYMBOL_WORDS.items()
}


def run_tables(runs: "Sequence[RunSummary]") -> "Iterator[Table]":
    """Yield a table of the runs that wait or work, if there are any, and one of the others."""
    live = [one for one in runs if one.is_live]
    if live:
        yield _live_table(live)
    ended = [one for one in runs if not one.is_live]
    if ended:
        yield _ended_table(ended)


def _live_table(runs: "Sequence[RunSummary]") -> "Table":
    wide = () if output.is_narrow() else ("Target",)
    table = make_table("Run", "Status", "By", *wide, "Try>", "Host", "Heartbeat>", "Progress")
    for one in runs:
        table.add_row(
            one.run_id[-SHORT_ID:],
            _state(one),
            _asker(one),
            *(formats.day(one.target) for _ in wide),
            formats.count(one.attempt),
            one.host or formats.NOTHING,
            formats.duration(one.silent),
            _progress(one),
        )
    return table


def _ended_table(runs: "Sequence[RunSummary]") -> "Table":
    wide = () if output.is_narrow() else ("Target",)
    table = make_table("Run", "Status", "By", *wide, "Started", "Took>", "Sessions>", "Failed>")
    for one in runs:
        table.add_row(
            one.run_id[-SHORT_ID:],
            _state(one).append(f", try {one.attempt}" if one.attempt > 1 else ""),
            _asker(one),
            *(formats.day(one.target) for _ in wide),
            formats.instant(one.started_at),
            formats.duration(one.took),
            f"{one.cells.computed:,}",
            formats.count(one.cells.failed),
        )
    return table


def _progress(one: "RunSummary") -> str:
    if one.phase is None or one.place is not None:
        return formats.NOTHING
    return f"{TITLES.get(one.phase, one.phase)} {one.done:,}/{one.total:,}"


def _asker(one: "RunSummary") -> str:
    return f"{one.source}, {'all' if one.scope is None else f'{len(one.scope):,}'}"


def _state(one: "RunSummary") -> "Text":
    state = formats.state("stalled" if one.is_stalled else one.status)
    return state if one.place is None else state.append(f", no. {one.place}")


def run_view(
    found: "RunReport", events: "Sequence[Event]", *, every_detail: bool
) -> "Iterator[RenderableType]":
    """Yield everything of a run: head, phases, symbols without data, failures, log."""
    from rich.text import Text

    one = found.summary
    yield Text.assemble((f"run {one.run_id}", "bold"), "  ", _state(one))
    yield output.styled("[dim]{head}[/]", head=_head(found))
    if one.error:
        yield Text(one.error, style="red")
    yield ""
    yield _phase_table(found)
    if found.unavailable:
        yield ""
        yield _symbol_table(found)
    for failure in found.failures:
        yield ""
        yield _failure_text(failure)
        if every_detail and failure.detail:
            yield Text(failure.detail, style="dim")
    shown = events if every_detail else events[-MOST_EVENTS:]
    if shown:
        yield ""
    if len(shown) < len(events):
        before = len(events) - len(shown)
        yield output.styled(f"[dim]… {before:,} lines before; -v shows them[/]")
    for event in shown:
        line = Text(f"{event.at:%H:%M:%S}  ", style="dim")
        yield line.append(_event_text(event.message, event.level))


def _head(found: "RunReport") -> str:
    one = found.summary
    scope = "all portfolios" if one.scope is None else formats.plural(len(one.scope), "portfolio")
    parts = [
        in_words(RUN_WORDS, one.status),
        f"asked for by {one.source}",
        f"{scope} to {one.target}",
        f"started {formats.instant(one.started_at)} UTC",
    ]
    if one.host is not None:
        parts.append(f"on {one.host}")
    if one.silent is not None:
        parts.append(f"heard from {formats.duration(one.silent)} ago")
    if one.took is not None:
        parts.append(f"took {formats.duration(one.took)}")
    if one.attempt > 1:
        parts.append(f"attempt {one.attempt}")
    if found.requests > 1:
        parts.append(f"{found.requests} requests")
    return " · ".join(parts)


def _phase_table(found: "RunReport") -> "Table":
    table = make_table("Phase", "Status", "Time>", "Done>", "Of>")
    for phase in found.phases:
        table.add_row(
            TITLES.get(phase.phase, phase.phase),
            phase.status,
            formats.duration(phase.seconds),
            f"{phase.done:,}",
            f"{phase.total:,}",
        )
    return table


def _symbol_table(found: "RunReport") -> "Table":
    table = make_table("Without a close", "Source", "Reason", "Detail…")
    for one in found.unavailable:
        for said in one.reasons:
            table.add_row(one.symbol, said.provider, said.reason.replace("_", " "), said.detail)
    return table


def _event_text(message: str, level: str) -> "Text":
    from rich.text import Text

    return Text(message, style=_LEVEL_STYLE.get(level, ""))
