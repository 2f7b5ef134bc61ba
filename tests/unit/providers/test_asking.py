"""Requests that nobody answers: whoever waits for one can be asked to stop."""

import contextlib
import socket
import threading
import time

import pytest
from tests.faults.provider_lab import FIRST, PROVIDERS, TARGET, forget_yahoo, make_provider
from tests.faults.quota import MemoryQuota

from riskmark.providers.asking import Asker
from riskmark.providers.limits import Budget, RealTime
from riskmark.providers.port import Wanted


class Stop(Exception):
    """What a run raises that is to stop."""


@contextlib.contextmanager
def silence():
    """Give an address that takes every connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def stopping_after(seconds):
    end = time.monotonic() + seconds

    def check():
        if time.monotonic() > end:
            raise Stop

    return check


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_run_stops_at_once_while_a_provider_says_nothing(name):
    forget_yahoo()
    store = MemoryQuota()
    budget = Budget(60.0, RealTime(), stopping_after(0.3))
    started = time.monotonic()

    with silence() as address:
        provider = make_provider(name, address, budget=budget, store=store)
        with pytest.raises(Stop):
            provider.fetch(Wanted("AAA", FIRST, TARGET))
        stopped = time.monotonic()
        provider.close()

    assert stopped - started < 3.0  # the clients themselves are slow to import
    assert time.monotonic() - stopped < 2.0
    assert all(state.failures == 0 for state in store.states.values())


def test_what_comes_for_an_abandoned_request_reaches_nobody():
    asker, answered, go_on = Asker(), threading.Event(), threading.Event()
    closed = []

    def request():
        go_on.wait(5.0)
        answered.set()
        return "late"

    with pytest.raises(Stop):
        asker.ask(request, check=stopping_after(0.1))
    go_on.set()

    assert asker.ask(lambda: "next", check=lambda: None) == "next"
    assert answered.is_set()
    asker.close(lambda: closed.append(threading.current_thread().name))
    assert closed == ["asker"]


def test_whoever_is_to_stop_asks_for_nothing_more():
    asked = []

    with pytest.raises(Stop):
        Asker().ask(lambda: asked.append(1), check=stopping_after(-1.0))

    assert asked == []


def test_what_a_request_raises_is_raised_where_it_is_waited_for():
    def fail():
        raise TimeoutError("late")

    asker = Asker()
    with pytest.raises(TimeoutError, match="late"):
        asker.ask(fail, check=lambda: None)
    asker.close(lambda: None)
