"""What an import of factor returns did, as JSON and for people."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from riskmark.cli import formats
from riskmark.cli.output import styled
from riskmark.reports.documents import Document

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from rich.console import RenderableType

    from riskmark.domain.factor_models import FactorModel
    from riskmark.storage.factor_files import FactorReturns
    from riskmark.storage.factors import FactorImport


@dataclass(frozen=True, slots=True)
class FactorReport:
    """An import of ``returns``, and what the factor models have of imported columns now.

    ``known`` are all columns that are stored, also those of earlier files.
    """

    returns: "FactorReturns"
    done: "FactorImport"
    models: "Sequence[FactorModel]"
    known: frozenset[str]

    @property
    def dates(self) -> "list[date]":
        """The dates of the file, ascending."""
        found: list[date] = self.returns.dates.tolist()
        return found

    def missing(self) -> dict[str, tuple[str, ...]]:
        """Return the columns that each model from files still lacks, by the model's name."""
        return {
            model.name: tuple(name for name in model.columns if name not in self.known)
            for model in self.models
            if model.columns
        }

    def document(self) -> Document:
        """Return what the import did as JSON has it."""
        done, dates = self.done, self.dates
        return {
            "columns": list(done.columns),
            "rows": len(dates),
            "first": dates[0] if dates else None,
            "last": dates[-1] if dates else None,
            "received": done.received,
            "stored": done.stored,
            "corrected": done.corrected,
            "unchanged": done.unchanged,
            "refused": {"not_a_session": done.not_a_session},
            "from_session": done.from_session,
            "models": [
                {"model": name, "missing": list(columns)}
                for name, columns in self.missing().items()
            ],
            "revision": done.revision,
        }


def factor_view(found: FactorReport) -> "Iterator[RenderableType]":
    """Yield what an import did, line by line."""
    done, dates = found.done, found.dates
    counts = {"new": done.stored, "corrected": done.corrected, "unchanged": done.unchanged}
    parts = [f"{count:,} {name}" for name, count in counts.items() if count]
    if done.not_a_session:
        parts.append(f"[yellow]{done.not_a_session:,} refused[/]: on no session")
    yield styled(
        f"[bold]{formats.plural(done.received, 'factor return')}[/]  "
        f"{', '.join(parts) or 'nothing to store'}"
    )
    if dates:
        yield f"{formats.plural(len(dates), 'date')}, {dates[0]} to {dates[-1]}"
    yield f"{formats.plural(len(done.columns), 'column')}: {', '.join(done.columns)}"
    for name, missing in found.missing().items():
        if missing:
            yield styled(
                "[yellow]{model} still lacks[/] {columns}", model=name, columns=", ".join(missing)
            )
        else:
            yield styled("[green]{model} has every column that it needs[/]", model=name)
