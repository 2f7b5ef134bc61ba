"""What a positions file gives, and gathering it row by row."""

from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from riskmark.domain.instruments import parse_occ
from riskmark.domain.portfolio import InvestmentClass, Lot
from riskmark.intake.columns import Column
from riskmark.intake.lot_rows import InstrumentHint, ReadLot, read_lot
from riskmark.intake.row_errors import ErrorCode, IssueLog, RowIssue, as_answer
from riskmark.intake.rows import Row


@dataclass(frozen=True, slots=True)
class PositionsFile:
    """Lots and the instruments that they name, or errors.

    ``lots`` and ``instruments`` are empty if there is an error. ``errors`` and
    ``warnings`` list at most a thousand each; ``total_errors`` counts all errors.
    """

    lots: tuple[Lot, ...]
    instruments: tuple[InstrumentHint, ...]
    errors: tuple[RowIssue, ...]
    warnings: tuple[RowIssue, ...]
    total_errors: int

    @property
    def is_valid(self) -> bool:
        """Whether there is no error."""
        return self.total_errors == 0

    def answer(self) -> dict[str, object]:
        """Return errors and warnings in the shape that every edge answers."""
        return as_answer(self.errors, self.warnings, total_errors=self.total_errors)


class _Earlier(NamedTuple):
    """What the rows so far say of a symbol, and the row that said it first."""

    hint: InstrumentHint
    investment_class: InvestmentClass
    line: int | None


@dataclass(slots=True)
class LotGatherer:
    """Lots so far, and what rows must not say twice or differently."""

    log: IssueLog
    _lots: list[Lot] = field(default_factory=list)
    _symbols: dict[str, _Earlier] = field(default_factory=dict)
    _entries: dict[tuple[str, date], int | None] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """Read a row and keep its lot."""
        found = read_lot(row)
        if found is None:
            return
        self._check_duplicate(row, found.lot)
        self._keep_hint(row, found)
        self._lots.append(found.lot)

    def result(self) -> PositionsFile:
        """Close the file: lots and instruments, or none of them."""
        is_valid = self.log.total_errors == 0
        hints = tuple(earlier.hint for earlier in self._symbols.values())
        return PositionsFile(
            lots=tuple(self._lots) if is_valid else (),
            instruments=hints if is_valid else (),
            errors=tuple(self.log.errors),
            warnings=tuple(self.log.warnings),
            total_errors=self.log.total_errors,
        )

    def _check_duplicate(self, row: Row, lot: Lot) -> None:
        key = (lot.symbol, lot.entry_date)
        if key in self._entries:
            row.advise(
                ErrorCode.DUPLICATE_LOT,
                Column.SYMBOL,
                expected=f"one row for a symbol and entry date; row {self._entries[key]} is "
                "another, and both are kept",
            )
        else:
            self._entries[key] = row.line

    def _keep_hint(self, row: Row, found: ReadLot) -> None:
        """Keep the most that is said of an instrument; a symbol has one class."""
        hint, cls = found.hint, found.lot.investment_class
        earlier = self._symbols.get(hint.symbol)
        if earlier is None:
            self._symbols[hint.symbol] = _Earlier(hint, cls, row.line)
        elif earlier.investment_class is not cls:
            row.refuse(
                ErrorCode.CLASS_UNKNOWN,
                Column.INVESTMENT_CLASS,
                expected=f"{earlier.investment_class}, as row {earlier.line} has it",
            )
        elif _says_more(hint, earlier.hint):
            self._symbols[hint.symbol] = earlier._replace(hint=hint)


def _says_more(hint: InstrumentHint, earlier: InstrumentHint) -> bool:
    if hint.terms is not None and earlier.terms is not None:
        # Terms differ at most in the underlying, which a column can name better than the root.
        return earlier.terms == parse_occ(hint.symbol) != hint.terms
    return hint.is_stated and not earlier.is_stated
