"""A server that answers as it is told, one connection after another, and notes what was asked."""

import socket
import threading
from contextlib import contextmanager

BREAK = None
"""In the place of an answer: the connection is closed without one."""


def answer(status, body=b"", *, kind="application/json", **headers):
    """Write an answer."""
    lines = [f"HTTP/1.1 {status} X", f"content-type: {kind}", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join([*lines, "connection: close", "", ""])).encode() + body


def stream(text):
    """Write an answer whose end is that of the connection."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
    return head + text.encode()


def cut(text):
    """Write a stream that breaks: more was announced than comes."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 99999\r\n\r\n"
    return head + text.encode()


@contextmanager
def scripted(*answers):
    """Serve ``answers``, one for each connection; give the address and the heads of requests."""
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as door:

        def serve():
            for one in answers:
                inside, _ = door.accept()
                with inside:
                    asked.append(read_request(inside))
                    if one is not BREAK:
                        inside.sendall(one)

        server = threading.Thread(target=serve)
        server.start()
        host, port = door.getsockname()
        yield f"http://{host}:{port}", asked
        server.join(10)
    assert not server.is_alive(), "not every answer was asked for"


def read_request(connection):
    """Read the head of a request, and as much of its body as it announces."""
    content = b""
    while b"\r\n\r\n" not in content:
        content += connection.recv(65536)
    head, _, body = content.partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    length = next((int(one[16:]) for one in lines if one.startswith("content-length: ")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head.decode()
