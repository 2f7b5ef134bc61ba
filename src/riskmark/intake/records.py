"""From bytes to records: size, compression, encoding, lines, quotes.

A record knows the line on which it starts. Lines end in LF or CRLF; a lone carriage return
makes a record malformed, as do an unclosed quote and text after a closing one. Lines
that start with the comment sign are skipped, but not inside a quoted field.

Every limit is checked before the memory that it guards is taken.
"""

import codecs
import csv
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from riskmark.intake.row_errors import ErrorCode, IssueLog

MAX_BYTES = 10_000_000
"""Of a file, and of what it inflates to."""
MAX_LINES = 250_000
"""Comments, blank lines and line breaks in quoted fields included."""
MAX_FIELD_BYTES = 32_000
_MAX_RECORD = 1_048_576
"""Characters; a row of nothing but delimiters must not become millions of cells."""
_EXCERPT = 80
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = zlib.MAX_WBITS | 16
_UTF8_BYTES_PER_CHARACTER = 4


@dataclass(frozen=True, slots=True)
class Record:
    """The cells of one row, stripped of nothing."""

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class MalformedRecord:
    """A row that cannot be used, the beginning of its text, and which field is too long."""

    line: int
    text: str
    long_field: int | None = None


def read_text(content: bytes, log: IssueLog) -> str | None:
    """Return the text of a file, plain or gzipped; None if it is refused."""
    if len(content) > MAX_BYTES:
        log.refuse(ErrorCode.FILE_TOO_LARGE, value=f"{len(content)} bytes")
        return None
    if content.startswith(_GZIP_MAGIC):
        inflated = _inflate(content, log)
        if inflated is None:
            return None
        content = inflated
    content = content.removeprefix(codecs.BOM_UTF8)
    nul = content.find(b"\0")
    if nul >= 0:
        log.refuse(ErrorCode.NOT_TEXT, _line_of(content, nul), value="\0")
        return None
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        wrong = content[error.start : error.start + 1]
        log.refuse(
            ErrorCode.NOT_TEXT, _line_of(content, error.start), value=f"byte 0x{wrong.hex()}"
        )
        return None
    lines = text.count("\n")
    if lines > MAX_LINES:
        log.refuse(ErrorCode.FILE_TOO_LARGE, value=f"{lines} lines")
        return None
    return text


def iter_records(
    text: str, *, delimiter: str, skip_rows: int, comment: str
) -> Iterator[Record | MalformedRecord]:
    """Cut a text into records, without comments; blank lines are records without cells."""
    lines = _Lines(text, skip_rows, comment)
    reader = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)
    while True:
        lines.begin_record()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield MalformedRecord(lines.start, lines.first.rstrip("\r\n"))
            continue
        # A spreadsheet quotes a comment that has a delimiter in it.
        if comment and cells and cells[0].startswith(comment):
            continue
        too_long = next((at for at, cell in enumerate(cells) if _is_too_long(cell)), None)
        if too_long is None:
            yield Record(lines.start, cells)
        else:
            yield MalformedRecord(lines.start, cells[too_long][:_EXCERPT], too_long)


def _is_too_long(cell: str) -> bool:
    if len(cell) * _UTF8_BYTES_PER_CHARACTER <= MAX_FIELD_BYTES:
        return False
    return len(cell.encode("utf-8")) > MAX_FIELD_BYTES


class _Lines:
    """The lines of a text, for ``csv.reader``, which may take several for one record.

    ``start`` and ``first`` are number and text of the present record's first line.
    """

    def __init__(self, text: str, skip_rows: int, comment: str) -> None:
        self.start = 0
        self.first = ""
        self._text = text
        self._skip_rows = skip_rows
        self._comment = comment
        self._number = 0
        self._at = 0
        self._record_at = 0
        self._is_between = True

    def begin_record(self) -> None:
        self._is_between = True

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        while self._at < len(self._text):
            begin = self._at
            self._at = self._text.find("\n", begin) + 1 or len(self._text)
            self._number += 1
            if self._number <= self._skip_rows:
                continue
            if self._is_between:
                if self._comment and self._text.startswith(self._comment, begin):
                    continue
                self._is_between = False
                self._record_at = begin
                self.start = self._number
                self.first = self._text[begin : min(self._at, begin + _EXCERPT)]
            if self._at - self._record_at > _MAX_RECORD:
                msg = "record too long"
                raise csv.Error(msg)
            return self._text[begin : self._at]
        raise StopIteration


def _inflate(content: bytes, log: IssueLog) -> bytes | None:
    """Inflate one gzip member, to one byte more than a file may have and no further."""
    inflater = zlib.decompressobj(_GZIP_WINDOW)
    try:
        inflated = inflater.decompress(content, MAX_BYTES + 1)
    except zlib.error:
        log.refuse(ErrorCode.NOT_TEXT, value="gzip", expected="a gzip file that can be inflated")
        return None
    if len(inflated) > MAX_BYTES:
        log.refuse(ErrorCode.FILE_TOO_LARGE, value=f"more than {MAX_BYTES} bytes inflated")
        return None
    if not inflater.eof or inflater.unused_data.strip(b"\0"):
        log.refuse(ErrorCode.NOT_TEXT, value="gzip", expected="one whole gzip member")
        return None
    return inflated


def _line_of(content: bytes, position: int) -> int:
    return content.count(b"\n", 0, position) + 1
