"""Making a collection have the indexes that are wanted."""

import logging
import time
from collections.abc import Iterable, Mapping
from typing import Any

import pymongo
from pymongo import ASCENDING, IndexModel, MongoClient
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError, OperationFailure

from zoho_mongo_store.driver import Document
from zoho_mongo_store.driver.index import Changes, Index
from zoho_mongo_store.driver.index_state import (
    Found,
    State,
    is_older,
    is_on,
    require_no_conflict,
    state_of,
    stays,
)
from zoho_mongo_store.errors import StoreError, keeping_words

logger = logging.getLogger("zoho_mongo_store")

# Building an index on a large collection takes longer than an operation may.
_BUILD_SECONDS = 600.0
_INDEX_NOT_FOUND = 27
_OPTIONS_CONFLICT = 85
_KEY_SPECS_CONFLICT = 86
_BUILD_IN_PROGRESS = 12587
_BUILD_POLL = 0.1
# How often an index that is in the way may be gone when it is looked at.
_RACES = 10


def ensure_indexes(
    collection: Collection[Document],
    wanted: Iterable[Index],
    timeout: float,
    *,
    by_hand: bool,
    drop_ttl_on: str | None = None,
) -> Changes:
    """Make ``collection`` have the ``wanted`` indexes. Idempotent.

    When nothing has to change it sends one command.

    Args:
        collection: Where to make them.
        wanted: The indexes to make.
        timeout: Seconds for reading the indexes that exist. Building an index may take ten minutes.
        by_hand: Whether to change and drop indexes that exist. If not, an index of an older layout
            and a TTL index with another time stay, with a WARNING.
        drop_ttl_on: A field whose TTL index is dropped. Default: none is dropped.

    Returns:
        What was done to each index.

    Raises:
        StoreError: Another index on the same field, or of the same name, is in the way, or
            documents break the uniqueness that is wanted. The text names the index.
        PyMongoError: MongoDB could not be reached, or refused.
    """
    with keeping_words(), pymongo.timeout(timeout):
        present = {index["name"]: index for index in collection.list_indexes()}
    work = _Work(collection, present)
    states = [(index, *work.state_of(index)) for index in wanted]
    require_no_conflict(states)
    with keeping_words(), pymongo.timeout(_BUILD_SECONDS):
        for index, found, state in states:
            work.make(index, found, state, by_hand=by_hand)
        if by_hand:
            work.drop_ttl(drop_ttl_on)
    return work.changes


class _Work:
    """Makes the indexes of one collection, one after the other."""

    def __init__(self, collection: Collection[Document], present: Mapping[str, Found]) -> None:
        self.changes = Changes([], [], [], [])
        self._collection = collection
        self._present = present
        # mongomock knows no partial index, and with it a second document without the field fails.
        self._is_mongodb = isinstance(collection.database.client, MongoClient)

    def state_of(self, index: Index) -> tuple[Found | None, State]:
        """Find what stands in the place of an index."""
        return state_of(index, self._options(index), self._present)

    def make(self, index: Index, found: Found | None, state: State, *, by_hand: bool) -> None:
        """Make an index where ``found`` stands in its place, or nothing does."""
        changes, collection = self.changes, self._collection
        if found is None:
            changes.created.append(self._create(index, index.name))
        elif state is State.WANTED:
            changes.unchanged.append(found["name"])
            if by_hand:
                self._drop_older(index)
        elif not by_hand:
            logger.warning("%s", stays(collection.full_name, index, found, state))
            changes.unchanged.append(found["name"])
        elif state is State.OTHER_TIME:
            setting = {"name": found["name"], "expireAfterSeconds": index.expire_after}
            collection.database.command("collMod", collection.name, index=setting)
            changes.changed.append(found["name"])
        else:
            changes.changed.append(self._replace(index, found["name"]))

    def drop_ttl(self, field: str | None) -> None:
        """Drop the TTL index on a field, if there is one."""
        for name, found in self._present.items():
            if field is not None and is_on(found, field) and "expireAfterSeconds" in found:
                _drop(self._collection, name)
                self.changes.dropped.append(name)

    def _replace(self, index: Index, older: str) -> str:
        """Replace an index of an older layout, without a moment in which there is neither."""
        name = index.second_name if older == index.name else index.name
        try:
            self._build(index, name)
        except OperationFailure as error:
            if error.code not in (_OPTIONS_CONFLICT, _KEY_SPECS_CONFLICT):
                raise
            # Before 5.0, two indexes on one field cannot differ in these options alone.
            _drop(self._collection, older)
            return self._create(index, name)
        _drop(self._collection, older)
        return name

    def _drop_older(self, index: Index) -> None:
        """Drop what a replacement that was cut off left behind."""
        for name, found in self._present.items():
            if is_older(found, index) and self._is_mongodb:
                _drop(self._collection, name)
                self.changes.dropped.append(name)

    def _create(self, index: Index, name: str) -> str:
        """Create an index, and give its name: that of another process's if that was first."""
        where = self._collection.full_name
        for _ in range(_RACES):
            try:
                self._build(index, name)
                return name
            except DuplicateKeyError:
                raise StoreError(
                    f"the unique index {name} on {where} cannot be made: documents with the same "
                    f"{index.field} exist; find and remove them first"
                ) from None
            except OperationFailure as error:
                if error.code not in (_OPTIONS_CONFLICT, _KEY_SPECS_CONFLICT):
                    raise
            self._present = {one["name"]: one for one in self._collection.list_indexes()}
            found, state = self.state_of(index)
            if found is not None and state is State.WANTED:
                return str(found["name"])
            if found is not None:
                break
        raise StoreError(
            f"the index {name} on {where} cannot be made: another one on the same field or of the "
            "same name is in the way; drop that one first"
        )

    def _build(self, index: Index, name: str) -> None:
        """Build an index as soon as a majority has; MongoDB's default waits for every member.

        With one member down, that default lets the build hang until it is back.
        """
        model = IndexModel([(index.field, ASCENDING)], name=name, **self._options(index))
        if self._is_mongodb:
            try:
                self._collection.create_indexes([model], commitQuorum="majority")
                return
            except OperationFailure as error:
                # A standalone server refuses the option, and other engines do not know it.
                if "commitQuorum" not in str(error):
                    raise
        self._collection.create_indexes([model])

    def _options(self, index: Index) -> dict[str, Any]:
        return index.older_options if index.partial and not self._is_mongodb else index.options


def _drop(collection: Collection[Document], name: str) -> None:
    """Drop an index, once no other process is building one: MongoDB 4.4 refuses it until then."""
    deadline = time.monotonic() + _BUILD_SECONDS
    while True:
        try:
            collection.drop_index(name)
            return
        except OperationFailure as error:
            if error.code == _INDEX_NOT_FOUND:
                return
            if error.code != _BUILD_IN_PROGRESS or time.monotonic() >= deadline:
                raise
        time.sleep(_BUILD_POLL)
