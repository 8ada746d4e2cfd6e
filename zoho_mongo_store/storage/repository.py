"""The repository of tokens: every operation bounded in time, and saves kept through an outage.

The store and the refresh share it. Nothing here knows the SDK's calls.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import pymongo
from pymongo import ReadPreference, WriteConcern
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from zoho_mongo_store.driver.availability import was_silent
from zoho_mongo_store.driver.connection import Connection
from zoho_mongo_store.driver.index import Changes, Index
from zoho_mongo_store.driver.reading import Reader, patience, remaining
from zoho_mongo_store.driver.retry import retry_once
from zoho_mongo_store.driver.timed_lock import TimedLock
from zoho_mongo_store.encryption import EncryptedCollection, Encryptor, FieldEncryption
from zoho_mongo_store.errors import is_unreachable
from zoho_mongo_store.events import Events
from zoho_mongo_store.model.document import Document, now
from zoho_mongo_store.model.login import is_first_save, is_login
from zoho_mongo_store.model.lookup import Filter, find_filters
from zoho_mongo_store.model.token_documents import TokenDocuments
from zoho_mongo_store.storage import login_state
from zoho_mongo_store.storage.outage import OutageMemory
from zoho_mongo_store.storage.recovery import Recovery
from zoho_mongo_store.storage.scan import Scan
from zoho_mongo_store.storage.token_indexes import ensure_lease_indexes, ensure_token_indexes
from zoho_mongo_store.storage.upsert import (
    compare_and_set_access_token,
    remember_credentials,
    upsert,
)

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
        refresh_patience: float | None = None,
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
            refresh_patience: Seconds that a refresh waits for a primary. ``None``: it does not.
        """
        self._refresh_patience = refresh_patience
        self.timeout = timeout
        self.events = events or Events()
        self._connection = connection
        self._idle = idle
        self._encryptor = None if encryption is None else Encryptor(encryption, timeout)
        self._recovery = Recovery(
            connection,
            partial(_primary_documents, connection, self._encryptor),
            timeout,
            self.events,
        )
        self._availability = self._recovery.availability
        self._pending = self._recovery.pending
        self._reader = Reader(self._availability, timeout)
        self._memory = (
            None
            if serve_through_outage is None
            else OutageMemory(serve_through_outage, self._reach)
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

    def find_token(self, fields: Document, *, from_primary: bool = False) -> Document | None:
        """Find the document of a token, in the find order.

        A login is not answered by the document that it is about to replace.

        Args:
            fields: The token's fields, as ``to_document`` returns them.
            from_primary: As for ``find``.

        Returns:
            The document, or ``None``.
        """
        filters = find_filters(fields)
        while filters:
            stored = self.find(filters, from_primary=from_primary)
            if stored is None or not is_login(fields, stored):
                return stored
            del filters[0]
        return None

    def find_replaced(self, fields: Document) -> Document | None:
        """Find the document that a login is about to replace, on the primary.

        Args:
            fields: The fields of the token that brings the login.

        Returns:
            The document, or ``None`` if the token is no login.
        """
        stored = self.find(find_filters(fields)[:1], from_primary=True)
        return stored if stored is not None and is_login(fields, stored) else None

    def find(self, filters: list[Filter], *, from_primary: bool = False) -> Document | None:
        """Find the document of a token, with what this process has yet to write of it.

        Without ``from_primary`` a secondary answers where the primary does not; see ``Reader``.

        Args:
            filters: Filters in the order in which to try them.
            from_primary: Read from the primary alone, and only what is stored there.

        Returns:
            The document that the first matching filter finds, or ``None``.

        Raises:
            PyMongoError: Nobody answered, or only a secondary did, which does not know the token.
        """
        if from_primary:
            self._await_primary()
            with self._on_primary() as documents:
                return _first(documents, filters)
        pending = self._pending
        kept = pending.find(filters) if pending else None
        try:
            stored = self._find(filters, is_kept=kept is not None)
        except PyMongoError as error:
            if kept is None or not is_unreachable(error):
                raise
            return kept
        if stored is None or not pending:
            return stored or kept
        return pending.applied_to(stored)

    def _find(self, filters: list[Filter], *, is_kept: bool) -> Document | None:
        """Find what is stored, or during an outage what was found last."""
        memory = self._memory
        if memory is None:
            return self._read(filters, is_kept)
        remembered = memory.recall(filters)
        if remembered is not None:
            return remembered
        try:
            stored = self._read(filters, is_kept)
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

    def _read(self, filters: list[Filter], is_kept: bool) -> Document | None:
        self._connection.require_open()
        self._availability.require_any_member()
        deadline = time.monotonic() + self.timeout
        collection = self._open()
        if not self._indexes_ready:
            deadline = self._index_unless_silent(collection, deadline)
        return self._reader.read(
            collection,
            lambda asked: _first(self._in_plain(asked), filters),
            deadline,
            trust_absence=is_kept,
        )

    def save(self, fields: Document, *, keep_access_token: bool = False) -> Document:
        """Upsert; see ``upsert``. A save that cannot reach MongoDB raises, and is written later."""
        attempted_at = now()
        try:
            with self._on_primary() as documents:
                self._write_kept_before(fields)
                stored = upsert(documents, fields, keep_access_token=keep_access_token)
                is_restored = login_state.is_login_restored(
                    stored
                ) and login_state.end_login_required(documents, stored)
        except PyMongoError as error:
            if is_unreachable(error):
                self._keep(fields, attempted_at, keep_access_token=keep_access_token)
            raise
        if is_restored:
            self.events.emit("login_restored", stored)
        elif is_first_save(stored):
            self.events.emit("login", stored)
        return self._noted(stored)

    def compare_and_set_access_token(self, stored: Document, fields: Document) -> Document | None:
        """Replace the access token of ``stored``; see the function of that name in ``upsert``.

        One that cannot reach MongoDB raises, and is written later.
        """
        attempted_at = now()
        try:
            with self._on_primary() as documents:
                self._write_kept_before(fields)
                changed = compare_and_set_access_token(documents, stored, fields)
        except PyMongoError as error:
            if is_unreachable(error):
                self._keep(fields, attempted_at, redeemed=stored)
            raise
        return self._noted(changed)

    def remember_credentials(self, id: str, fields: Document) -> Document | None:
        """Remember the credentials of a login that Zoho refused; see ``upsert``."""
        with self._on_primary() as documents:
            return self._noted(remember_credentials(documents, id, fields))

    def begin_login_required(self, stored: Document, required: Document) -> bool:
        """Write that the login of a token is over; see ``login_state``."""
        with self._on_primary() as documents:
            return login_state.begin_login_required(documents, stored, required)

    def end_login_required(self, stored: Document) -> bool:
        """Remove what says that the login of a token is over; see ``login_state``."""
        with self._on_primary() as documents:
            return login_state.end_login_required(documents, stored)

    def expire_access_token(self, id: str, access_token: str | None, moment: datetime) -> bool:
        """Let the access token of a token have expired; see ``login_state``."""
        with self._on_primary() as documents:
            changed = login_state.expire_access_token(documents, id, access_token, moment)
        return self._noted(changed) is not None

    def delete(self, id: str) -> None:
        """Delete the document with this id, and drop what is kept of it."""
        self._pending.forget(id)
        if self._memory is not None:
            self._memory.forget(id)
        with self._on_primary() as documents:
            # A save that is kept without the id may be of the same token.
            self._write_kept()
            documents.delete_one({"id": id})

    def delete_all(self) -> None:
        """Delete all documents and all leases, and drop what is kept."""
        self._pending.forget()
        if self._memory is not None:
            self._memory.forget()
        with self._on_primary() as documents:
            self._write_kept()
            for emptied in (documents, self._leases()):
                retry_once(lambda: emptied.delete_many({}))  # noqa: B023 - called at once

    def scan(self, batch_size: int) -> Scan:
        """Read all documents, one after the other.

        Args:
            batch_size: Documents to fetch at a time.
        """
        deadline = time.monotonic() + self.timeout
        collection = self._open()
        self._reader.require_member_for(collection)
        if not self._indexes_ready:
            deadline = self._index_unless_silent(collection, deadline)
        with pymongo.timeout(remaining(deadline)):
            return Scan(
                self._in_plain(collection),
                batch_size,
                self.timeout,
                partial(self._note_silence, collection),
            )

    def ping(self) -> None:
        """Reach any member that can answer a find, or raise pymongo's error."""
        deadline = time.monotonic() + self.timeout
        self._reader.read(self._open(), _ping, deadline, trust_absence=True)
        self._availability.member_answered()

    def wait_for_primary(self, seconds: float) -> None:
        """Wait until the primary answers, as after an election. Sends nothing unless it has to.

        Args:
            seconds: How long at most.

        Raises:
            PyMongoError: No primary answered.
        """
        self._recovery.wait_for_primary(seconds)

    def leases(self) -> Collection[Document]:
        """Give the collection of leases, beside that of the tokens.

        While there is no primary, as during an election, it waits for one as long as a refresh may.

        Raises:
            PyMongoError: No primary answered in that time.
        """
        self._await_primary()
        return self._leases()

    def ensure_indexes(self) -> Changes:
        """Create, change and drop the indexes of the tokens and of the leases as they are wanted.

        The first operation creates them too, but changes and drops none that exists.

        Returns:
            What was done; the names of the indexes of the leases begin with ``leases.``.
        """
        self._open()
        return self._ensure_indexes(time.monotonic() + self.timeout, by_hand=True)

    def close(self) -> None:
        """Write what is kept, or log at ERROR that it is lost, and close the connection."""
        self._recovery.finish()
        with pymongo.timeout(self.timeout):
            if self._memory is not None:
                self._memory.close()
            if self._encryptor is not None:
                self._encryptor.close()
            self._connection.close()

    def _leases(self) -> Collection[Document]:
        tokens = self._connection.collection
        return tokens.database.get_collection(
            f"{tokens.name}.leases",
            tokens.codec_options,
            ReadPreference.PRIMARY,
            # Whatever the user chose for tokens: a lease that a failover forgets is held twice.
            WriteConcern("majority"),
        )

    def _await_primary(self) -> None:
        """Wait for a primary where none is known or it is silent."""
        if self._refresh_patience is None:
            return
        lacks_primary = self._reader.lacks_primary(self._open())
        if lacks_primary or self._availability.primary_is_silent:
            self._recovery.wait_for_primary(self._refresh_patience)

    @contextmanager
    def _on_primary(self) -> Iterator[TokenDocuments]:
        """Give the block the collection on the primary, with its indexes, for the time-out.

        While the primary is known to be away the block fails at once.
        """
        started = time.monotonic()
        self._connection.require_open()
        self._availability.require_primary()
        deadline = started + self.timeout
        collection = self._open()
        try:
            if not self._indexes_ready:
                with self._indexing.hold(self.timeout):
                    deadline = self._index(deadline)
            with pymongo.timeout(remaining(deadline)):
                yield self._in_plain(self._reader.on_primary(collection))
            if self._availability.primary_is_silent:
                # So that the next find sees what was just written.
                self._availability.primary_answered()
        except PyMongoError as error:
            if was_silent(error, started, self.timeout):
                self._note_silence(collection, started)
            raise

    def _open(self) -> Collection[Document]:
        started = time.monotonic()
        try:
            return self._connection.open(self.timeout)
        except PyMongoError as error:
            if was_silent(error, started, self.timeout):
                self._availability.found_silent(started, away=True, nobody=True)
            raise

    def _note_silence(self, collection: Collection[Document], since: float) -> None:
        """Note that an operation which began at ``since`` waited for the primary in vain."""
        alone = not self._reader.has_secondary(collection)
        self._availability.found_silent(since, away=True, nobody=alone)

    def _index_unless_silent(self, collection: Collection[Document], deadline: float) -> float:
        """Create the indexes before a find, which does not wait long for them.

        It needs none, and a secondary may answer it.
        """
        if self._availability.primary_is_silent or self._indexing.held:
            return deadline
        started = time.monotonic()
        until = deadline
        if self._reader.may_have_secondary(collection):
            until = min(deadline, started + patience(self.timeout))
        try:
            with self._indexing.hold(self.timeout):
                return max(deadline, self._index(until))
        except PyMongoError as error:
            if not is_unreachable(error):
                raise
            if was_silent(error, started, until - started):
                self._availability.found_silent(started)
            return deadline

    def _index(self, deadline: float) -> float:
        """Create the indexes, if no thread has; a deadline for what comes after it."""
        if not self._indexes_ready:
            self._ensure_indexes(deadline, by_hand=False)
        # Building an index may have taken longer than an operation may.
        is_over = time.monotonic() >= deadline
        return time.monotonic() + self.timeout if is_over else deadline

    def _keep(self, fields: Document, attempted_at: datetime, **how: Any) -> None:
        self._pending.keep(fields, attempted_at, **how)
        self._recovery.start()

    def _write_kept_before(self, fields: Document) -> None:
        """Write what is kept of the same token before a newer save of it."""
        if self._pending and self._pending.has_save_of(fields):
            self._write_kept(fields)

    def _write_kept(self, only: Document | None = None) -> None:
        if self._pending:
            documents = self._in_plain(self._reader.on_primary(self._connection.collection))
            self._pending.flush(documents, self.timeout, only=only)

    def _in_plain(self, collection: Collection[Document]) -> TokenDocuments:
        """Give the collection with its secrets in plain on this side."""
        return _in_plain(collection, self._encryptor)

    def _ensure_indexes(self, deadline: float, *, by_hand: bool) -> Changes:
        """Make the indexes; what tells whether any is missing has to be read by ``deadline``."""
        collection, leases, idle = self._connection.collection, self._leases(), self._idle
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
        self._indexes_ready = True
        return changes

    def _reach(self) -> None:
        with pymongo.timeout(self.timeout):
            self._connection.collection.database.command("ping")
        self._availability.primary_answered()

    def _noted(self, stored: _Stored) -> _Stored:
        if self._memory is not None and stored is not None:
            self._memory.update(stored)
        return stored


def _first(documents: TokenDocuments, filters: list[Filter]) -> Document | None:
    for candidate in filters:
        stored = documents.find_one(candidate)
        if stored is not None:
            return stored
    return None


def _ping(collection: Collection[Document]) -> Document:
    return collection.database.command("ping", read_preference=collection.read_preference)


def _in_plain(collection: Collection[Document], encryptor: Encryptor | None) -> TokenDocuments:
    return collection if encryptor is None else EncryptedCollection(collection, encryptor)


def _primary_documents(connection: Connection, encryptor: Encryptor | None) -> TokenDocuments:
    collection = connection.collection.with_options(read_preference=ReadPreference.PRIMARY)
    return _in_plain(collection, encryptor)
