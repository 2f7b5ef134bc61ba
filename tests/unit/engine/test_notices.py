"""Notices: written with what they tell, sent after it, at least once and under one id."""

import base64
import email
import hashlib
import hmac
import io
import json
import os
import signal
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import event, text
from tests.receivers import mail_receiver, webhook_receiver

from riskmark import logs
from riskmark.domain.notify_settings import Channel, NoticeEvent
from riskmark.domain.reasons import PortfolioState, RunStatus, Source
from riskmark.domain.runs import RunRequest
from riskmark.engine import notices
from riskmark.engine.channels import signature
from riskmark.engine.notices import Postman, Sent, notified, send_due, send_if_possible
from riskmark.reports.status import PortfolioStatus, Status
from riskmark.settings import load_settings
from riskmark.storage import outbox, runs
from riskmark.storage.engines import open_database
from riskmark.storage.outbox import MAX_ATTEMPTS, Backlog

AT = datetime(2026, 3, 2, 22, tzinfo=UTC)
REQUEST = RunRequest(source=Source.CLI, requested_by="local", target=date(2026, 3, 2))
SECRET = "signing-canary-42"  # noqa: S105 - a made-up one
BEHIND = Status(
    date(2026, 3, 2),
    (
        PortfolioStatus("p1", "Growth", None, None, 3, 1, 0, 0, PortfolioState.BEHIND),
        PortfolioStatus("p2", "Fine", None, None, 0, 0, 0, 0, PortfolioState.CURRENT),
    ),
)


@pytest.fixture
def hook():
    with webhook_receiver() as inbox:
        yield inbox


@pytest.fixture
def mail():
    with mail_receiver() as inbox:
        yield inbox


def settings_for(hook=None, mail=None, **more):
    variables = {}
    if hook is not None:
        variables |= {"WEBHOOK__URL": hook.url, "WEBHOOK__SECRET": SECRET}
    if mail is not None:
        variables |= {
            "EMAIL__HOST": "127.0.0.1",
            "EMAIL__PORT": str(mail.port),
            "EMAIL__TLS": "none",
            "EMAIL__SENDER": "riskmark@example.org",
            "EMAIL__RECIPIENTS": "desk@example.org,night@example.org",
        }
    variables |= more
    environment = {f"RISKMARK_NOTIFY__{name}": value for name, value in variables.items()}
    return load_settings(None, environment).settings


def end_a_run(database, status=RunStatus.FAILED, error=None):
    with database.write() as connection:
        run_id = runs.create_run(connection, REQUEST, at=AT)
        runs.end_run(connection, run_id, 0, status, error=error)
    return run_id


def end_a_run_and_break(database):
    with database.write() as connection:
        run_id = runs.create_run(connection, REQUEST, at=AT)
        runs.end_run(connection, run_id, 0, RunStatus.FAILED)
        raise OSError("the power went")


def notices_in(database):
    with database.read() as connection:
        return outbox.list_notices(connection, most=50, every_status=True)


def backlog(database):
    with database.read() as connection:
        return outbox.backlog(connection)


def let_time_pass(database):
    with database.write() as connection:
        connection.execute(text("UPDATE outbox SET next_at = '2020-01-01 00:00:00.000000'"))


def test_a_failed_run_is_posted_with_what_it_was_about(database, hook):
    run_id = end_a_run(database, error="DiskFull: no room")

    done = send_due(database, settings_for(hook))

    ((headers, body),) = hook.posts
    told = json.loads(body)
    assert done == Sent(sent=1)
    assert told["event"] == headers["riskmark-event"] == "run_failed"
    assert told["run"]["id"] == run_id
    assert told["run"]["error"] == "DiskFull: no room"
    assert told["id"] == headers["idempotency-key"] == headers["webhook-id"]


def test_what_is_posted_is_signed(database, hook):
    end_a_run(database)

    send_due(database, settings_for(hook))

    ((headers, body),) = hook.posts
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    assert abs(int(headers["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 60


def test_a_secret_in_base64_signs_by_its_bytes():
    plain = signature("key", "id", "1", b"{}")

    assert signature("whsec_a2V5", "id", "1", b"{}") == plain


def test_without_a_secret_nothing_is_signed(database, hook):
    end_a_run(database)

    send_due(database, settings_for(hook, WEBHOOK__SECRET=""))

    assert "webhook-signature" not in hook.posts[0][0]


def test_a_notice_goes_by_mail_to_everybody(database, mail):
    run_id = end_a_run(database)

    done = send_due(database, settings_for(mail=mail))

    letter = email.message_from_bytes(mail.mails[0])
    assert done == Sent(sent=1)
    assert letter["Subject"] == "Riskmark: run failed, target 2026-03-02"
    assert letter["To"] == "desk@example.org, night@example.org"
    assert letter["Message-ID"] == f"<{letter['Idempotency-Key']}@riskmark.invalid>"
    assert f"riskmark runs show {run_id}" in letter.get_payload()


def test_only_the_events_that_were_asked_for_are_told(database, hook):
    settings = settings_for(hook, WEBHOOK__EVENTS="run_succeeded")
    for status in (RunStatus.FAILED, RunStatus.SUCCEEDED, RunStatus.CANCELLED):
        end_a_run(database, status)

    send_due(database, settings)

    assert [json.loads(body)["event"] for _, body in hook.posts] == ["run_succeeded"]
    assert backlog(database) == Backlog(0, 0)


def test_where_nobody_wants_to_hear_nothing_is_kept(database):
    end_a_run(database)

    assert send_due(database, settings_for()) == Sent()
    assert backlog(database) == Backlog(0, 0)


def test_an_end_that_is_not_committed_is_not_told(database, hook):
    with pytest.raises(OSError, match="power"):
        end_a_run_and_break(database)

    assert send_due(database, settings_for(hook)) == Sent()
    assert hook.posts == []


def test_what_was_committed_before_a_crash_is_sent_by_the_next(database, hook):
    end_a_run(database)
    url = database.engine.url.render_as_string(hide_password=False)

    other = open_database(url)
    done = send_due(other, settings_for(hook))
    other.close()

    assert done == Sent(sent=1)
    assert send_due(database, settings_for(hook)) == Sent()
    assert len(hook.posts) == 1


def test_a_crash_before_the_note_of_it_sends_again_under_the_same_id(database, hook):
    end_a_run(database)
    settings = settings_for(hook)
    url = database.engine.url.render_as_string(hide_password=False)
    database.close()
    child = os.fork()
    if child == 0:
        # Whoever receives the notice stops the sender before it hears of it.
        hook.received = lambda: None
        send_due(open_database(url), settings)
        os._exit(0)
    hook.received = lambda: os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    hook.received = lambda: None

    (before,) = notices_in(database)
    soon = send_due(database, settings)
    let_time_pass(database)
    later = send_due(database, settings)

    assert os.WTERMSIG(status) == signal.SIGKILL
    assert (before.status, before.attempts) == ("waiting", 1)
    assert (soon, later) == (Sent(), Sent(sent=1))
    first, second = (headers["idempotency-key"] for headers, _ in hook.posts)
    assert first == second


@pytest.mark.parametrize("status", [302, 400, 410, 500])
def test_what_is_refused_is_tried_again_later(database, hook, status):
    hook.statuses.append(status)
    end_a_run(database)

    first = send_due(database, settings_for(hook))
    at_once = send_due(database, settings_for(hook))
    let_time_pass(database)
    later = send_due(database, settings_for(hook))

    assert (first, at_once, later) == (Sent(failed=1), Sent(), Sent(sent=1))
    assert len(hook.posts) == 2


def test_attempts_come_further_and_further_apart_and_end(database, hook):
    hook.statuses += [500] * MAX_ATTEMPTS
    end_a_run(database)
    waits = []

    for _ in range(MAX_ATTEMPTS):
        send_due(database, settings_for(hook))
        (one,) = notices_in(database)
        waits.append(one.next_at)
        let_time_pass(database)
    last = send_due(database, settings_for(hook))

    assert waits[:-1] == sorted(waits[:-1])
    assert (last, len(hook.posts)) == (Sent(), MAX_ATTEMPTS)
    assert (one.status, one.error) == ("given_up", f"http://127.0.0.1:{hook.port}/*** answered 500")


def test_a_notice_whose_senders_all_died_is_given_up(database, hook):
    end_a_run(database)
    send_due(database, settings_for(hook, WEBHOOK__URL="http://127.0.0.1:9/"))
    with database.write() as connection:
        connection.execute(text(f"UPDATE outbox SET attempts = {MAX_ATTEMPTS}"))
    let_time_pass(database)

    assert send_due(database, settings_for(hook)) == Sent()
    assert notices_in(database)[0].status == "given_up"


def test_a_channel_that_fails_holds_up_no_other(database, hook, mail):
    hook.statuses.append(503)
    end_a_run(database)

    done = send_due(database, settings_for(hook, mail))

    assert done == Sent(sent=1, failed=1)
    assert {one.channel: one.status for one in notices_in(database)} == {
        Channel.WEBHOOK: "waiting",
        Channel.EMAIL: "sent",
    }


def test_a_mail_that_is_refused_says_the_code_alone(database, mail):
    mail.statuses.append(554)
    end_a_run(database)

    send_due(database, settings_for(mail=mail))

    assert notices_in(database)[0].error == f"127.0.0.1:{mail.port}: SMTPDataError 554"


def test_nobody_there_is_a_failure_like_another(database):
    settings = load_settings(
        None,
        {
            "RISKMARK_NOTIFY__WEBHOOK__URL": "http://127.0.0.1:9/x",
            "RISKMARK_NOTIFY__EMAIL__HOST": "127.0.0.1",
            "RISKMARK_NOTIFY__EMAIL__PORT": "9",
            "RISKMARK_NOTIFY__EMAIL__SENDER": "a@example.org",
            "RISKMARK_NOTIFY__EMAIL__RECIPIENTS": "b@example.org",
        },
    ).settings
    end_a_run(database)

    assert send_due(database, settings) == Sent(failed=2)


def test_portfolios_behind_are_told_once_a_firing(database, hook):
    for _ in range(2):
        with database.write() as connection:
            assert notices.note_behind(connection, BEHIND, subject="nightly 1") == 1
    send_due(database, settings_for(hook))
    with database.write() as connection:
        notices.note_behind(connection, BEHIND, subject="nightly 1")

    send_due(database, settings_for(hook))

    ((_, body),) = hook.posts
    told = json.loads(body)
    assert told["event"] == NoticeEvent.PORTFOLIO_BEHIND
    assert (told["count"], told["target"]) == (1, "2026-03-02")
    assert [one["name"] for one in told["portfolios"]] == ["Growth"]


def test_where_none_is_behind_nothing_is_noted(database):
    fine = replace(BEHIND, portfolios=BEHIND.portfolios[1:])

    with database.write() as connection:
        assert notices.note_behind(connection, fine, subject="nightly 1") == 0

    assert send_due(database, settings_for()) == Sent()


def test_a_name_cannot_write_a_header_of_a_mail(database, mail):
    evil = replace(BEHIND.portfolios[0], name="x\r\nBcc: spy@example.org\r\n\r\n.")
    with database.write() as connection:
        notices.note_behind(connection, replace(BEHIND, portfolios=(evil,)), subject="n")

    send_due(database, settings_for(mail=mail))

    letter = email.message_from_bytes(mail.mails[0])
    assert letter["Bcc"] is None


def test_the_postman_sends_what_comes_while_he_is_there(database, hook):
    seen = []
    with Postman(database, settings_for(hook), poll_s=0.01) as postman:
        end_a_run(database)
        for _ in range(1_000):
            seen = hook.posts
            if seen:
                break
            postman._stopped.wait(0.01)

    assert len(seen) == 1
    assert not postman._thread.is_alive()


def test_a_database_that_is_away_ends_no_other_work(database, hook):
    end_a_run(database)
    engine = database.engine

    def fail(*_):
        raise engine.dialect.dbapi.OperationalError("the server is away")

    event.listen(engine, "before_cursor_execute", fail)
    send_if_possible(database, settings_for(hook))
    event.remove(engine, "before_cursor_execute", fail)

    assert hook.posts == []
    assert send_due(database, settings_for(hook)) == Sent(sent=1)


def test_what_was_given_up_can_be_tried_again(database, hook):
    end_a_run(database)
    send_due(database, settings_for(hook, WEBHOOK__URL="http://127.0.0.1:9/"))
    with database.write() as connection:
        connection.execute(text("UPDATE outbox SET status = 'given_up'"))
        assert outbox.retry_notices(connection, None) == 1

    assert send_due(database, settings_for(hook)) == Sent(sent=1)


def test_a_password_is_never_sent_where_nothing_is_encrypted(database, mail):
    settings = settings_for(
        mail=mail, EMAIL__TLS="starttls", EMAIL__USER="desk", EMAIL__PASSWORD=SECRET
    )
    end_a_run(database)

    done = send_due(database, settings)

    assert done == Sent(failed=1)
    assert (mail.logins, mail.mails) == ([], [])
    assert notices_in(database)[0].error.endswith("SMTPNotSupportedError")


def test_events_that_nobody_addressed_for_days_are_dropped_and_what_was_sent_stays(database, hook):
    end_a_run(database, RunStatus.FAILED)
    send_due(database, settings_for(hook))
    end_a_run(database, RunStatus.FAILED)
    with database.write() as connection:
        for column in ("created_at", "sent_at"):
            connection.execute(text(f"UPDATE outbox SET {column} = '2020-01-01 00:00:00.000000'"))
        connection.execute(text("UPDATE outbox SET sent_at = NULL WHERE status = 'waiting'"))

    done = send_due(database, settings_for(hook))

    assert (done, [one.status for one in notices_in(database)]) == (Sent(), ["sent"])
    assert len(hook.posts) == 1


@pytest.mark.parametrize(("error", "sent"), [(OSError, 1), (KeyboardInterrupt, 0)])
def test_what_ended_is_told_unless_somebody_waits_for_the_process(database, hook, error, sent):
    with pytest.raises(error), notified(database, settings_for(hook)):
        end_and_raise(database, error)

    assert len(hook.posts) == sent
    assert send_due(database, settings_for(hook)) == Sent(sent=1 - sent)


def end_and_raise(database, error):
    end_a_run(database)
    raise error


def test_a_postman_without_a_database_waits_longer_each_time_and_says_so_once(database, hook):
    end_a_run(database)
    engine, said = database.engine, io.StringIO()
    postman = Postman(database, settings_for(hook))
    failures = iter(range(6))

    def fail(*_):
        for _ in failures:
            raise engine.dialect.dbapi.OperationalError("the server is away")

    logs.open_logs(said, as_json=True, level="info")
    event.listen(engine, "before_cursor_execute", fail)
    try:
        pauses = [postman._look() for _ in range(8)]
    finally:
        event.remove(engine, "before_cursor_execute", fail)
        logs.close_logs()

    assert pauses == [4.0, 8.0, 16.0, 30.0, 30.0, 30.0, 2.0, 2.0]
    told = [json.loads(line) for line in said.getvalue().splitlines()]
    assert [one["event"] for one in told] == [
        "notices cannot be sent; trying again", "notice sent", "notices can be sent again",
    ]  # fmt: skip
    assert "the server is away" in told[0]["error"]
