"""Signing in: who gets a session, who is refused, and how often somebody may try."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from riskmark.access import passwords
from riskmark.access.secrets import digest_of
from riskmark.access.signing_in import (
    IDLE,
    MAX_OF_ADDRESS,
    MAX_TRIES,
    CodeNeeded,
    Credentials,
    SignInRefused,
    TooManyTries,
    change_password,
    knows_password,
    set_password,
    sign_in,
)
from riskmark.domain.accounts import Role
from riskmark.errors import InputError
from riskmark.storage import accounts, audit, web_sessions
from riskmark.storage.audit import Actor
from riskmark.storage.sign_in_tries import WINDOW

AT = datetime(2026, 3, 2, 15, tzinfo=UTC)
ADDRESS, PASSWORD = "ann@example.com", "a horse that reads"
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Hash with the least work that argon2 allows; what is tested does not hang on it."""
    hasher = passwords.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: hasher)
    passwords._nobodys.cache_clear()


@pytest.fixture
def hashes(monkeypatch):
    """Give what the hasher was asked for, in order."""
    asked = []
    hasher = passwords._hasher()

    class Counting:
        def hash(self, password):
            asked.append("hash")
            return hasher.hash(password)

        def verify(self, stored, password):
            asked.append("verify")
            return hasher.verify(stored, password)

        def check_needs_rehash(self, stored):
            return hasher.check_needs_rehash(stored)

    monkeypatch.setattr(passwords, "_hasher", Counting)
    return asked


@pytest.fixture
def ann(database):
    with database.write() as connection:
        account = accounts.create_account(connection, ADDRESS, "Ann", role=Role.OWNER, at=AT)
    set_password(database, account, actor(), new=PASSWORD, at=AT)
    with database.read() as connection:
        return accounts.find_account(connection, ADDRESS)


def actor(address="10.0.0.1"):
    return Actor(None, address, "request-1")


def enter(database, password=PASSWORD, *, email=ADDRESS, code=None, at=AT, machine="10.0.0.1"):
    credentials = Credentials(email, password, code)
    who = actor(machine)
    return sign_in(database, credentials, who, client="a browser", lifetime=12 * HOUR, at=at)


def account_of(database, secret, at=AT):
    digest = digest_of(secret.text)
    with database.write() as connection:
        found = web_sessions.find_session(connection, digest, at=at, idle=IDLE)
        web_sessions.note_session(connection, digest, at=at)
    return None if found is None else found.account_id


def test_the_right_password_opens_a_session_until_it_is_idle_or_old(database, ann):
    found = enter(database, email=" Ann@Example.com ")

    assert account_of(database, found.secret) == ann.account_id
    assert account_of(database, found.secret, AT + HOUR) == ann.account_id
    assert account_of(database, found.secret, AT + HOUR + IDLE) is None
    assert account_of(database, found.secret, AT + 12 * HOUR) is None


@pytest.mark.usefixtures("ann")
def test_sessions_that_are_over_do_not_pile_up(database):
    for day in range(4):
        enter(database, at=AT + timedelta(days=day))

    with database.read() as connection:
        assert len(connection.exec_driver_sql("SELECT * FROM web_session").all()) == 1


@pytest.mark.usefixtures("ann")
def test_only_digests_of_secrets_are_stored(database):
    found = enter(database)

    with database.read() as connection:
        dump = str(
            [
                connection.exec_driver_sql(f"SELECT * FROM {table}").all()
                for table in ("account", "web_session", "audit_entry", "sign_in_try")
            ]
        )
    assert found.secret.text not in dump
    assert PASSWORD not in dump
    assert found.secret.digest in dump


@pytest.mark.usefixtures("ann")
@pytest.mark.parametrize(
    ("email", "password"),
    [(ADDRESS, "another horse that reads"), ("ben@example.com", PASSWORD), (ADDRESS, "")],
)
def test_what_is_wrong_is_not_told(database, email, password):
    with pytest.raises(SignInRefused) as refused:
        enter(database, password, email=email)

    assert str(refused.value) == "the address, the password or the code is wrong"


@pytest.mark.parametrize(
    "typed",
    [
        (ADDRESS, PASSWORD),
        (ADDRESS, "wrong"),
        ("nobody@example.com", PASSWORD),
        ("no address", PASSWORD),
        ("new@example.com", PASSWORD),
    ],
)
@pytest.mark.parametrize("is_enabled", [True, False])
def test_every_try_costs_one_hash_whoever_it_is(database, ann, hashes, typed, *, is_enabled):
    email, password = typed
    with database.write() as connection:
        accounts.create_account(connection, "new@example.com", "New", role=Role.OWNER, at=AT)
        if not is_enabled:
            accounts.set_disabled(connection, ann.account_id, AT)
    passwords._nobodys()
    hashes.clear()

    with suppress(SignInRefused):
        enter(database, password, email=email)

    assert hashes == ["verify"]


def test_beyond_the_limit_nothing_is_hashed_for_anybody(database, ann, hashes):
    for email in (ann.email, "nobody@example.com"):
        for _ in range(MAX_TRIES):
            with pytest.raises(SignInRefused):
                enter(database, "wrong", email=email, machine=f"machine of {email}")
        hashes.clear()

        for _ in range(5):
            with pytest.raises(TooManyTries):
                enter(database, "wrong", email=email, machine=f"machine of {email}")

        assert hashes == []


def test_an_id_is_no_address_and_a_disabled_account_no_account(database, ann):
    with pytest.raises(SignInRefused):
        enter(database, email=ann.account_id)
    with database.write() as connection:
        accounts.set_disabled(connection, ann.account_id, AT)

    with pytest.raises(SignInRefused):
        enter(database)


@pytest.mark.usefixtures("ann")
def test_the_eleventh_try_is_refused_before_a_password_is_hashed(database, monkeypatch):
    for _ in range(MAX_TRIES):
        with pytest.raises(SignInRefused):
            enter(database, "wrong")
    monkeypatch.setattr(passwords, "is_password", None)

    with pytest.raises(TooManyTries):
        enter(database)


def test_a_limit_ends_by_itself_and_a_success_is_no_failure(database, ann):
    for _ in range(MAX_TRIES):
        with pytest.raises(SignInRefused):
            enter(database, "wrong")

    for _ in range(MAX_TRIES + 5):
        assert enter(database, at=AT + WINDOW).account == ann


def test_a_stranger_locks_nobody_out(database, ann):
    for number in range(MAX_OF_ADDRESS - 1):
        with pytest.raises((SignInRefused, TooManyTries)):
            enter(database, "wrong", machine=f"10.0.1.{number % 9}")

    assert enter(database, machine="192.0.2.7").account == ann


def test_a_second_factor_is_asked_for_and_each_code_serves_once(database, ann):
    secret = pyotp.random_base32()
    with database.write() as connection:
        accounts.set_totp_secret(connection, ann.account_id, secret)
    code = pyotp.TOTP(secret).at(AT)

    with pytest.raises(CodeNeeded):
        enter(database)
    with pytest.raises(SignInRefused):
        enter(database, code="000000" if code != "000000" else "111111")
    enter(database, code=code)
    with pytest.raises(SignInRefused):
        enter(database, code=code)

    assert enter(database, code=pyotp.TOTP(secret).at(AT + timedelta(seconds=30)))


def test_a_new_password_ends_every_other_session(database, ann):
    mine, other = enter(database).secret, enter(database).secret

    change_password(
        database,
        ann,
        actor(),
        old=PASSWORD,
        new="a goat that sings",
        keep=mine.digest,
        at=AT,
    )

    assert account_of(database, mine) == ann.account_id
    assert account_of(database, other) is None
    with pytest.raises(SignInRefused):
        enter(database)
    assert enter(database, "a goat that sings")


@pytest.mark.parametrize("new", ["short", "aaaaaaaaaaaaaaaaaa", "x" * 1025, "ann and a horse"])
def test_a_password_that_is_easy_to_guess_or_endless_is_refused(database, ann, new):
    with pytest.raises(InputError, match="password") as refused:
        set_password(database, ann, actor(), new=new, at=AT)

    assert new not in str(refused.value)


def test_the_log_tells_who_came_and_who_failed(database, ann):
    enter(database)
    with pytest.raises(SignInRefused):
        enter(database, "wrong")

    with database.read() as connection:
        entries = audit.list_entries(connection)
    assert [one.action for one in entries] == ["sign_in_refused", "sign_in", "set_password"]
    assert entries[1].account_id == ann.account_id
    assert entries[0].account_id is None


def test_whoever_is_signed_in_cannot_guess_the_password_either(database, ann):
    for _ in range(MAX_TRIES):
        assert not knows_password(database, ann, "a guess", at=AT)

    with pytest.raises(TooManyTries):
        knows_password(database, ann, PASSWORD, at=AT)

    assert knows_password(database, ann, PASSWORD, at=AT + WINDOW)
    assert enter(database).account == ann, "signing in is counted apart"
