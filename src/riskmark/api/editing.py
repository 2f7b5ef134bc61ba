"""Editing a book over HTTP: whose it is, that nobody changed it meanwhile, and what follows.

    whose book  →  its lock  →  its version, as the caller saw it  →  the edit  →  the audit log
    →  the run to come  →  the ledger, last

All of it is one transaction. The version of a book is the ETag of its lots and flows.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Header
from sqlalchemy import Connection

from riskmark.api.answers import names, tag_of
from riskmark.api.identity import Caller
from riskmark.api.problems import Problem
from riskmark.api.visible import find_own
from riskmark.app import App
from riskmark.domain.portfolio import Portfolio
from riskmark.reports.books import load_book
from riskmark.reports.documents import to_json_line
from riskmark.storage import audit, edits
from riskmark.storage.calendar import load_calendar
from riskmark.storage.lots import BookEditor

IfMatch = Annotated[
    str | None,
    Header(description="The ETag of the book as it was read; * for whatever it is now."),
]


@dataclass(slots=True)
class Editing:
    """An open transaction on one book; ``tag`` is the book's version when it has ended."""

    connection: Connection
    portfolio: Portfolio
    editor: BookEditor
    did: dict[str, Any] = field(default_factory=dict)
    tag: str = ""


@contextmanager
def editing(
    app: App, caller: Caller, portfolio_id: str, action: str, *, if_match: str | None = "*"
) -> Iterator[Editing]:
    """Open a book for edits; ``action`` and what ``did`` says stand in the audit log."""
    with app.database.write() as connection:
        portfolio = find_own(connection, caller, portfolio_id)
        editor = BookEditor(
            connection,
            portfolio,
            load_calendar(connection),
            today=app.today,
            at=app.clock.now(),
        )
        check_match(if_match, book_tag(connection, caller, portfolio_id))
        edit = Editing(connection, portfolio, editor)
        yield edit
        edit.tag = book_tag(connection, caller, portfolio_id)
        if editor.has_changes:
            note(app, connection, caller, action, portfolio_id, **edit.did)
            await_run(app, connection, caller, portfolio_id)
            editor.finish()


def book_tag(connection: Connection, caller: Caller, portfolio_id: str) -> str:
    """Return the version of a book: its head, lots and flows."""
    return tag_of(
        "book", to_json_line(load_book(connection, caller.principal, portfolio_id).document())
    )


def check_match(if_match: str | None, tag: str) -> None:
    """Refuse a change of what the caller has not seen as it is now."""
    if if_match is None:
        detail = "send If-Match with the ETag of the book as it was read, or *"
        raise Problem(HTTPStatus.PRECONDITION_REQUIRED, "if_match_needed", detail)
    if not names(if_match, tag):
        detail = "the book was changed meanwhile; read it again"
        raise Problem(HTTPStatus.PRECONDITION_FAILED, "changed_meanwhile", detail)


def note(  # what is noted has names of its own
    app: App, connection: Connection, caller: Caller, action: str, portfolio_id: str, **did: object
) -> None:
    """Add a line on a portfolio to the audit log."""
    audit.note(
        connection,
        caller.actor,
        action,
        at=app.wall.now(),
        object_kind="portfolio",
        object_id=portfolio_id,
        detail=did,
    )


def await_run(app: App, connection: Connection, caller: Caller, portfolio_id: str) -> None:
    """Let a run follow when the book has been left alone for a while."""
    edits.note_edit(
        connection,
        portfolio_id,
        account_id=caller.account.account_id,
        due_at=app.wall.now() + edits.QUIET,
    )
