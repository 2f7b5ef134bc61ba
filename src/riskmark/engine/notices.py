"""Notices: what an event says, to whom, and the attempts at sending it.

Sending is at least once. Who dies between the receiver's answer and the note of it lets
the notice be sent again, under the same id; nobody waits for it to be sent exactly once,
because nobody can. Sending never decides how a run ended.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection

from riskmark import logs
from riskmark.domain.notify_settings import Channel, NoticeEvent
from riskmark.domain.secrets import without_secrets
from riskmark.engine.channels import Letter, NotDelivered, Send, post_webhook, send_email
from riskmark.errors import SettingsError, UnknownRun
from riskmark.reports.documents import instant_text, to_json
from riskmark.reports.runs import find_run
from riskmark.reports.status import Status
from riskmark.settings import Settings
from riskmark.storage import outbox
from riskmark.storage.books import LOCAL_OPERATOR
from riskmark.storage.engines import DATABASE_FAULTS, Database, fault_words
from riskmark.storage.outbox import Event, Notice

MOST_NAMED = 50
"""Portfolios that a notice names; the rest are counted."""
MOST_AT_ONCE = 20
"""Notices that one call sends at most, so that it comes to an end."""
POLL_S = 2.0
"""Seconds between two looks into the outbox."""
LONGEST_PAUSE_S = 30.0
"""Between two looks into a database that cannot be reached."""
_LAST_WORD_S = 1.0
_ERROR_CHARS = 300
_WORDS = {
    NoticeEvent.RUN_SUCCEEDED: "run succeeded",
    NoticeEvent.RUN_PARTIAL: "run ended with partial or failed sessions",
    NoticeEvent.RUN_FAILED: "run failed",
    NoticeEvent.RUN_CANCELLED: "run cancelled",
    NoticeEvent.PORTFOLIO_BEHIND: "portfolios are behind",
}


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of the notices that were due."""

    sent: int = 0
    failed: int = 0


def send_due(database: Database, settings: Settings, *, most: int = MOST_AT_ONCE) -> Sent:
    """Address what happened and send what is due, each notice once at most.

    A receiver that does not answer fails its own notice and no other.
    """
    with database.read() as connection:
        if not outbox.has_work(connection):
            return Sent()
    with database.write("outbox.address") as connection:
        _address(connection, settings)
    done = Sent()
    for _ in range(most):
        with database.write("outbox.take") as connection:
            notice = outbox.take_notice(connection)
        if notice is None:
            break
        done = _attempt(database, settings, notice, done)
    return done


def send_if_possible(database: Database, settings: Settings, *, most: int = 5) -> None:
    """Send what is due, at the end of other work that must not fail for it."""
    try:
        send_due(database, settings, most=most)
    except DATABASE_FAULTS as error:
        logs.warning("notices not sent", error=fault_words(error))


@contextmanager
def notified(database: Database, settings: Settings) -> Iterator[None]:
    """Send what is due when the block is done, also if it failed.

    Not if it was interrupted: whoever stops a process waits for its end, and what it did not
    send the next one sends.
    """
    try:
        yield
    except Exception:
        send_if_possible(database, settings)
        raise
    send_if_possible(database, settings)


class Postman:
    """Sends what is due from a thread of its own while its ``with`` block runs.

    A receiver that keeps it waiting keeps nobody else waiting, and at the end of the block
    it is not waited for longer than a moment: what it had in hand is sent again by the next.
    """

    def __init__(self, database: Database, settings: Settings, *, poll_s: float = POLL_S) -> None:
        self._database = database
        self._settings = settings
        self._poll_s = self._pause_s = poll_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._go, name="postman", daemon=True)

    def __enter__(self) -> Self:
        """Start the thread."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the thread."""
        self._stopped.set()
        self._thread.join(_LAST_WORD_S)

    def _go(self) -> None:
        while not self._stopped.is_set():
            self._stopped.wait(self._look())

    def _look(self) -> float:
        """Send what is due; return the seconds until the next look."""
        try:
            send_due(self._database, self._settings)
        except DATABASE_FAULTS as error:
            if self._pause_s == self._poll_s:
                logs.warning("notices cannot be sent; trying again", error=fault_words(error))
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        else:
            if self._pause_s != self._poll_s:
                logs.info("notices can be sent again")
            self._pause_s = self._poll_s
        return self._pause_s


def note_behind(connection: Connection, found: Status, *, subject: str) -> int:
    """Note the portfolios that are behind, if any, in one event; return how many are."""
    behind = [one for one in found.portfolios if one.missing or one.stale]
    if behind:
        content = {
            "target": found.target.isoformat(),
            "count": len(behind),
            "portfolios": [
                {
                    "id": one.portfolio_id,
                    "name": one.name,
                    "valued_through": one.valued_through and one.valued_through.isoformat(),
                    "missing": one.missing,
                    "stale": one.stale,
                }
                for one in behind[:MOST_NAMED]
            ],
        }
        outbox.note_event(connection, NoticeEvent.PORTFOLIO_BEHIND, subject, content)
    return len(behind)


def _address(connection: Connection, settings: Settings) -> None:
    outbox.drop_old_events(connection)
    for event in outbox.unaddressed(connection):
        channels = settings.notify.channels(event.kind)
        content = _content(connection, settings, event) if channels else {}
        outbox.address(connection, event, channels, content)


def _content(connection: Connection, settings: Settings, event: Event) -> dict[str, Any]:
    if event.kind is NoticeEvent.PORTFOLIO_BEHIND:
        return event.content
    try:
        run = find_run(connection, LOCAL_OPERATOR, event.subject).document()
    except UnknownRun:  # its row is no longer kept
        return {"run": {"id": event.subject}}
    if isinstance(run["scope"], list):
        run["scope"] = {"portfolios": len(run["scope"])}
    if run["error"]:
        run["error"] = without_secrets(run["error"], settings.secrets)[:_ERROR_CHARS]
    content: dict[str, Any] = json.loads(to_json({"run": run}))
    return content


def _attempt(database: Database, settings: Settings, notice: Notice, done: Sent) -> Sent:
    problem = None
    try:
        _sender(settings, notice.channel)(_letter(notice))
    except (NotDelivered, SettingsError) as error:
        problem = str(error)
    with database.write("outbox.mark") as connection:
        if problem is None:
            outbox.mark_sent(connection, notice)
        else:
            outbox.mark_failed(connection, notice, problem)
    told = {"notice": notice.notice_id, "about": notice.kind.value, "channel": notice.channel.value}
    if problem is None:
        logs.info("notice sent", **told)
        return Sent(done.sent + 1, done.failed)
    logs.warning("notice not sent", **told, attempt=notice.attempts, error=problem)
    return Sent(done.sent, done.failed + 1)


def _sender(settings: Settings, channel: Channel) -> Send:
    chosen = settings.notify
    if channel is Channel.WEBHOOK and chosen.webhook.url:
        return partial(post_webhook, chosen.webhook)
    if channel is Channel.EMAIL and chosen.email.host:
        return partial(send_email, chosen.email)
    raise NotDelivered(f"the settings have no {channel.value} any more")


def _letter(notice: Notice) -> Letter:
    document = {
        "id": notice.notice_id,
        "event": notice.kind.value,
        "at": instant_text(notice.created_at),
        **notice.content,
    }
    return Letter(
        notice.notice_id,
        notice.kind.value,
        notice.taken_at,
        to_json(document).encode(),
        f"Riskmark: {_title(notice)}",
        _text(notice),
    )


def _title(notice: Notice) -> str:
    words = _WORDS[notice.kind]
    if notice.kind is NoticeEvent.PORTFOLIO_BEHIND:
        return f"{notice.content['count']:,} {words}, target {notice.content['target']}"
    return f"{words}, target {_run(notice).get('target', 'unknown')}"


def _text(notice: Notice) -> str:
    lines = [f"{_title(notice)}.", ""]
    if notice.kind is NoticeEvent.PORTFOLIO_BEHIND:
        named = notice.content["portfolios"]
        lines += [
            f"{one['name']} ({one['id']}): {one['missing']:,} missing, {one['stale']:,} stale"
            for one in named
        ]
        if notice.content["count"] > len(named):
            lines.append(f"… and {notice.content['count'] - len(named):,} more")
        lines += ["", "riskmark status says why."]
    else:
        run = _run(notice)
        lines += [f"{name}: {_plain(value)}" for name, value in run.items() if value is not None]
        lines += ["", f"riskmark runs show {run['id']} says more."]
    return "\n".join(lines)


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{count:,} {name}" for name, count in value.items())
    return str(value)


def _run(notice: Notice) -> Mapping[str, Any]:
    found: Mapping[str, Any] = notice.content["run"]
    return found
