"""The URL of a database that cannot be one: what is said of it, and what is not."""

import pytest

from riskmark.app import FixedClock, build
from riskmark.errors import InputError
from riskmark.settings import load_settings
from riskmark.storage.engines import open_database


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://risk:canary@db:54x2/risk", "port"),
        ("postgresql://risk:can@ary@db:/risk", "port"),
        ("//risk:canary@db", "not a database URL"),
        ("", "not a database URL"),
        ("mysql://risk:canary@db/risk", "SQLite or PostgreSQL"),
    ],
)
def test_what_is_wrong_with_it_is_said_without_its_password(url, said):
    loaded = load_settings(None, {}, database_url=url)

    for open_it in (lambda: open_database(url), lambda: build(loaded, FixedClock(None))):
        with pytest.raises(InputError) as caught:
            open_it()

        assert said in str(caught.value)
        assert "canary" not in str(caught.value)
        assert "ary@" not in str(caught.value)
