"""What many answers have: a base that knows all its fields, the head of a portfolio, reasons."""

from datetime import date, datetime
from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from riskmark.domain.portfolio import Mode
from riskmark.domain.reasons import SnapshotState

Number: TypeAlias = float | None
"""A number, or null with a reason in ``nulls``."""

Nulls: TypeAlias = Annotated[
    dict[str, str],
    Field(
        description="The reason of every null, by its place in the document.",
        examples=[{"risk.vol_252": "too_few_observations"}],
    ),
]


class Answer(BaseModel):
    """A document; it has no field that its model has not."""

    model_config = ConfigDict(extra="forbid")


class Head(Answer):
    """Which portfolio a document is of."""

    id: str
    name: str
    currency: str
    mode: Mode


class Issue(Answer):
    """A symbol whose mark is not what it should be."""

    symbol: str
    reason: str
    accepted: bool


class Provenance(Answer):
    """Where a snapshot's numbers come from."""

    run: str
    computed_at: datetime
    engine_version: int
    settings_hash: str
    inputs_revision: int
    windows: dict[str, dict[str, int | None]]


class OfSession(Answer):
    """What every document of one session begins with."""

    portfolio: Head
    session: date
    state: SnapshotState
    reasons: list[Issue]


class PartOfSession(OfSession):
    """A part of a snapshot, with the nulls of that part."""

    provenance: Provenance
    nulls: Nulls
