"""What every question about a portfolio needs: its head, and its snapshot's document."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from riskmark.notebook.arguments import Day, as_day
from riskmark.reports.shown import Part
from riskmark.reports.snapshot import load_snapshot

if TYPE_CHECKING:
    from riskmark.app import App
    from riskmark.domain.portfolio import Portfolio as Head


class Reader:
    """Reads one portfolio."""

    def __init__(self, app: "App", head: "Head") -> None:
        self._app = app
        self._head = head

    def __repr__(self) -> str:
        return f"Portfolio({self.name!r}, {self.currency}, {self.mode} mode)"

    @property
    def name(self) -> str:
        """Its name."""
        return self._head.name

    @property
    def id(self) -> str:
        """Its id, which never changes."""
        return self._head.portfolio_id

    @property
    def currency(self) -> str:
        """The currency of its money."""
        return self._head.currency

    @property
    def mode(self) -> str:
        """``equity`` with an opening equity and cash, or ``holdings`` without."""
        return str(self._head.mode)

    def _shown(self, session: Day, parts: Collection[Part] = ()) -> dict[str, Any]:
        """Return the document of a snapshot, with these parts computed."""
        day = as_day(session, "session")
        with self._app.database.read() as connection:
            found = load_snapshot(
                connection,
                self._app.principal,
                self.id,
                settings=self._app.settings,
                session=day,
                parts=parts,
            )
        return found.document()
