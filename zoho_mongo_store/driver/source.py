"""Where a connection comes from: a URI or a borrowed client, checked without the network."""

import os
from typing import Any, TypeAlias

from pymongo import MongoClient

from zoho_mongo_store.driver.borrowed import checked_client
from zoho_mongo_store.driver.names import check_database_name
from zoho_mongo_store.driver.uri import MongoUri
from zoho_mongo_store.errors import InvalidInputError

URI_VARIABLE = "ZOHO_MONGO_URI"
DEFAULT_URI = "mongodb://localhost:27017"
DEFAULT_DATABASE = "zohooauth"

Source: TypeAlias = "MongoUri | MongoClient[Any]"


def environment_uri() -> str | None:
    """Read the URI from the environment; only white space counts as none."""
    return os.environ.get(URI_VARIABLE, "").strip() or None


def given_source(uri: object, client: "MongoClient[Any] | None") -> Source:
    """Use the given client or URI, else the environment's URI, else the default.

    Args:
        uri: A connection string. Surrounding white space is ignored, and an empty one counts as
            none.
        client: A client.

    Raises:
        InvalidInputError: Both are given, or pymongo does not accept the one given.
        OSError: A file that the URI names cannot be read.
    """
    if client is not None:
        if uri is not None:
            raise InvalidInputError("pass either a uri or a client, not both")
        return checked_client(client)
    if uri is not None and not isinstance(uri, str):
        raise InvalidInputError(
            f"uri must be a string, not {type(uri).__name__}; pass a MongoClient as client="
        )
    return MongoUri.parse((uri or "").strip() or environment_uri() or DEFAULT_URI)


def checked_database(database: object, source: Source) -> str:
    """Use the given database, else the one of the source, else the default.

    Raises:
        InvalidInputError: MongoDB does not allow its name.
    """
    if database is not None and database != "":
        return check_database_name(database, f"the database {database!r}")
    if isinstance(source, MongoUri):
        return check_database_name(source.database or DEFAULT_DATABASE, "the database in the URI")
    named = source.get_default_database(DEFAULT_DATABASE).name
    return check_database_name(named, "the client's default database")
