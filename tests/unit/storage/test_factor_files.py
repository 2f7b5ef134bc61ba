"""Files of factor returns: what is read, and everything that is wrong, at once."""

from datetime import date

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from riskmark.errors import InputError
from riskmark.storage.factor_files import read_factor_returns
from riskmark.storage.file_issues import MarketFileErrors


def written(folder, text):
    path = folder / "factors.csv"
    path.write_text(text, encoding="utf-8")
    return path


def issues_of(path):
    with pytest.raises(MarketFileErrors) as caught:
        read_factor_returns(path)
    return [(issue.row, issue.column, issue.value) for issue in caught.value.issues]


def test_a_column_is_a_factor_and_its_name_is_plain(tmp_path):
    text = "Date,Mkt-RF,SMB, RF \n2024-01-03,0.01,-0.002,0.0002\n2024-01-02,-0.5,,0\n"

    found = read_factor_returns(written(tmp_path, text))

    assert found.columns == ("mkt_rf", "smb", "rf")
    assert found.dates.tolist() == [date(2024, 1, 2), date(2024, 1, 3)]
    assert_array_equal(found.values, [[-0.5, np.nan, 0], [0.01, -0.002, 0.0002]])


def test_a_file_in_percent_is_refused(tmp_path):
    path = written(tmp_path, "date,hml\n2024-01-02,0.31\n2024-01-03,-1.2\n")

    assert issues_of(path) == [(3, "hml", "-1.2")]


def test_percent_is_noticed_in_a_quiet_month_too(tmp_path):
    days = [f"2024-01-{day:02},{0.3 if day % 2 else -0.4},0.02" for day in range(1, 31)]
    path = written(tmp_path, "\n".join(["date,hml,rf", *days]))

    assert issues_of(path) == [(None, "hml", "0.35 on a median day")]


def test_everything_that_is_wrong_is_listed_at_once(tmp_path):
    path = written(tmp_path, "date,hml\n2024-01-02,x\n2024-13-03,0.1\n2024-01-02,0.2\n")

    assert sorted(issues_of(path)) == [
        (2, "hml", "x"),
        (3, "date", "2024-13-03"),
        (4, "date", "2024-01-02"),
    ]


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("date\n2024-01-02\n", None),
        ("day,hml\n2024-01-02,0.1\n", "date"),
        ("date,hml,HML\n2024-01-02,0.1,0.1\n", None),
        ("date,hml,hml\n2024-01-02,0.1,0.1\n", "hml"),
        (f"date,{'a' * 41}\n2024-01-02,0.1\n", None),
        ("date,größe\n2024-01-02,0.1\n", None),
    ],
)
def test_a_header_that_does_not_do_is_an_error(tmp_path, text, column):
    (issue,) = issues_of(written(tmp_path, text))

    assert issue[1] == column


def test_a_file_without_rows_has_no_returns(tmp_path):
    found = read_factor_returns(written(tmp_path, "date,hml\n"))

    assert found.values.shape == (0, 1)


def test_a_file_that_is_not_there_is_an_error_of_the_caller(tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        read_factor_returns(tmp_path)
