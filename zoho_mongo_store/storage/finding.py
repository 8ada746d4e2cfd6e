"""Finds tokens: in the cache, in MongoDB, and among the kept saves."""

from datetime import timedelta

from pymongo.errors import PyMongoError

from zoho_mongo_store.driver.server_clock import HostClock
from zoho_mongo_store.errors import is_unreachable
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.model.login import is_login
from zoho_mongo_store.model.lookup import Filter, find_filters
from zoho_mongo_store.storage.cache import Asked, TokenCache
from zoho_mongo_store.storage.first_match import first_match
from zoho_mongo_store.storage.seen_versions import SeenVersions
from zoho_mongo_store.storage.token_collection import TokenCollection


class TokenFinder:
    """Finds token documents. Raises pymongo's errors and ``StoreError``.

    Attributes:
        clock: How far this host's clock differs from MongoDB's.
    """

    def __init__(
        self,
        collection: TokenCollection,
        cache: TokenCache | None,
        seen: SeenVersions,
        clock: HostClock,
        refresh_patience: float | None,
    ) -> None:
        """Create it. Nothing is sent yet.

        Args:
            collection: The collection of the tokens.
            cache: The tokens that were found recently. ``None``: every find asks MongoDB.
            seen: The last version seen of each token.
            clock: How far this host's clock differs from MongoDB's.
            refresh_patience: Seconds that a refresh waits for a primary. ``None``: it does not.
        """
        self.clock = clock
        self._collection = collection
        self._pending = collection.recovery.pending
        self._cache = cache
        self._seen = seen
        self._refresh_patience = refresh_patience

    @property
    def may_ask_primary(self) -> bool:
        """Whether the primary answers, as far as that is known."""
        return self._collection.may_ask_primary

    def host_ahead(self) -> timedelta:
        """How far this host's clock is ahead of MongoDB's; asks only if the primary answers."""
        return self.clock.ahead(ask=not self.clock.is_known and self.may_ask_primary)

    def find_token(self, fields: Document, *, from_primary: bool = False) -> Document | None:
        """Find the document of a token, in the find order.

        A login does not find the document that it is about to replace.

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
            The document, or ``None`` if the token is not a login.
        """
        stored = self.find(find_filters(fields)[:1], from_primary=True)
        return stored if stored is not None and is_login(fields, stored) else None

    def find(self, filters: list[Filter], *, from_primary: bool = False) -> Document | None:
        """Find the document of a token, including what this process has yet to write to it.

        Without ``from_primary``, the cache may answer, or a secondary if the primary does not.

        Args:
            filters: Filters in the order in which to try them.
            from_primary: Read only from the primary, and only what is stored there.

        Returns:
            The document found by the first matching filter, or ``None``.

        Raises:
            PyMongoError: No member answered, or only a secondary that does not have the token.
        """
        if from_primary:
            return self._find_on_primary(filters)
        pending = self._pending
        if pending.is_empty:
            return self._find_stored(filters, trust_absence=False)
        kept = pending.find(filters)
        try:
            stored = self._find_stored(filters, trust_absence=kept is not None)
        except PyMongoError as error:
            if kept is None or not is_unreachable(error):
                raise
            return kept
        return kept if stored is None else pending.applied_to(stored)

    def await_primary(self) -> None:
        """If there is no primary or it is silent, wait for one as long as a refresh may."""
        if self._refresh_patience is not None:
            self._collection.wait_for_primary(self._refresh_patience)

    def await_another_primary(self, seconds: float) -> None:
        """Wait until a primary answers, after an operation has lost the one it was sent to.

        Args:
            seconds: The longest time to wait.

        Raises:
            PyMongoError: No primary answered.
        """
        self._collection.recovery.wait_for_primary(seconds)

    def _find_on_primary(self, filters: list[Filter]) -> Document | None:
        self.await_primary()
        asked = self._ask()
        stored = self._collection.on_primary(lambda documents: first_match(documents, filters))
        if stored is not None:
            self._note_seen(stored)
        self._remember(filters, stored, asked)
        return stored

    def _find_stored(self, filters: list[Filter], *, trust_absence: bool) -> Document | None:
        """Find what is stored, or what the cache holds if it may answer."""
        cache = self._cache
        if cache is None:
            return self._read(filters, trust_absence)
        cached = cache.fresh(filters)
        if cached is not None:
            return cached
        asked = cache.ask()
        try:
            stored = self._read(filters, trust_absence)
        except PyMongoError as error:
            if not is_unreachable(error):
                raise
            cached = cache.stale(filters, asked)
            if cached is None:
                raise
            return cached
        self._remember(filters, stored, asked)
        return stored

    def _ask(self) -> Asked | None:
        return None if self._cache is None else self._cache.ask()

    def _remember(
        self, filters: list[Filter], stored: Document | None, asked: Asked | None
    ) -> None:
        if self._cache is None or asked is None:
            return
        if not self.clock.is_known:
            # The cache needs the server's clock to know when a token expires.
            self.host_ahead()
        self._cache.remember(filters, stored, asked)

    def _read(self, filters: list[Filter], trust_absence: bool) -> Document | None:
        found = self._collection.read(
            lambda documents: first_match(documents, filters), trust_absence=trust_absence
        )
        if found is None or not self._seen.are_newer_than(found):
            return found
        return self._read_again(filters, found)

    def _read_again(self, filters: list[Filter], found: Document) -> Document | None:
        """Ask the primary for a token of which a secondary may have an older version."""
        if not self.may_ask_primary:
            return found
        try:
            stored = self._collection.on_primary(lambda documents: first_match(documents, filters))
        except PyMongoError as error:
            if not is_unreachable(error):
                raise
            return found
        if stored == found:
            self._seen.forget(found["id"])
        return stored

    def _note_seen(self, stored: Document) -> None:
        """Note the primary's version if finds are read from secondaries."""
        if self._collection.reads_secondaries:
            self._seen.note(stored)
