"""Every number is that of its oracle, and the page lists what is compared."""

import numpy as np
import pytest
from tests.conformance import page, product
from tests.conformance.areas import AREAS, rows_of
from tests.conformance.comparisons import NUMPY, TOLERANCE, Against, Kind

from riskmark.domain.measures import STORED

areas = pytest.mark.parametrize("area", AREAS, ids=lambda area: area.__name__.split(".")[-1])
AGAINST = Against(NUMPY, "two numbers")


@areas
def test_every_number_is_that_of_its_oracle(area):
    found = rows_of(area)

    assert [row for row in found if not row.holds] == []


@areas
def test_the_page_lists_what_is_compared(area):
    text = page.PATH.read_text(encoding="utf-8")

    found = page.listed(text)

    expected = [page.lasting(page.cells_of(row)) for row in rows_of(area)]
    assert found.get(area.AREA) == expected, "write the page anew: make conformance"


def test_the_page_has_no_other_areas():
    found = page.listed(page.PATH.read_text(encoding="utf-8"))

    assert [*found] == [area.AREA for area in AREAS]


def test_every_stored_number_has_an_oracle():
    named = [*product.MONEY, "return", *(name for _, names in product.GROUPS for name in names)]

    assert sorted(named) == sorted(STORED)


@areas
def test_a_wider_tolerance_says_why(area):
    wide = [row for row in rows_of(area) if row.tolerance > TOLERANCE]

    assert [row for row in wide if row.kind is not Kind.DIGIT and not row.note] == []


@pytest.mark.parametrize(
    ("found", "expected", "difference"),
    [
        ([1.0, 2.0], [1.0, 2.5], 0.2),
        ([0.0], [0.0], 0.0),
        ([1e-300], [0.0], np.inf),
        ([np.nan, 1.0], [np.nan, 1.0], 0.0),
        ([np.nan], [1.0], np.inf),
        ([1.0], [np.nan], np.inf),
    ],
)
def test_a_relative_difference_is_the_largest_of_all_values(found, expected, difference):
    row = AGAINST.relative("a measure", found, expected)

    assert row.difference == pytest.approx(difference)
    assert row.holds == (difference == 0)


def test_sizes_below_the_least_are_compared_with_it():
    row = AGAINST.relative("a measure", [1e-9, 1.0], [3e-9, 1.0], least=1e-3)

    assert row.difference == pytest.approx(2e-6)
    assert page.tolerance_of(row) == "1e-9 relative or 1e-12"


@pytest.mark.parametrize(("found", "holds"), [(0.12344, False), (0.12346, True), (0.1239, False)])
def test_a_published_number_is_met_to_its_printed_digits(found, holds):
    row = AGAINST.printed("a measure", [found], ["0.1235"])

    assert row.holds == holds


def test_nothing_compared_is_no_agreement():
    assert not AGAINST.relative("a measure", [np.nan], [np.nan]).holds
    assert not AGAINST.same("a measure", [], []).holds
