"""Waits for changes of the tokens and of the leases: told by MongoDB, or looked for."""

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
"""The ``_id`` of each token that has changed; ``None``: any may have."""

_INTERVAL = 1.0
# Without a change stream each reading may be one of the whole collection, which is to keep MongoDB
# busy for a tenth of the time at most.
_PAUSE_PER_READING = 10
# A burst of changes is shown at once: when it is over, or after this many changes.
_BURST = 1000
_QUIET_MILLISECONDS = 250


class WatchedChanges:
    """What changes in the collection of tokens and in that of the leases.

    Attributes:
        source: How changes are found, in words.
    """

    def __init__(self, collection: Collection[Document]) -> None:
        """Send nothing yet.

        Args:
            collection: The collection of tokens.
        """
        self.source = "told by a change stream"
        self._collection = collection
        self._stream: ChangeStream[Document] | None = None
        self._is_told = True

    def open(self) -> None:
        """Have MongoDB tell of changes from now on, where it can: before what is there is read."""
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
        """Stop it. It can be opened again."""
        stream, self._stream = self._stream, None
        if stream is not None:
            with pymongo.timeout(TIMEOUT):
                stream.close()

    def wait(self, reading_seconds: float) -> Changed:
        """Wait for the next change, for a second or so.

        Args:
            reading_seconds: How long it took to read the tokens.

        Returns:
            The tokens that have changed.

        Raises:
            PyMongoError: MongoDB does not answer. After that, any may have changed.
        """
        if self._stream is None:
            seconds = max(_INTERVAL, reading_seconds * _PAUSE_PER_READING)
            self.source = f"looked for every {seconds:.0f} s"
            time.sleep(seconds)
            return None
        return _take_burst(self._stream, self._collection.name)


def _take_burst(stream: ChangeStream[Document], collection: str) -> Changed:
    """Wait for a change for up to a second, and take those that come with it."""
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
