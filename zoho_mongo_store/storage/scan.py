"""Reading the whole collection, through a failover."""

from typing import Any

import pymongo
from pymongo.errors import CursorNotFound, PyMongoError

from zoho_mongo_store.errors import is_lost_connection
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.model.token_documents import DocumentCursor, TokenDocuments

_START = object()


class Scan:
    """Every document once, in the order of ``_id``.

    A cursor lives on one server and is not retried by pymongo: one that is lost, to a failover or
    to MongoDB's ten minutes of idleness, is opened again where it was.

    batch_size: documents fetched at a time.
    timeout: seconds that each fetch may take.
    """

    def __init__(self, collection: TokenDocuments, batch_size: int, timeout: float) -> None:
        self._collection = collection
        self._batch_size = batch_size
        self._timeout = timeout
        self._last: Any = _START
        self._cursor = self._open()

    def next(self) -> Document | None:
        """The next document, or ``None`` after the last."""
        with pymongo.timeout(self._timeout):
            try:
                document = next(self._cursor, None)
            except PyMongoError as error:
                if not (is_lost_connection(error) or isinstance(error, CursorNotFound)):
                    raise
                self._cursor = self._open()
                document = next(self._cursor, None)
        if document is not None:
            self._last = document["_id"]
        return document

    def close(self) -> None:
        """Let the server forget the cursor."""
        with pymongo.timeout(self._timeout):
            self._cursor.close()

    def _open(self) -> DocumentCursor:
        rest: Document = {}
        if self._last is not _START:
            # A plain $gt compares within one BSON type alone, and _id may be of several.
            rest = {"$expr": {"$gt": ["$_id", {"$literal": self._last}]}}
        return self._collection.find(rest, batch_size=self._batch_size).sort("_id", 1)
