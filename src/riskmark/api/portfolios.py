"""Portfolios: made of a positions file, listed, changed, deleted and taken back, calculated."""

from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Response, UploadFile
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema
from sqlalchemy import Connection

from riskmark.api.answers import answer
from riskmark.api.editing import IfMatch, await_run, book_tag, check_match, note
from riskmark.api.identity import Caller, Installation, Reader, Writer
from riskmark.api.models import books as models
from riskmark.api.models.bodies import Body, Typed
from riskmark.api.problems import STATUS, Problem
from riskmark.api.visible import find_own, find_visible
from riskmark.app import App
from riskmark.domain.portfolio import AccountType
from riskmark.domain.reasons import Source
from riskmark.engine.onboarding import Times, onboard
from riskmark.engine.version import current_version
from riskmark.errors import InputError
from riskmark.intake.arguments import parse_equity
from riskmark.intake.positions_csv import parse_positions
from riskmark.intake.records import MAX_BYTES
from riskmark.reports.books import BookHead, describe_books, load_book
from riskmark.reports.documents import instant_text
from riskmark.reports.rules import Rules
from riskmark.reports.status import load_status
from riskmark.storage.books import (
    MAX_NAME,
    Account,
    check_account_name,
    delete_portfolio,
    lock_portfolio,
)
from riskmark.storage.books import list_portfolios as list_visible
from riskmark.storage.calendar import load_calendar
from riskmark.storage.combining import Combination, change_members, combine_books
from riskmark.storage.heads import UNDO, change_head, restore_portfolio
from riskmark.storage.positions import Moment, Positions

router = APIRouter(prefix="/portfolios", tags=["portfolios"])
MOST_LISTED = 500
MOST_MEMBERS = 1000


class Onboarding(Body):
    """A positions file, and what the portfolio is called; a form has no null, only no field."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    csv: UploadFile
    account_name: Annotated[str, Field(max_length=MAX_NAME)] | SkipJsonSchema[None] = None
    account_type: AccountType | SkipJsonSchema[None] = None
    opening_equity: Typed | SkipJsonSchema[None] = None


class HeadChanges(Body):
    """What is to change; what is not said stays."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME)] | None = None
    account_name: Annotated[str | None, Field(max_length=MAX_NAME)] = None
    account_type: AccountType | None = None


class NewCombined(Body):
    """Books, by id, whose sum is to be a portfolio."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    members: Annotated[list[str], Field(min_length=1, max_length=MOST_MEMBERS)]


class Members(Body):
    """The books, by id, that a combined book is to have."""

    members: Annotated[list[str], Field(min_length=1, max_length=MOST_MEMBERS)]


@router.get("", response_model=models.Portfolios)
def list_portfolios(
    caller: Reader,
    app: Installation,
    *,
    limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 100,
    after: Annotated[str | None, Query(description="The ``next`` of the page before.")] = None,
) -> Response:
    """List the portfolios that one may read, by name, with their state."""
    with app.database.read() as connection:
        visible = list_visible(connection, caller.principal)
        ids = [one.portfolio_id for one in visible]
        if after is not None and after not in ids:
            raise InputError("there is no such page any more; begin again without after")
        start = 0 if after is None else ids.index(after) + 1
        page = describe_books(connection, visible[start : start + limit])
        rules = rules_of(app, connection)
        listed = _with_state(connection, caller, rules, page)
    is_last = start + limit >= len(visible)
    found = {
        "target": rules.target_session,
        "portfolios": listed,
        "next": None if is_last else page[-1].portfolio.portfolio_id,
    }
    return answer(found)


@router.post("", status_code=201, response_model=models.Created)
def create_portfolio(
    form: Annotated[Onboarding, Form(media_type="multipart/form-data")],
    caller: Writer,
    app: Installation,
) -> Response:
    """Make a portfolio of a positions file, and start the run that computes its numbers.

    All rows are valid, or nothing is stored and every error is listed.
    """
    content = form.csv.file.read(MAX_BYTES + 1)
    read = parse_positions(content, today=app.today)
    if not read.is_valid:
        raise refused(read.answer(), "the file has errors; nothing was stored")
    equity = None
    if form.opening_equity is not None:
        equity = parse_equity(form.opening_equity, name="opening_equity")
    called = None if form.account_name is None else check_account_name(form.account_name)
    account = Account(form.name, called, form.account_type, equity)
    with app.database.write() as connection:
        calendar = load_calendar(connection)
        made = onboard(
            connection,
            caller.actor,
            account,
            Positions(read.lots, read.instruments),
            owner=caller.account.account_id,
            calendar=calendar,
            currency=app.settings.base_currency,
            times=Times(
                Moment(app.today, app.clock.now()),
                app.wall.now(),
                calendar.sessions[app.target(calendar)],
            ),
        )
    key = made.portfolio.portfolio_id
    found = {
        "id": key,
        "name": made.portfolio.name,
        "run": made.run_id,
        "lots": len(read.lots),
        "symbols": len({lot.symbol for lot in read.lots}),
        "warnings": read.answer()["warnings"],
    }
    return answer(found, HTTPStatus.CREATED, headers={"location": f"/api/v1/portfolios/{key}"})


@router.post("/combined", status_code=201, response_model=models.Combined)
def combine(body: NewCombined, caller: Writer, app: Installation) -> Response:
    """Make a portfolio of portfolios; its lots and flows are those of its members."""
    with app.database.write() as connection:
        for member in body.members:
            find_own(connection, caller, member)
        done = combine_books(
            connection,
            caller.principal,
            body.name,
            body.members,
            calendar=load_calendar(connection),
            at=app.clock.now(),
        )
        key = done.portfolio.portfolio_id
        # The ledger's clock is held by now; nobody else can wait for rows of a new portfolio.
        note(app, connection, caller, "create_portfolio", key, members=body.members)
        await_run(app, connection, caller, key)
    headers = {"location": f"/api/v1/portfolios/{key}"}
    return answer(_combination(done), HTTPStatus.CREATED, headers=headers)


@router.get("/{portfolio_id}", response_model=models.Portfolio)
def read_portfolio(portfolio_id: str, caller: Reader, app: Installation) -> Response:
    """Show a portfolio and its state; the ETag is what its changes must name."""
    with app.database.read() as connection:
        find_visible(connection, caller, portfolio_id)
        return _answer_head(connection, caller, app, portfolio_id)


@router.patch("/{portfolio_id}", response_model=models.Portfolio)
def change_portfolio(
    portfolio_id: str,
    body: HeadChanges,
    caller: Writer,
    app: Installation,
    if_match: IfMatch = None,
) -> Response:
    """Change what a portfolio or its account is called."""
    changes = body.model_dump(exclude_unset=True)
    if changes.get("name", "") is None:
        raise InputError("a portfolio needs a name")
    with app.database.write() as connection:
        find_own(connection, caller, portfolio_id)
        lock_portfolio(connection, portfolio_id)
        check_match(if_match, book_tag(connection, caller, portfolio_id))
        change_head(connection, caller.principal, portfolio_id, changes)
        note(app, connection, caller, "change_portfolio", portfolio_id, **changes)
    with app.database.read() as connection:
        return _answer_head(connection, caller, app, portfolio_id)


@router.put("/{portfolio_id}/members", response_model=models.Combined)
def set_members(portfolio_id: str, body: Members, caller: Writer, app: Installation) -> Response:
    """Make the named books the members of a combined book."""
    with app.database.write() as connection:
        for one in (portfolio_id, *body.members):
            find_own(connection, caller, one)
        for one in (portfolio_id, *sorted(set(body.members))):
            lock_portfolio(connection, one)  # before the row of the run to come, as edits do
        note(app, connection, caller, "change_members", portfolio_id, members=body.members)
        await_run(app, connection, caller, portfolio_id)
        done = change_members(
            connection,
            caller.principal,
            portfolio_id,
            body.members,
            calendar=load_calendar(connection),
            at=app.clock.now(),
        )
    return answer(_combination(done))


@router.delete("/{portfolio_id}", response_model=models.Deleted)
def remove_portfolio(portfolio_id: str, caller: Writer, app: Installation) -> Response:
    """Delete a portfolio; nothing of it is erased, and for a while it can be taken back."""
    at = app.clock.now()
    with app.database.write() as connection:
        find_own(connection, caller, portfolio_id)
        gone = delete_portfolio(connection, caller.principal, portfolio_id, at=at)
        note(app, connection, caller, "delete_portfolio", portfolio_id)
    found = {
        "id": portfolio_id,
        "name": gone.name,
        "deleted_at": instant_text(at),
        "undo_until": instant_text(at + UNDO),
    }
    return answer(found)


@router.post("/{portfolio_id}/restore", response_model=models.Portfolio)
def restore(portfolio_id: str, caller: Writer, app: Installation) -> Response:
    """Take the deletion of a portfolio back; a run makes up for what it missed."""
    with app.database.write() as connection:
        restore_portfolio(connection, caller.principal, portfolio_id, at=app.clock.now())
        note(app, connection, caller, "restore_portfolio", portfolio_id)
        await_run(app, connection, caller, portfolio_id)
    with app.database.read() as connection:
        return _answer_head(connection, caller, app, portfolio_id)


@router.post("/{portfolio_id}/calculate", status_code=202, response_model=models.Submitted)
def calculate(portfolio_id: str, caller: Writer, app: Installation) -> Response:
    """Compute what is missing or out of date; a live run that does so is joined."""
    with app.database.read() as connection:
        find_own(connection, caller, portfolio_id)
    own = replace(app, principal=caller.principal)
    done = own.submit(Source.SETTINGS, portfolios=(portfolio_id,))
    headers = {"location": f"/api/v1/runs/{done.run_id}"}
    found = {"run": done.run_id, "joined": done.joined}
    return answer(found, HTTPStatus.ACCEPTED, headers=headers)


def refused(issues: dict[str, Any], detail: str) -> Problem:
    """Return the problem that lists what is wrong with positions, row by row."""
    return Problem(STATUS[InputError], "invalid_positions", detail, extra=issues)


def rules_of(app: App, connection: Connection) -> Rules:
    """Return what decides whether numbers are up to date now."""
    calendar = load_calendar(connection)
    return Rules(
        calendar=calendar,
        target=app.target(calendar),
        version=current_version(app.settings),
        factor_symbols=app.settings.factor_symbols,
    )


def _with_state(
    connection: Connection, caller: Caller, rules: Rules, heads: tuple[BookHead, ...]
) -> list[dict[str, Any]]:
    """Return the documents of portfolios, each with its state."""
    scope = [head.portfolio.portfolio_id for head in heads]
    if not scope:
        return []
    status = load_status(connection, caller.principal, rules=rules, scope=scope)
    states = {one.portfolio_id: one.document() for one in status.portfolios}
    return [head.document() | states[key] for key, head in zip(scope, heads, strict=True)]


def _answer_head(connection: Connection, caller: Caller, app: App, portfolio_id: str) -> Response:
    head = load_book(connection, caller.principal, portfolio_id).head
    (found,) = _with_state(connection, caller, rules_of(app, connection), (head,))
    return answer(found, headers={"etag": book_tag(connection, caller, portfolio_id)})


def _combination(done: Combination) -> dict[str, Any]:
    return {
        "id": done.portfolio.portfolio_id,
        "name": done.portfolio.name,
        "members": [{"id": one.portfolio_id, "name": one.name} for one in done.members],
        "added": list(done.added),
        "removed": list(done.removed),
    }
