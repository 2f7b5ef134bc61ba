"""For admins: what an operator decides about prices, providers and notices.

    acceptance    a symbol's reason is known and in order: it makes no session partial
    release       closes in quarantine count again
    reset         a provider that is left alone is asked again
    retry         notices that were given up are tried again

Each is written to the audit log in the transaction of the change, but for a provider's reset,
which is a transaction of its own. Runs follow by the schedule, or when they are asked for.
"""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field, StrictBool
from sqlalchemy import Connection

from riskmark.api.answers import answer
from riskmark.api.identity import Admin, Caller, Installation
from riskmark.api.models import operating as models
from riskmark.api.models.bodies import Body, Day
from riskmark.api.problems import Problem
from riskmark.app import App
from riskmark.intake.arguments import parse_symbol
from riskmark.storage import audit, outbox, symbols
from riskmark.storage.instruments import find_instrument
from riskmark.storage.provider_limits import reset_provider
from riskmark.storage.quarantine import release

router = APIRouter(prefix="/admin", tags=["operation"])
MAX_NOTE = 500
MOST_NOTICES = 50
_KINDS = {
    "accept_symbol": "symbol",
    "withdraw_acceptance": "symbol",
    "release_quarantine": "symbol",
    "reset_provider": "provider",
    "retry_notices": "outbox",
}
"""What kind of object an action is done to, as the audit log has it."""


class Acceptance(Body):
    """A symbol, and whether its reason is accepted; ``note`` says why."""

    symbol: str
    is_accepted: StrictBool = True
    note: Annotated[str, Field(max_length=MAX_NOTE)] = ""


class Release(Body):
    """A symbol in quarantine, and the session from which it is."""

    symbol: str
    first: Annotated[Day, Field(alias="from")]


class Retry(Body):
    """Notices by id; without them, all that are not sent."""

    ids: Annotated[list[str], Field(min_length=1, max_length=MOST_NOTICES)] | None = None


@router.put("/acceptance", response_model=models.Accepted)
def accept_symbol(body: Acceptance, caller: Admin, app: Installation) -> Response:
    """Accept whatever reason a symbol has, or take that back."""
    symbol = parse_symbol(body.symbol, name="symbol")
    with app.database.write() as connection:
        name = find_instrument(connection, symbol, owner_id=None).symbol
        action = "accept_symbol" if body.is_accepted else "withdraw_acceptance"
        _note(app, connection, caller, action, name, note=body.note)
        # The ledger's clock last, as everywhere.
        if body.is_accepted:
            symbols.accept(connection, name, body.note, at=app.clock.now())
        else:
            symbols.unaccept(connection, name, at=app.clock.now())
    return answer({"symbol": name, "is_accepted": body.is_accepted})


@router.post("/releases", response_model=models.Released)
def release_closes(body: Release, caller: Admin, app: Installation) -> Response:
    """Let closes count again that are held back; another quarantine may follow a later move."""
    symbol = parse_symbol(body.symbol, name="symbol")
    with app.database.write() as connection:
        name = find_instrument(connection, symbol, owner_id=None).symbol
        first = body.first.isoformat()
        _note(app, connection, caller, "release_quarantine", name, since=first)
        checked = release(connection, name, body.first, at=app.clock.now())
    found = {
        "symbol": name,
        "from": body.first,
        "raised": [{"from": one.session, "reason": one.reason} for one in checked.raised],
    }
    return answer(found)


@router.post("/providers/{provider}/reset", response_model=models.Reset)
def ask_again(provider: str, caller: Admin, app: Installation) -> Response:
    """Let a provider be asked again that is left alone; its limits stay."""
    others = reset_provider(app.database, provider)
    with app.database.write() as connection:
        _note(app, connection, caller, "reset_provider", provider)
    return answer({"provider": provider, "others": others})


@router.post("/outbox/retry", status_code=202, response_model=models.Retried)
def retry(body: Retry, caller: Admin, app: Installation) -> Response:
    """Let notices be due now that are not sent; whatever sends them takes them up."""
    with app.database.write() as connection:
        count = outbox.retry_notices(connection, body.ids)
        if body.ids is not None and count < len(set(body.ids)):
            detail = "not all of these are notices that wait or were given up"
            raise Problem(HTTPStatus.CONFLICT, "not_waiting", detail)
        _note(app, connection, caller, "retry_notices", "", count=count)
    return answer({"due": count}, HTTPStatus.ACCEPTED)


def _note(
    app: App, connection: Connection, caller: Caller, action: str, key: str, **detail: object
) -> None:
    audit.note(
        connection,
        caller.actor,
        action,
        at=app.wall.now(),
        object_kind=_KINDS[action],
        object_id=key,
        detail=detail,
    )
