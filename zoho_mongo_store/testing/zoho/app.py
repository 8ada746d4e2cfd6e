"""The loopback Zoho's HTTP server: a WSGI application for each data centre.

``python -m zoho_mongo_store.testing.zoho.app us eu`` serves two data centres, each on its own
loopback address. When both are listening, it prints one line, the URL of the first. It never prints
or logs a token or a secret.
"""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from werkzeug import Request, Response
from werkzeug.exceptions import BadRequest, HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.utils import redirect

from zoho_mongo_store.testing.zoho import authorize, pages
from zoho_mongo_store.testing.zoho.answers import Answer
from zoho_mongo_store.testing.zoho.call import Call
from zoho_mongo_store.testing.zoho.credentials import RefusalError
from zoho_mongo_store.testing.zoho.faults import fail
from zoho_mongo_store.testing.zoho.protocol import LOCATIONS, Kind
from zoho_mongo_store.testing.zoho.service import ZohoService
from zoho_mongo_store.testing.zoho.site import Site

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

HOST = "127.0.0.1"
URLS = Map(
    [
        Rule("/oauth/v2/auth", endpoint="authorize", methods=["GET", "POST"]),
        Rule("/oauth/v2/token", endpoint="token", methods=["POST"]),
        Rule("/oauth/v2/token/revoke", endpoint="revoke", methods=["POST"]),
        Rule("/crm/v<int(min=5,max=8):version>/<path:path>", endpoint="crm"),
        Rule("/control/<operation>", endpoint="control", methods=["POST"]),
    ]
)
GRANT_TYPES: dict[str, tuple[Kind, str]] = {
    "authorization_code": ("grant", "code"),
    "refresh_token": ("refresh", "refresh_token"),
}


class ZohoApp:
    """The WSGI application of one data centre. Each request may run in its own thread.

    Args:
        site: All data centres.
        location: The name of this data centre.
    """

    def __init__(self, site: Site, location: str) -> None:
        self._site = site
        self._location = location
        self._endpoints: dict[str, Callable[..., Response]] = {
            "authorize": self._authorize,
            "token": self._token,
            "revoke": self._revoke,
            "crm": self._crm,
            "control": self._control,
        }
        self._operations: dict[str, Callable[..., Any]] = {
            "data_centers": lambda: site.urls,
            "reset": site.reset,
        }

    @property
    def _service(self) -> ZohoService:
        return self._site.data_centers[self._location]

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
            wanted = authorize.read(parameters, self._site.directory)
        except authorize.AuthorizeError as error:
            self._record(request, "authorize", error.error)
            return _html(pages.error(error), 400)
        if request.method == "GET":
            self._record(request, "authorize", "shown")
            users, login_hint = self._site.directory.users(), parameters.get("login_hint")
            return _html(pages.consent(wanted, parameters, users, login_hint), 200)
        if parameters.get("decision") != "accept":
            self._record(request, "authorize", "access_denied")
            return redirect(wanted.callback({"error": "access_denied"}), 303)
        user = self._site.directory.user(parameters.get("user", ""))
        if user is None:
            raise BadRequest("no such user")
        code = self._site.data_centers[user.location].issue_code(user, wanted)
        self._record(request, "authorize", "ok", code)
        answer = {
            "code": code,
            "location": user.location,
            "accounts-server": self._site.urls[user.location],
        }
        return redirect(wanted.callback(answer), 303)

    def _token(self, request: Request) -> Response:
        values = request.values
        if values.get("grant_type") not in GRANT_TYPES:
            raise BadRequest("grant_type must be authorization_code or refresh_token")
        kind, field = GRANT_TYPES[values["grant_type"]]
        credential = values.get(field, "")
        with self._service.log.under_way(credential):
            verdict = self._service.token(
                kind,
                credential,
                values.get("client_id", ""),
                values.get("client_secret", ""),
                values.get("redirect_uri", ""),
                request.host_url.rstrip("/"),
            )
            self._record(request, kind, verdict.answer.status, credential)
            return fail(request.environ["werkzeug.socket"], verdict) or _json(verdict.answer)

    def _revoke(self, request: Request) -> Response:
        refresh_token = request.values.get("token", "")
        answer = self._service.revoke(refresh_token)
        self._record(request, "revoke", answer.status, refresh_token)
        return _json(answer)

    def _crm(self, request: Request, version: int, path: str) -> Response:  # noqa: ARG002
        body = request.get_json(force=True, silent=True)  # The SDK states no content type.
        call = Call(request.method, tuple(path.split("/")), request.args, body)
        scheme, _, access_token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Zoho-oauthtoken":
            access_token = ""
        answer = self._service.crm(call, access_token)
        self._record(request, call.kind, answer.status, access_token)
        return _json(answer)

    def _record(self, request: Request, kind: Kind, status: str, credential: str = "") -> None:
        self._service.log.record(kind, request.method, request.path, status, credential)

    def _control(self, request: Request, operation: str) -> Response:
        operations = {**self._service.operations, **self._operations}
        if operation not in operations:
            raise NotFound
        try:
            result = operations[operation](**request.get_json())
        except (RefusalError, ValueError) as error:
            return _json(Answer({"error": str(error)}, 400))
        return _json(Answer({"result": result}))


class QuietHandler(WSGIRequestHandler):
    """Logs no requests, since a request line may contain a token."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Drop the message."""


def _json(answer: Answer) -> Response:
    if answer.http_status == 204:
        nothing = Response(status=204)
        del nothing.headers["Content-Type"]  # Otherwise the SDK would look for a file.
        return nothing
    return Response(json.dumps(answer.body), answer.http_status, mimetype="application/json")


def _html(page: str, http_status: int) -> Response:
    return Response(page, http_status, {"Cache-Control": "no-store"}, mimetype="text/html")


def main() -> None:
    """Serve until the process ends."""
    parser = argparse.ArgumentParser(description="Serve a loopback Zoho.")
    parser.add_argument("locations", nargs="+", choices=LOCATIONS)
    locations = parser.parse_args().locations
    site, servers = Site(locations), []
    for location in locations:
        app = ZohoApp(site, location)
        server = make_server(HOST, 0, app, threaded=True, request_handler=QuietHandler)
        site.urls[location] = f"http://{HOST}:{server.port}"
        servers.append(server)
    for server in servers[1:]:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print(site.urls[locations[0]], flush=True)
    servers[0].serve_forever()


if __name__ == "__main__":
    main()
