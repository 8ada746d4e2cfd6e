"""Creates the indexes, and reports what was done to each."""

from datetime import timedelta
from typing import Any

import pymongo
from pymongo.collection import Collection

from zoho_mongo_store.commands.context import TIMEOUT
from zoho_mongo_store.driver.index import Index
from zoho_mongo_store.errors import StoreError
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.storage.repository import TokenRepository
from zoho_mongo_store.storage.token_indexes import IDLE_FIELD, TOKEN_INDEXES, idle_index


def existing_indexes(collection: Collection[Document]) -> dict[str, Any]:
    """Read the indexes of a collection, by their names."""
    with pymongo.timeout(TIMEOUT):
        return {index["name"]: index for index in collection.list_indexes()}


def existing_idle_index(collection: Collection[Document]) -> Index | None:
    """Read the TTL index that deletes idle tokens; ``None`` if there is none."""
    for index in existing_indexes(collection).values():
        if dict(index["key"]) == {IDLE_FIELD: 1} and "expireAfterSeconds" in index:
            return idle_index(timedelta(seconds=int(index["expireAfterSeconds"])))
    return None


def make_indexes(
    tokens: TokenRepository, collection: Collection[Document]
) -> tuple[list[tuple[str, str]], StoreError | None]:
    """Create the indexes that the store needs.

    Args:
        tokens: The repository that creates them.
        collection: Its collection.

    Returns:
        The name of each index with what was done to it, and the conflict that kept the others from
        being created, if there was one.
    """
    before = existing_indexes(collection)
    try:
        changes = tokens.ensure_indexes()
    except StoreError as error:
        after = existing_indexes(collection)
        done = [(index.name, _result(index, before, after, str(error))) for index in TOKEN_INDEXES]
        return done, error
    named = zip(changes._fields, changes, strict=True)
    return sorted((name, result) for result, names in named for name in names), None


def _result(index: Index, before: dict[str, Any], after: dict[str, Any], conflict: str) -> str:
    if f" index {index.name} " in conflict or f" on {index.field} conflicts" in conflict:
        return "conflict"
    if index.name in before:
        return "unchanged"
    return "created" if index.name in after else "missing"
