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
    the children that it forks. The constructor sends nothing over the network; the first operation
    creates the indexes.

    Use it as a context manager, or call ``close`` at the end.

    A store that was made from a URI can be copied and pickled, also for ``multiprocessing``: the
    copy has the same options and a connection of its own. What is pickled holds the URI with its
    password, and the master key of ``encryption``; where the URI is that of the environment, the
    other process reads its own.

    Raises:
        SDKException: From every method that fails, with the code ``TOKEN_STORE``. Its message says
            which operation failed and what to do; its ``cause`` is an error of pymongo's class.
            Neither holds a token or a client secret.
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

        Writes are acknowledged by the majority unless the URI or the client sets a write concern.

        Args:
            uri: MongoDB connection string. White space around it is dropped, and options that
                pymongo ignores are ignored with a warning that names them. The store creates, owns
                and closes the client. Default: the environment variable ``ZOHO_MONGO_URI``, else
                ``mongodb://localhost:27017``.
            client: A ``MongoClient`` to use in place of a URI. It is borrowed: the store never
                closes it.
            database: Name of the database. Default: that of the URI or of the client, else
                ``zohooauth``.
            collection: Name of the collection. Default: ``oauthtoken``, the name of the table of
                the SDK's MySQL store.
            timeout: Seconds that each operation may take, including the selection of a server.
                Default: 5.
            expire_idle_after: MongoDB deletes tokens that have not been saved for this long (a TTL
                index on ``updated_at``). A token in use is refreshed, and so saved, every hour.
                ``None`` keeps all tokens. An index that exists is changed and dropped by
                ``ensure_indexes`` alone.
            create_indexes: Whether the first operation creates the indexes. Pass ``False`` for a
                role that may not create any, and call ``ensure_indexes`` in a deploy step.
            refresh: How the fleet refreshes an expired token once, instead of once per process.
                ``None``: each caller refreshes for itself, as with the SDK's own stores.
            cache: How long a token that was found is found again in the process's memory, without a
                command and through an outage of MongoDB. Nothing is ever saved to memory alone.
                ``None``: every find asks MongoDB.
            encryption: How to encrypt the client secret and the access, refresh and grant token
                before they leave the process. ``None``: they are stored in plain.
            on_event: Called with a ``TokenEvent`` for each refresh, login, save and outage, in the
                process where it happens, after what it tells of is stored. It may call the store.
                What it raises is logged at ERROR.

        Raises:
            SDKException: An argument is refused: among others a URI that cannot be read, a name
                that MongoDB does not take, and the write concern ``w=0``.
        """
        seconds = _seconds(timeout)
        self._connection = Connection(
            uri, client, database, collection, suffix=LEASES_SUFFIX, timeout=seconds
        )
        for text in self._connection.warnings:
            # Of the line that makes the store: this one, and that of the decorator, are ours.
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

        On a replica set whose primary does not answer, a secondary does; only that a token is
        unknown has to be confirmed by a primary.

        Args:
            token: Identifies a stored token by its id, user name, access token, grant token or
                refresh token: the first of these that it carries and that matches. An id is
                decisive. The fields that are ``None`` are filled; a stored access token and its
                expiry replace those of ``token``.

        Returns:
            ``token`` itself, or ``None`` if no stored token matches, or if it has nothing to be
            looked up by.
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

        The stored token is looked up as for ``find_token``, except that an unknown id goes on down
        the list, and is kept if the token is inserted. Absent fields erase nothing. A user name
        that another stored token holds moves to this one.

        A save that cannot reach MongoDB raises and is kept in memory. A background thread writes it
        as soon as there is a primary again; until then the finds of this process see it.

        Args:
            token: The token to save. Its id is set afterwards. To be inserted it needs an access,
                a refresh or a grant token.
        """
        fields = to_document(token)
        keep_access_token = pop_saved_mark(token)
        if self._coordinator is not None and not keep_access_token:
            fields = self._coordinator.by_server_clock(fields)
        stored = self._tokens.save(fields, keep_access_token=keep_access_token)
        token.set_id(stored["id"])

    @translate_errors("expire_access_token")
    def expire_access_token(self, id: str, access_token: str | None = None) -> bool:
        """Let a stored access token have expired, so that its next use refreshes it.

        For when the CRM API answers ``INVALID_TOKEN`` to an access token that should be good. Pass
        that access token: of many workers that see the answer the first lets it expire, and none
        the new one that is there by then. It also ends that a login is required, so that Zoho is
        asked once more.

        Args:
            id: The token's id.
            access_token: Only if this is the stored access token. ``None``: whichever it is.

        Returns:
            Whether it was changed: not if the id is unknown, or another access token is stored.
        """
        given = None if access_token is None else checked_text("access_token", access_token)
        moment = server_clock(self._connection.collection.database, self._tokens.timeout)()
        return self._tokens.expire_access_token(checked_text("id", id), given, moment)

    @translate_errors("claim_grant_token")
    def claim_grant_token(self, token: OAuthToken, claimant: str) -> bool:
        """Claim the grant token of ``token`` for one login, before it is exchanged.

        A stored token is found by the grant token that it began with. Without a claim, whoever
        comes by a grant token that was used, from a log or a browser's history, would be taken for
        the user who used it. ``ZohoLogin.complete`` claims each.

        Args:
            token: With its client id, client secret and grant token.
            claimant: What tells the login from others: the ``state`` that it began with.

        Returns:
            Whether it may be exchanged: by the first claimant, in whichever process and however
            often, and by nobody if it is stored already and was never claimed.
        """
        grant_token = checked_text("grant_token", token.get_grant_token())
        claimant = checked_text("claimant", claimant)
        return self._tokens.claim_grant(to_document(token), grant_token, claimant)

    @translate_errors("delete_token")
    def delete_token(self, id: str) -> None:
        """Delete the token with this id. Deleting an unknown id is no error."""
        self._tokens.delete(checked_text("id", id))

    @translate_errors("delete_tokens")
    def delete_tokens(self) -> None:
        """Delete all stored tokens in one operation, and all leases with them."""
        self._tokens.delete_all()

    @translate_errors("get_tokens")
    def get_tokens(self) -> list[OAuthToken]:
        """Read every stored token. For a large collection use ``iter_tokens``."""
        with contextlib.closing(self._tokens.scan(_BATCH_SIZE)) as scan:
            return [self._token_of(stored) for stored in iter(scan.next, None)]

    def iter_tokens(self, batch_size: int = _BATCH_SIZE) -> Iterator[OAuthToken]:
        """Read every stored token, one after the other, in constant memory.

        Args:
            batch_size: Documents to fetch at a time, each time within ``timeout``. Default: 1000.

        Yields:
            The stored tokens, each once.
        """
        scan = self._begin_scan(batch_size)
        with contextlib.closing(scan):
            while (token := self._next_token(scan)) is not None:
                yield token

    @translate_errors("ensure_indexes")
    def ensure_indexes(self) -> Changes:
        """Create the indexes that are missing, and set the TTL index as configured.

        Idempotent; meant for a deploy step. Building an index may take longer than ``timeout``.

        Returns:
            The names of the indexes that were created, changed, dropped, and left as they were.

        Raises:
            SDKException: An existing index is in the way; the message names it.
        """
        return self._tokens.ensure_indexes()

    @translate_errors("ping")
    def ping(self) -> None:
        """Reach MongoDB within ``timeout``; for readiness probes.

        It succeeds wherever a find does: on a replica set without a primary, a secondary answers.

        Raises:
            SDKException: No member answered in time.
        """
        self._tokens.ping()

    @translate_errors("close")
    def close(self) -> None:
        """Write the saves that are kept, and close the client if the store owns it.

        A store that nobody closes writes them at the end of the process. If MongoDB cannot be
        reached within ``timeout``, the tokens that are lost are logged at ERROR, by id and user
        name; nothing is raised.
        """
        if self._coordinator is not None:
            self._coordinator.close(self._tokens.timeout)
        self._tokens.close()

    def refresh_stats(self) -> RefreshStats:
        """Count the refreshes in this process since the store was created."""
        return RefreshStats() if self._coordinator is None else self._coordinator.stats()

    @property
    @translate_errors("collection")
    def collection(self) -> Collection[Document]:
        """The pymongo collection that holds the tokens, with secrets as they are stored."""
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
        # A debugger may show it although the constructor failed.
        return f"MongoTokenStore({getattr(self, '_connection', 'not made')})"

    @translate_errors("copying the store")
    def __getstate__(self) -> dict[str, Any]:
        """Give the options, with what the URI and the encryption hold: a password, a master key."""
        return self._options.to_pickle()

    def __setstate__(self, options: dict[str, Any]) -> None:
        """Make a store with the same options; it begins with a connection of its own."""
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
            raise InvalidInputError("batch_size has to be a positive int")
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
    raise InvalidInputError("cache has to be a CachePolicy, or None")


def _checked_handler(
    on_event: Callable[[TokenEvent], object] | None,
) -> Callable[[TokenEvent], object] | None:
    if on_event is not None and not callable(on_event):
        raise InvalidInputError("on_event has to be callable, or None")
    return on_event


def _seconds(timeout: object) -> float:
    if (
        isinstance(timeout, bool)
        or not isinstance(timeout, int | float)
        or not 0 < timeout < math.inf
    ):
        raise InvalidInputError("timeout has to be a positive number of seconds")
    return float(timeout)
