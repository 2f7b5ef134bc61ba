"""What the demo says: what was imported, where every portfolio stands, what to try next."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from riskmark.cli import formats
from riskmark.cli.demo_setup import NOW, Filled
from riskmark.cli.output import styled
from riskmark.cli.tables import make_table
from riskmark.domain.reasons import PortfolioState
from riskmark.reports.snapshot import SnapshotReport
from riskmark.reports.status import Status
from riskmark.settings import CONFIG_FILE

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

TOUR = (
    ("riskmark show Growth", "one portfolio: what it is worth, earned and risks"),
    ("riskmark history Energy", "its sessions, one a line"),
    ("riskmark status", "how far every portfolio is valued, and what it lacks"),
    ("riskmark runs list", "what was computed, when, and how it ended"),
    ("riskmark run", "nothing is missing, so nothing is computed"),
    ("riskmark report Growth", "one session as PDF, to print or to send"),
    ("riskmark serve", "pages at http://127.0.0.1:8000, which say how to sign in"),
)
"""Commands to try next, and what each shows."""


def filled_view(filled: Filled, folder: Path) -> Iterator[Text]:
    """Yield what was put into the database."""
    yield styled(
        "[bold]Riskmark's demo[/] in {folder}: real prices, invented portfolios", folder=folder
    )
    yield styled(
        f"[green]imported[/]: {filled.closes:,} closes of {filled.symbols} symbols, "
        f"{filled.first} to {filled.last}"
    )
    yield styled(
        f"[green]imported[/]: {filled.portfolios} portfolios with {filled.lots} lots "
        f"and {filled.flows} flows, {filled.values} values of a private asset"
    )


def overview(status: Status, snapshots: Sequence[SnapshotReport]) -> "Iterator[RenderableType]":
    """Yield the headline numbers and the state of every portfolio, and when that was."""
    yield _overview_table(status, snapshots)
    current = sum(one.state is PortfolioState.CURRENT for one in status.portfolios)
    yield styled(
        f"\n[bold]{current} of {formats.plural(len(status.portfolios), 'portfolio')} current[/]. "
        f"P&L is of the last session, {status.target}.\n"
    )
    yield (f"The prices end on {NOW:%Y-%m-%d}, so the clock of the demo stands there. To go on:\n")


def _overview_table(status: Status, snapshots: Sequence[SnapshotReport]) -> "Table":
    state_of = {one.portfolio_id: one.state for one in status.portfolios}
    table = make_table("Portfolio…", "NAV>", "P&L>", "YTD>", "Beta>", "Vol 63>", "Max DD>", "State")
    for one in snapshots:
        table.add_row(
            one.portfolio.name,
            f"{one.snapshot['nav']:,.0f}",
            _whole_money(one.snapshot["pnl"]),
            formats.signed_percent(one.performance["twr_ytd"], 1),
            formats.ratio(one.risk["beta"]),
            formats.percent(one.risk["vol_63"]),
            formats.percent(one.performance["max_drawdown"]),
            formats.state(state_of[one.portfolio.portfolio_id]),
        )
    return table


def _whole_money(value: float) -> Text:
    """Write a gain or loss without cents: the table has to fit into 80 columns."""
    return Text(f"{value:+,.0f}", style=formats.signed_money(value).style)


def shell_lines(folder: Path) -> Iterator[str]:
    """Yield what a shell has to be told before the next commands are about the demo."""
    if shutil.which("riskmark") is None:
        yield f'export PATH={shlex.quote(str(Path(sys.argv[0]).absolute().parent))}:"$PATH"'
    if "RISKMARK_DATABASE_URL" in os.environ:
        yield "unset RISKMARK_DATABASE_URL"
    yield f"export RISKMARK_CONFIG={shlex.quote(str(folder.absolute() / CONFIG_FILE))}"
    yield f"export RISKMARK_NOW={NOW:%Y-%m-%dT%H:%M:%SZ}"


def tour_view() -> Iterator[Text]:
    """Yield commands to try next."""
    for command, shows in TOUR:
        yield styled(f"  [bold]{command:<26}[/]{shows}")
