"""What MongoDB servers and hosted services answer, and what to do about it."""

import re

from pymongo.errors import NotPrimaryError, OperationFailure, PyMongoError

_UNAUTHORIZED = 13
_AUTHENTICATION_FAILED = 18
_INVALID_NAMESPACE = 73
_VALIDATION_FAILED = 121
_ATLAS_ERROR = 8000
_NOT_PRIMARY = frozenset({10107, 13435})
_OUT_OF_DISK_SPACE = 14031
_COSMOS_RATE = 16500

_PRIVILEGES = (
    "the MongoDB role may not do this: grant it find, insert, update and remove on the token "
    "collection, and createIndex, collMod, listIndexes and dropIndex too, or pass "
    "create_indexes=False"
)
_CREDENTIALS = "MongoDB refused the log-in: check the user, the password and authSource"
_NO_CREDENTIALS = "MongoDB requires authentication: put a user name and a password into the URI"
_QUOTA = "the Atlas cluster is over its storage quota: delete data, or move to a larger tier"
_COLLECTIONS = (
    "the Atlas cluster holds as many databases or collections as its tier allows: drop some, or "
    "move to a larger tier"
)
_ATLAS = "MongoDB Atlas refused the command: check the cluster's page and the user's roles"
_RETRYABLE_WRITES = (
    "this server does not support retryable writes, as Amazon DocumentDB, Azure Cosmos DB and "
    "other engines do not: add retryWrites=false to the URI, or pass it to the MongoClient"
)
_RATE = (
    "Azure Cosmos DB refused the command because its request rate is used up: try again later, "
    "raise the throughput (RU/s), or turn on server-side retry"
)
_DISK = "the disk of the MongoDB server is full: free up space, or enlarge it"
_VALIDATOR = (
    "the collection has a document validator that rejects the token: change it with collMod to "
    "accept the fields of the store, or give the store its own collection"
)
_NAMESPACE = "MongoDB does not allow this name for a database or collection: choose another"
_SECONDARY = (
    "MongoDB cannot be reached at its primary: the member that was asked is a secondary. If "
    "directConnection=true is set, the client connects to this member only: remove that option and "
    "name the replica set (replicaSet=...). Otherwise an election is in progress: try again"
)
_IP_ACCESS_LIST = (
    "; MongoDB Atlas ends a TLS handshake like this if this host's address is not on the "
    "project's IP access list"
)

_ADVICE = {
    _AUTHENTICATION_FAILED: _CREDENTIALS,
    _INVALID_NAMESPACE: _NAMESPACE,
    _VALIDATION_FAILED: _VALIDATOR,
    _OUT_OF_DISK_SPACE: _DISK,
    _COSMOS_RATE: _RATE,
}
# MongoDB's text for a client that has not logged in. The code is that of a missing privilege.
_NOT_LOGGED_IN = "requires authentication"
# Other engines and pymongo itself use several codes (2, 20, 301) and texts.
_NO_RETRYABLE_WRITES = re.compile(
    r"retryable writes|transaction numbers are only allowed", re.IGNORECASE
)
# From WiredTiger, under various codes.
_NO_SPACE = "no space left on device"
_KEPT_ADVICE = "_zoho_mongo_store_advice"
_TLS_ALERT = re.compile(r"tlsv1.alert.internal.error", re.IGNORECASE)


def advice(error: PyMongoError) -> str | None:
    """Say what a server's answer means and what to do; ``None`` if nothing is known about it.

    The text contains no part of the answer, which may quote what was sent.

    Args:
        error: The error that pymongo raised for the answer.
    """
    kept: str | None = vars(error).get(_KEPT_ADVICE)
    if kept is not None:
        return kept
    if isinstance(error, NotPrimaryError) or getattr(error, "code", None) in _NOT_PRIMARY:
        return _SECONDARY
    if not isinstance(error, OperationFailure):
        return None
    answer = str(error)
    if _NO_RETRYABLE_WRITES.search(answer):
        return _RETRYABLE_WRITES
    if error.code == _UNAUTHORIZED:
        return _NO_CREDENTIALS if _NOT_LOGGED_IN in answer else _PRIVILEGES
    if error.code == _ATLAS_ERROR:
        return _of_atlas(answer.lower())
    if _NO_SPACE in answer.lower():
        return _DISK
    return None if error.code is None else _ADVICE.get(error.code)


def keep_advice(error: PyMongoError, copied: PyMongoError) -> None:
    """Keep the advice for ``error`` in a copy that has lost the answer's text."""
    vars(copied)[_KEPT_ADVICE] = advice(error)


def lacks_privilege(error: Exception) -> bool:
    """Whether the server refused because the logged-in user may not do this."""
    return isinstance(error, PyMongoError) and advice(error) == _PRIVILEGES


def handshake_advice(text: str) -> str:
    """Say what a failed TLS handshake may mean; empty if the text does not report one."""
    return _IP_ACCESS_LIST if _TLS_ALERT.search(text) else ""


def _of_atlas(answer: str) -> str:
    """Tell apart the failures that Atlas reports under one code."""
    if "quota" in answer:
        return _QUOTA
    if "cannot create a new" in answer or "already using" in answer:
        return _COLLECTIONS
    if "not allowed" in answer or "not authorized" in answer:
        return _PRIVILEGES
    if "auth" in answer:
        return _CREDENTIALS
    return _ATLAS
