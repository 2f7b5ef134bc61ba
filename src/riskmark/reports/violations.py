"""A violation: one thing that must hold among stored numbers and does not."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant, the cell that breaks it, and how.

    Without a portfolio and session it is about something else that is stored, which
    ``detail`` names.
    """

    invariant: str
    portfolio_id: str | None
    session: date | None
    detail: str
