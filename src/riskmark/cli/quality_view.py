"""The quality of stored prices, for people."""

from typing import TYPE_CHECKING

from riskmark.cli import formats
from riskmark.cli.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from riskmark.reports.price_quality import QualityReport


def quality_view(found: "QualityReport") -> "Iterator[RenderableType]":
    """Yield a table of symbols, and one each of what happened to their bars."""
    yield _symbols(found)
    if found.corrections:
        table = make_table("Symbol", "Session", "Was>", "Is>", "By…", title="Corrections")
        for fix in found.corrections:
            was, now = f"{fix.old_close:,.4f}", f"{fix.new_close:,.4f}"
            table.add_row(fix.symbol, formats.day(fix.session), was, now, fix.provider)
        yield table
    if found.outliers:
        table = make_table(
            "Symbol", "Session", "Move>", "Deviations>", title="Jumped, and back a session later"
        )
        for odd in found.outliers:
            sizes = f"{odd.move:+.1%}", f"{odd.multiple:,.0f}"
            table.add_row(odd.symbol, formats.day(odd.session), *sizes)
        yield table
    yield from _held_back(found)
    yield from _second_opinions(found)
    if found.denials:
        table = make_table("Symbol", "Provider", "Says…", "Asked again", title="Not had")
        for denial in found.denials:
            until = formats.instant(denial.until)
            table.add_row(denial.symbol, denial.provider, denial.reason, until)
        yield table


def _held_back(found: "QualityReport") -> "Iterator[RenderableType]":
    """Yield the closes and the dividends that do not count."""
    if found.quarantine:
        table = make_table("Symbol", "From", "Why…", title="In quarantine")
        for line in found.quarantine:
            table.add_row(line.symbol, formats.day(line.first), line.reason)
        yield table
    if found.held_actions:
        table = make_table(
            "Symbol", "Ex-date", "Value>", "By…", "Why…", title="Dividends held back"
        )
        for no in found.held_actions:
            amount = f"{no.value:,g}"
            table.add_row(no.symbol, formats.day(no.ex_date), amount, no.provider, no.detail)
        yield table


def _symbols(found: "QualityReport") -> "RenderableType":
    table = make_table("Symbol", "From", "To", "Sessions>", "Bars>", "From whom…")
    for one in found.symbols:
        whom = ", ".join(f"{name} {count:,}" for name, count in one.providers.items())
        if one.delisted_since is not None:
            whom += f"; delisted since {formats.day(one.delisted_since)}"
        table.add_row(
            one.symbol,
            formats.day(one.first),
            formats.day(one.last),
            f"{one.expected:,}",
            f"{one.received:,}",
            whom,
            style="yellow" if one.received < one.expected else "",
        )
    return table


def _second_opinions(found: "QualityReport") -> "Iterator[RenderableType]":
    """Yield what a second provider says of prices, and any provider of symbols."""
    if found.comparisons:
        table = make_table(
            "Symbol", "With…", "At", "Sessions>", "Differ>", title="Compared with another provider"
        )
        for one in found.comparisons:
            whom = f"{one.provider}: {one.reason}" if one.provider else "nobody to ask"
            counts = f"{one.sessions:,}", f"{one.differing:,}"
            style = "yellow" if one.differing else ""
            table.add_row(one.symbol, whom, formats.day(one.target), *counts, style=style)
        yield table
    if found.differences:
        table = make_table(
            "Symbol", "Session", "Stored>", "By…", "Other>", "Says…", title="Where they differ"
        )
        for two in found.differences:
            table.add_row(
                two.symbol,
                formats.day(two.session),
                f"{two.stored_close:,.4f}",
                two.stored_provider,
                f"{two.close:,.4f}",
                two.provider,
            )
        yield table
    if found.conflicts:
        table = make_table("Symbol", "What contradicts…", title="Another company's symbol?")
        for each in found.conflicts:
            table.add_row(each.symbol, each.conflict)
        yield table
