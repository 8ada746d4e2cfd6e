"""Checks a client that the application passes in."""

from typing import Any

from pymongo import MongoClient, WriteConcern
from pymongo.driver_info import DriverInfo

from zoho_mongo_store.errors import InvalidInputError
from zoho_mongo_store.version import __version__

DRIVER = DriverInfo("zoho-mongo-store", __version__)
"""What the server's log and ``currentOp`` show next to the name of pymongo."""

_WHAT_TO_DO = {
    "str": "pass a connection string as uri=",
    "Database": "pass its client, and its name as database=",
    "Collection": "pass its database's client, and the names as database= and collection=",
    "AsyncMongoClient": "the SDK and this store are synchronous, so pass a MongoClient",
    "AsyncIOMotorClient": "the SDK and this store are synchronous, so pass a MongoClient",
}


def checked_client(client: "MongoClient[Any]") -> "MongoClient[Any]":
    """Refuse anything but a pymongo client. For tests, mongomock's is accepted too.

    Raises:
        InvalidInputError: It is not a client.
    """
    if isinstance(client, MongoClient) or _is_of_mongomock(client):
        return client
    kind = type(client).__name__
    what_to_do = _WHAT_TO_DO.get(kind, "pass one, or a connection string as uri=")
    raise InvalidInputError(f"client must be a pymongo MongoClient, not {kind}: {what_to_do}")


def check_acknowledged(concern: object) -> None:
    """Refuse writes that the server does not answer.

    Raises:
        InvalidInputError: The write concern is ``w=0``.
    """
    # mongomock has its own classes.
    if isinstance(concern, WriteConcern) and not concern.acknowledged:
        raise InvalidInputError(
            "with the write concern w=0 MongoDB does not acknowledge writes, so the store cannot "
            "know whether a token is stored or a lease is held: remove w=0, or set w=majority"
        )


def introduce(client: "MongoClient[Any]") -> None:
    """Have a borrowed client send this library's name to servers, if pymongo can (4.14)."""
    # The type is asked, since any attribute of a client is a database.
    if isinstance(client, MongoClient) and hasattr(type(client), "append_metadata"):
        client.append_metadata(DRIVER)


def _is_of_mongomock(client: object) -> bool:
    return any(
        one.__module__.partition(".")[0] == "mongomock" and one.__name__ == "MongoClient"
        for one in type(client).__mro__
    )
