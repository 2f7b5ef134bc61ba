"""What an operator's decisions are answered with."""

from datetime import date

from pydantic import Field

from riskmark.api.models.common import Answer


class Accepted(Answer):
    """Whether a symbol's reason is accepted now."""

    symbol: str
    is_accepted: bool


class Raised(Answer):
    """A later move that is suspicious as well: closes are held back from there on."""

    first: date = Field(alias="from")
    reason: str


class Released(Answer):
    """Closes that count again."""

    symbol: str
    first: date = Field(alias="from")
    raised: list[Raised]


class Reset(Answer):
    """A provider that is asked again, and those of the same host."""

    provider: str
    others: list[str]


class Retried(Answer):
    """How many notices are due now."""

    due: int
