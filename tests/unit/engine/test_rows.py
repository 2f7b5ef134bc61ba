"""Numbers to rows: a null is written with its reason, and a NaN never as a number."""

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from riskmark.calc.arrays import CODE_OF
from riskmark.domain.measures import SECTION_OF, STORED
from riskmark.domain.reasons import NullReason
from riskmark.engine.rows import null_texts

NO_HOLDINGS = CODE_OF[NullReason.NO_HOLDINGS]
codes = st.sampled_from([0, 0, 0, *CODE_OF.values()])


def test_a_cell_without_a_null_says_nothing():
    assert null_texts(np.zeros((2, len(STORED)), dtype=np.int8)) == ["{}", "{}"]


def test_a_null_stands_under_its_section_with_its_reason():
    nulls = np.zeros((1, len(STORED)), dtype=np.int8)
    nulls[0, STORED.index("beta")] = NO_HOLDINGS
    nulls[0, STORED.index("hhi")] = NO_HOLDINGS

    (text,) = null_texts(nulls)

    assert json.loads(text) == {"risk.beta": "no_holdings", "concentration.hhi": "no_holdings"}


@given(st.lists(st.lists(codes, min_size=len(STORED), max_size=len(STORED)), max_size=5))
def test_every_null_of_every_cell_is_there(rows):
    nulls = np.array(rows, dtype=np.int8).reshape(-1, len(STORED))
    reasons = {code: reason.value for reason, code in CODE_OF.items()}

    found = [json.loads(text) for text in null_texts(nulls)]

    assert found == [
        {
            f"{SECTION_OF[name]}.{name}": reasons[code]
            for name, code in zip(STORED, row, strict=True)
            if code
        }
        for row in rows
    ]
