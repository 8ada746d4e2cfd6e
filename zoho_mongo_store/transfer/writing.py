"""Writing many updates by few commands."""

from typing import Any, NamedTuple

import pymongo
from pymongo import UpdateOne
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, OperationFailure

from zoho_mongo_store.encryption.collection import EncryptedCollection
from zoho_mongo_store.encryption.encryptor import UNDER_WAY_SECONDS
from zoho_mongo_store.model.document import Document

_DUPLICATE_KEY = 11000
# Few enough for a slow server to answer in time.
_AT_ONCE = 100


class Update(NamedTuple):
    """One update of one document, as pymongo's ``UpdateOne`` takes it."""

    filter: dict[str, Any]
    update: dict[str, Any]
    upsert: bool


def write_all(
    updates: list[Update], documents: Collection[Document] | EncryptedCollection
) -> set[int]:
    """Write all updates to ``documents``; the indexes of those that failed because a document with
    the same id or user name was there first.

    Raises what pymongo raises, without the values that it quotes.
    """
    beaten: set[int] = set()
    for start in range(0, len(updates), _AT_ONCE):
        some = updates[start : start + _AT_ONCE]
        beaten |= {start + index for index in _write(some, documents)}
    return beaten


def _write(
    updates: list[Update], documents: Collection[Document] | EncryptedCollection
) -> set[int]:
    try:
        if isinstance(documents, EncryptedCollection):
            # A rotation of the data key waits for no longer than that.
            with pymongo.timeout(UNDER_WAY_SECONDS):
                documents.update_each(updates)
        else:
            documents.bulk_write([UpdateOne(*one) for one in updates], ordered=False)
    except BulkWriteError as error:
        failed = error.details["writeErrors"]
        others = [one["code"] for one in failed if one["code"] != _DUPLICATE_KEY]
        if others or not failed:
            raise OperationFailure("", *others[:1]) from None
        return {one["index"] for one in failed}
    return set()
