"""Positions files: the CSV in which people state their lots.

The columns are those of ``columns.Column``, in any order; files are UTF-8, may be gzipped,
and may have lines that start with ``#``. All errors of all rows are found at once, and a
file with any error gives no lots. No content whatever makes ``parse_positions`` raise.

A broker's own export is read with a ``BrokerMap``. ``write_positions`` writes the one
canonical form, which reads back to the same lots and is written again to the same text.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import date

from riskmark.domain.instruments import OptionTerms, parse_occ
from riskmark.domain.portfolio import InvestmentClass, Lot
from riskmark.intake.broker_map import CANONICAL, BrokerMap
from riskmark.intake.columns import Column, Layout, column_named, match_header
from riskmark.intake.formulas import shield, unshield
from riskmark.intake.numbers import BLANKS, decimal_text
from riskmark.intake.positions_file import LotGatherer, PositionsFile
from riskmark.intake.records import MalformedRecord, Record, iter_records, read_text
from riskmark.intake.row_errors import ErrorCode, IssueLog
from riskmark.intake.rows import Conventions, Row

MAX_ROWS = 50_000
_NAMES = {Column.SYMBOL, Column.UNDERLYING}
"""Columns of texts that people choose."""


def parse_positions(
    content: bytes, *, today: date, broker_map: BrokerMap | None = None
) -> PositionsFile:
    """Read a positions file.

    Parameters
    ----------
    content : bytes
        The file, plain or gzipped. A caller that reads from outside should stop at
        ``records.MAX_BYTES`` + 1 bytes, which is refused.
    today : date
        The last date that an entry or exit may have.
    broker_map : BrokerMap, optional
        How a broker's file differs from the canonical form.
    """
    log = IssueLog()
    gatherer = LotGatherer(log)
    text = read_text(content, log)
    if text is not None:
        _read_table(text, broker_map or CANONICAL, today=today, gatherer=gatherer)
    return gatherer.result()


def parse_position(fields: Mapping[str, str], *, today: date) -> PositionsFile:
    """Read one lot from named fields, by the rules of a row; issues have no row number."""
    log = IssueLog()
    gatherer = LotGatherer(log)
    cells: dict[Column, str] = {}
    titles: dict[Column, str] = {column: column.value for column in Column}
    for name, value in fields.items():
        column = column_named(name)
        if column is None or column in cells:
            log.refuse(ErrorCode.HEADER_UNKNOWN, column=name, value=name)
        else:
            cells[column] = value.strip(BLANKS)
            titles[column] = name
    gatherer.add(Row(None, cells, titles, Conventions(today), log))
    return gatherer.result()


def write_positions(lots: Iterable[Lot], *, terms: Mapping[str, OptionTerms] | None = None) -> str:
    """Write lots as a positions file, in the order given.

    ``terms`` gives the terms of options by symbol, for an underlying that is not the
    symbol's root; without it the terms are those in the symbol.

    Symbols such as ``=X`` and ``-X`` get an apostrophe before them, without which a spreadsheet
    would take them for formulas; reading takes it off again. No other column has text that a
    user chose.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(Column)
    for lot in lots:
        writer.writerow(_export_row(lot, (terms or {}).get(lot.symbol)))
    return out.getvalue()


def _read_table(text: str, broker_map: BrokerMap, *, today: date, gatherer: LotGatherer) -> None:
    """Read header and rows into ``gatherer``."""
    log = gatherer.log
    records = iter_records(
        text,
        delimiter=broker_map.delimiter,
        skip_rows=broker_map.skip_rows,
        comment=broker_map.comment,
    )
    header = next((record for record in records if not _is_blank(record)), None)
    if header is None:
        log.refuse(ErrorCode.NO_ROWS)
        return
    layout = _read_header(header, broker_map, log=log)
    if layout is None:
        return
    conventions = Conventions(today, broker_map.numbers, broker_map.dates)
    rows = 0
    for record in records:
        if _is_blank(record, width=len(layout.headers)):
            continue
        if _ends_table(record, broker_map.ends_at):
            break
        rows += 1
        if rows > MAX_ROWS:
            log.refuse(ErrorCode.FILE_TOO_LARGE, record.line, value=f"row {rows}")
            return
        cells = _named_cells(record, layout, broker_map=broker_map, log=log)
        if cells is not None:
            gatherer.add(Row(record.line, cells, layout.titles, conventions, log))
    if rows == 0:
        log.refuse(ErrorCode.NO_ROWS, header.line)


def _is_blank(record: Record | MalformedRecord, *, width: int | None = None) -> bool:
    """Whether a row has no text and is no wider than the header: spreadsheets write such rows."""
    if isinstance(record, MalformedRecord):
        return False
    if width is not None and len(record.cells) > width:
        return False
    return not any(cell.strip(BLANKS) for cell in record.cells)


def _ends_table(record: Record | MalformedRecord, ends_at: tuple[str, ...]) -> bool:
    if isinstance(record, MalformedRecord):
        return record.text.startswith(ends_at) if ends_at else False
    return bool(ends_at) and record.cells[0].strip(BLANKS).startswith(ends_at)


def _read_header(
    record: Record | MalformedRecord, broker_map: BrokerMap, *, log: IssueLog
) -> Layout | None:
    """Find the columns; None if no row can be read with what was found."""
    if isinstance(record, MalformedRecord):
        _refuse_malformed(record, log)
        return None
    layout = match_header(
        record.cells,
        record.line,
        renamed=broker_map.columns,
        ignore_unknown=broker_map.ignore_unknown,
        log=log,
    )
    return layout if layout.index else None


def _named_cells(
    record: Record | MalformedRecord, layout: Layout, *, broker_map: BrokerMap, log: IssueLog
) -> dict[Column, str] | None:
    """Name the cells of a row; None, with the error logged, if it does not fit the header."""
    if isinstance(record, MalformedRecord):
        _refuse_malformed(record, log, headers=layout.headers)
        return None
    if len(record.cells) != len(layout.headers):
        log.refuse(
            ErrorCode.ROW_MALFORMED,
            record.line,
            value=f"{len(record.cells)} fields",
            expected=f"{len(layout.headers)} fields, as the header has",
        )
        return None
    cells = {column: record.cells[at].strip(BLANKS) for column, at in layout.index.items()}
    for column in _NAMES & cells.keys():
        cells[column] = unshield(cells[column])
    for column, replaced in broker_map.values.items():
        if column in cells:
            cells[column] = replaced.get(cells[column], cells[column])
    return cells


def _refuse_malformed(
    record: MalformedRecord, log: IssueLog, *, headers: tuple[str, ...] = ()
) -> None:
    """Log a row that could not be cut into cells, under the column if one is at fault."""
    at = record.long_field
    column = headers[at] if at is not None and at < len(headers) else None
    log.refuse(ErrorCode.ROW_MALFORMED, record.line, column=column, value=record.text)


def _export_row(lot: Lot, terms: OptionTerms | None) -> tuple[str, ...]:
    if terms is None and lot.investment_class is InvestmentClass.OPTIONS:
        terms = parse_occ(lot.symbol)
    option = ("", "", "", "")
    if terms is not None:
        option = (
            shield(terms.underlying),
            decimal_text(terms.strike),
            terms.expiry.isoformat(),
            terms.option_type.upper(),
        )
    return (
        shield(lot.symbol),
        decimal_text(lot.quantity),
        decimal_text(lot.entry_price),
        lot.entry_date.isoformat(),
        lot.investment_class,
        option[3] if terms is not None else lot.subtype or "",
        *option,
        "" if lot.exit_date is None else lot.exit_date.isoformat(),
        "" if lot.exit_price is None else decimal_text(lot.exit_price),
    )
