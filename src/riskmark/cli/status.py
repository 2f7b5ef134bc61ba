"""``riskmark status`` and ``riskmark plan``: what is there, and what a run would do."""

from collections import Counter
from typing import TYPE_CHECKING

import typer

from riskmark.cli import exits, formats, output
from riskmark.cli.opening import opened, rules_for
from riskmark.cli.options import (
    AsJson,
    AsOf,
    ListAll,
    MorePortfolios,
    Portfolios,
    chosen_portfolios,
    day_of,
)
from riskmark.domain.reasons import PlanReason

if TYPE_CHECKING:
    from riskmark.reports.plan import PlanReport
    from riskmark.reports.status import PortfolioStatus, Status

MOST_LINES = 50
"""Portfolios that are listed without ``--all``, the worst first."""
MOST_REASONS = 3
"""Symbols that a line of the status names; the rest are counted."""


def show_status(
    ctx: typer.Context, *, as_of: AsOf = None, every: ListAll = False, as_json: AsJson = False
) -> None:
    """Show how far every portfolio is valued, the worst first; exit 4 if one is not current."""
    from riskmark.reports.status import load_status

    with opened(ctx) as app:
        day = day_of(app, as_of, name="--as-of")
        with app.database.read() as connection:
            rules = rules_for(app, connection, day)
            found = load_status(
                connection, app.principal, rules=rules, only_to_target=day is not None
            )
    if as_json:
        output.show_json(found.document())
    else:
        _show_status(found, most=len(found.portfolios) if every else MOST_LINES)
    if not found.is_current:
        raise typer.Exit(exits.NOT_CURRENT)


def _show_status(found: "Status", *, most: int) -> None:
    from riskmark.cli.tables import cut, make_table

    if not found.portfolios:
        output.note("no portfolios yet; riskmark portfolio import FILE --name NAME makes one")
        return
    table = make_table(
        "Portfolio…", "State", "Valued through", "Missing>", "Stale>", "Partial>", "Why…"
    )
    for one in found.portfolios[:most]:
        table.add_row(
            cut(one.name),
            formats.state(one.state),
            formats.day(one.valued_through),
            formats.count(one.missing),
            formats.count(one.stale),
            formats.count(one.partial),
            _why(one),
        )
    output.show(table)
    if len(found.portfolios) > most:
        output.show(output.styled(f"[dim]… {len(found.portfolios) - most:,} more: --all[/]"))
    current = sum(one.state == "current" for one in found.portfolios)
    text = f"{current:,} of {formats.plural(len(found.portfolios), 'portfolio')} current"
    output.show("", output.styled(f"[bold]{text}[/] at the session of {found.target}"))
    if any(one.missing or one.stale for one in found.portfolios):
        output.note("next: riskmark run")


def _why(one: "PortfolioStatus") -> str:
    from riskmark.reports.words import PLAN_WORDS, SYMBOL_WORDS, in_words

    parts = [
        in_words(PLAN_WORDS, cause)
        for cause in one.causes
        if cause not in {PlanReason.ENGINE, PlanReason.SETTINGS}
    ]
    for issue in one.reasons[:MOST_REASONS]:
        accepted = " (accepted)" if issue.accepted else ""
        parts.append(f"{issue.symbol}: {in_words(SYMBOL_WORDS, issue.reason)}{accepted}")
    if len(one.reasons) > MOST_REASONS:
        parts.append(f"and {len(one.reasons) - MOST_REASONS:,} more")
    if one.rebuilding:
        parts.append(f"{formats.plural(one.rebuilding, 'session')} to rebuild")
    return "; ".join(parts)


def show_plan(
    ctx: typer.Context,
    more: MorePortfolios = None,
    *,
    portfolios: Portfolios = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Show what a run would do and why; nothing is changed."""
    from riskmark.reports.plan import load_plan_report
    from riskmark.storage.books import find_portfolio, portfolio_ids

    chosen = chosen_portfolios(portfolios, more)
    with opened(ctx) as app:
        day = day_of(app, as_of, name="--as-of")
        with app.database.read() as connection:
            scope = None
            if chosen is not None:
                named = [find_portfolio(connection, app.principal, name) for name in chosen]
                scope = portfolio_ids(named)
            found = load_plan_report(connection, rules=rules_for(app, connection, day), scope=scope)
    if as_json:
        output.show_json(found.document())
    else:
        _show_plan(found)


def _show_plan(found: "PlanReport") -> None:
    from riskmark.cli.tables import cut, make_table
    from riskmark.reports.words import PLAN_WORDS, in_words

    if not found.cells:
        settled = formats.plural(found.settled, "portfolio")
        output.note(f"nothing to do: {settled} up to date at the session of {found.target}")
        return
    counts = Counter((cell.name, cell.portfolio_id, cell.reason) for cell in found.cells)
    spans: dict[tuple[str, str, str], list[object]] = {}
    for cell in found.cells:
        spans.setdefault((cell.name, cell.portfolio_id, cell.reason), []).append(cell.session)
    table = make_table("Portfolio…", "Why…", "Sessions>", "From", "To")
    for (name, key, reason), number in counts.items():
        sessions = spans[name, key, reason]
        table.add_row(
            cut(name),
            in_words(PLAN_WORDS, reason),
            f"{number:,}",
            str(sessions[0]),
            str(sessions[-1]),
        )
    output.show(table)
    portfolios = len({cell.portfolio_id for cell in found.cells})
    text = (
        f"[bold]{formats.plural(len(found.cells), 'session')} of "
        f"{formats.plural(portfolios, 'portfolio')}[/] to compute, with prices of "
        f"{formats.plural(len(found.symbols), 'symbol')}, to the session of {found.target}"
    )
    output.show("", output.styled(text))
