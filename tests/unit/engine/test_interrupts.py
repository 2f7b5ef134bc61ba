"""Signals: noted while a run works, raised where it is safe, and never lost."""

import signal
import threading

import pytest

from riskmark.engine.interrupts import Interrupts


class Caught:
    """A handler that counts."""

    def __init__(self):
        self.seen = []

    def __call__(self, number, _frame):
        self.seen.append(number)


@pytest.fixture
def caught():
    """Handle both signals for the time of a test."""
    handler = Caught()
    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    yield handler
    for number, old in before.items():
        signal.signal(number, old)


def work(*signals, error=None):
    """Do what a run does: work, while signals come, and look for them at the end."""
    with Interrupts() as interrupts:
        interrupts.check()
        for number in signals:
            signal.raise_signal(number)
        if error is not None:
            raise error
        interrupts.check()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_takes_effect_at_the_next_check(caught, number):
    with pytest.raises(KeyboardInterrupt, match=number.name):
        work(number)

    assert caught.seen == []


def test_a_second_signal_is_not_held_back(caught):
    with pytest.raises(KeyboardInterrupt):
        work(signal.SIGTERM, signal.SIGTERM, error=AssertionError("too late"))

    assert caught.seen == []


def test_a_signal_that_came_too_late_is_sent_again_afterwards(caught):
    with Interrupts():
        signal.raise_signal(signal.SIGTERM)

    assert caught.seen == [signal.SIGTERM]


def test_an_error_of_the_work_is_not_covered_up_by_a_signal(caught):
    with pytest.raises(ValueError, match="broken"):
        work(signal.SIGINT, error=ValueError("broken"))

    assert caught.seen == []


def test_the_signals_are_given_back(caught):
    with Interrupts():
        assert signal.getsignal(signal.SIGINT) is not caught

    assert signal.getsignal(signal.SIGINT) is caught
    assert signal.getsignal(signal.SIGTERM) is caught


@pytest.mark.usefixtures("caught")
def test_a_signal_that_is_ignored_stays_ignored():
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    work(signal.SIGINT)

    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_threads_other_than_the_main_one_leave_signals_alone(caught):
    seen = []

    def look():
        with Interrupts() as interrupts:
            seen.append(signal.getsignal(signal.SIGTERM))
            interrupts.check()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()

    assert seen == [caught]
