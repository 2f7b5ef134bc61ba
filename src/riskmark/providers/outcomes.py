"""What a provider's answer for one symbol amounts to, and what follows from it.

One type and one table: whether to ask again, whether the next provider is asked, whether the
provider's circuit opens, and for how long nobody asks this provider for this symbol again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from riskmark.domain.reasons import AnswerReason
from riskmark.errors import ProviderError

MAX_DETAIL = 300
"""Characters of a detail."""


class Circuit(StrEnum):
    """What an outcome does to the circuit of its provider."""

    CLOSES = "closes"
    STAYS = "stays"
    COUNTS = "counts"
    OPENS_UNTIL = "opens until"
    OPENS_FOR_RUN = "opens for the run"


class Consequence(NamedTuple):
    """What follows from an outcome.

    ``is_retried``: in the same run, if the outcome's ``until`` is not far.
    ``believed_h``: for how many hours nobody asks this provider for the symbol again, the
    first time; 0 if it is asked the next time. A little less than a day: the next night asks.
    """

    is_retried: bool
    asks_next: bool
    circuit: Circuit
    believed_h: int = 0


_R = AnswerReason
CONSEQUENCES: Mapping[AnswerReason, Consequence] = MappingProxyType(
    {
        _R.OK: Consequence(is_retried=False, asks_next=False, circuit=Circuit.CLOSES),
        _R.PARTIAL: Consequence(is_retried=False, asks_next=True, circuit=Circuit.CLOSES),
        _R.NO_DATA_IN_RANGE: Consequence(is_retried=False, asks_next=True, circuit=Circuit.CLOSES),
        _R.UNKNOWN_SYMBOL: Consequence(
            is_retried=False, asks_next=True, circuit=Circuit.CLOSES, believed_h=20
        ),
        _R.SYMBOL_NOT_IN_PLAN: Consequence(
            is_retried=False, asks_next=True, circuit=Circuit.CLOSES, believed_h=164
        ),
        _R.ENDPOINT_NOT_IN_PLAN: Consequence(
            is_retried=False, asks_next=True, circuit=Circuit.OPENS_FOR_RUN
        ),
        _R.AUTH: Consequence(is_retried=False, asks_next=True, circuit=Circuit.OPENS_FOR_RUN),
        _R.RATE_LIMITED: Consequence(is_retried=True, asks_next=True, circuit=Circuit.OPENS_UNTIL),
        _R.QUOTA_EXHAUSTED: Consequence(
            is_retried=False, asks_next=True, circuit=Circuit.OPENS_UNTIL
        ),
        _R.TRANSIENT: Consequence(is_retried=True, asks_next=True, circuit=Circuit.COUNTS),
        _R.BAD_PAYLOAD: Consequence(is_retried=False, asks_next=True, circuit=Circuit.COUNTS),
        _R.NOT_FINAL_YET: Consequence(is_retried=False, asks_next=True, circuit=Circuit.STAYS),
    }
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a provider answered; ``detail`` is for people and never holds a key.

    ``until``: when asking makes sense again. ``gaps``: the sessions that are still missing.
    """

    reason: AnswerReason
    detail: str = ""
    until: datetime | None = None
    gaps: tuple[date, ...] = ()

    @property
    def consequence(self) -> Consequence:
        """What follows from it."""
        return CONSEQUENCES[self.reason]

    @property
    def has_data(self) -> bool:
        """Whether bars came with it."""
        return self.reason in {AnswerReason.OK, AnswerReason.PARTIAL}


class Stopped(ProviderError):
    """A request, or all that would follow from it, ends here with an outcome."""

    def __init__(self, reason: AnswerReason, detail: str, *, until: datetime | None = None) -> None:
        # Words of a provider may hold anything, and are stored and shown.
        shown = "".join(c if c.isprintable() else " " for c in detail)[:MAX_DETAIL]
        super().__init__(f"{reason}: {shown}")
        self.outcome = Outcome(reason, shown, until)
