"""Problems: every error has a status and a code, and what is our fault tells nothing of itself."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

import riskmark.api.application  # noqa: F401 - with it come all modules that define errors
from riskmark.api.problems import STATUS, add_problems, code_of, status_of
from riskmark.errors import InputError, ProviderError, RiskmarkError, StoreError

SECRET = "the-password-of-the-database"  # noqa: S105 - a canary
CALLERS = range(400, 500)


def kinds(base):
    """Return ``base`` and every class below it."""
    return [base, *(one for child in base.__subclasses__() for one in kinds(child))]


@pytest.mark.parametrize("kind", kinds(InputError), ids=lambda kind: kind.__name__)
def test_an_error_of_the_callers_has_a_status_of_the_callers(kind):
    error = kind.__new__(kind)

    assert int(status_of(error)) in CALLERS
    assert code_of(error).replace("_", "").isalpha()
    if kind.__name__.startswith("Unknown") and kind.__name__ != "UnknownMeasure":
        assert kind in STATUS, "what does not exist is not found: add it to the table"


def test_codes_tell_errors_apart():
    found = kinds(RiskmarkError)

    codes = {code_of(kind.__new__(kind)) for kind in found}

    assert len(codes) == len({kind.__name__ for kind in found})


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InputError("no"), 422, "input_error"),
        (ProviderError("no"), 502, "provider_error"),
        (StoreError("no"), 503, "store_error"),
        (OperationalError(SECRET, {}, Exception(SECRET)), 503, "database_busy"),
        (ValueError(SECRET), 500, "internal"),
    ],
)
def test_what_goes_wrong_leaves_as_a_problem(error, status, code):
    api = FastAPI()
    add_problems(api)

    @api.get("/")
    def fail():
        raise error

    reply = TestClient(api, raise_server_exceptions=False).get("/")

    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["code"] == code
    assert SECRET not in reply.text
