"""Saves, changes and deletes tokens on the primary; keeps saves during an outage."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from pymongo.errors import PyMongoError

from zoho_mongo_store.driver.retry import retry_once
from zoho_mongo_store.driver.server_clock import HostClock
from zoho_mongo_store.errors import is_unreachable
from zoho_mongo_store.events import EventName, Events
from zoho_mongo_store.model.document import Document, now
from zoho_mongo_store.model.token_documents import TokenDocuments
from zoho_mongo_store.storage import login_state
from zoho_mongo_store.storage.cache import Asked, TokenCache
from zoho_mongo_store.storage.finding import TokenFinder
from zoho_mongo_store.storage.seen_versions import SeenVersions
from zoho_mongo_store.storage.token_collection import TokenCollection
from zoho_mongo_store.storage.upsert import (
    compare_and_set_access_token,
    remember_credentials,
    upsert,
)

Tell = Callable[[EventName, Document], object]
"""Called with an event and the token that it is about."""


class TokenWriter(TokenFinder):
    """Writes token documents. Raises pymongo's errors and ``StoreError``.

    Attributes:
        events: Where events are emitted.
    """

    def __init__(
        self,
        collection: TokenCollection,
        cache: TokenCache | None,
        seen: SeenVersions,
        clock: HostClock,
        refresh_patience: float | None,
        events: Events,
    ) -> None:
        """Create it. Nothing is sent yet.

        Args:
            collection: The collection of the tokens.
            cache: As for ``TokenFinder``, like the next three.
            seen: The last version seen of each token.
            clock: How far this host's clock differs from MongoDB's.
            refresh_patience: Seconds that a refresh waits for a primary.
            events: Where events are emitted.
        """
        super().__init__(collection, cache, seen, clock, refresh_patience)
        self.events = events

    def save(
        self,
        fields: Document,
        *,
        keep_access_token: bool = False,
        is_login: bool = False,
        tell: Tell | None = None,
    ) -> Document:
        """Save a token; see ``upsert``. A save that cannot reach MongoDB raises and is kept.

        Args:
            fields: The token's fields, as ``to_document`` returns them.
            keep_access_token: As for ``upsert``.
            is_login: Whether Zoho has just accepted them as a login.
            tell: Called when the user has logged in. Default: the application's handler, at once.
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
        # Before the handler is called, which may find the token.
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

        If MongoDB cannot be reached, this raises and the change is kept.

        Args:
            stored: The document as it was before Zoho was asked.
            fields: The token's fields after Zoho's answer.
            is_login: Whether Zoho has just accepted them as a login.
            tell: Called when the user has logged in. Default: the application's handler, at once.
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
        """Record that the login of a token is over; see ``login_state``."""
        is_begun = self._collection.on_primary(
            lambda documents: login_state.begin_login_required(documents, stored, required)
        )
        self._forget(stored["id"])
        return is_begun

    def expire_access_token(self, id: str, access_token: str | None, moment: datetime) -> bool:
        """Mark the access token of a token as expired; see ``login_state``."""
        asked = self._ask()
        changed = self._collection.on_primary(
            lambda documents: login_state.expire_access_token(documents, id, access_token, moment)
        )
        return self._noted(id, changed, asked) is not None

    def delete(self, id: str) -> None:
        """Delete the document with this id, and drop its kept saves."""

        def delete(documents: TokenDocuments) -> None:
            # A save kept without an id may be of the same token.
            self._collection.recovery.write_kept()
            documents.delete_one({"id": id})

        self._pending.forget(id)
        try:
            self._collection.on_primary(delete)
        finally:
            self._forget(id)

    def delete_all(self) -> None:
        """Delete all documents and all leases, and drop all kept saves."""

        def delete(documents: TokenDocuments) -> None:
            self._collection.recovery.write_kept()
            retry_once(lambda: documents.delete_many({}))
            retry_once(lambda: self._collection.leases().delete_many({}))

        self._pending.forget()
        try:
            self._collection.on_primary(delete)
        finally:
            self._forget()

    def _keep(self, fields: Document, attempted_at: datetime, **how: Any) -> None:
        self._pending.keep(fields, attempted_at, **how)
        self._collection.recovery.start()

    def _write_kept_before(self, fields: Document) -> None:
        """Write the kept saves of the same token before a newer one."""
        if not self._pending.is_empty and self._pending.has_save_of(fields):
            self._collection.recovery.write_kept(fields)

    def _note(self, stored: Document, asked: Asked | None) -> None:
        self._note_seen(stored)
        if self._cache is not None and asked is not None:
            self._cache.update(stored, asked)

    def _noted(self, id: str, changed: Document | None, asked: Asked | None) -> Document | None:
        """Tell the cache about a change. ``None``: the token has been changed elsewhere."""
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
