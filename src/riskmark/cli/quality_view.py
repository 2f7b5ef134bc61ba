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
    table = make_table("Symbol", "From", "To", "Sessions>", "Bars>", "From whom…")
    for one in found.symbols:
        whom = ", ".join(f"{name} {count:,}" for name, count in one.providers.items())
        style = "yellow" if one.received < one.expected else ""
        table.add_row(
            one.symbol,
            formats.day(one.first),
            formats.day(one.last),
            f"{one.expected:,}",
            f"{one.received:,}",
            whom,
            style=style,
        )
    yield table
    if found.corrections:
        table = make_table("Symbol", "Session", "Was>", "Is>", "By…", title="Corrections")
        for fix in found.corrections:
            was, now = f"{fix.old_close:,.4f}", f"{fix.new_close:,.4f}"
            table.add_row(fix.symbol, formats.day(fix.session), was, now, fix.provider)
        yield table
    if found.quarantine:
        table = make_table("Symbol", "From", "Why…", title="In quarantine")
        for line in found.quarantine:
            table.add_row(line.symbol, formats.day(line.first), line.reason)
        yield table
    if found.denials:
        table = make_table("Symbol", "Provider", "Says…", "Asked again", title="Not had")
        for no in found.denials:
            table.add_row(no.symbol, no.provider, no.reason, formats.instant(no.until))
        yield table
