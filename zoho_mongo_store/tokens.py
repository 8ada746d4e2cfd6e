"""The collection of tokens: every operation ready, bounded in time, and kept when it must not fail.

What the store and the refresh share; nothing here knows the SDK's calls.
"""

import threading
from datetime import timedelta
from typing import TypeVar

import pymongo
from pymongo.collection import Collection
from pymongo.cursor import Cursor
from pymongo.errors import PyMongoError

from zoho_mongo_store.connection import Connection
from zoho_mongo_store.document import Document
from zoho_mongo_store.errors import is_unreachable
from zoho_mongo_store.fork import reset_after_fork
from zoho_mongo_store.indexes import Changes, Index, ensure_indexes, ensure_lease_indexes
from zoho_mongo_store.lookup import Filter
from zoho_mongo_store.outage import OutageMemory
from zoho_mongo_store.pending import PendingSaves
from zoho_mongo_store.upsert import replace_pair, upsert

_Stored = TypeVar("_Stored", Document, Document | None)


class TokenCollection:
    """Documents in, documents out; raises what pymongo raises, and ``StoreError``.

    timeout: seconds that each operation may take.
    idle: the TTL index that is wanted, if any.
    create_indexes: whether the first operation makes the indexes.
    serve_through_outage: how long found tokens are served from memory while MongoDB is away.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        timeout: float,
        idle: Index | None,
        create_indexes: bool,
        serve_through_outage: timedelta | None,
    ) -> None:
        self.timeout = timeout
        self._connection = connection
        self._idle = idle
        self._pending = PendingSaves()
        self._memory = (
            None if serve_through_outage is None else OutageMemory(serve_through_outage, self._ping)
        )
        self._lock = threading.Lock()
        self._indexes_ready = not create_indexes
        reset_after_fork(self)

    @property
    def is_serving_from_memory(self) -> bool:
        """Whether MongoDB is away and what is found comes from memory."""
        return self._memory is not None and self._memory.serving

    def find(self, filters: list[Filter]) -> Document | None:
        """The document that the first of ``filters`` to match any finds."""
        if self._memory is None:
            return self._find(filters)
        return self._memory.find(filters, self._find)

    def _find(self, filters: list[Filter]) -> Document | None:
        collection = self._ready()
        with pymongo.timeout(self.timeout):
            for candidate in filters:
                stored = collection.find_one(candidate)
                if stored is not None:
                    return stored
        return None

    def save(self, fields: Document, *, keep_pair: bool = False) -> Document:
        """Upsert; see ``upsert``. What cannot reach MongoDB raises, and is written later."""
        try:
            collection = self._ready()
            with pymongo.timeout(self.timeout):
                return self._noted(upsert(collection, fields, keep_pair=keep_pair))
        except PyMongoError as error:
            self._keep_if_unreachable(fields, error)
            raise

    def replace_pair(self, stored: Document, fields: Document) -> Document | None:
        """Put a new access token in the place of the one in ``stored``; see ``replace_pair``.

        What cannot reach MongoDB raises, and is written later.
        """
        try:
            collection = self._ready()
            with pymongo.timeout(self.timeout):
                return self._noted(replace_pair(collection, stored, fields))
        except PyMongoError as error:
            self._keep_if_unreachable(fields, error)
            raise

    def delete(self, id: str) -> None:
        """Remove the document with this id, also from what is still to be written."""
        self._pending.forget(id)
        if self._memory is not None:
            self._memory.forget(id)
        collection = self._ready()
        with pymongo.timeout(self.timeout):
            collection.delete_one({"id": id})

    def delete_all(self) -> None:
        """Remove all documents and all leases."""
        self._pending.forget()
        if self._memory is not None:
            self._memory.forget()
        collection = self._ready()
        with pymongo.timeout(self.timeout):
            collection.delete_many({})
            self.leases().delete_many({})

    def cursor(self, batch_size: int) -> Cursor[Document]:
        """All documents. Nothing is sent before the first ``next``."""
        return self._ready().find(batch_size=batch_size)

    def next(self, cursor: Cursor[Document]) -> Document | None:
        """The next document of ``cursor``, or ``None`` after the last."""
        with pymongo.timeout(self.timeout):
            return next(cursor, None)

    def leases(self) -> Collection[Document]:
        """The collection beside this one that the leases are in."""
        tokens = self._connection.collection
        return tokens.database.get_collection(
            f"{tokens.name}.leases", tokens.codec_options, write_concern=tokens.write_concern
        )

    def ensure_indexes(self) -> Changes:
        """Make the indexes of the tokens and of the leases, whose names get ``leases.`` before."""
        changes = ensure_indexes(self._connection.collection, self._idle, self.timeout)
        of_leases = ensure_lease_indexes(self.leases(), self.timeout)
        self._indexes_ready = True
        return changes.with_others(of_leases, "leases.")

    def close(self) -> None:
        """Write what is pending, or log at ERROR that it is lost, and close the connection."""
        if self._pending and not self._connection.closed:
            try:
                self._flush(self._connection.collection)
            except PyMongoError:
                self._pending.give_up()
        if self._memory is not None:
            self._memory.close()
        self._connection.close()

    def after_fork(self) -> None:
        """Begin anew in a forked child, where the thread that held the lock does not run."""
        self._lock = threading.Lock()

    def _ready(self) -> Collection[Document]:
        """The collection with its indexes made and the pending saves written."""
        collection = self._connection.collection
        if not self._indexes_ready:
            with self._lock:
                if not self._indexes_ready:
                    self.ensure_indexes()
        if self._pending:
            self._flush(collection)
        return collection

    def _ping(self) -> None:
        with pymongo.timeout(self.timeout):
            self._connection.collection.database.command("ping")

    def _noted(self, stored: _Stored) -> _Stored:
        if self._memory is not None and stored is not None:
            self._memory.update(stored)
        return stored

    def _keep_if_unreachable(self, fields: Document, error: PyMongoError) -> None:
        if is_unreachable(error):
            self._pending.keep(fields)

    def _flush(self, collection: Collection[Document]) -> None:
        with pymongo.timeout(self.timeout):
            self._pending.flush(collection)
