"""The repository of tokens: every operation bounded in time, and saves kept through an outage.

The store and the refresh share it. Nothing here knows the SDK's calls.
"""

import time
from datetime import timedelta
from typing import TypeVar

import pymongo
from pymongo import ReadPreference
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from zoho_mongo_store.driver.connection import Connection
from zoho_mongo_store.driver.indexes import Changes, Index
from zoho_mongo_store.driver.retry import retry_once
from zoho_mongo_store.driver.timed_lock import TimedLock
from zoho_mongo_store.encryption import Encryptor, FieldEncryption
from zoho_mongo_store.errors import is_unreachable
from zoho_mongo_store.events import Events
from zoho_mongo_store.model.document import Document, now
from zoho_mongo_store.model.lookup import Filter
from zoho_mongo_store.model.token_documents import TokenDocuments
from zoho_mongo_store.storage.outage import OutageMemory
from zoho_mongo_store.storage.pending_saves import PendingSaves
from zoho_mongo_store.storage.scan import Scan
from zoho_mongo_store.storage.token_indexes import ensure_lease_indexes, ensure_token_indexes
from zoho_mongo_store.storage.upsert import compare_and_set_access_token, upsert

_Stored = TypeVar("_Stored", Document, Document | None)


class TokenRepository:
    """Reads and writes the documents of tokens; raises pymongo's errors and ``StoreError``.

    All secrets are in plain on this side. Below it is one pymongo ``collection``, in which they are
    as they are stored. Between the two, ``TokenDocuments`` is the interface that both a plain
    collection and an ``EncryptedCollection`` have.

    Attributes:
        timeout: Seconds that each operation may take.
        events: Where what happens to the tokens is told.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        timeout: float,
        idle: Index | None,
        create_indexes: bool,
        serve_through_outage: timedelta | None,
        encryption: FieldEncryption | None = None,
        events: Events | None = None,
    ) -> None:
        """Create a repository; nothing is sent yet.

        Args:
            connection: Leads to the collection. The repository closes it.
            timeout: Seconds that each operation may take, except for building indexes.
            idle: The TTL index for idle tokens, or ``None`` for none.
            create_indexes: Whether the first operation creates the indexes.
            serve_through_outage: How long found tokens are served from memory during an outage.
            encryption: How to encrypt secrets. ``None``: they are stored in plain.
            events: Where what happens to the tokens is told. ``None``: nobody is told.
        """
        self.timeout = timeout
        self.events = events or Events()
        self._connection = connection
        self._idle = idle
        self._encryptor = None if encryption is None else Encryptor(encryption, timeout)
        self._pending = PendingSaves()
        self._memory = (
            None if serve_through_outage is None else OutageMemory(serve_through_outage, self._ping)
        )
        self._indexing = TimedLock()
        self._indexes_ready = not create_indexes

    @property
    def collection(self) -> Collection[Document]:
        """The pymongo collection below, with secrets as they are stored."""
        return self._connection.collection

    @property
    def is_serving_from_memory(self) -> bool:
        """Whether MongoDB is away and what is found comes from memory."""
        return self._memory is not None and self._memory.serving

    def find(self, filters: list[Filter], *, from_primary: bool = False) -> Document | None:
        """Find the document of a token.

        Args:
            filters: Filters in the order in which to try them.
            from_primary: Read from the primary, never from memory, whatever read preference the
                user chose.

        Returns:
            The document that the first matching filter finds, or ``None``.
        """
        memory = None if from_primary else self._memory
        if memory is None:
            return self._find(filters, from_primary)
        remembered = memory.recall(filters)
        if remembered is not None:
            return remembered
        try:
            stored = self._find(filters)
        except PyMongoError as error:
            if not is_unreachable(error):
                raise
            memory.begin_outage()
            remembered = memory.recall(filters)
            if remembered is None:
                raise
            return remembered
        memory.remember(filters, stored)
        return stored

    def _find(self, filters: list[Filter], from_primary: bool = False) -> Document | None:
        documents, left = self._prepared(from_primary)
        with pymongo.timeout(left):
            for candidate in filters:
                stored = documents.find_one(candidate)
                if stored is not None:
                    return stored
        return None

    def save(self, fields: Document, *, keep_access_token: bool = False) -> Document:
        """Upsert; see ``upsert``. What cannot reach MongoDB raises, and is written later."""
        since = now()
        try:
            documents, left = self._prepared()
            with pymongo.timeout(left):
                return self._noted(upsert(documents, fields, keep_access_token=keep_access_token))
        except PyMongoError as error:
            if is_unreachable(error):
                self._pending.keep(fields, since, keep_access_token=keep_access_token)
            raise

    def compare_and_set_access_token(self, stored: Document, fields: Document) -> Document | None:
        """Put a new access token in the place of the one in ``stored``, as ``upsert`` has it.

        What cannot reach MongoDB raises, and is written later.
        """
        since = now()
        try:
            documents, left = self._prepared()
            with pymongo.timeout(left):
                return self._noted(compare_and_set_access_token(documents, stored, fields))
        except PyMongoError as error:
            if is_unreachable(error):
                self._pending.keep(fields, since, redeemed=stored)
            raise

    def delete(self, id: str) -> None:
        """Remove the document with this id, also from what is still to be written."""
        self._pending.forget(id)
        if self._memory is not None:
            self._memory.forget(id)
        documents, left = self._prepared()
        with pymongo.timeout(left):
            documents.delete_one({"id": id})

    def delete_all(self) -> None:
        """Remove all documents and all leases."""
        self._pending.forget()
        if self._memory is not None:
            self._memory.forget()
        documents, left = self._prepared()
        with pymongo.timeout(left):
            for emptied in (documents, self.leases()):
                retry_once(lambda: emptied.delete_many({}))  # noqa: B023 - called at once

    def scan(self, batch_size: int) -> Scan:
        """All documents, one after the other."""
        documents, left = self._prepared()
        with pymongo.timeout(left):
            return Scan(documents, batch_size, self.timeout)

    def leases(self) -> Collection[Document]:
        """The collection beside this one that the leases are in."""
        tokens = self._connection.collection
        return tokens.database.get_collection(
            f"{tokens.name}.leases",
            tokens.codec_options,
            ReadPreference.PRIMARY,
            tokens.write_concern,
        )

    def ensure_indexes(self) -> Changes:
        """Make the indexes of the tokens and of the leases, whose names get ``leases.`` before."""
        return self._ensure_indexes(time.monotonic() + self.timeout)

    def close(self) -> None:
        """Write what is pending, or log at ERROR that it is lost, and close the connection."""
        with pymongo.timeout(self.timeout):
            if self._pending and not self._connection.closed:
                try:
                    self._pending.flush(self._documents(from_primary=True), self.timeout)
                except PyMongoError:
                    self._pending.give_up()
            if self._memory is not None:
                self._memory.close()
            if self._encryptor is not None:
                self._encryptor.close()
            self._connection.close()

    def _prepared(self, from_primary: bool = False) -> tuple[TokenDocuments, float]:
        """The collection with its indexes made and the pending saves written, and the seconds that
        are left of the time-out. With ``from_primary`` it is read from the primary."""
        documents = self._documents(from_primary)
        if self._indexes_ready and not self._pending:
            return documents, self.timeout
        deadline = time.monotonic() + self.timeout
        if not self._indexes_ready:
            with self._indexing.hold(self.timeout):
                if not self._indexes_ready:
                    self._ensure_indexes(deadline)
        left = deadline - time.monotonic()
        if left <= 0:
            # Building an index may have taken longer.
            left, deadline = self.timeout, time.monotonic() + self.timeout
        if self._pending:
            with pymongo.timeout(left):
                self._pending.flush(self._documents(from_primary=True), left)
        return documents, _left(deadline)

    def _documents(self, from_primary: bool = False) -> TokenDocuments:
        """The collection, with secrets in plain on this side."""
        collection = self._connection.collection
        if from_primary:
            collection = collection.with_options(read_preference=ReadPreference.PRIMARY)
        return collection if self._encryptor is None else self._encryptor.encrypted(collection)

    def _ensure_indexes(self, deadline: float) -> Changes:
        """Make the indexes; what tells whether any is missing has to be read by ``deadline``."""
        collection, leases, idle = self._connection.collection, self.leases(), self._idle
        changes = retry_once(lambda: ensure_token_indexes(collection, idle, _left(deadline)))
        of_leases = retry_once(lambda: ensure_lease_indexes(leases, _left(deadline)))
        changes = changes.with_others(of_leases, "leases.")
        if self._encryptor is not None:
            with pymongo.timeout(_left(deadline)):
                of_vault = self._encryptor.ensure_index(collection)
            changes = changes.with_others(of_vault, "keyVault.")
        self._indexes_ready = True
        return changes

    def _ping(self) -> None:
        with pymongo.timeout(self.timeout):
            self._connection.collection.database.command("ping")

    def _noted(self, stored: _Stored) -> _Stored:
        if self._memory is not None and stored is not None:
            self._memory.update(stored)
        return stored


def _left(deadline: float) -> float:
    """The seconds until ``deadline``: at least some, since zero means endless to pymongo."""
    return max(deadline - time.monotonic(), 0.001)
