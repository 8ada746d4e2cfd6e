"""Reads a request to the authorize page, and builds the callback URL. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from zoho_mongo_store.testing.zoho import scopes
from zoho_mongo_store.testing.zoho.directory import Client, Directory

PARAMETERS = (
    "response_type",
    "client_id",
    "scope",
    "redirect_uri",
    "access_type",
    "prompt",
    "state",
)


class AuthorizeError(Exception):
    """The page shows an error and does not redirect the browser.

    Attributes:
        error: Zoho's code, such as ``"invalid_redirect_uri"``.
        description: Zoho's message.
    """

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description


@dataclass(frozen=True)
class AuthorizeRequest:
    """The request with which an application sends a user's browser to the authorize page.

    Attributes:
        client_id: The application's client id.
        client: The application.
        redirect_uri: Where the browser goes afterwards.
        scopes: What the application wants to do.
        offline: Whether it wants a refresh token (``access_type=offline``).
        new_consent: Whether it wants another refresh token (``prompt=consent``).
        state: The value that is returned to it unchanged.
    """

    client_id: str
    client: Client
    redirect_uri: str
    scopes: tuple[str, ...]
    offline: bool
    new_consent: bool
    state: str | None

    def callback(self, answer: Mapping[str, str]) -> str:
        """Return the URL to which the browser is redirected with an answer."""
        state = {} if self.state is None else {"state": self.state}
        parts = urlsplit(self.redirect_uri)
        query = urlencode([*parse_qsl(parts.query, True), *{**state, **answer}.items()])
        return parts._replace(query=query).geturl()


def read(parameters: Mapping[str, str], directory: Directory) -> AuthorizeRequest:
    """Read the request with these parameters.

    Raises:
        AuthorizeError: Zoho refuses it.
    """
    client_id, redirect_uri = parameters.get("client_id", ""), parameters.get("redirect_uri", "")
    client = directory.client(client_id)
    if client is None:
        raise AuthorizeError("invalid_client", "Client ID passed does not exist")
    if redirect_uri not in client.redirect_uris:
        raise AuthorizeError(
            "invalid_redirect_uri", "Redirect URI passed does not match with the one configured"
        )
    if parameters.get("response_type") != "code":
        raise AuthorizeError("invalid_response_type", "Response type must be code")
    try:
        wanted = scopes.parse(parameters.get("scope", ""))
    except ValueError as error:
        raise AuthorizeError("invalid_scope", str(error)) from error
    return AuthorizeRequest(
        client_id,
        client,
        redirect_uri,
        wanted,
        offline=parameters.get("access_type") == "offline",
        new_consent=parameters.get("prompt") == "consent",
        state=parameters.get("state"),
    )
