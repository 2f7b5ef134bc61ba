"""``riskmark portfolio combine``: a portfolio of portfolios."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskmark.cli import formats, output
from riskmark.cli.opening import opened
from riskmark.cli.options import AsJson

if TYPE_CHECKING:
    from riskmark.storage.combining import Combination


def combine(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The combined book's name.")],
    members: Annotated[
        list[str], typer.Argument(metavar="P …", help="Its members: books, by name or id.")
    ],
    *,
    update: Annotated[
        bool, typer.Option("--update", help="Make these the members of a stored combined book.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Combine books: the risk of their sum, planned, valued and shown as any portfolio's.

    Its lots and flows are those of its members, and stay theirs.
    """
    from riskmark.storage.calendar import load_calendar
    from riskmark.storage.combining import change_members, combine_books

    store = change_members if update else combine_books
    with opened(ctx) as app, app.database.write() as connection:
        done = store(
            connection,
            app.principal,
            name,
            members,
            calendar=load_calendar(connection),
            at=app.clock.now(),
        )
    if as_json:
        output.show_json(_document(done))
    else:
        output.note(_sentence(done, is_update=update))


def _sentence(done: "Combination", *, is_update: bool) -> str:
    one = done.portfolio
    if not is_update:
        books = formats.plural(len(done.members), "book")
        return f"combined {books} as {one.name!r} ({one.portfolio_id})"
    if not done:
        return f"{one.name!r} has these members already"
    added = formats.plural(len(done.added), "member")
    return f"{one.name!r}: {added} added, {len(done.removed):,} taken out"


def _document(done: "Combination") -> dict[str, Any]:
    one = done.portfolio
    return {
        "id": one.portfolio_id,
        "name": one.name,
        "members": [{"id": book.portfolio_id, "name": book.name} for book in done.members],
        "added": list(done.added),
        "removed": list(done.removed),
    }
