"""The clients and the users that all data centres of a loopback Zoho know."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from zoho_mongo_store.testing.zoho.protocol import CLIENT_ID, CLIENT_SECRET, ORG, USER


@dataclass(frozen=True)
class Client:
    """An application, as in Zoho's API console.

    Attributes:
        secret: Its client secret, the same in every data centre.
        name: Its name on the authorize page.
        redirect_uris: Where the authorize page may redirect the user's browser.
    """

    secret: str
    name: str
    redirect_uris: tuple[str, ...] = ()


@dataclass(frozen=True)
class User:
    """A user who can log in.

    Attributes:
        email: The e-mail address.
        org: The id (``zgid``) of the organization.
        location: The data centre of the account, such as ``"eu"``.
    """

    email: str
    org: str
    location: str


class Directory:
    """Clients and users, by client id and by e-mail address. Thread-safe.

    Args:
        location: The data centre of the initial user.
    """

    def __init__(self, location: str) -> None:
        self._lock = threading.Lock()
        self._clients = {CLIENT_ID: Client(CLIENT_SECRET, "Loopback client")}
        self._users = {USER: User(USER, ORG, location)}

    def register_client(
        self, client_id: str, client_secret: str, name: str, redirect_uris: list[str]
    ) -> None:
        """Add a client, or change one."""
        with self._lock:
            self._clients[client_id] = Client(client_secret, name, tuple(redirect_uris))

    def set_secret(self, client_id: str, client_secret: str) -> None:
        """Change a client's secret, adding the client if it is unknown."""
        with self._lock:
            known = self._clients.get(client_id, Client("", client_id))
            self._clients[client_id] = Client(client_secret, known.name, known.redirect_uris)

    def client(self, client_id: str) -> Client | None:
        """Return the client with this id."""
        with self._lock:
            return self._clients.get(client_id)

    def add_user(self, email: str, org: str, location: str) -> None:
        """Add a user who can log in, replacing one with the same address."""
        with self._lock:
            self._users[email] = User(email, org, location)

    def users(self) -> list[User]:
        """Return the users who can log in, in the order in which they were added."""
        with self._lock:
            return list(self._users.values())

    def user(self, email: str) -> User | None:
        """Return the user with this address."""
        with self._lock:
            return self._users.get(email)
