"""The door: whoever comes in is answered without delay, and a door that is taken is said so."""

import socket

import pytest

from riskmark.cli.answering import open_door
from riskmark.errors import InputError


def test_connections_send_what_they_have_at_once():
    with open_door("127.0.0.1", 0) as door, socket.create_connection(door.getsockname()):
        inside, _ = door.accept()

        with inside:
            assert inside.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize("host", ["256.1.1.1", "203.0.113.7"])
def test_an_address_that_is_not_ours_is_refused(host):
    with pytest.raises(InputError, match=host):
        open_door(host, 0)


def test_a_door_is_opened_once():
    with open_door("127.0.0.1", 0) as door:
        taken = door.getsockname()[1]

        with pytest.raises(InputError, match=str(taken)):
            open_door("127.0.0.1", taken)
