"""The loopback Zoho's HTTP server: a WSGI application over :mod:`zoho_service`.

``python -m zoho_mongo_store.testing.zoho_app --port 0`` serves it on a loopback address and prints
one line, its URL, when it listens. No token and no secret is ever printed or logged.
"""

from __future__ import annotations

import argparse
import json
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from werkzeug import Request, Response
from werkzeug.exceptions import BadRequest, HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.serving import WSGIRequestHandler, make_server

from zoho_mongo_store.testing.zoho_answers import Answer
from zoho_mongo_store.testing.zoho_protocol import Kind
from zoho_mongo_store.testing.zoho_service import Verdict, ZohoService
from zoho_mongo_store.testing.zoho_tokens import RefusalError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

HOST = "127.0.0.1"
BAD_GATEWAY = "<html><body>Bad Gateway</body></html>"
# Seconds between two bytes, and between two looks at whether a client has hung up.
DRIP_PAUSE = 0.2
POLL = 0.02
URLS = Map(
    [
        Rule("/oauth/v2/token", endpoint="token", methods=["POST"]),
        Rule("/oauth/v2/token/revoke", endpoint="revoke", methods=["POST"]),
        Rule("/crm/v<int(min=5,max=8):version>/<any(users,org):kind>", endpoint="account"),
        Rule("/control/<operation>", endpoint="control", methods=["POST"]),
    ]
)
GRANT_TYPES: dict[str, tuple[Kind, str]] = {
    "authorization_code": ("grant", "code"),
    "refresh_token": ("refresh", "refresh_token"),
}


class ZohoApp:
    """The WSGI application. Each request may run in a thread of its own."""

    def __init__(self) -> None:
        self._service = ZohoService()
        self._endpoints: dict[str, Callable[..., Response]] = {
            "token": self._token,
            "revoke": self._revoke,
            "account": self._account,
            "control": self._control,
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        try:
            endpoint, arguments = URLS.bind_to_environ(environ).match()
            response = self._endpoints[endpoint](Request(environ), **arguments)
        except HTTPException as error:
            return error.get_response(environ)(environ, start_response)
        return response(environ, start_response)

    def _token(self, request: Request) -> Response:
        values = request.values
        if values.get("grant_type") not in GRANT_TYPES:
            raise BadRequest("grant_type must be authorization_code or refresh_token")
        kind, field = GRANT_TYPES[values["grant_type"]]
        credential = values.get(field, "")
        with self._service.under_way(credential):
            verdict = self._service.token(
                kind,
                credential,
                values.get("client_id", ""),
                values.get("client_secret", ""),
                request.host_url.rstrip("/"),
            )
            return _fail(request.environ["werkzeug.socket"], verdict) or _json(
                verdict.answer.body, verdict.answer.http_status
            )

    def _revoke(self, request: Request) -> Response:
        answer = self._service.revoke(request.values.get("token", ""))
        return _json(answer.body, answer.http_status)

    def _account(self, request: Request, version: int, kind: Kind) -> Response:  # noqa: ARG002
        authorization = request.headers.get("Authorization", "")
        scheme, _, access_token = authorization.partition(" ")
        answer = self._service.account(kind, access_token if scheme == "Zoho-oauthtoken" else "")
        return _json(answer.body, answer.http_status)

    def _control(self, request: Request, operation: str) -> Response:
        if operation not in self._service.operations:
            raise NotFound
        try:
            result = self._service.operations[operation](**request.get_json())
        except (RefusalError, ValueError) as error:
            return _json({"error": str(error)}, 400)
        return _json({"result": result}, 200)


def _fail(connection: socket.socket, verdict: Verdict) -> Response | None:
    """Fail a token request as it is to fail; ``None``: it gets its answer after all."""
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
    """Send an answer one byte at a time, from the first byte of its status line on."""
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


class QuietHandler(WSGIRequestHandler):
    """Logs no request: a request line may carry a token."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Drop the message."""


def _json(body: Any, http_status: int) -> Response:
    return Response(json.dumps(body), http_status, mimetype="application/json")


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description="Serve a Zoho of its own on a loopback address.")
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    port = parser.parse_args().port
    server = make_server(HOST, port, ZohoApp(), threaded=True, request_handler=QuietHandler)
    print(f"http://{HOST}:{server.port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
