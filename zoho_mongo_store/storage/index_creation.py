"""Creates the indexes once per process, before its first operation, or by hand."""

import time
from typing import TYPE_CHECKING

import pymongo
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from zoho_mongo_store.driver.availability import Availability, was_silent
from zoho_mongo_store.driver.connection import Connection
from zoho_mongo_store.driver.index import Changes, Index
from zoho_mongo_store.driver.reading import Reader, patience, remaining
from zoho_mongo_store.driver.retry import retry_once
from zoho_mongo_store.driver.timed_lock import TimedLock
from zoho_mongo_store.errors import is_unreachable
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.storage.lease_collection import lease_collection
from zoho_mongo_store.storage.token_indexes import ensure_lease_indexes, ensure_token_indexes

if TYPE_CHECKING:
    from zoho_mongo_store.encryption.encryptor import Encryptor


class IndexCreation:
    """Creates the indexes of the tokens, of the leases and of the key vault.

    Building an index may take longer than an operation's timeout; checking whether one is missing
    may not.
    """

    def __init__(
        self,
        connection: Connection,
        encryptor: "Encryptor | None",
        idle: Index | None,
        timeout: float,
        reader: Reader,
        availability: Availability,
        *,
        wanted: bool,
    ) -> None:
        """Create it. Nothing is sent yet.

        Args:
            connection: The connection to the collection.
            encryptor: The encryption of the store, which needs its own index.
            idle: The TTL index for idle tokens, or ``None`` for none.
            timeout: Seconds that an operation may take.
            reader: Knows whether a secondary may answer a find.
            availability: What is known about the primary.
            wanted: Whether the first operation creates the indexes.
        """
        self._connection = connection
        self._encryptor = encryptor
        self._idle = idle
        self._timeout = timeout
        self._reader = reader
        self._availability = availability
        self._under_way = TimedLock()
        self.is_done = not wanted

    def before_write(self, deadline: float) -> float:
        """Create the indexes, unless a thread has already done so.

        Args:
            deadline: By when the existing indexes must have been read, by ``time.monotonic``.

        Returns:
            The deadline for the operation that follows.
        """
        with self._under_way.hold(self._timeout):
            return self._create(deadline)

    def before_read(self, collection: Collection[Document], deadline: float) -> float:
        """Create the indexes before a find, without making it wait long.

        A find works without them, and a secondary may answer it.

        Args:
            collection: The collection to be read.
            deadline: As for ``before_write``.

        Returns:
            The deadline for the operation that follows.
        """
        if self._availability.primary_is_silent or self._under_way.held:
            return deadline
        started = time.monotonic()
        until = deadline
        if self._reader.may_have_secondary(collection):
            until = min(deadline, started + patience(self._timeout))
        try:
            with self._under_way.hold(self._timeout):
                return max(deadline, self._create(until))
        except PyMongoError as error:
            if not is_unreachable(error):
                raise
            if was_silent(error, started, until - started):
                self._availability.found_silent(started)
            return deadline

    def ensure(self, deadline: float, *, by_hand: bool = True) -> Changes:
        """Create the indexes. Existing ones are changed or dropped only by hand.

        Args:
            deadline: As for ``before_write``.
            by_hand: Whether ``ensure_indexes`` was called.

        Returns:
            What was done. The names of the indexes of the leases begin with ``leases.``.
        """
        collection, idle = self._connection.collection, self._idle
        leases = lease_collection(collection)
        changes = retry_once(
            lambda: ensure_token_indexes(collection, idle, remaining(deadline), by_hand=by_hand)
        )
        of_leases = retry_once(
            lambda: ensure_lease_indexes(leases, remaining(deadline), by_hand=by_hand)
        )
        changes = changes.with_others(of_leases, "leases.")
        if self._encryptor is not None:
            with pymongo.timeout(remaining(deadline)):
                of_vault = self._encryptor.ensure_index(collection)
            changes = changes.with_others(of_vault, "keyVault.")
        self.is_done = True
        return changes

    def _create(self, deadline: float) -> float:
        if not self.is_done:
            self.ensure(deadline, by_hand=False)
        is_over = time.monotonic() >= deadline
        return time.monotonic() + self._timeout if is_over else deadline
