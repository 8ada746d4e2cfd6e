"""The repository of tokens: finds and writes them, and wires up what that needs.

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
    """Reads and writes token documents. Raises pymongo's errors and ``StoreError``.

    Its callers see all secrets in plain text. The pymongo ``collection`` below holds them as they
    are stored. Between the two, ``TokenDocuments`` is the interface that a plain collection and an
    ``EncryptedCollection`` share.

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
        """Create a repository. Nothing is sent yet.

        Args:
            connection: The connection to the collection. The repository closes it.
            timeout: Seconds that each operation may take, except for building indexes.
            idle: The TTL index for idle tokens, or ``None`` for none.
            create_indexes: Whether the first operation creates the indexes.
            cache: How long tokens are cached. ``None``: not at all.
            encryption: How to encrypt secrets. ``None``: they are stored in plain text.
            events: Where events are emitted. ``None``: nowhere.
            refresh_patience: Seconds that a refresh waits for a primary. ``None``: it does not.
            refresh_ahead: How long before its expiry a token is due, and leaves the cache.
                ``None``: refreshes are not coordinated.
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
        """The underlying pymongo collection, with secrets as they are stored."""
        return self._collection.open()

    def claim_grant(self, fields: Document, grant_token: str, claimant: str) -> bool:
        """Claim the grant token of a token with these fields; see the function of that name."""
        is_stored = self.find_token(fields, from_primary=True) is not None
        leases = self.leases()
        with pymongo.timeout(self.timeout):
            return claim_grant(leases, grant_token, claimant, is_stored=is_stored)

    def scan(self, batch_size: int) -> Scan:
        """Iterate over all documents; see ``TokenCollection``."""
        return self._collection.scan(batch_size)

    def ping(self) -> None:
        """Check that a member that can answer a find does, or raise pymongo's error."""
        self._collection.ping()

    def leases(self) -> Collection[Document]:
        """Return the collection of leases, next to that of the tokens.

        If there is no primary, as during an election, it waits for one as long as a refresh may.

        Raises:
            PyMongoError: No primary answered in that time.
        """
        self.await_primary()
        return self._collection.leases()

    def ensure_indexes(self) -> Changes:
        """Create, change and drop the indexes of the tokens and of the leases as configured.

        The first operation creates indexes too, but never changes or drops an existing one.

        Returns:
            What was done. The names of the indexes of the leases begin with ``leases.``.
        """
        return self._collection.ensure_indexes()

    def close(self) -> None:
        """Write the kept saves, or log at ERROR that they are lost, and close the connection."""
        self._collection.close()
        if self._cache is not None:
            self._cache.close()


def _encryptor(settings: FieldEncryption, timeout: float) -> "Encryptor":
    # Imported here, so that a process that does not encrypt does not load it.
    from zoho_mongo_store.encryption.encryptor import Encryptor

    return Encryptor(settings, timeout)


def _cache(policy: CachePolicy, refresh_ahead: timedelta | None, clock: HostClock) -> TokenCache:
    if refresh_ahead is None:
        # Expiries then follow each host's own clock, as with the SDK's own stores.
        return TokenCache(policy, MARGIN, lambda: timedelta(0))
    return TokenCache(policy, max(refresh_ahead, MARGIN), clock.ahead_if_known)


def _note_stored(cache: TokenCache | None, seen: SeenVersions, stored: Document) -> None:
    """Note a token that a kept save wrote in the background."""
    seen.note(stored)
    if cache is not None:
        cache.forget(stored["id"])
