"""What an import of benchmark weights did, as JSON and for people."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from riskmark.cli import formats
from riskmark.cli.output import styled
from riskmark.cli.price_view import named
from riskmark.reports.documents import Document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from rich.console import RenderableType

    from riskmark.storage.benchmarks import BenchmarkImport, SectorWeights


@dataclass(frozen=True, slots=True)
class BenchmarkReport:
    """An import of weights of ``benchmark``, and what is stored of it now.

    ``unknown`` are the symbols of the file that no instrument has: their sector is not known.
    ``unknown_sectors`` are its sectors that no symbol has or is usually given.
    ``newest`` are the weights by sector of the last date stated.
    """

    benchmark: str
    done: "BenchmarkImport"
    from_session: "date | None"
    unknown: tuple[str, ...]
    unknown_sectors: tuple[str, ...]
    newest: "SectorWeights | None"

    def document(self) -> Document:
        """Return what the import did as JSON has it."""
        done, newest = self.done, self.newest
        return {
            "benchmark": self.benchmark,
            "received": done.received,
            "new": list(done.new),
            "changed": list(done.changed),
            "unchanged": list(done.unchanged),
            "from_session": self.from_session,
            "unknown_symbols": list(self.unknown),
            "unknown_sectors": list(self.unknown_sectors),
            "newest": None
            if newest is None
            else {"date": newest.date, "weights": dict(newest.weights)},
            "revision": done.revision,
        }


def benchmark_view(found: BenchmarkReport) -> "Iterator[RenderableType]":
    """Yield what an import did, line by line."""
    done = found.done
    counts = {"new": done.new, "changed": done.changed, "unchanged": done.unchanged}
    parts = [f"{formats.plural(len(days), 'date')} {name}" for name, days in counts.items() if days]
    yield styled(
        "[bold]{weights} of {benchmark}[/]  {parts}",
        weights=formats.plural(done.received, "weight"),
        benchmark=found.benchmark,
        parts=", ".join(parts) or "nothing to store",
    )
    if found.unknown:
        yield styled(
            "[yellow]{symbols} not known, and so of no sector[/]: {listed}",
            symbols=formats.plural(len(found.unknown), "symbol"),
            listed=named(found.unknown),
        )
    if found.unknown_sectors:
        yield styled(
            "[yellow]{sectors} that no symbol has, beside which books hold nothing[/]: {listed}; "
            "expected are GICS sectors, ETF, Fund, Private and Unclassified",
            sectors=formats.plural(len(found.unknown_sectors), "sector"),
            listed=named(found.unknown_sectors),
        )
    if found.newest is not None:
        yield from _sectors(found.newest)


def _sectors(newest: "SectorWeights") -> "Iterator[RenderableType]":
    from riskmark.cli.tables import make_table

    table = make_table(f"Sector from {newest.date} on", "Weight>")
    for sector, weight in sorted(newest.weights.items(), key=lambda one: (-one[1], one[0])):
        table.add_row(sector, formats.percent(weight))
    yield table
