"""The loopback Zoho's HTTP server: a WSGI application over :mod:`zoho_service`.

``python -m zoho_mongo_store.testing.zoho_app --port 0`` serves it on a loopback address and prints
one line, its URL, when it listens. No token and no secret is ever printed or logged.
"""

from __future__ import annotations

import argparse
import json
import socket
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from werkzeug import Request, Response
from werkzeug.exceptions import BadRequest, HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.serving import WSGIRequestHandler, make_server

from zoho_mongo_store.testing.zoho_protocol import Kind
from zoho_mongo_store.testing.zoho_service import ZohoService
from zoho_mongo_store.testing.zoho_tokens import RefusalError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

HOST = "127.0.0.1"
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
        verdict = self._service.token(
            kind,
            values.get(field, ""),
            values.get("client_id", ""),
            values.get("client_secret", ""),
            request.host_url.rstrip("/"),
        )
        time.sleep(verdict.delay)
        verdict.released.wait(verdict.hang)
        if verdict.failure == "garbage":
            return Response("<html><body>Bad Gateway</body></html>", mimetype="text/html")
        if verdict.failure == "close":
            request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return _json(verdict.answer.body, verdict.answer.http_status)

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


class QuietHandler(WSGIRequestHandler):
    """Logs no request: a request line may carry a token."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Drop the message."""


def _json(body: dict[str, Any], http_status: int) -> Response:
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
