"""Many Zoho users in one web process, each served by whichever thread is free.

A WSGI application for any threaded server::

    gunicorn --threads 8 web_users:application
    python web_users.py                          # werkzeug's own server, on a free loopback port

``GET /login?code=GRANT_TOKEN`` is where Zoho sends a user who let the client in; it answers with
the user's name. ``GET /organization?user=NAME`` makes an API call as that user. A real application
takes the name from its session, not from the address. For the variables see settings.py.

What the SDK's threading allows: ``Initializer.initialize`` is for the process. In SDK 8 it keeps
what it is given in one global, ``Initializer.initializer``, so one thread's call changes the user
of all threads that have not switched. ``Initializer.switch_user`` is for the thread: it keeps the
user in ``Initializer.LOCAL``, which that thread alone sees, and which stays until the thread
switches again. So initialize once, with nobody; switch for each request, and back at its end. Code
that forgets to switch then fails, and never acts as the user of an earlier request.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from settings import CLIENT_ID, CLIENT_SECRET, environment
from werkzeug import Request, Response
from werkzeug.serving import make_server
from zohocrmsdk.src.com.zoho.api.authenticator import OAuthToken
from zohocrmsdk.src.com.zoho.crm.api.exception import SDKException
from zohocrmsdk.src.com.zoho.crm.api.initializer import Initializer
from zohocrmsdk.src.com.zoho.crm.api.org import OrgOperations
from zohocrmsdk.src.com.zoho.crm.api.user_signature import UserSignature

from zoho_mongo_store import MongoTokenStore


class Nobody(OAuthToken):
    """The token of a thread that serves no user."""

    def generate_token(self) -> None:
        """What ``initialize`` and ``switch_user`` call: there is nothing to get."""

    def get_token(self) -> str:
        """What each API call asks for."""
        raise PermissionError("no user: switch to one first")


NOBODY = Nobody(access_token="none")
Initializer.initialize(environment(), NOBODY, MongoTokenStore())


@contextmanager
def acting_as(token: OAuthToken) -> Iterator[None]:
    """Make this thread's API calls as the token's user, who is read from MongoDB."""
    try:
        Initializer.switch_user(environment(), token)
        yield
    finally:
        Initializer.switch_user(environment(), NOBODY)


def log_in(code: str) -> str:
    """Exchange a grant token; the store keeps what comes back under the user's name."""
    token = OAuthToken(CLIENT_ID, CLIENT_SECRET, grant_token=code)
    with acting_as(token):
        signature = token.get_user_signature()
        return signature.get_name() if signature else "a user whose name Zoho does not tell"


def organization_of(user: str) -> str:
    """The name of the user's organization, asked from Zoho."""
    with acting_as(OAuthToken(user_signature=UserSignature(user))):
        organizations = OrgOperations().get_organization().get_object().get_org()
        return str(organizations[0].get_company_name())


@Request.application
def application(request: Request) -> Response:
    """Answer one request, in a thread of the server's."""
    try:
        if request.path == "/login":
            return Response(log_in(request.args["code"]))
        if request.path == "/organization":
            return Response(organization_of(request.args["user"]))
    except SDKException as error:
        return Response(str(error.code), 502)
    return Response(status=404)


if __name__ == "__main__":
    # A log of requests would hold grant tokens.
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = make_server("127.0.0.1", 0, application, threaded=True)
    print(f"http://127.0.0.1:{server.port}", flush=True)
    server.serve_forever()
