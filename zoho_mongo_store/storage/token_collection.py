"""Runs every operation on the collection of tokens: bounded in time and aware of outages."""

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import pymongo
from pymongo import ReadPreference, WriteConcern
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from zoho_mongo_store.driver.availability import was_silent
from zoho_mongo_store.driver.connection import Connection
from zoho_mongo_store.driver.index import Changes, Index
from zoho_mongo_store.driver.reading import Reader, remaining
from zoho_mongo_store.errors import keeping_words
from zoho_mongo_store.events import Events
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.model.token_documents import TokenDocuments
from zoho_mongo_store.storage.index_creation import IndexCreation
from zoho_mongo_store.storage.lease_collection import lease_collection
from zoho_mongo_store.storage.recovery import Recovery
from zoho_mongo_store.storage.scan import Scan

if TYPE_CHECKING:
    from zoho_mongo_store.encryption.encryptor import Encryptor

_Result = TypeVar("_Result")


class TokenCollection:
    """Reads and writes one collection. Raises pymongo's errors and ``StoreError``.

    Attributes:
        timeout: Seconds that each operation may take.
        recovery: Notices the end of an outage, and writes the kept saves.
        indexes: Creates the indexes.
    """

    def __init__(
        self,
        connection: Connection,
        encryptor: "Encryptor | None",
        events: Events,
        *,
        timeout: float,
        idle: Index | None,
        create_indexes: bool,
        on_stored: Callable[[Document], object],
    ) -> None:
        """Create it. Nothing is sent yet.

        Args:
            connection: The connection to the collection. It is closed here.
            encryptor: Encrypts secrets. ``None``: they are stored in plain text.
            events: Where events of outages and kept saves are emitted.
            timeout: Seconds that each operation may take, except for building indexes.
            idle: The TTL index for idle tokens, or ``None`` for none.
            create_indexes: Whether the first operation creates the indexes.
            on_stored: Called with each document that a kept save wrote. It must not refer to the
                repository.
        """
        self.timeout = timeout
        self._connection = connection
        self._encryptor = encryptor
        documents = partial(_primary_documents, connection, encryptor)
        self.recovery = Recovery(connection, documents, timeout, events, on_stored)
        self._availability = self.recovery.availability
        self._reader = Reader(self._availability, timeout)
        self.indexes = IndexCreation(
            connection,
            encryptor,
            idle,
            timeout,
            self._reader,
            self._availability,
            wanted=create_indexes,
        )

    @property
    def reads_secondaries(self) -> bool:
        """Whether the user's read preference lets a secondary answer even if there is a primary.

        Known after the first read or write.
        """
        return self._reader.reads_secondaries

    @property
    def may_ask_primary(self) -> bool:
        """Whether the primary answers, as far as that is known."""
        return not (
            self._availability.is_disturbed
            or self._reader.lacks_primary(self._connection.collection)
        )

    def read(
        self,
        query: Callable[[TokenDocuments], Document | None],
        *,
        trust_absence: bool = False,
    ) -> Document | None:
        """Read a document, from a secondary if the primary does not answer; see ``Reader``.

        Args:
            query: Queries the collection once.
            trust_absence: Whether to accept ``None`` from a secondary too.

        Returns:
            What ``query`` returned.

        Raises:
            PyMongoError: No member answered, or only a secondary that does not have the document.
        """
        self._connection.require_open()
        self._availability.require_any_member()
        deadline = time.monotonic() + self.timeout
        collection = self.open()
        if not self.indexes.is_done:
            deadline = self.indexes.before_read(collection, deadline)
        encryptor = self._encryptor
        return self._reader.read(
            collection,
            query if encryptor is None else lambda asked: query(_in_plain(asked, encryptor)),
            deadline,
            trust_absence=trust_absence,
        )

    def on_primary(self, command: Callable[[TokenDocuments], _Result]) -> _Result:
        """Run a command on the primary's documents, after creating their indexes.

        Args:
            command: Reads or writes, within the timeout.

        Returns:
            What ``command`` returned.

        Raises:
            PyMongoError: It failed, or was not called because the primary is known to be away.
        """
        started = time.monotonic()
        self._connection.require_open()
        self._availability.require_primary()
        deadline = started + self.timeout
        collection = self.open()
        try:
            if not self.indexes.is_done:
                deadline = self.indexes.before_write(deadline)
            with pymongo.timeout(remaining(deadline)):
                result = command(_in_plain(self._reader.on_primary(collection), self._encryptor))
            if self._availability.primary_is_silent:
                # The next find must see this write, so it must ask the primary.
                self._availability.primary_answered()
            return result
        except PyMongoError as error:
            if was_silent(error, started, self.timeout):
                self._note_silence(collection, started)
            raise

    def scan(self, batch_size: int) -> Scan:
        """Iterate over all documents.

        Args:
            batch_size: Number of documents to fetch at a time.
        """
        deadline = time.monotonic() + self.timeout
        collection = self.open()
        self._reader.require_member_for(collection)
        if not self.indexes.is_done:
            deadline = self.indexes.before_read(collection, deadline)
        with pymongo.timeout(remaining(deadline)):
            return Scan(
                _in_plain(collection, self._encryptor),
                batch_size,
                self.timeout,
                partial(self._note_silence, collection),
            )

    def ping(self) -> None:
        """Check that a member that can answer a find does, or raise pymongo's error."""
        deadline = time.monotonic() + self.timeout
        self._reader.read(self.open(), _ping, deadline, trust_absence=True)
        self._availability.member_answered()

    def wait_for_primary(self, seconds: float) -> None:
        """Wait for a primary if none is known or it is silent.

        Raises:
            PyMongoError: No primary answered within this many seconds.
        """
        if self._reader.lacks_primary(self.open()) or self._availability.primary_is_silent:
            self.recovery.wait_for_primary(seconds)

    def leases(self) -> Collection[Document]:
        """Return the collection of leases, next to that of the tokens."""
        return lease_collection(self._connection.collection)

    def ensure_indexes(self) -> Changes:
        """Create and change the indexes by hand; see ``IndexCreation``."""
        self.open()
        return self.indexes.ensure(time.monotonic() + self.timeout)

    def open(self) -> Collection[Document]:
        """Return the underlying pymongo collection, with secrets as they are stored."""
        started = time.monotonic()
        try:
            return self._connection.open(self.timeout)
        except PyMongoError as error:
            if was_silent(error, started, self.timeout):
                self._availability.found_silent(started, away=True, nobody=True)
            raise

    def close(self) -> None:
        """Write the kept saves, or log at ERROR that they are lost, and close the connection."""
        self.recovery.finish()
        with pymongo.timeout(self.timeout):
            if self._encryptor is not None:
                self._encryptor.close()
            self._connection.close()

    def _note_silence(self, collection: Collection[Document], since: float) -> None:
        """Note that an operation begun at ``since`` got no answer from the primary."""
        alone = not self._reader.has_secondary(collection)
        self._availability.found_silent(since, away=True, nobody=alone)


def _ping(collection: Collection[Document]) -> Document:
    with keeping_words():
        return collection.database.command("ping", read_preference=collection.read_preference)


def _in_plain(collection: Collection[Document], encryptor: "Encryptor | None") -> TokenDocuments:
    """Return the collection with its secrets in plain text for the caller."""
    return collection if encryptor is None else encryptor.in_plain(collection)


def _primary_documents(
    connection: Connection, encryptor: "Encryptor | None", by_majority: bool
) -> TokenDocuments:
    collection = connection.collection.with_options(
        read_preference=ReadPreference.PRIMARY,
        write_concern=None if by_majority else WriteConcern(1),
    )
    return _in_plain(collection, encryptor)
