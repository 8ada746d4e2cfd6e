"""Makes token requests fail on the wire."""

from __future__ import annotations

import json
import select
import socket
import struct
import threading
import time

from werkzeug import Response

from zoho_mongo_store.testing.zoho.answers import Answer
from zoho_mongo_store.testing.zoho.service import Verdict

BAD_GATEWAY = "<html><body>Bad Gateway</body></html>"
# Seconds between two bytes, and between two looks at whether a client has hung up.
DRIP_PAUSE = 0.2
POLL = 0.02


def fail(connection: socket.socket, verdict: Verdict) -> Response | None:
    """Make a token request fail as configured.

    Returns:
        The response to send instead of the answer, or None to send the answer.
    """
    failure = verdict.failure
    _linger(connection, threading.Event(), verdict.delay)
    if failure == "hang":
        _linger(connection, verdict.released, verdict.hang)
    elif failure == "hang_in_body":
        head, _, body = _raw(verdict.answer).partition(b"\r\n\r\n")
        connection.sendall(head + b"\r\n\r\n" + body[: len(body) // 2])
        _linger(connection, verdict.released, verdict.hang)
        connection.sendall(body[len(body) // 2 :])
        connection.shutdown(socket.SHUT_RDWR)
    elif failure == "drip":
        _drip(connection, verdict)
    elif failure == "garbage":
        return Response(BAD_GATEWAY, mimetype="text/html")
    elif failure == "server_error":
        return Response(BAD_GATEWAY, 502, mimetype="text/html")
    elif failure == "close":
        connection.shutdown(socket.SHUT_RDWR)
    elif failure == "reset":
        # Without lingering, closing sends a reset.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.close(connection.detach())
    return None


def _drip(connection: socket.socket, verdict: Verdict) -> None:
    """Send an answer one byte at a time, starting with its status line."""
    deadline = time.monotonic() + verdict.hang
    rest = _raw(verdict.answer)
    while rest and time.monotonic() < deadline and not verdict.released.is_set():
        if not _linger(connection, verdict.released, DRIP_PAUSE):
            return
        connection.sendall(rest[:1])
        rest = rest[1:]
    connection.sendall(rest)
    connection.shutdown(socket.SHUT_RDWR)


def _linger(connection: socket.socket, released: threading.Event, seconds: float) -> bool:
    """Wait until the time is up, the request is released, or the client has hung up.

    Returns:
        Whether the client is still there.
    """
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if released.wait(min(left, POLL)):
            return True
        readable, _, _ = select.select([connection], [], [], 0)
        if readable and not connection.recv(1, socket.MSG_PEEK):
            return False
    return True


def _raw(answer: Answer) -> bytes:
    body = json.dumps(answer.body).encode()
    head = (
        f"HTTP/1.1 {answer.http_status} OK\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
