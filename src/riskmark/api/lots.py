"""Lots and flows of a book: listed, entered, changed, closed, removed.

Whoever changes or removes what is there names the version that he saw (``If-Match``).
"""

from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import Field

from riskmark.api.answers import answer, answer_once
from riskmark.api.editing import IfMatch, book_tag, editing
from riskmark.api.identity import Caller, Installation, Reader, Writer
from riskmark.api.models import books as models
from riskmark.api.models.bodies import Body, Day, Typed
from riskmark.api.portfolios import refused
from riskmark.api.visible import find_visible
from riskmark.app import App
from riskmark.domain.portfolio import Lot
from riskmark.errors import InputError
from riskmark.intake.arguments import parse_amount, parse_price, parse_quantity
from riskmark.intake.positions_csv import parse_position
from riskmark.reports.books import Book, flow_document, load_book, lot_document
from riskmark.storage.positions import Positions, add_lots

router = APIRouter(prefix="/portfolios/{portfolio_id}", tags=["books"])
MAX_NOTE = 500


class NewLot(Body):
    """A lot to enter, by the rules of a row of a positions file."""

    symbol: str
    quantity: Typed
    entry_price: Typed
    entry_date: Day
    investment_class: str = ""
    subtype: str = ""
    underlying: str = ""
    strike: Typed = ""
    expiry: Day | None = None
    option_type: str = ""
    exit_date: Day | None = None
    exit_price: Typed = ""


class LotChanges(Body):
    """What is to change of a lot; what is not said stays. A null exit takes the exit back."""

    quantity: Typed | None = None
    entry_price: Typed | None = None
    entry_date: Day | None = None
    exit_price: Typed | None = None
    exit_date: Day | None = None


class Closing(Body):
    """The end of a lot, or of ``quantity`` units of it (in the share terms of its entry)."""

    date: Day
    price: Typed
    quantity: Typed | None = None


class NewFlow(Body):
    """Cash put in (> 0) or taken out (< 0)."""

    date: Day
    amount: Typed
    note: Annotated[str, Field(max_length=MAX_NOTE)] = ""


@router.get("/lots", response_model=list[models.Lot])
def list_lots(portfolio_id: str, request: Request, caller: Reader, app: Installation) -> Response:
    """List the lots of a portfolio; the ETag is what their changes must name."""
    book, tag = _read(app, caller, portfolio_id)
    return answer_once(request, tag, lambda: [lot_document(lot) for lot in book.lots])


@router.post("/lots", status_code=201, response_model=models.Lot)
def enter_lot(portfolio_id: str, body: NewLot, caller: Writer, app: Installation) -> Response:
    """Enter a lot."""
    read = parse_position(_fields(body), today=app.today)
    if not read.is_valid:
        raise refused(read.answer(), "the lot has errors; nothing was stored")
    with editing(app, caller, portfolio_id, "add_lot") as edit:
        positions = Positions(read.lots, read.instruments)
        (lot,) = add_lots(edit.connection, edit.editor, positions, edit.portfolio)
        edit.did = {"lot": lot.lot_id}
    return answer(lot_document(lot), HTTPStatus.CREATED, headers={"etag": edit.tag})


@router.patch("/lots/{lot_id}", response_model=models.Lot)
def change_lot(
    portfolio_id: str,
    lot_id: str,
    body: LotChanges,
    caller: Writer,
    app: Installation,
    *,
    if_match: IfMatch = None,
) -> Response:
    """Change a lot; its symbol cannot change."""
    with editing(app, caller, portfolio_id, "change_lot", if_match=if_match) as edit:
        new = _changed(edit.editor.lot(lot_id), body)
        edit.editor.replace_lot(lot_id, new)
        edit.did = {"lot": lot_id}
    return answer(lot_document(new), headers={"etag": edit.tag})


@router.post("/lots/{lot_id}/close", response_model=models.Lot)
def close_lot(
    portfolio_id: str,
    lot_id: str,
    body: Closing,
    caller: Writer,
    app: Installation,
    *,
    if_match: IfMatch = None,
) -> Response:
    """End a lot, or split off a part of it and end that; what has ended is the answer."""
    with editing(app, caller, portfolio_id, "close_lot", if_match=if_match) as edit:
        closed = edit.editor.close_lot(
            lot_id,
            day=body.date,
            price=parse_price(body.price, name="price", may_be_zero=True),
            quantity=None
            if body.quantity is None
            else parse_quantity(body.quantity, name="quantity"),
        )
        edit.did = {"lot": lot_id, "closed": closed.lot_id}
    return answer(lot_document(closed), headers={"etag": edit.tag})


@router.delete("/lots/{lot_id}", status_code=204)
def remove_lot(
    portfolio_id: str, lot_id: str, caller: Writer, app: Installation, if_match: IfMatch = None
) -> Response:
    """Remove a lot as if it had never been there."""
    with editing(app, caller, portfolio_id, "delete_lot", if_match=if_match) as edit:
        edit.did = {"lot": lot_document(edit.editor.delete_lot(lot_id))}
    return Response(None, HTTPStatus.NO_CONTENT, {"etag": edit.tag})


@router.get("/flows", response_model=list[models.Flow])
def list_flows(portfolio_id: str, request: Request, caller: Reader, app: Installation) -> Response:
    """List the cash that was put in and taken out."""
    book, tag = _read(app, caller, portfolio_id)
    return answer_once(request, tag, lambda: [flow_document(flow) for flow in book.flows])


@router.post("/flows", status_code=201, response_model=models.Flow)
def enter_flow(portfolio_id: str, body: NewFlow, caller: Writer, app: Installation) -> Response:
    """Enter a contribution or a withdrawal."""
    amount = parse_amount(body.amount)
    with editing(app, caller, portfolio_id, "add_flow") as edit:
        flow = edit.editor.add_flow(body.date, amount, body.note)
        edit.did = {"flow": flow.flow_id}
    return answer(flow_document(flow), HTTPStatus.CREATED, headers={"etag": edit.tag})


@router.delete("/flows/{flow_id}", status_code=204)
def remove_flow(
    portfolio_id: str, flow_id: str, caller: Writer, app: Installation, if_match: IfMatch = None
) -> Response:
    """Remove a flow as if it had never been there."""
    with editing(app, caller, portfolio_id, "delete_flow", if_match=if_match) as edit:
        edit.did = {"flow": flow_document(edit.editor.delete_flow(flow_id))}
    return Response(None, HTTPStatus.NO_CONTENT, {"etag": edit.tag})


def _read(app: App, caller: Caller, portfolio_id: str) -> tuple[Book, str]:
    with app.database.read() as connection:
        find_visible(connection, caller, portfolio_id)
        book = load_book(connection, caller.principal, portfolio_id)
        return book, book_tag(connection, caller, portfolio_id)


def _fields(body: NewLot) -> dict[str, str]:
    """Return a lot as the row that it would be in a file."""
    return {
        "Symbol": body.symbol,
        "Quantity": body.quantity,
        "Entry Price Per Share": body.entry_price,
        "Entry Date": body.entry_date.isoformat(),
        "Investment Class": body.investment_class,
        "Investment Subtype": body.subtype,
        "Underlying Symbol": body.underlying,
        "Strike Price": body.strike,
        "Expiration Date": "" if body.expiry is None else body.expiry.isoformat(),
        "Option Type": body.option_type,
        "Exit Date": "" if body.exit_date is None else body.exit_date.isoformat(),
        "Exit Price Per Share": body.exit_price,
    }


def _changed(lot: Lot, body: LotChanges) -> Lot:
    """Return a lot with the changes that are asked for."""
    said: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    for name in ("quantity", "entry_price", "entry_date"):
        if name in said and said[name] is None:
            raise InputError(f"{name} cannot be taken back; leave it out to keep it")
    if said.get("quantity") is not None:
        said["quantity"] = parse_quantity(said["quantity"])
    if said.get("entry_price") is not None:
        said["entry_price"] = parse_price(said["entry_price"], name="entry_price")
    if said.get("exit_price") is not None:
        said["exit_price"] = parse_price(said["exit_price"], name="exit_price", may_be_zero=True)
    new = replace(lot, **said)
    if (new.exit_date is None) != (new.exit_price is None):
        raise InputError("an exit needs both exit_date and exit_price")
    return new
