from datetime import timedelta
from decimal import Decimal

import pytest

from riskmark.cli import formats, output
from riskmark.cli.tables import cut, make_table


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (formats.money(1_234_567.891), "1,234,567.89"),
        (formats.money(-0.001), "0.00"),
        (formats.money(None), "–"),
        (formats.money(Decimal(250_000)), "250,000.00"),
        (formats.percent(0.12345), "12.3 %"),
        (formats.percent(-0.00001), "0.0 %"),
        (formats.percent(None), "–"),
        (formats.quantity(Decimal("12.50000000")), "12.5"),
        (formats.quantity(-1_000.0), "-1,000"),
        (formats.price(0.01234), "0.0123"),
        (formats.price(1_063.234), "1,063.23"),
        (formats.ratio(1.005), "1.00"),
        (formats.count(0), ""),
        (formats.count(1_234), "1,234"),
        (formats.duration(1.234), "1.2 s"),
        (formats.duration(timedelta(minutes=3, seconds=5)), "3 min 05 s"),
        (formats.duration(timedelta(hours=4, minutes=2)), "4 h 02 min"),
        (formats.plural(1, "session"), "1 session"),
        (formats.plural(1_000, "session"), "1,000 sessions"),
        (formats.signed_percent(0.005).plain, "+0.50 %"),
        (formats.signed_money(-5.0).plain, "-5.00"),
    ],
)
def test_numbers_are_written_for_people(shown, expected):
    assert shown == expected


def test_a_gain_is_green_a_loss_red_and_nothing_plain():
    styles = [str(formats.signed_money(value).style) for value in (1.0, -1.0, 0.0, None)]

    assert styles == ["green", "red", "", ""]


@pytest.mark.parametrize("text", ["[bold]", "[/]", "a [red]b[/red]", ":smile:", "[link=x]"])
def test_names_and_messages_are_printed_as_they_are(capsys, text):
    output.note(text)
    output.show(text)
    output.fail(text)
    output.note(output.styled("[bold]{name}[/]", name=text))

    printed = capsys.readouterr()
    assert printed.out == f"{text}\n"
    assert printed.err == f"{text}\nerror: {text}\n{text}\n"


def test_an_error_is_one_line(capsys):
    output.fail("first\n   second")

    assert capsys.readouterr().err == "error: first second\n"


def test_tables_cut_texts_and_keep_numbers(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    table = make_table("Name…", "Value>")
    table.add_row(cut("a very long name that has no room here at all"), "1,234,567.89")
    table.add_row("[x]", "1")

    output.show(table)

    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 40
    assert "1,234,567.89" in lines[2]
    assert "…" in lines[2]
    assert lines[3].startswith("[x]")
