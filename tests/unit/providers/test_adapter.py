"""What adapters have in common: clients may fail in any way."""

import pytest
from tests.faults.quota import FastTime

from riskmark.domain.reasons import AnswerReason
from riskmark.providers.adapter import Caught, catch_reply
from riskmark.providers.limits import Interruptible
from riskmark.providers.outcomes import Stopped
from riskmark.providers.replies import Reply


def failing(error):
    def ask():
        raise error

    return ask


def test_the_reply_that_was_caught_is_returned():
    reply = Reply(200, {}, b"{}")

    assert catch_reply(failing(Caught(reply))) is reply


@pytest.mark.parametrize("error", [KeyError("x"), NameError("y"), RecursionError()], ids=repr)
def test_a_client_that_fails_is_named_with_its_error(error):
    with pytest.raises(Stopped) as stopped:
        catch_reply(failing(error))

    assert stopped.value.outcome.reason is AnswerReason.BAD_PAYLOAD
    assert type(error).__name__ in stopped.value.outcome.detail


def test_a_client_that_asks_for_nothing_is_named():
    with pytest.raises(Stopped) as stopped:
        catch_reply(lambda: None)

    assert "no request" in stopped.value.outcome.detail


def test_waiting_ends_when_the_run_is_to_stop():
    clock = FastTime()
    checks = iter([None, None, KeyboardInterrupt()])

    def check():
        if (raised := next(checks)) is not None:
            raise raised

    with pytest.raises(KeyboardInterrupt):
        Interruptible(clock, check).sleep(60.0)

    assert clock.ahead == 2.0
