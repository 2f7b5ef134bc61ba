"""Structs have the fields that the API says its answers have, and importing them costs little."""

import subprocess
import sys
from enum import Enum

import msgspec
import pytest

from riskmark.api import signing_in
from riskmark.api.models import answers, books, common, people, runs, snapshot
from riskmark.client import documents

PAIRS = [
    (documents.Me, signing_in.Me),
    (documents.Token, signing_in.Token),
    (documents.FreshToken, signing_in.FreshToken),
    (documents.Issue, common.Issue),
    (documents.Head, common.Head),
    (documents.Member, books.Member),
    (documents.Portfolio, books.Portfolio),
    (documents.PortfolioPage, books.Portfolios),
    (documents.PortfolioLine, people.PortfolioLine),
    (documents.Status, people.Status),
    (documents.Created, books.Created),
    (documents.Combined, books.Combined),
    (documents.Deleted, books.Deleted),
    (documents.Lot, books.Lot),
    (documents.Flow, books.Flow),
    (documents.Grant, books.Grant),
    (documents.User, people.User),
    (documents.Invited, people.Invited),
    (documents.Submitted, books.Submitted),
    (documents.Cancelled, people.Cancelled),
    (documents.Cells, runs.Cells),
    (documents.SymbolCounts, runs.Symbols),
    (documents.RunLine, runs.RunLine),
    (documents.Run, runs.Run),
    (documents.Snapshot, snapshot.Snapshot),
    (documents.Explanation, answers.Explanation),
    (documents.Attribution, answers.Attribution),
    (documents.WhatIf, answers.WhatIf),
]
NOT_IN_THE_DESCRIPTION = {documents.LogLine, documents.RunEnd}
"""Events of a stream: the acceptance tests read them."""


@pytest.mark.parametrize(("struct", "model"), PAIRS, ids=lambda one: one.__name__)
def test_a_struct_has_the_fields_of_its_model(struct, model):
    own = {one.encode_name for one in msgspec.structs.fields(struct)}

    described = {one.alias or name for name, one in model.model_fields.items()}

    assert own == described


@pytest.mark.parametrize(("struct", "model"), PAIRS, ids=lambda one: one.__name__)
def test_a_field_that_may_be_null_there_may_be_none_here(struct, model):
    own = {one.encode_name: one.type for one in msgspec.structs.fields(struct)}

    for name, one in model.model_fields.items():
        allows = type(None) in getattr(one.annotation, "__args__", ())
        assert (type(None) in getattr(own[one.alias or name], "__args__", ())) == allows, name


def test_every_struct_is_compared():
    every = {
        one
        for one in vars(documents).values()
        if isinstance(one, type) and issubclass(one, msgspec.Struct) and not issubclass(one, Enum)
    }

    assert every == {struct for struct, _ in PAIRS} | NOT_IN_THE_DESCRIPTION


def test_what_a_newer_server_adds_is_passed_over():
    content = b'{"run": "r", "joined": true, "colour": "green"}'

    assert msgspec.json.decode(content, type=documents.Submitted).joined


def test_the_client_imports_nothing_of_the_server():
    heavy = "numpy", "polars", "scipy", "sqlalchemy", "fastapi", "pydantic", "starlette", "uvicorn"
    code = f"import riskmark.client, sys; print([m for m in {heavy} if m in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
