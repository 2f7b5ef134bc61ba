"""One cell computed again: what is shown of a session, but too bulky to be kept for each.

The arithmetic is that of a run, on what is stored now. A cell that is out of date is shown
with its stored numbers and, beside them, what follows from the inputs of today; its status
says so.
"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from riskmark.domain.sessions import Calendar
from riskmark.settings import Settings
from riskmark.storage.members import load_first_entry
from riskmark.valuation.cells import Cells
from riskmark.valuation.held import Held, hold
from riskmark.valuation.inputs import InputCutter, load_inputs
from riskmark.valuation.shard import ShardInputs, Valued, value


@dataclass(frozen=True, slots=True)
class Recomputed:
    """A portfolio on one session, as a run has it at hand; all arrays have one cell.

    Or two, of the first and the last session of a span, all of which is valued then.
    """

    inputs: ShardInputs
    valued: Valued
    cells: Cells
    held: Held

    @property
    def row(self) -> int:
        """The session's row of the panel."""
        return self.inputs.rows.start

    @property
    def symbols(self) -> list[str]:
        """The symbol of each column in use, which lots and holdings name by its place."""
        instruments = self.inputs.panel.instruments
        return [instruments[column].symbol for column in self.inputs.columns.tolist()]


def recompute(
    connection: Connection,
    calendar: Calendar,
    settings: Settings,
    *,
    portfolio_id: str,
    session: date,
    since: date | None = None,
    back_to: int | None = None,
) -> Recomputed | None:
    """Compute a portfolio's cell of ``session`` again; None if the book begins later now.

    With an earlier session ``since``, the cell of that one comes first. ``back_to`` is an
    ordinal that the panel must reach back to.
    """
    first = first_session(connection, calendar, portfolio_id)
    ordinal = calendar.on_or_before(session)
    begin = ordinal if since is None else calendar.on_or_before(since)
    if first is None or first > begin:
        return None
    read = load_inputs(
        connection,
        calendar,
        settings,
        first_sessions={portfolio_id: first},
        first_cell=begin,
        last=ordinal,
        back_to=back_to,
    )
    inputs = InputCutter(read, settings).cut([portfolio_id], [sorted({begin, ordinal})])
    valued = value(inputs)
    cells = Cells(inputs, valued)
    return Recomputed(inputs, valued, cells, hold(inputs, cells))


def first_session(connection: Connection, calendar: Calendar, portfolio_id: str) -> int | None:
    """Return the ordinal of the portfolio's first session; None if it has no lot."""
    entry = load_first_entry(connection, [portfolio_id])
    return None if entry is None else calendar.on_or_after(entry)
