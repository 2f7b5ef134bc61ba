import json

import pytest
from tests.unit.intake.positions_files import HEADER, read

from riskmark.intake.row_errors import MAX_SHOWN, shown


def test_all_errors_of_all_rows_come_in_one_answer_in_the_order_of_the_file():
    text = f"{HEADER}\nA$,x,1,2024-01-02\nB,1,1,2024-01-02\n,0,0,\n"

    result = read(text)

    found = [(issue.row, issue.code.value) for issue in result.errors]
    assert found == [
        (2, "POS_003"), (2, "POS_005"),
        (4, "POS_001"), (4, "POS_006"), (4, "POS_010"), (4, "POS_012"),
    ]  # fmt: skip


def test_the_answer_has_the_shape_of_the_interface():
    answer = read(f"{HEADER}\nA,x,1,2024-01-02\n").answer()

    assert json.loads(json.dumps(answer)) == {
        "errors": [
            {
                "code": "POS_005",
                "row": 2,
                "column": "Quantity",
                "value": "x",
                "expected": "digits 0-9 with an optional sign and one point, as -12.5",
            }
        ],
        "warnings": [],
        "total_errors": 1,
    }


def test_a_thousand_errors_are_listed_and_all_are_counted():
    text = "\n".join([HEADER, *["A,0,0,2024-01-02"] * 1_200])

    result = read(text)

    assert (len(result.errors), result.total_errors) == (1_000, 2_400)


def test_a_thousand_warnings_are_listed():
    text = "\n".join([HEADER, *["A,1,1,2024-01-02"] * 1_200])

    result = read(text)

    assert (len(result.warnings), len(result.lots), result.total_errors) == (1_000, 1_200, 0)


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ("١٢٣", "١٢٣"),
        ("A\u200b", "A\\u200b"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\nb", "a\\nb"),
        ("x" * 100, "x" * 80),
        ("\u200b" * 100, ("\\u200b" * 100)[:80]),
    ],
)
def test_a_value_is_shown_short_and_printable(value, seen):
    assert shown(value) == seen
    assert len(shown(value)) <= MAX_SHOWN


def test_a_long_header_is_cut_in_messages():
    result = read(f"{HEADER},{'z' * 30_000}\nA,1,1,2024-01-02,\n")

    assert result.errors[0].column == "z" * 80
