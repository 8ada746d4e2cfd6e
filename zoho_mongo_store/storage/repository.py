"""The repository of tokens: finding and writing them, and what the store needs besides.

The store and the refresh share it. Nothing here knows the SDK's calls.
"""

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pymongo
from pymongo.collection import Collection

from zoho_mongo_store.driver.connection import Connection
from zoho_mongo_store.driver.index import Changes, Index
from zoho_mongo_store.driver.server_clock import HostClock, server_clock
from zoho_mongo_store.encryption import FieldEncryption
from zoho_mongo_store.events import Events
from zoho_mongo_store.model.document import MARGIN, Document
from zoho_mongo_store.storage.cache import TokenCache
from zoho_mongo_store.storage.cache_policy import CachePolicy
from zoho_mongo_store.storage.grant_claims import claim_grant
from zoho_mongo_store.storage.scan import Scan
from zoho_mongo_store.storage.seen_versions import SeenVersions
from zoho_mongo_store.storage.token_collection import TokenCollection
from zoho_mongo_store.storage.writing import TokenWriter

if TYPE_CHECKING:
    from zoho_mongo_store.encryption.encryptor import Encryptor


class TokenRepository(TokenWriter):
    """Reads and writes the documents of tokens; raises pymongo's errors and ``StoreError``.

    All secrets are in plain on this side. Below it is one pymongo ``collection``, in which they are
    as they are stored. Between the two, ``TokenDocuments`` is the interface that both a plain
    collection and an ``EncryptedCollection`` have.

    Attributes:
        timeout: Seconds that each operation may take.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        timeout: float,
        idle: Index | None,
        create_indexes: bool,
        cache: CachePolicy | None = None,
        encryption: FieldEncryption | None = None,
        events: Events | None = None,
        refresh_patience: float | None = None,
        refresh_ahead: timedelta | None = None,
    ) -> None:
        """Create a repository; nothing is sent yet.

        Args:
            connection: Leads to the collection. The repository closes it.
            timeout: Seconds that each operation may take, except for building indexes.
            idle: The TTL index for idle tokens, or ``None`` for none.
            create_indexes: Whether the first operation creates the indexes.
            cache: How long tokens are found in memory. ``None``: they are not.
            encryption: How to encrypt secrets. ``None``: they are stored in plain.
            events: Where what happens to the tokens is told. ``None``: nobody is told.
            refresh_patience: Seconds that a refresh waits for a primary. ``None``: it does not.
            refresh_ahead: How long before its expiry a token is due, and held by the cache no
                longer. ``None``: refreshes are not coordinated.
        """
        self.timeout = timeout
        events = events or Events()
        clock = HostClock(lambda: server_clock(connection.collection.database, timeout))
        held = None if cache is None else _cache(cache, refresh_ahead, clock)
        seen = SeenVersions()
        self._encryptor = None if encryption is None else _encryptor(encryption, timeout)
        collection = TokenCollection(
            connection,
            self._encryptor,
            events,
            timeout=timeout,
            idle=idle,
            create_indexes=create_indexes,
            on_stored=partial(_note_stored, held, seen),
        )
        super().__init__(collection, held, seen, clock, refresh_patience, events)

    @property
    def collection(self) -> Collection[Document]:
        """The pymongo collection below, with secrets as they are stored."""
        return self._collection.open()

    def claim_grant(self, fields: Document, grant_token: str, claimant: str) -> bool:
        """Claim the grant token of a token with these fields; see the function of that name."""
        is_stored = self.find_token(fields, from_primary=True) is not None
        leases = self.leases()
        with pymongo.timeout(self.timeout):
            return claim_grant(leases, grant_token, claimant, is_stored=is_stored)

    def scan(self, batch_size: int) -> Scan:
        """Read all documents, one after the other; see ``TokenCollection``."""
        return self._collection.scan(batch_size)

    def ping(self) -> None:
        """Reach any member that can answer a find, or raise pymongo's error."""
        self._collection.ping()

    def leases(self) -> Collection[Document]:
        """Give the collection of leases, beside that of the tokens.

        While there is no primary, as during an election, it waits for one as long as a refresh may.

        Raises:
            PyMongoError: No primary answered in that time.
        """
        self.await_primary()
        return self._collection.leases()

    def ensure_indexes(self) -> Changes:
        """Create, change and drop the indexes of the tokens and of the leases as they are wanted.

        The first operation creates them too, but changes and drops none that exists.

        Returns:
            What was done; the names of the indexes of the leases begin with ``leases.``.
        """
        return self._collection.ensure_indexes()

    def close(self) -> None:
        """Write what is kept, or log at ERROR that it is lost, and close the connection."""
        self._collection.close()
        if self._cache is not None:
            self._cache.close()


def _encryptor(settings: FieldEncryption, timeout: float) -> "Encryptor":
    # A process that does not encrypt need not load it.
    from zoho_mongo_store.encryption.encryptor import Encryptor

    return Encryptor(settings, timeout)


def _cache(policy: CachePolicy, refresh_ahead: timedelta | None, clock: HostClock) -> TokenCache:
    if refresh_ahead is None:
        # What expires when is then by each host's own clock, as with the SDK's own stores.
        return TokenCache(policy, MARGIN, lambda: timedelta(0))
    return TokenCache(policy, max(refresh_ahead, MARGIN), clock.ahead_if_known)


def _note_stored(cache: TokenCache | None, seen: SeenVersions, stored: Document) -> None:
    """Note a token to which a kept save led, in the background."""
    seen.note(stored)
    if cache is not None:
        cache.forget(stored["id"])
