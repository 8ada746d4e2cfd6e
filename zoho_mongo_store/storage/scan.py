"""Reads the whole collection, even through a failover."""

import time
from collections.abc import Callable
from typing import Any

import pymongo
from pymongo.errors import CursorNotFound, PyMongoError

from zoho_mongo_store.driver.availability import was_silent
from zoho_mongo_store.errors import is_lost_connection
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.model.token_documents import DocumentCursor, TokenDocuments

_START = object()


class Scan:
    """Reads every document once, in the order of ``_id``.

    A cursor lives on one server, and pymongo does not retry it. If it is lost, in a failover or
    because it was idle for MongoDB's ten minutes, a new one is opened at the same position.
    """

    def __init__(
        self,
        collection: TokenDocuments,
        batch_size: int,
        timeout: float,
        on_silence: Callable[[float], object],
    ) -> None:
        """Open a cursor. Nothing is sent yet.

        Args:
            collection: The collection to read.
            batch_size: Number of documents to fetch at a time.
            timeout: Seconds that each fetch may take.
            on_silence: Called when a fetch is not answered in time, with the time at which it
                began, by ``time.monotonic``.
        """
        self._on_silence = on_silence
        self._collection = collection
        self._batch_size = batch_size
        self._timeout = timeout
        self._last: Any = _START
        self._cursor = self._open()

    def next(self) -> Document | None:
        """Return the next document, or ``None`` after the last."""
        started = time.monotonic()
        try:
            with pymongo.timeout(self._timeout):
                document = self._fetch()
        except PyMongoError as error:
            if was_silent(error, started, self._timeout):
                self._on_silence(started)
            raise
        if document is not None:
            self._last = document["_id"]
        return document

    def close(self) -> None:
        """Close the cursor on the server."""
        with pymongo.timeout(self._timeout):
            self._cursor.close()

    def _fetch(self) -> Document | None:
        try:
            return next(self._cursor, None)
        except PyMongoError as error:
            if not (is_lost_connection(error) or isinstance(error, CursorNotFound)):
                raise
        self._cursor = self._open()
        return next(self._cursor, None)

    def _open(self) -> DocumentCursor:
        rest: Document = {}
        if self._last is not _START:
            # A plain $gt compares only values of one BSON type, and _id may have several.
            rest = {"$expr": {"$gt": ["$_id", {"$literal": self._last}]}}
        return self._collection.find(rest, batch_size=self._batch_size).sort("_id", 1)
