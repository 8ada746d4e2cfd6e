"""What the logged-in user may do, according to the server. Nothing is tried out."""

from collections.abc import Iterable, Mapping
from typing import Any

from pymongo import MongoClient

from zoho_mongo_store.errors import keeping_words

_EVERYTHING = "anyAction"


class Privileges:
    """The privileges of one user at the time of creation."""

    def __init__(self, client: "MongoClient[Any]") -> None:
        """Ask the server.

        Args:
            client: A client that is logged in as the user.
        """
        with keeping_words():
            answer = client.admin.command("connectionStatus", showPrivileges=True)["authInfo"]
        self._is_checked = bool(answer["authenticatedUsers"])
        self._given: list[Mapping[str, Any]] = answer["authenticatedUserPrivileges"]

    def missing(self, namespace: str, actions: Iterable[str]) -> list[str]:
        """List the actions that the user may not perform.

        Args:
            namespace: The collection, as ``database.collection``.
            actions: MongoDB's names of the actions, such as ``find``.

        Returns:
            The ``actions`` that no privilege allows. Empty if nobody is logged in, as on a server
            without access control.
        """
        if not self._is_checked:
            return []
        allowed: set[str] = set()
        for privilege in self._given:
            if _includes(privilege["resource"], *namespace.split(".", 1)):
                allowed.update(privilege["actions"])
        return [action for action in actions if not allowed & {action, _EVERYTHING}]


def _includes(resource: Mapping[str, Any], database: str, collection: str) -> bool:
    """Whether a resource includes a collection. An empty name in it means any."""
    if resource.get("anyResource"):
        return True
    return resource.get("db") in ("", database) and resource.get("collection") in ("", collection)
