"""Writes many updates with few commands."""

from typing import Any, NamedTuple

import pymongo
from pymongo import UpdateOne
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, OperationFailure

from zoho_mongo_store.encryption.collection import EncryptedCollection
from zoho_mongo_store.encryption.encryptor import UNDER_WAY_SECONDS
from zoho_mongo_store.errors import redacted
from zoho_mongo_store.model.document import Document

_DUPLICATE_KEY = 11000
# Few enough for a slow server to answer in time.
_AT_ONCE = 100


class Update(NamedTuple):
    """An update of one document, with the arguments of pymongo's ``UpdateOne``."""

    filter: dict[str, Any]
    update: dict[str, Any]
    upsert: bool


def write_all(
    updates: list[Update], documents: Collection[Document] | EncryptedCollection
) -> set[int]:
    """Write all updates, in no particular order.

    Args:
        updates: The updates to write.
        documents: The token collection.

    Returns:
        The positions in ``updates`` of those that violated a unique index, because another save
        stored a document with the same id or user name first.

    Raises:
        PyMongoError: The updates cannot be written. The error does not quote their values.
    """
    conflicts: set[int] = set()
    for start in range(0, len(updates), _AT_ONCE):
        some = updates[start : start + _AT_ONCE]
        conflicts |= {start + index for index in _write(some, documents)}
    return conflicts


def _write(
    updates: list[Update], documents: Collection[Document] | EncryptedCollection
) -> set[int]:
    try:
        if isinstance(documents, EncryptedCollection):
            # A rotation of the data key waits this long for operations in progress.
            with pymongo.timeout(UNDER_WAY_SECONDS):
                documents.update_each(updates)
        else:
            documents.bulk_write([UpdateOne(*one) for one in updates], ordered=False)
    except BulkWriteError as error:
        failed = error.details["writeErrors"]
        others = [one for one in failed if one["code"] != _DUPLICATE_KEY]
        if first := next(iter(others or error.details["writeConcernErrors"]), None):
            raise redacted(OperationFailure(first["errmsg"], first["code"], first)) from None
        return {one["index"] for one in failed}
    return set()
