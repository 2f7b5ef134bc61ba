"""Files of benchmark weights: what is read, and everything that is wrong, at once."""

from datetime import date

import pytest

from riskmark.storage.benchmark_files import (
    BenchmarkWeight,
    MemberKind,
    read_benchmark_weights,
)
from riskmark.storage.file_issues import MarketFileErrors

JAN, FEB = date(2024, 1, 2), date(2024, 2, 1)


def written(folder, text, name="weights.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def issues_of(path):
    with pytest.raises(MarketFileErrors) as caught:
        read_benchmark_weights(path)
    return [(issue.row, issue.column, issue.value) for issue in caught.value.issues]


def test_a_row_is_a_weight_of_a_symbol_or_of_a_sector(tmp_path):
    text = "Date,Symbol,Sector,Weight\n2024-01-02,aapl,,0.6\n2024-01-02,,Energy,0.4\n"

    found = read_benchmark_weights(written(tmp_path, text))

    assert found == (
        BenchmarkWeight(JAN, MemberKind.SECTOR, "Energy", 0.4),
        BenchmarkWeight(JAN, MemberKind.SYMBOL, "AAPL", 0.6),
    )


def test_the_files_of_a_folder_are_read_together(tmp_path):
    written(tmp_path, "date,sector,weight\n2024-02-01,Energy,1\n", "b.csv")
    written(tmp_path, "date,symbol,weight\n2024-01-02,AAPL,0.5\n2024-01-02,MSFT,0.5\n", "a.csv")

    found = read_benchmark_weights(tmp_path)

    assert [(one.date, one.name, one.weight) for one in found] == [
        (JAN, "AAPL", 0.5),
        (JAN, "MSFT", 0.5),
        (FEB, "Energy", 1),
    ]


@pytest.mark.parametrize(
    ("rows", "issue"),
    [
        ("2024-01-02,,,1", (2, "symbol", "")),
        ("2024-01-02,AAPL,Energy,1", (2, "symbol", "AAPL")),
        ("2024-01-02,A B,,1", (2, "symbol", "A B")),
        ("2024-01-02,AAPL,,", (2, "weight", "")),
        ("2024-01-02,AAPL,,x", (2, "weight", "x")),
        ("2024-01-02,AAPL,,-0.1", (2, "weight", "-0.1")),
        ("2024-01-02,AAPL,,98.5", (2, "weight", "98.5")),
        ("02.01.2024,AAPL,,1", (2, "date", "02.01.2024")),
        ("2024-01-02,AAPL,,0.8", (2, "weight", "0.8")),
        ("2024-01-02,AAPL,,0.5\n2024-01-02,aapl,,0.5", (3, "name", "AAPL")),
    ],
)
def test_what_is_wrong_is_named_with_its_row(tmp_path, rows, issue):
    path = written(tmp_path, f"date,symbol,sector,weight\n{rows}\n")

    assert issues_of(path) == [issue]


def test_a_sector_is_a_short_text(tmp_path):
    path = written(tmp_path, f"date,sector,weight\n2024-01-02,{'a' * 201},1\n")

    assert issues_of(path) == [(2, "symbol", "a" * 201)]


def test_a_file_without_rows_says_nothing(tmp_path):
    assert read_benchmark_weights(written(tmp_path, "date,symbol,weight\n")) == ()
