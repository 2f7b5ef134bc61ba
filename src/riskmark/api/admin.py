"""For admins: runs of everything, the state of everything, people, the audit log.

An admin operates; what is in a book he sees only if it is his or was granted to him.
"""

from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field, StrictBool

from riskmark.access import people
from riskmark.api.answers import answer
from riskmark.api.identity import Admin, Caller, Installation
from riskmark.api.models import books as book_models
from riskmark.api.models import people as models
from riskmark.api.models import runs as run_models
from riskmark.api.models.bodies import Body, Day
from riskmark.api.portfolios import rules_of
from riskmark.api.runs import MOST_LISTED, answer_cancelled, find_visible_run, viewer_of
from riskmark.app import App
from riskmark.domain.accounts import MAX_NAME, AccountHolder, Role
from riskmark.domain.reasons import Source
from riskmark.reports.documents import instant_text
from riskmark.reports.hidden import count_issues, hide_detail, open_books
from riskmark.reports.runs import list_runs
from riskmark.reports.status import load_status
from riskmark.storage import accounts, audit
from riskmark.storage.audit import AuditEntry
from riskmark.storage.books import Principal

router = APIRouter(prefix="/admin", tags=["operation"])
MOST_PORTFOLIOS = 1000


class Order(Body):
    """A run to start; without portfolios it is of everything."""

    portfolios: Annotated[list[str], Field(min_length=1, max_length=MOST_PORTFOLIOS)] | None = None
    as_of: Day | None = None
    from_session: Annotated[Day | None, Field(alias="from")] = None
    force: StrictBool = False
    offline: StrictBool = False


class NewUser(Body):
    """Somebody who is to have an account."""

    email: str
    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    role: Role = Role.OWNER


class UserChanges(Body):
    """What is to change of an account; what is not said stays."""

    is_disabled: StrictBool | None = None
    role: Role | None = None


@router.post("/runs", status_code=202, response_model=book_models.Submitted)
def start_run(body: Order, caller: Admin, app: Installation) -> Response:
    """Start a run, or join the live one that does the same."""
    everything = replace(app, principal=Principal(caller.account.account_id, sees_all=True))
    done = everything.submit(
        Source.ADMIN,
        portfolios=None if body.portfolios is None else tuple(body.portfolios),
        as_of=body.as_of,
        from_session=body.from_session,
        force=body.force,
        offline=body.offline,
    )
    _note(app, caller, "start_run", "run", done.run_id, joined=done.joined)
    headers = {"location": f"/api/v1/runs/{done.run_id}"}
    found = {"run": done.run_id, "joined": done.joined}
    return answer(found, HTTPStatus.ACCEPTED, headers=headers)


@router.get("/runs", response_model=list[run_models.RunLine])
def list_every_run(
    caller: Admin,
    app: Installation,
    *,
    limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 50,
) -> Response:
    """List the newest runs of everybody."""
    with app.database.read() as connection:
        found = list_runs(connection, viewer_of(caller), most=limit)
    return answer([one.document() for one in found])


@router.post("/runs/{run_id}/cancel", status_code=202, response_model=models.Cancelled)
def cancel_run(run_id: str, caller: Admin, app: Installation) -> Response:
    """Cancel a run that waits, or ask one at work to stop between two shards."""
    with app.database.read() as connection:
        find_visible_run(connection, viewer_of(caller), run_id)
    return answer_cancelled(app, caller, run_id)


@router.get("/status", response_model=models.Status)
def status(caller: Admin, app: Installation) -> Response:
    """Tell how up to date every portfolio is, the worst first; symbols only of open books."""
    with app.database.read() as connection:
        rules = rules_of(app, connection)
        everything = Principal(caller.account.account_id, sees_all=True)
        found = load_status(connection, everything, rules=rules)
        books = open_books(connection, caller.principal)
    lines = [
        one.document() | {"reasons": [each.document() for each in count_issues(one, books)]}
        for one in found.portfolios
    ]
    return answer({"target": found.target, "portfolios": lines})


@router.get("/users", response_model=list[models.User])
def list_users(_: Admin, app: Installation) -> Response:
    """List everybody who may sign in."""
    with app.database.read() as connection:
        return answer([_user(one) for one in accounts.list_accounts(connection)])


@router.post("/users", status_code=201, response_model=models.Invited)
def add_user(body: NewUser, caller: Admin, app: Installation) -> Response:
    """Make an account, and a link by which its password is set."""
    with app.database.write() as connection:
        made = people.add_account(
            connection, caller.actor, body.email, body.name, role=body.role, at=app.wall.now()
        )
    return answer(_user(made.account) | {"link": made.link.text}, HTTPStatus.CREATED)


@router.patch("/users/{account_id}", response_model=models.User)
def change_user(account_id: str, body: UserChanges, caller: Admin, app: Installation) -> Response:
    """Disable an account, enable it again, or change its role; all at once."""
    at = app.wall.now()
    with app.database.write() as connection:
        account = accounts.find_account(connection, account_id)
        if body.role is not None and body.role is not account.role:
            people.change_role(connection, caller.actor, account, body.role, at=at)
        if body.is_disabled is True and account.is_enabled:
            people.disable(connection, caller.actor, account, at=at)
        if body.is_disabled is False and not account.is_enabled:
            people.enable(connection, caller.actor, account, at=at)
        return answer(_user(accounts.find_account(connection, account_id)))


@router.post("/users/{account_id}/link", status_code=201, response_model=models.Invited)
def renew_link(account_id: str, caller: Admin, app: Installation) -> Response:
    """Make a link by which somebody sets a new password; the links before end."""
    with app.database.write() as connection:
        account = accounts.find_account(connection, account_id)
        link = people.new_link(connection, caller.actor, account, at=app.wall.now())
    return answer(_user(account) | {"link": link.text}, HTTPStatus.CREATED)


@router.get("/audit", response_model=list[models.AuditLine])
def read_audit(
    caller: Admin,
    app: Installation,
    *,
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Response:
    """Read the audit log, the newest first; of books that are not open to one, no detail."""
    with app.database.read() as connection:
        found = audit.list_entries(connection, before=before, limit=limit)
        books = open_books(connection, caller.principal)
    return answer([_line(hide_detail(one, books)) for one in found])


def _note(app: App, caller: Caller, action: str, kind: str, key: str, **detail: object) -> None:
    with app.database.write() as connection:
        audit.note(
            connection,
            caller.actor,
            action,
            at=app.wall.now(),
            object_kind=kind,
            object_id=key,
            detail=detail,
        )


def _user(one: AccountHolder) -> dict[str, Any]:
    return {
        "id": one.account_id,
        "name": one.name,
        "email": one.email,
        "role": one.role,
        "created_at": instant_text(one.created_at),
        "disabled_at": instant_text(one.disabled_at),
        "has_password": one.has_password,
        "has_totp": one.has_totp,
    }


def _line(one: AuditEntry) -> dict[str, Any]:
    return {
        "id": one.entry_id,
        "at": instant_text(one.at),
        "account": one.account_id,
        "action": one.action,
        "kind": one.object_kind,
        "object": one.object_id,
        "address": one.address,
        "request_id": one.request_id,
        "detail": dict(one.detail),
    }
