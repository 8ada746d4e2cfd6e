"""The repository of tokens: what is found, saved and deleted, and saves kept through an outage.

The store and the refresh share it. Nothing here knows the SDK's calls.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pymongo
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from zoho_mongo_store.driver.connection import Connection
from zoho_mongo_store.driver.index import Changes, Index
from zoho_mongo_store.driver.retry import retry_once
from zoho_mongo_store.driver.server_clock import HostClock, server_clock
from zoho_mongo_store.encryption import FieldEncryption
from zoho_mongo_store.errors import is_unreachable
from zoho_mongo_store.events import EventName, Events
from zoho_mongo_store.model.document import Document, now
from zoho_mongo_store.model.token_documents import TokenDocuments
from zoho_mongo_store.sdk import MARGIN
from zoho_mongo_store.storage import login_state
from zoho_mongo_store.storage.cache import Asked, TokenCache
from zoho_mongo_store.storage.cache_policy import CachePolicy
from zoho_mongo_store.storage.finding import TokenFinder
from zoho_mongo_store.storage.grant_claims import claim_grant
from zoho_mongo_store.storage.scan import Scan
from zoho_mongo_store.storage.seen_versions import SeenVersions
from zoho_mongo_store.storage.token_collection import TokenCollection
from zoho_mongo_store.storage.upsert import (
    compare_and_set_access_token,
    remember_credentials,
    upsert,
)

if TYPE_CHECKING:
    from zoho_mongo_store.encryption.encryptor import Encryptor

Tell = Callable[[EventName, Document], object]
"""Told of an event, with the token that it is about."""


class TokenRepository(TokenFinder):
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
        self.events = events or Events()
        clock = HostClock(lambda: server_clock(connection.collection.database, timeout))
        held = None if cache is None else _cache(cache, refresh_ahead, clock)
        seen = SeenVersions()
        self._encryptor = None if encryption is None else _encryptor(encryption, timeout)
        collection = TokenCollection(
            connection,
            self._encryptor,
            self.events,
            timeout=timeout,
            idle=idle,
            create_indexes=create_indexes,
            on_stored=partial(_note_stored, held, seen),
        )
        super().__init__(collection, held, seen, clock, refresh_patience)

    @property
    def collection(self) -> Collection[Document]:
        """The pymongo collection below, with secrets as they are stored."""
        return self._collection.open()

    def save(
        self,
        fields: Document,
        *,
        keep_access_token: bool = False,
        is_login: bool = False,
        tell: Tell | None = None,
    ) -> Document:
        """Upsert; see ``upsert``. A save that cannot reach MongoDB raises, and is written later.

        Args:
            fields: The token's fields, as ``to_document`` returns them.
            keep_access_token: As for ``upsert``.
            is_login: Whether Zoho just accepted them as a login.
            tell: Told that the user has logged in. Default: the application's handler, at once.
        """

        def write(documents: TokenDocuments) -> tuple[Document, EventName | None]:
            self._write_kept_before(fields)
            stored = upsert(documents, fields, keep_access_token=keep_access_token)
            return stored, login_state.note_login(
                documents, stored, is_login=is_login, is_redeemed=False
            )

        attempted_at, asked = now(), self._ask()
        try:
            stored, event = self._collection.on_primary(write)
        except PyMongoError as error:
            if is_unreachable(error):
                self._keep(
                    fields, attempted_at, keep_access_token=keep_access_token, is_login=is_login
                )
            raise
        # Before a handler is told, which may find the token.
        self._note(stored, asked)
        if event is not None:
            (tell or self.events.emit)(event, stored)
        return stored

    def compare_and_set_access_token(
        self,
        stored: Document,
        fields: Document,
        *,
        is_login: bool = False,
        tell: Tell | None = None,
    ) -> Document | None:
        """Replace the access token of ``stored``; see the function of that name in ``upsert``.

        One that cannot reach MongoDB raises, and is written later.

        Args:
            stored: The document as it was before Zoho was asked.
            fields: The token's fields after Zoho's answer.
            is_login: Whether Zoho just accepted them as a login.
            tell: Told that the user has logged in. Default: the application's handler, at once.
        """

        def write(documents: TokenDocuments) -> tuple[Document | None, EventName | None]:
            self._write_kept_before(fields)
            changed = compare_and_set_access_token(documents, stored, fields)
            if changed is None:
                return None, None
            return changed, login_state.note_login(
                documents, changed, is_login=is_login, is_redeemed=True
            )

        attempted_at, asked = now(), self._ask()
        try:
            changed, event = self._collection.on_primary(write)
        except PyMongoError as error:
            if is_unreachable(error):
                self._keep(fields, attempted_at, redeemed=stored, is_login=is_login)
            raise
        self._noted(stored["id"], changed, asked)
        if changed is not None and event is not None:
            (tell or self.events.emit)(event, changed)
        return changed

    def remember_credentials(self, id: str, fields: Document) -> Document | None:
        """Remember the credentials of a login that Zoho refused; see ``upsert``."""
        asked = self._ask()
        changed = self._collection.on_primary(
            lambda documents: remember_credentials(documents, id, fields)
        )
        return self._noted(id, changed, asked)

    def begin_login_required(self, stored: Document, required: Document) -> bool:
        """Write that the login of a token is over; see ``login_state``."""
        is_begun = self._collection.on_primary(
            lambda documents: login_state.begin_login_required(documents, stored, required)
        )
        self._forget(stored["id"])
        return is_begun

    def expire_access_token(self, id: str, access_token: str | None, moment: datetime) -> bool:
        """Let the access token of a token have expired; see ``login_state``."""
        asked = self._ask()
        changed = self._collection.on_primary(
            lambda documents: login_state.expire_access_token(documents, id, access_token, moment)
        )
        return self._noted(id, changed, asked) is not None

    def delete(self, id: str) -> None:
        """Delete the document with this id, and drop what is kept of it."""

        def delete(documents: TokenDocuments) -> None:
            # A save that is kept without the id may be of the same token.
            self._collection.recovery.write_kept()
            documents.delete_one({"id": id})

        self._pending.forget(id)
        try:
            self._collection.on_primary(delete)
        finally:
            self._forget(id)

    def delete_all(self) -> None:
        """Delete all documents and all leases, and drop what is kept."""

        def delete(documents: TokenDocuments) -> None:
            self._collection.recovery.write_kept()
            retry_once(lambda: documents.delete_many({}))
            retry_once(lambda: self._collection.leases().delete_many({}))

        self._pending.forget()
        try:
            self._collection.on_primary(delete)
        finally:
            self._forget()

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

    def _keep(self, fields: Document, attempted_at: datetime, **how: Any) -> None:
        self._pending.keep(fields, attempted_at, **how)
        self._collection.recovery.start()

    def _write_kept_before(self, fields: Document) -> None:
        """Write what is kept of the same token before a newer save of it."""
        if not self._pending.is_empty and self._pending.has_save_of(fields):
            self._collection.recovery.write_kept(fields)

    def _note(self, stored: Document, asked: Asked | None) -> None:
        self._note_seen(stored)
        if self._cache is not None and asked is not None:
            self._cache.update(stored, asked)

    def _noted(self, id: str, changed: Document | None, asked: Asked | None) -> Document | None:
        """Let the cache know a change; ``None``: the token has been changed elsewhere."""
        if changed is None:
            self._forget(id)
        else:
            self._note(changed, asked)
        return changed

    def _forget(self, id: str | None = None) -> None:
        if id is not None and self._collection.reads_secondaries:
            self._seen.note_change(id)
        if self._cache is not None:
            self._cache.forget(id)


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
