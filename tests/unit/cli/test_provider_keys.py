"""No key is ever shown: not in a log, an error, an outcome, a table or a stored row."""

import json
import logging
from urllib.parse import quote

import pytest
from tests.acceptance.world import FIRST, LAST
from tests.faults.provider_faults import Fault, Raw
from tests.faults.quotes import small_market
from tests.faults.server import ProviderServer

from riskmark.storage.provider_limits import ProviderLimits

KEY = "canary+0f3d/9be1="
SPELLINGS = (KEY, quote(KEY), quote(KEY, safe=""), KEY[:8], quote(KEY, safe="")[:8])
STATUSES = (200, 302, 401, 402, 429, 500)

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def server(riskmark):
    market = small_market(riskmark.world.sessions(FIRST, LAST))
    with ProviderServer(market, now=riskmark.world.app.clock.now()) as server:
        yield server


def repeating(status):
    """Answer with a status, and words in which the provider repeats the key."""
    said = f"bad request: /stable/splits?apikey={quote(KEY, safe='')}&x=1 Bearer {KEY}" * 9
    body = json.dumps({"Error Message": said, "status": "ERROR", "error": said})
    return Fault("the key repeated", reply=Raw(status, body.encode()), target="*")


@pytest.mark.parametrize("is_in_file", [False, True], ids=["setting", "file"])
def test_a_key_that_a_provider_repeats_is_not_repeated(
    is_in_file, riskmark, server, monkeypatch, caplog
):
    for name in (None, "httpx", "httpcore", "massive", "urllib3"):
        caplog.set_level(logging.DEBUG, logger=name)
    monkeypatch.setenv("RISKMARK_PROVIDERS__ORDER", "massive,fmp")
    file = riskmark.file("key", f"{KEY}\n")
    for name in ("MASSIVE", "FMP"):
        field, value = ("_FILE", str(file)) if is_in_file else ("", KEY)
        monkeypatch.setenv(f"RISKMARK_PROVIDERS__{name}__API_KEY{field}", value)
        monkeypatch.setenv(f"RISKMARK_PROVIDERS__{name}__BASE_URL", server.url)
        monkeypatch.setenv(f"RISKMARK_PROVIDERS__{name}__REQUESTS_PER_MINUTE", "0")
    shown = []

    for place, status in enumerate(STATUSES):
        server.play(repeating(status))
        form = ("--json",) if place % 2 else ()
        fetched = riskmark("prices", "fetch", "-s", "AAA", "--from", "2025-12-01", *form)
        state = riskmark("providers", "status", *form)
        shown += [fetched.out, fetched.err, state.out, state.err]
        assert {asked.dialect for asked in server.shop.asked} == {"massive", "fmp"}
        for domain in ("massive", "fmp"):
            ProviderLimits(riskmark.world.app.database).succeeded(domain)
    shown.append(riskmark("config", "show", "--json").out)
    shown += [record.getMessage() for record in caplog.records]
    shown += [str(row) for row in riskmark.world.rows("SELECT * FROM provider_limit")]
    shown += [str(row) for row in riskmark.world.rows("SELECT * FROM provider_symbol")]

    assert any("(key)" in text for text in shown)
    assert not [text[:300] for text in shown for spelling in SPELLINGS if spelling in text]
