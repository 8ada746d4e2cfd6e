"""Gives a collection the indexes that it should have."""

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
# How often a conflicting index may turn out to be gone when it is looked at.
_RACES = 10


def ensure_indexes(
    collection: Collection[Document],
    wanted: Iterable[Index],
    timeout: float,
    *,
    by_hand: bool,
    drop_ttl_on: str | None = None,
) -> Changes:
    """Give ``collection`` the ``wanted`` indexes. Idempotent.

    If nothing needs to change, it sends one command.

    Args:
        collection: The collection to index.
        wanted: The indexes that it should have.
        timeout: Seconds for reading the existing indexes. Building an index may take ten minutes.
        by_hand: Whether to change and drop existing indexes. If not, an index of an older layout
            and a TTL index with a different time are left alone, with a WARNING.
        drop_ttl_on: A field whose TTL index is dropped. Default: none is dropped.

    Returns:
        What was done to each index.

    Raises:
        StoreError: An index on the same field or with the same name conflicts, or documents violate
            a unique index. The message names the index.
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
    """Creates and changes the indexes of one collection, one after the other."""

    def __init__(self, collection: Collection[Document], present: Mapping[str, Found]) -> None:
        self.changes = Changes([], [], [], [])
        self._collection = collection
        self._present = present
        # mongomock has no partial indexes: a second document without the field would fail.
        self._is_mongodb = isinstance(collection.database.client, MongoClient)

    def state_of(self, index: Index) -> tuple[Found | None, State]:
        """Find what exists in place of an index."""
        return state_of(index, self._options(index), self._present)

    def make(self, index: Index, found: Found | None, state: State, *, by_hand: bool) -> None:
        """Create or change an index, given what was ``found`` in its place, if anything."""
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
        """Replace an index of an older layout, so that one of the two exists at any time."""
        name = index.second_name if older == index.name else index.name
        try:
            self._build(index, name)
        except OperationFailure as error:
            if error.code not in (_OPTIONS_CONFLICT, _KEY_SPECS_CONFLICT):
                raise
            # Before MongoDB 5.0, two indexes on one field cannot differ only in these options.
            _drop(self._collection, older)
            return self._create(index, name)
        _drop(self._collection, older)
        return name

    def _drop_older(self, index: Index) -> None:
        """Drop what an interrupted replacement left behind."""
        for name, found in self._present.items():
            if is_older(found, index) and self._is_mongodb:
                _drop(self._collection, name)
                self.changes.dropped.append(name)

    def _create(self, index: Index, name: str) -> str:
        """Create an index and return its name: that of another process's if that came first."""
        where = self._collection.full_name
        for _ in range(_RACES):
            try:
                self._build(index, name)
                return name
            except DuplicateKeyError:
                raise StoreError(
                    f"the unique index {name} on {where} cannot be created: several documents have "
                    f"the same {index.field}; find and remove the duplicates first"
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
            f"the index {name} on {where} cannot be created: another one on the same field or with "
            "the same name conflicts with it; drop that one first"
        )

    def _build(self, index: Index, name: str) -> None:
        """Build an index, waiting only for a majority of the members.

        MongoDB's default waits for every member: with one down, the build hangs until it is back.
        """
        model = IndexModel([(index.field, ASCENDING)], name=name, **self._options(index))
        if self._is_mongodb:
            try:
                self._collection.create_indexes([model], commitQuorum="majority")
                return
            except OperationFailure as error:
                # A standalone server refuses the option, and other engines do not support it.
                if "commitQuorum" not in str(error):
                    raise
        self._collection.create_indexes([model])

    def _options(self, index: Index) -> dict[str, Any]:
        return index.older_options if index.partial and not self._is_mongodb else index.options


def _drop(collection: Collection[Document], name: str) -> None:
    """Drop an index once no process is building one: MongoDB 4.4 refuses to until then."""
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
