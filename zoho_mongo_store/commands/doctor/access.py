"""Checks of ``doctor`` on the user that the URI names: the log-in, and what the role may do."""

from collections.abc import Iterator

import pymongo
from pymongo.collection import Collection
from pymongo.errors import OperationFailure

from zoho_mongo_store.commands.context import TIMEOUT
from zoho_mongo_store.commands.doctor.findings import Finding
from zoho_mongo_store.commands.rights import missing_rights
from zoho_mongo_store.commands.roles import ACTIONS, APPLICATION
from zoho_mongo_store.encryption import FieldEncryption
from zoho_mongo_store.errors import keeping_words
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.storage.lease_collection import LEASES_SUFFIX

_READ_KEYS = ("find",)
_UNAUTHORIZED = 13
_GRANT = f"give the application's user the role {APPLICATION}: zoho-mongo-store create-roles"


def authentication(collection: Collection[Document]) -> Iterator[Finding]:
    """Check that the server requires authentication, and that the URI has credentials."""
    users = [f"{one['user']}@{one['db']}" for one in _users(collection)]
    if users:
        yield Finding("authentication", "passed", ", ".join(users))
    elif _demands_login(collection):
        yield Finding(
            "authentication",
            "failed",
            "the server requires authentication, and the URI has no credentials",
            "add them to the URI: mongodb://USER:PASSWORD@HOST/?authSource=DATABASE",
        )
    else:
        yield Finding(
            "authentication",
            "warned",
            "none: anybody who reaches the server can read all tokens",
            "turn on access control, and create roles with zoho-mongo-store create-roles",
        )


def rights(
    collection: Collection[Document], encryption: FieldEncryption | None
) -> Iterator[Finding]:
    """Check that the role may do what the store does, without doing it."""
    if not _users(collection):
        if _demands_login(collection):
            yield Finding("rights", "failed", "none without a log-in", _GRANT)
        else:
            yield Finding("rights", "passed", "access control is off: anybody may do anything")
        return
    tokens, data = collection.full_name, ACTIONS[APPLICATION]
    wanted = {tokens: data, f"{tokens}{LEASES_SUFFIX}": data}
    if encryption is not None:
        wanted[encryption.key_vault] = list(_READ_KEYS)
    missing = missing_rights(collection, wanted)
    if not missing.actions:
        indexes = (
            "" if missing.makes_indexes else ", but not create indexes: use create_indexes=False"
        )
        yield Finding("rights", "passed", f"may read and write tokens and leases{indexes}")
    elif missing.makes_indexes and missing.actions.get(tokens) == data:
        detail = "may create indexes, but neither read nor write tokens: a role for deploy steps"
        yield Finding("rights", "warned", detail, "run doctor as the application's user too")
    else:
        yield Finding("rights", "failed", f"may not {missing}", _GRANT)


def _users(collection: Collection[Document]) -> list[dict[str, str]]:
    with keeping_words(), pymongo.timeout(TIMEOUT):
        status = collection.database.client.admin.command("connectionStatus")
    users: list[dict[str, str]] = status["authInfo"]["authenticatedUsers"]
    return users


def _demands_login(collection: Collection[Document]) -> bool:
    try:
        with keeping_words(), pymongo.timeout(TIMEOUT):
            collection.find_one({}, {"_id": True})
    except OperationFailure as error:
        if error.code != _UNAUTHORIZED:
            raise
        return True
    return False
