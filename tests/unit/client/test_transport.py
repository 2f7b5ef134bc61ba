"""What is asked again and what is not, and how an answer that is a problem is told."""

import json
import socket
from contextlib import ExitStack

import pytest
from tests.unit.client.scripted import BREAK, answer, scripted

from riskmark.client import ApiError, Client, FieldError
from riskmark.client.transport import LONGEST_PAUSE_S, Limits, at

TOKEN = "rmt_secret"  # noqa: S105 - of nobody
LOTS = b"[]"
BUSY = answer(503, b'{"code": "database_busy", "detail": "try again"}')


@pytest.fixture
def pauses():
    """Give a list of the pauses that would have been made."""
    return []


@pytest.fixture
def ask(pauses):
    """Give clients that wait for nothing."""
    with ExitStack() as opened:
        yield lambda url, **how: opened.enter_context(
            Client(url, token=TOKEN, pause=pauses.append, **how)
        )


def test_reading_is_tried_again_and_changing_is_not(ask, pauses):
    with scripted(BREAK, BUSY, answer(200, LOTS, etag='"a"')) as (url, asked):
        lots = ask(url).portfolio("p").lots()
    with scripted(BREAK) as (url, changed), pytest.raises(ApiError) as refused:
        ask(url).portfolio("p").calculate()

    assert (lots, len(asked), pauses) == ([], 3, [0.5, 1.0])
    assert (refused.value.status, refused.value.code, len(changed)) == (None, "not_reached", 1)
    assert asked[0].startswith("GET /api/v1/portfolios/p/lots HTTP/1.1")
    assert f"authorization: Bearer {TOKEN}" in asked[0]


def test_a_server_may_ask_for_a_pause_but_not_for_any(ask, pauses):
    wait = [answer(503, b"{}", retry_after=seconds) for seconds in ("7", "86400")]
    with scripted(*wait, answer(200, LOTS)) as (url, _):
        ask(url).portfolio("p").lots()

    assert pauses == [7.0, LONGEST_PAUSE_S]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500])
def test_what_another_try_does_not_change_is_told_at_once(ask, status, pauses):
    problem = answer(status, b'{"code": "so", "detail": "it is"}')
    with scripted(problem) as (url, asked), pytest.raises(ApiError, match="so: it") as refused:
        ask(url).me()

    assert (refused.value.status, len(asked), pauses) == (status, 1, [])


def test_every_error_of_every_field_and_row_is_told(ask):
    fields = [{"where": "body.name", "problem": "too long"}]
    rows = [{"code": "POS_006", "row": 2, "column": "Quantity", "value": "0", "expected": "not 0"}]
    problems = [
        answer(422, json.dumps({"code": "c", "detail": "d", "errors": one}).encode())
        for one in (fields, rows, "?")
    ]
    found = []
    with scripted(*problems) as (url, _):
        for _ in problems:
            with pytest.raises(ApiError) as refused:
                ask(url).onboard("growth", "Symbol\n")
            found.append(refused.value.errors)

    assert found == [
        (FieldError("", "body.name", "too long"),),
        (FieldError("POS_006", "row 2 column Quantity", "not 0"),),
        (),
    ]


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (answer(502, b"<html>", kind="text/html"), "http_502"),
        (answer(404, b"[1]"), "http_404"),
        (answer(418, b"{"), "http_418"),
        (answer(302, location="https://evil.example/"), "http_302"),
        (answer(200, b"{}"), "not_understood"),
        (answer(200, b"<html>"), "not_understood"),
    ],
)
def test_an_answer_that_is_none_of_ours_is_an_error_as_well(ask, reply, code):
    tries = 3 if code == "http_502" else 1
    with scripted(*[reply] * tries) as (url, _), pytest.raises(ApiError) as refused:
        ask(url).me()

    assert refused.value.code == code
    assert TOKEN not in str(refused.value)


def test_a_server_that_says_nothing_is_given_up(ask):
    limits = Limits(connect_s=1.0, read_s=0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ApiError) as refused:
            ask(url, limits=limits).portfolio("p").calculate()

    assert (refused.value.status, refused.value.code) == (None, "not_reached")


def test_ids_stay_ids_in_a_path():
    assert at("portfolios", "../admin?x#y z") == "/portfolios/..%2Fadmin%3Fx%23y%20z"


def test_a_session_is_kept_and_left():
    me = {"id": "1", "name": "Ann", "email": "a@b", "role": "owner", "has_totp": True}
    body = json.dumps(me | {"scopes": ["read"]}).encode()
    cookie = "__Host-riskmark=rms_1; Path=/; Secure; HttpOnly"
    opened = answer(201, body, set_cookie=cookie)
    answers = (opened, answer(200, body), answer(204), answer(200, body))
    with scripted(*answers) as (url, asked), Client(url, token=TOKEN) as client:
        entered = client.sign_in("a@b", "a word", code="123456")
        client.me()
        client.sign_out()
        client.me()

    assert entered.has_totp
    assert ["cookie: __host-riskmark=rms_1" in one.lower() for one in asked] == [
        False,
        True,
        True,
        False,
    ]
    assert [TOKEN in one for one in asked] == [True, False, False, False]
