"""Waits for changes of the tokens and leases: reported by MongoDB, or found by polling."""

import time
from typing import Any

import pymongo
from pymongo.change_stream import ChangeStream
from pymongo.collection import Collection
from pymongo.errors import OperationFailure

from zoho_mongo_store.commands.context import TIMEOUT
from zoho_mongo_store.errors import is_unreachable
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.storage.lease_collection import LEASES_SUFFIX

Changed = list[Any] | None
"""The ``_id`` of each token that has changed; ``None``: any may have changed."""

_INTERVAL = 1.0
# Without a change stream, each reading may read the whole collection. That should keep MongoDB busy
# for at most a tenth of the time.
_PAUSE_PER_READING = 10
# A burst of changes is shown together: when it is over, or after this many changes.
_BURST = 1000
_QUIET_MILLISECONDS = 250


class WatchedChanges:
    """The changes in the collections of tokens and leases.

    Attributes:
        source: How changes are found, in words.
    """

    def __init__(self, collection: Collection[Document]) -> None:
        """Create it. Nothing is sent yet.

        Args:
            collection: The collection of tokens.
        """
        self.source = "reported by a change stream"
        self._collection = collection
        self._stream: ChangeStream[Document] | None = None
        self._is_told = True

    def open(self) -> None:
        """Open a change stream, if MongoDB can. Call it before reading what is there."""
        if self._stream is not None or not self._is_told:
            return
        name = self._collection.name
        watched = {"ns.coll": {"$in": [name, f"{name}{LEASES_SUFFIX}"]}}
        try:
            with pymongo.timeout(TIMEOUT):
                self._stream = self._collection.database.watch(
                    [{"$match": watched}], max_await_time_ms=_QUIET_MILLISECONDS
                )
        except OperationFailure as error:
            if is_unreachable(error):
                raise
            # Not a replica set, or the role may not open one.
            self._is_told = False

    def close(self) -> None:
        """Close the change stream. It can be opened again."""
        stream, self._stream = self._stream, None
        if stream is not None:
            with pymongo.timeout(TIMEOUT):
                stream.close()

    def wait(self, reading_seconds: float) -> Changed:
        """Wait for the next change, for about a second.

        Args:
            reading_seconds: How long it took to read the tokens.

        Returns:
            The tokens that have changed.

        Raises:
            PyMongoError: MongoDB does not answer. After that, any token may have changed.
        """
        if self._stream is None:
            seconds = max(_INTERVAL, reading_seconds * _PAUSE_PER_READING)
            self.source = f"polled every {seconds:.0f} s"
            time.sleep(seconds)
            return None
        return _take_burst(self._stream, self._collection.name)


def _take_burst(stream: ChangeStream[Document], collection: str) -> Changed:
    """Wait up to a second for a change, and collect those that come with it."""
    changed: list[Any] = []
    end = time.monotonic() + _INTERVAL
    while (event := _next(stream)) is None:
        if time.monotonic() >= end:
            return changed
    for _ in range(_BURST):
        if "documentKey" not in event:
            # Something happened to the collection itself.
            return None
        if event["ns"]["coll"] == collection:
            changed.append(event["documentKey"]["_id"])
        event = _next(stream)
        if event is None:
            break
    return changed


def _next(stream: ChangeStream[Document]) -> Any:
    with pymongo.timeout(TIMEOUT):
        return stream.try_next()
