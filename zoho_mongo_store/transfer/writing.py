"""Writing many updates: in bulk, or one by one where each has to be encrypted."""

from typing import Any, NamedTuple

from pymongo import ReturnDocument, UpdateOne
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure

from zoho_mongo_store.document import Document
from zoho_mongo_store.token_documents import TokenDocuments

_DUPLICATE_KEY = 11000


class Update(NamedTuple):
    """One update of one document."""

    filter: dict[str, Any]
    update: dict[str, Any]
    upsert: bool


def write_all(
    updates: list[Update], collection: Collection[Document], documents: TokenDocuments
) -> set[int]:
    """Write all updates to ``collection`` through ``documents``; the indexes of those that failed
    because a document with the same id or user name was there first.

    Raises what pymongo raises, without the values that it quotes.
    """
    if documents is collection:
        return _in_bulk(updates, collection)
    return {number for number, one in enumerate(updates) if not _written(one, documents)}


def _in_bulk(updates: list[Update], collection: Collection[Document]) -> set[int]:
    writes = [UpdateOne(one.filter, one.update, upsert=one.upsert) for one in updates]
    try:
        collection.bulk_write(writes, ordered=False)
    except BulkWriteError as error:
        failed = error.details["writeErrors"]
        others = [one["code"] for one in failed if one["code"] != _DUPLICATE_KEY]
        if others or not failed:
            raise OperationFailure("", *others[:1]) from None
        return {one["index"] for one in failed}
    return set()


def _written(one: Update, documents: TokenDocuments) -> bool:
    try:
        documents.find_one_and_update(
            one.filter, one.update, upsert=one.upsert, return_document=ReturnDocument.AFTER
        )
    except DuplicateKeyError:
        return False
    return True
