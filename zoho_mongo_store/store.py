"""MongoTokenStore: the SDK's TokenStore on MongoDB."""

import contextlib
import math
import warnings
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import TracebackType
from typing import Any, overload

from pymongo import MongoClient
from pymongo.collection import Collection

from zoho_mongo_store.copying import StoreOptions
from zoho_mongo_store.driver.connection import Connection
from zoho_mongo_store.driver.index import Changes
from zoho_mongo_store.driver.server_clock import server_clock
from zoho_mongo_store.encryption import FieldEncryption
from zoho_mongo_store.errors import InvalidInputError, translate_errors
from zoho_mongo_store.events import Events, TokenEvent
from zoho_mongo_store.model.document import Document, checked_text
from zoho_mongo_store.model.token import fill, from_document, to_document
from zoho_mongo_store.refresh.coordinator import Coordinator
from zoho_mongo_store.refresh.intercept import pop_saved_mark
from zoho_mongo_store.refresh.policy import DEFAULT_POLICY, RefreshPolicy
from zoho_mongo_store.refresh.stats import RefreshStats
from zoho_mongo_store.sdk import OAuthToken, TokenStore
from zoho_mongo_store.storage.cache_policy import CachePolicy
from zoho_mongo_store.storage.lease_collection import LEASES_SUFFIX
from zoho_mongo_store.storage.repository import TokenRepository
from zoho_mongo_store.storage.scan import Scan
from zoho_mongo_store.storage.token_indexes import idle_index

_BATCH_SIZE = 1000


class MongoTokenStore(TokenStore):
    """Keeps the tokens of the Zoho CRM SDK in MongoDB, one document per token.

    Pass it to ``Initializer.initialize(store=...)``. One store serves all threads of a process and
    its forked children. The constructor sends nothing over the network; the first operation creates
    the indexes.

    Use the store as a context manager, or call ``close`` when you are done.

    You can copy and pickle a store that was created from a URI, for ``multiprocessing`` as well:
    the copy has the same options and opens its own connection. The pickle contains the URI with its
    password, and the master key of ``encryption``. If the URI comes from the environment, it is not
    pickled: the other process reads it from its own environment.

    Raises:
        SDKException: Raised by every method that fails, with the code ``TOKEN_STORE``. The message
            says which operation failed and what to do; ``cause`` is an exception of pymongo's
            class. Neither contains a token or a client secret.
    """

    @overload
    def __init__(
        self,
        /,
        uri: str | None = None,
        *,
        database: str | None = None,
        collection: str = "oauthtoken",
        timeout: float = 5.0,
        expire_idle_after: timedelta | None = None,
        create_indexes: bool = True,
        refresh: RefreshPolicy | None = DEFAULT_POLICY,
        cache: CachePolicy | None = None,
        encryption: FieldEncryption | None = None,
        on_event: Callable[[TokenEvent], object] | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self,
        /,
        *,
        client: "MongoClient[Any]",
        database: str | None = None,
        collection: str = "oauthtoken",
        timeout: float = 5.0,
        expire_idle_after: timedelta | None = None,
        create_indexes: bool = True,
        refresh: RefreshPolicy | None = DEFAULT_POLICY,
        cache: CachePolicy | None = None,
        encryption: FieldEncryption | None = None,
        on_event: Callable[[TokenEvent], object] | None = None,
    ) -> None: ...

    @translate_errors("MongoTokenStore")
    def __init__(
        self,
        uri: str | None = None,
        *,
        client: "MongoClient[Any] | None" = None,
        database: str | None = None,
        collection: str = "oauthtoken",
        timeout: float = 5.0,
        expire_idle_after: timedelta | None = None,
        create_indexes: bool = True,
        refresh: RefreshPolicy | None = DEFAULT_POLICY,
        cache: CachePolicy | None = None,
        encryption: FieldEncryption | None = None,
        on_event: Callable[[TokenEvent], object] | None = None,
    ) -> None:
        """Create a store on one collection.

        Writes use the write concern ``majority`` unless the URI or the client sets another one.

        Args:
            uri: MongoDB connection string. Surrounding white space is ignored. Options that pymongo
                ignores are ignored here too, with a warning that names them. The store creates,
                owns and closes the client. Default: the environment variable ``ZOHO_MONGO_URI``,
                else ``mongodb://localhost:27017``.
            client: A ``MongoClient`` to use instead of a URI. The store borrows it and never closes
                it.
            database: Name of the database. Default: the one in the URI or of the client, else
                ``zohooauth``.
            collection: Name of the collection. Default: ``oauthtoken``, the name of the table in
                the SDK's MySQL store.
            timeout: Seconds that each operation may take, including server selection. Default: 5.
            expire_idle_after: MongoDB deletes tokens that have not been saved for this long (a TTL
                index on ``updated_at``). A token in use is refreshed, and therefore saved, every
                hour. ``None`` keeps all tokens. The constructor never changes or drops an existing
                index; call ``ensure_indexes`` for that.
            create_indexes: Whether the first operation creates the indexes. Pass ``False`` for a
                role that may not create indexes, and call ``ensure_indexes`` in a deploy step.
            refresh: How the fleet refreshes an expired token once, instead of once per process.
                ``None``: each caller refreshes for itself, as with the SDK's own stores.
            cache: How long finds may be answered from the process's memory, without a command and
                during a MongoDB outage. Saves always go to MongoDB. ``None``: every find asks
                MongoDB.
            encryption: How to encrypt the client secret and the access, refresh and grant tokens
                before they leave the process. ``None``: they are stored in plain text.
            on_event: Called with a ``TokenEvent`` for each refresh, login, save and outage, in the
                process where it happens, once the change has been stored. The handler may call the
                store. An exception that it raises is logged at ERROR and not passed on.

        Raises:
            SDKException: An argument is invalid: for example a URI that cannot be parsed, a name
                that MongoDB does not allow, or the write concern ``w=0``.
        """
        seconds = _seconds(timeout)
        self._connection = Connection(
            uri, client, database, collection, suffix=LEASES_SUFFIX, timeout=seconds
        )
        for text in self._connection.warnings:
            # Point at the caller: the two innermost frames are this line and the decorator's.
            warnings.warn(text, stacklevel=3)
        self._options = StoreOptions(
            {
                "uri": uri,
                "database": database,
                "collection": collection,
                "timeout": timeout,
                "expire_idle_after": expire_idle_after,
                "create_indexes": create_indexes,
                "refresh": refresh,
                "cache": cache,
                "encryption": encryption,
                "on_event": on_event,
            },
            is_borrowed=client is not None,
        )
        self._tokens = TokenRepository(
            self._connection,
            timeout=seconds,
            idle=idle_index(expire_idle_after),
            create_indexes=create_indexes,
            cache=_checked_cache(cache),
            encryption=encryption,
            events=Events(_checked_handler(on_event)),
            refresh_patience=None if refresh is None else refresh.lease.total_seconds(),
            refresh_ahead=None if refresh is None else refresh.ahead,
        )
        self._coordinator = None if refresh is None else Coordinator(self._tokens, refresh)

    @translate_errors("find_token")
    def find_token(self, token: OAuthToken) -> OAuthToken | None:
        """Fill ``token`` from the stored token that it identifies.

        If the primary of a replica set does not answer, a secondary does. Only a primary can
        confirm that a token is unknown.

        Args:
            token: Identifies a stored token by its id, user name, access token, grant token or
                refresh token: the first of these that is set and matches. An id is decisive: if it
                is unknown, the other fields are not tried. Fields that are ``None`` are filled in;
                a stored access token and its expiry replace those of ``token``.

        Returns:
            ``token`` itself, or ``None`` if no stored token matches or ``token`` has no field to
            look it up by.
        """
        stored = self._tokens.find_token(to_document(token))
        if stored is not None:
            fill(token, stored)
        if self._coordinator is not None:
            self._coordinator.prepare(token, stored)
        return None if stored is None else token

    @translate_errors("find_token_by_id")
    def find_token_by_id(self, id: str) -> OAuthToken | None:
        """Find the token with this id.

        Args:
            id: The id that ``save_token`` set.

        Returns:
            A new token with all stored fields, or ``None`` if the id is unknown.
        """
        stored = self._tokens.find([{"id": checked_text("id", id)}])
        if stored is None:
            return None
        token = from_document(stored)
        if self._coordinator is not None:
            self._coordinator.prepare(token, stored)
        return token

    @translate_errors("save_token")
    def save_token(self, token: OAuthToken) -> None:
        """Update the stored token that ``token`` identifies, or insert it.

        The stored token is looked up as in ``find_token``, except that after an unknown id the
        other fields are tried, and an inserted token keeps that id. Fields that are not set leave
        the stored ones unchanged. If another stored token holds the user name, the name moves to
        this one.

        A save that cannot reach MongoDB raises, and is kept in memory. A background thread writes
        it as soon as there is a primary again; until then this process's own finds see it.

        Args:
            token: The token to save. Its id is set once it is stored. To be inserted, it needs an
                access, refresh or grant token.
        """
        fields = to_document(token)
        keep_access_token = pop_saved_mark(token)
        if self._coordinator is not None and not keep_access_token:
            fields = self._coordinator.by_server_clock(fields)
        stored = self._tokens.save(fields, keep_access_token=keep_access_token)
        token.set_id(stored["id"])

    @translate_errors("expire_access_token")
    def expire_access_token(self, id: str, access_token: str | None = None) -> bool:
        """Mark a stored access token as expired, so that its next use refreshes it.

        Call this when the CRM API answers ``INVALID_TOKEN`` to an access token that should still be
        valid. Pass that access token: if many workers see the answer, the first one expires it, and
        the others leave the new access token alone. If the user was required to log in again, that
        is cleared, so Zoho is asked once more.

        Args:
            id: The token's id.
            access_token: Expire the stored access token only if it is this one. ``None``: expire
                whichever is stored.

        Returns:
            Whether the stored token was changed. It is not if the id is unknown or another access
            token is stored.
        """
        given = None if access_token is None else checked_text("access_token", access_token)
        moment = server_clock(self._connection.collection.database, self._tokens.timeout)()
        return self._tokens.expire_access_token(checked_text("id", id), given, moment)

    @translate_errors("claim_grant_token")
    def claim_grant_token(self, token: OAuthToken, claimant: str) -> bool:
        """Claim the grant token of ``token`` for one login, before it is exchanged.

        A stored token can be found by the grant token it was created from. Without a claim, anyone
        who obtains a used grant token, from a log or a browser's history, would be taken for the
        user it belonged to. ``ZohoLogin.complete`` claims every grant token it receives.

        Args:
            token: Its client id, client secret and grant token must be set.
            claimant: Identifies the login: the ``state`` that it began with.

        Returns:
            Whether this claimant may exchange the grant token. The first claimant may, from any
            process and any number of times; all others may not. Nobody may if the grant token is
            already stored and was never claimed.
        """
        grant_token = checked_text("grant_token", token.get_grant_token())
        claimant = checked_text("claimant", claimant)
        return self._tokens.claim_grant(to_document(token), grant_token, claimant)

    @translate_errors("delete_token")
    def delete_token(self, id: str) -> None:
        """Delete the token with this id. Deleting an unknown id is not an error."""
        self._tokens.delete(checked_text("id", id))

    @translate_errors("delete_tokens")
    def delete_tokens(self) -> None:
        """Delete all stored tokens in one operation, and their leases."""
        self._tokens.delete_all()

    @translate_errors("get_tokens")
    def get_tokens(self) -> list[OAuthToken]:
        """Read every stored token. For a large collection use ``iter_tokens``."""
        with contextlib.closing(self._tokens.scan(_BATCH_SIZE)) as scan:
            return [self._token_of(stored) for stored in iter(scan.next, None)]

    def iter_tokens(self, batch_size: int = _BATCH_SIZE) -> Iterator[OAuthToken]:
        """Iterate over all stored tokens in constant memory.

        Args:
            batch_size: Number of documents to fetch at a time. Each batch must arrive within
                ``timeout``. Default: 1000.

        Yields:
            Each stored token once.
        """
        scan = self._begin_scan(batch_size)
        with contextlib.closing(scan):
            while (token := self._next_token(scan)) is not None:
                yield token

    @translate_errors("ensure_indexes")
    def ensure_indexes(self) -> Changes:
        """Create missing indexes, and create, change or drop the TTL index as configured.

        Idempotent; meant for a deploy step. Building an index may take longer than ``timeout``.

        Returns:
            The names of the indexes that were created, changed, dropped or left unchanged.

        Raises:
            SDKException: An existing index conflicts; the message names it.
        """
        return self._tokens.ensure_indexes()

    @translate_errors("ping")
    def ping(self) -> None:
        """Check that MongoDB answers within ``timeout``; for readiness probes.

        It succeeds whenever a find can: on a replica set without a primary, a secondary answers.

        Raises:
            SDKException: No member answered in time.
        """
        self._tokens.ping()

    @translate_errors("close")
    def close(self) -> None:
        """Write the saves that are kept in memory, and close the client if the store owns it.

        If you do not call it, the saves are written when the process exits. If MongoDB cannot be
        reached within ``timeout``, the lost tokens are logged at ERROR by id and user name; nothing
        is raised.
        """
        if self._coordinator is not None:
            self._coordinator.close(self._tokens.timeout)
        self._tokens.close()

    def refresh_stats(self) -> RefreshStats:
        """Return how the refreshes in this process have ended since the store was created."""
        return RefreshStats() if self._coordinator is None else self._coordinator.stats()

    @property
    @translate_errors("collection")
    def collection(self) -> Collection[Document]:
        """The pymongo collection that holds the tokens; encrypted secrets stay encrypted."""
        return self._tokens.collection

    def __enter__(self) -> "MongoTokenStore":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        # A debugger may show it even if the constructor failed.
        return f"MongoTokenStore({getattr(self, '_connection', 'not initialized')})"

    @translate_errors("copying the store")
    def __getstate__(self) -> dict[str, Any]:
        """Return the options, including the URI's password and the encryption's master key."""
        return self._options.to_pickle()

    def __setstate__(self, options: dict[str, Any]) -> None:
        """Initialize the store from the options, with its own connection."""
        MongoTokenStore.__init__(self, **options)

    def __copy__(self) -> "MongoTokenStore":
        copied = object.__new__(type(self))
        copied.__setstate__(self._options_to_copy())
        return copied

    def __deepcopy__(self, _: object) -> "MongoTokenStore":
        return self.__copy__()

    @translate_errors("copying the store")
    def _options_to_copy(self) -> dict[str, Any]:
        return self._options.to_copy()

    @translate_errors("iter_tokens")
    def _begin_scan(self, batch_size: int) -> Scan:
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
            raise InvalidInputError("batch_size must be a positive int")
        return self._tokens.scan(batch_size)

    @translate_errors("iter_tokens")
    def _next_token(self, scan: Scan) -> OAuthToken | None:
        stored = scan.next()
        return None if stored is None else self._token_of(stored)

    def _token_of(self, stored: Document) -> OAuthToken:
        token = from_document(stored)
        if self._coordinator is not None:
            self._coordinator.correct_expiry(token, stored)
        return token

    def _secrets(self) -> list[str]:
        connection = getattr(self, "_connection", None)
        return [] if connection is None else connection.secrets


def _checked_cache(cache: object) -> CachePolicy | None:
    if cache is None or isinstance(cache, CachePolicy):
        return cache
    raise InvalidInputError("cache must be a CachePolicy or None")


def _checked_handler(
    on_event: Callable[[TokenEvent], object] | None,
) -> Callable[[TokenEvent], object] | None:
    if on_event is not None and not callable(on_event):
        raise InvalidInputError("on_event must be callable or None")
    return on_event


def _seconds(timeout: object) -> float:
    if (
        isinstance(timeout, bool)
        or not isinstance(timeout, int | float)
        or not 0 < timeout < math.inf
    ):
        raise InvalidInputError("timeout must be a positive number of seconds")
    return float(timeout)
