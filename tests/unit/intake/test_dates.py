from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmark.intake.dates import ISO, date_style, parse_date

forms = st.sampled_from(["%d/%m/%Y", "%Y%m%d", "%B %d, %Y", "%d-%b-%Y", "%m.%d.%Y", "%Y-%m-%d"])


@pytest.mark.parametrize(
    "text",
    ["", "2024-1-02", "20240102", "2024-W01-1", "2024-13-01", "2024-02-30", "0000-01-01",
     " 2024-01-02", "2024-01-02T00:00", "2024-01-0\u0662", "2024-01-02\n", "2024/01/02"],
)  # fmt: skip
def test_only_iso_dates_are_dates(text):
    assert parse_date(text) is None


@given(st.dates())
def test_every_iso_date_is_read(day):
    assert parse_date(day.isoformat()) == day


@given(st.dates(min_value=date(1925, 1, 2)), forms)
def test_a_style_reads_what_it_names(day, form):
    assert parse_date(day.strftime(form), style=date_style(form)) == day


@pytest.mark.parametrize(
    ("form", "text", "day"),
    [
        ("%m/%d/%y", "1/2/24", date(2024, 1, 2)),
        ("%m/%d/%y", "1/2/69", date(1969, 1, 2)),
        ("%d %b %Y", "2 JAN 2024", date(2024, 1, 2)),
        ("%B %d, %Y", "january 2, 2024", date(2024, 1, 2)),
        ("%Y-%m-%d %H:%M:%S", "2024-01-02 9:30:00", date(2024, 1, 2)),
        ("(%d.%m.%Y)", "(02.01.2024)", date(2024, 1, 2)),
        ("%d/%m/%Y", "13/13/2024", None),
        ("%d/%m/%Y", "02-01-2024", None),
        ("%d %b %Y", "2 foo 2024", None),
        ("%d/%m/%Y", "02/01/202\u0664", None),
        ("%Y%m%d", "20240102x", None),
    ],
)
def test_a_style_reads_its_own_form_and_no_other(form, text, day):
    assert parse_date(text, style=date_style(form)) == day


@pytest.mark.parametrize(
    "form", ["%d/%m", "%Y-%m-%d-%d", "%m %b %d %Y", "%Q", "%", "%%", "", "%j %Y"]
)
def test_a_form_that_names_no_date_is_refused(form):
    with pytest.raises(ValueError, match="date form"):
        date_style(form)


def test_the_iso_form_is_the_strict_style():
    assert date_style("%Y-%m-%d") is ISO
