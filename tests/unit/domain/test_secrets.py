"""Secrets: what is one, and that it is found wherever it stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmark.domain.secrets import (
    masked,
    masked_database_url,
    masked_url,
    secrets_in,
    without_login,
    without_secrets,
)

WEBHOOK = "https://chat.example.org/hooks/T0/B1?key=abcd"


def test_a_webhooks_address_shows_its_server_alone():
    assert masked_url(WEBHOOK) == "https://chat.example.org/***"
    assert masked("notify.webhook.url", WEBHOOK) == "https://chat.example.org/***"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("notify.webhook.secret", "***"),
        ("notify.email.password", "***"),
        ("providers.fmp.api_key", "***"),
        ("notify.email.host", "word"),
        ("providers.fmp.base_url", "word"),
    ],
)
def test_secrets_are_known_by_their_names(name, shown):
    assert masked(name, "word") == shown


@pytest.mark.parametrize(
    ("url", "shown", "secrets"),
    [
        ("http://me:pass-word@proxy:8080/a", "http://me:***@proxy:8080/a", ("pass-word",)),
        ("http://a-token@proxy/", "http://***@proxy/", ("a-token",)),
        ("http://proxy:8080/a", "http://proxy:8080/a", ()),
    ],
)
def test_the_login_in_the_address_of_a_proxy_is_a_secret(url, shown, secrets):
    assert masked("providers.fmp.base_url", url) == shown
    assert secrets_in({"providers": {"fmp": {"base_url": url}}}) == secrets


@pytest.mark.parametrize(
    ("text", "shown"), [("me:pass@proxy", "me:***@proxy"), ("ftp://me:p@ss@x", "ftp://me:***@x")]
)
def test_a_login_is_masked_in_what_is_no_address_too(text, shown):
    assert without_login(text) == shown


@pytest.mark.parametrize("name", ["notify.webhook.url", "notify.webhook.secret"])
def test_what_is_not_set_is_shown_as_that(name):
    assert masked(name, "") == ""


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:CANARY@host:5432/x", "postgresql://me:***@host:5432/x"),
        ("postgresql://me:CAN/RY?@host/x?a=1", "postgresql://me:***@host/x?a=1"),
        ("postgresql://me@host/x?password=CANARY", "postgresql://me@host/x?password=***"),
        (
            "postgresql://me:CANARY@h/x?sslmode=require&sslpassword=CANARY&a=1",
            "postgresql://me:***@h/x?sslmode=require&sslpassword=***&a=1",
        ),
        ("postgresql:///x?pass%77ord=CANARY&host=/run", "postgresql:///x?pass%77ord=***&host=/run"),
        ("sqlite:////var/lib/risk/mark.db", "sqlite:////var/lib/risk/mark.db"),
        ("postgresql://host:5432/x", "postgresql://host:5432/x"),
    ],
)
def test_no_password_of_a_databases_address_is_shown(url, shown):
    assert masked_database_url(url) == shown
    assert masked("database_url", url) == shown


def test_a_password_in_a_query_is_found_in_both_spellings():
    settings = {"database_url": "postgresql://me@h/x?password=a%2Bcanary&sslpassword=other"}

    assert secrets_in(settings) == ("a%2Bcanary", "a+canary", "other")


def test_every_secret_of_the_settings_is_found():
    settings = {
        "database_url": "postgresql://me:db-password@host/riskmark",
        "notify": {
            "webhook": {"url": WEBHOOK, "secret": "signing", "secret_file": "/etc/secret"},
            "email": {"user": "me", "password": "mail-password"},
        },
        "providers": {"fmp": {"api_key": "fmp-key"}, "massive": {"api_key": ""}},
    }

    found = secrets_in(settings)

    assert set(found) == {
        "db-password", WEBHOOK, "hooks/T0/B1", "key=abcd", "signing", "mail-password", "fmp-key",
    }  # fmt: skip
    assert list(found) == sorted(found, key=lambda one: (-len(one), one))


@given(
    st.lists(st.text(alphabet="abcdef123", min_size=4, max_size=12), min_size=1, max_size=4),
    st.text(alphabet="abc *", max_size=5),
)
def test_no_text_keeps_a_secret(secrets, between):
    known = secrets_in({"notify": {f"secret{n}": value for n, value in enumerate(secrets)}})
    text = between.join(secrets)

    shown = without_secrets(text, known)

    assert all(secret not in shown for secret in secrets)
