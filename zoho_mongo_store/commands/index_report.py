"""What becomes of the indexes when they are made, told also when one of them cannot be."""

from datetime import timedelta
from typing import Any

import pymongo
from pymongo.collection import Collection

from zoho_mongo_store.commands.context import TIMEOUT
from zoho_mongo_store.driver.indexes import Index
from zoho_mongo_store.errors import StoreError
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.storage.repository import TokenRepository
from zoho_mongo_store.storage.token_indexes import IDLE_FIELD, TOKEN_INDEXES, idle_index


def standing(collection: Collection[Document]) -> dict[str, Any]:
    """The indexes of a collection by their names."""
    with pymongo.timeout(TIMEOUT):
        return {index["name"]: index for index in collection.list_indexes()}


def standing_idle(collection: Collection[Document]) -> Index | None:
    """The TTL index that removes idle tokens, as it stands."""
    for index in standing(collection).values():
        if dict(index["key"]) == {IDLE_FIELD: 1} and "expireAfterSeconds" in index:
            return idle_index(timedelta(seconds=int(index["expireAfterSeconds"])))
    return None


def made_indexes(
    tokens: TokenRepository, collection: Collection[Document]
) -> tuple[list[tuple[str, str]], StoreError | None]:
    """Make the indexes: what became of each, and what is in the way of the others, if anything."""
    before = standing(collection)
    try:
        changes = tokens.ensure_indexes()
    except StoreError as error:
        after = standing(collection)
        done = [(index.name, _result(index, before, after, str(error))) for index in TOKEN_INDEXES]
        return done, error
    named = zip(changes._fields, changes, strict=True)
    return sorted((name, result) for result, names in named for name in names), None


def _result(index: Index, before: dict[str, Any], after: dict[str, Any], conflict: str) -> str:
    if f" index {index.name} " in conflict or f" on {index.field} is in the way" in conflict:
        return "conflict"
    if index.name in before:
        return "unchanged"
    return "created" if index.name in after else "missing"
