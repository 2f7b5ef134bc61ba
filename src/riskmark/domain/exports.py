"""What can be exported of a portfolio, and to which kinds of files."""

from enum import StrEnum


class Exported(StrEnum):
    """What can be exported."""

    HISTORY = "history"
    POSITIONS = "positions"
    FACTORS = "factors"
    STRESS = "stress"
    SECTORS = "sectors"


class FileFormat(StrEnum):
    """Kinds of files that tables are written to."""

    CSV = "csv"
    PARQUET = "parquet"


class ReportFormat(StrEnum):
    """How a report is written."""

    PDF = "pdf"
    HTML = "html"
