"""The loopback Zoho's HTTP server: a WSGI application for each data centre.

``python -m zoho_mongo_store.testing.zoho.app us eu`` serves two data centres on loopback addresses
of their own and prints one line, the first one's URL, when both listen. No token and no secret is
ever printed or logged.
"""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from werkzeug import Request, Response
from werkzeug.exceptions import BadRequest, HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.utils import redirect

from zoho_mongo_store.testing.zoho import authorize, pages
from zoho_mongo_store.testing.zoho.answers import Answer
from zoho_mongo_store.testing.zoho.directory import Directory
from zoho_mongo_store.testing.zoho.faults import fail
from zoho_mongo_store.testing.zoho.protocol import LOCATIONS, Kind
from zoho_mongo_store.testing.zoho.service import ZohoService
from zoho_mongo_store.testing.zoho.tokens import RefusalError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

HOST = "127.0.0.1"
URLS = Map(
    [
        Rule("/oauth/v2/auth", endpoint="authorize", methods=["GET", "POST"]),
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
    """The WSGI application of one data centre. Each request may run in a thread of its own.

    Args:
        service: The data centre.
        directory: Whom and what all data centres know.
        data_centers: The service of each by its location, this one among them.
        urls: The address of each by its location.
    """

    def __init__(
        self,
        service: ZohoService,
        directory: Directory,
        data_centers: Mapping[str, ZohoService],
        urls: Mapping[str, str],
    ) -> None:
        self._service = service
        self._directory = directory
        self._data_centers = data_centers
        self._urls = urls
        self._endpoints: dict[str, Callable[..., Response]] = {
            "authorize": self._authorize,
            "token": self._token,
            "revoke": self._revoke,
            "account": self._account,
            "control": self._control,
        }
        self._operations = {**service.operations, "data_centers": lambda: dict(urls)}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        try:
            endpoint, arguments = URLS.bind_to_environ(environ).match()
            response = self._endpoints[endpoint](Request(environ), **arguments)
        except HTTPException as error:
            return error.get_response(environ)(environ, start_response)
        return response(environ, start_response)

    def _authorize(self, request: Request) -> Response:
        parameters = request.form if request.method == "POST" else request.args
        try:
            wanted = authorize.read(parameters, self._directory)
        except authorize.AuthorizeError as error:
            self._service.record("authorize", error.error)
            return _html(pages.error(error), 400)
        if request.method == "GET":
            self._service.record("authorize", "shown")
            users, login_hint = self._directory.users(), parameters.get("login_hint")
            return _html(pages.consent(wanted, parameters, users, login_hint), 200)
        if parameters.get("decision") != "accept":
            self._service.record("authorize", "access_denied")
            return redirect(wanted.callback({"error": "access_denied"}), 303)
        user = self._directory.user(parameters.get("user", ""))
        if user is None:
            raise BadRequest("no such user")
        code = self._data_centers[user.location].issue_code(user, wanted)
        self._service.record("authorize", "ok", code)
        answer = {
            "code": code,
            "location": user.location,
            "accounts-server": self._urls[user.location],
        }
        return redirect(wanted.callback(answer), 303)

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
                values.get("redirect_uri", ""),
                request.host_url.rstrip("/"),
            )
            return fail(request.environ["werkzeug.socket"], verdict) or _json(verdict.answer)

    def _revoke(self, request: Request) -> Response:
        return _json(self._service.revoke(request.values.get("token", "")))

    def _account(self, request: Request, version: int, kind: Kind) -> Response:  # noqa: ARG002
        return _json(self._service.account(kind, _access_token(request)))

    def _control(self, request: Request, operation: str) -> Response:
        if operation not in self._operations:
            raise NotFound
        try:
            result = self._operations[operation](**request.get_json())
        except (RefusalError, ValueError) as error:
            return _json(Answer({"error": str(error)}, 400))
        return _json(Answer({"result": result}))


class QuietHandler(WSGIRequestHandler):
    """Logs no request: a request line may carry a token."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Drop the message."""


def _access_token(request: Request) -> str:
    scheme, _, access_token = request.headers.get("Authorization", "").partition(" ")
    return access_token if scheme == "Zoho-oauthtoken" else ""


def _json(answer: Answer) -> Response:
    return Response(json.dumps(answer.body), answer.http_status, mimetype="application/json")


def _html(page: str, http_status: int) -> Response:
    return Response(page, http_status, {"Cache-Control": "no-store"}, mimetype="text/html")


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description="Serve a Zoho of its own on loopback addresses.")
    parser.add_argument("locations", nargs="+", choices=LOCATIONS)
    locations = parser.parse_args().locations
    directory = Directory(locations[0])
    data_centers = {location: ZohoService(directory, location) for location in locations}
    urls: dict[str, str] = {}
    servers = []
    for location, service in data_centers.items():
        app = ZohoApp(service, directory, data_centers, urls)
        server = make_server(HOST, 0, app, threaded=True, request_handler=QuietHandler)
        urls[location] = f"http://{HOST}:{server.port}"
        servers.append(server)
    for server in servers[1:]:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print(urls[locations[0]], flush=True)
    servers[0].serve_forever()


if __name__ == "__main__":
    main()
