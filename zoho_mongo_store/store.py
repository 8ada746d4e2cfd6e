"""MongoTokenStore: the SDK's TokenStore on MongoDB."""

import contextlib
import math
from collections.abc import Iterator
from datetime import timedelta
from types import TracebackType
from typing import Any

from pymongo import MongoClient
from pymongo.collection import Collection

from zoho_mongo_store.driver.connection import Connection
from zoho_mongo_store.driver.indexes import Changes
from zoho_mongo_store.encryption import FieldEncryption
from zoho_mongo_store.errors import InvalidInputError, translate_errors
from zoho_mongo_store.model.document import (
    Document,
    checked_text,
    fill,
    from_document,
    to_document,
)
from zoho_mongo_store.model.lookup import find_filters
from zoho_mongo_store.refresh import DEFAULT_POLICY, Coordinator, RefreshPolicy, RefreshStats
from zoho_mongo_store.refresh.intercept import pop_saved_mark
from zoho_mongo_store.sdk import OAuthToken, TokenStore
from zoho_mongo_store.storage.repository import TokenRepository
from zoho_mongo_store.storage.scan import Scan
from zoho_mongo_store.storage.token_indexes import idle_index

_BATCH_SIZE = 1000


class MongoTokenStore(TokenStore):
    """Keeps the tokens of the Zoho CRM SDK in MongoDB, one document per token.

    Pass it as ``Initializer.initialize(store=...)``. One store serves all threads of a process, and
    the children that it forks. Nothing touches the network before the first operation, which also
    makes the indexes.

    Every method raises ``SDKException`` with the code ``TOKEN_STORE`` when it fails: with what
    failed, what to do and the cause, and without any token or secret.
    """

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
        serve_through_outage: timedelta | None = None,
        encryption: FieldEncryption | None = None,
    ) -> None:
        """A store on one collection.

        uri: MongoDB connection string; the store makes, owns and closes the client. Default: the
            environment variable ``ZOHO_MONGO_URI``, else ``mongodb://localhost:27017``.
        client: an existing client in place of a URI; it is borrowed and never closed.
        database: its name. Default: the URI's or the client's own, else ``zohooauth``.
        collection: its name, the same as that of the SDK's MySQL table by default.
        timeout: seconds that each operation may take, including finding a server.
        expire_idle_after: tokens that nobody saved for so long are removed by MongoDB (a TTL index
            on ``updated_at``). A token in use is refreshed, so saved, every hour. ``None`` keeps
            all, and removes the index where it stands.
        create_indexes: whether the first operation makes the indexes. Turn it off for a role that
            may not, and call ``ensure_indexes`` in a deploy step.
        refresh: how the fleet refreshes a token once, and not once per process. ``None``: each
            caller refreshes for itself, as with the SDK's own stores.
        serve_through_outage: while MongoDB cannot be reached, tokens that this store found before
            and that have not expired go on being found, from memory, for so long. ``None``: every
            operation fails until MongoDB is back. Nothing is ever saved to memory alone.
        encryption: how the client secret and the access, refresh and grant token are encrypted
            before they leave the process. ``None``: they are stored in plain.

        Writes are acknowledged by the majority unless the URI or the client chose a write concern.
        """
        connection = Connection(uri, client, database, collection)
        self._connection = connection
        self._tokens = TokenRepository(
            connection,
            timeout=_seconds(timeout),
            idle=idle_index(expire_idle_after),
            create_indexes=create_indexes,
            serve_through_outage=serve_through_outage,
            encryption=encryption,
        )
        self._coordinator = None if refresh is None else Coordinator(self._tokens, refresh)

    @translate_errors("find_token")
    def find_token(self, token: OAuthToken) -> OAuthToken | None:
        """Fill ``token`` from the stored one and return it; ``None`` if none is stored.

        It is looked up by its id, user name, access token, grant token or refresh token: the first
        of these that it carries and that matches. An id is decisive; with nothing to look up by the
        answer is ``None``.
        """
        stored = self._tokens.find(find_filters(to_document(token)))
        if stored is not None:
            fill(token, stored)
        if self._coordinator is not None:
            self._coordinator.prepare(token, stored)
        return None if stored is None else token

    @translate_errors("find_token_by_id")
    def find_token_by_id(self, id: str) -> OAuthToken | None:
        """A new token with everything that is stored under ``id``; ``None`` if it is unknown."""
        stored = self._tokens.find([{"id": checked_text("id", id)}])
        if stored is None:
            return None
        token = from_document(stored)
        if self._coordinator is not None:
            self._coordinator.prepare(token, stored)
        return token

    @translate_errors("save_token")
    def save_token(self, token: OAuthToken) -> None:
        """Update the stored token that ``token`` is, or insert it; its id is set afterwards.

        It is looked up as for finding, but an unknown id goes on down the list and is kept on an
        insert. Absent fields erase nothing. A user name that another stored token bears moves to
        this one. An insert needs an access, a refresh or a grant token.

        A save that cannot reach MongoDB raises, and is written with the next operation that gets
        through, or on ``close``.
        """
        stored = self._tokens.save(to_document(token), keep_access_token=pop_saved_mark(token))
        token.set_id(stored["id"])

    @translate_errors("delete_token")
    def delete_token(self, id: str) -> None:
        """Remove the token stored under ``id``; an unknown id is no error."""
        self._tokens.delete(checked_text("id", id))

    @translate_errors("delete_tokens")
    def delete_tokens(self) -> None:
        """Remove all stored tokens in one operation, and all leases with them."""
        self._tokens.delete_all()

    @translate_errors("get_tokens")
    def get_tokens(self) -> list[OAuthToken]:
        """Every stored token. For large collections see ``iter_tokens``."""
        with contextlib.closing(self._tokens.scan(_BATCH_SIZE)) as scan:
            return [from_document(stored) for stored in iter(scan.next, None)]

    def iter_tokens(self, batch_size: int = _BATCH_SIZE) -> Iterator[OAuthToken]:
        """Every stored token, one after the other, in constant memory.

        batch_size: documents fetched at a time, each time within ``timeout``.
        """
        scan = self._begin_scan(batch_size)
        with contextlib.closing(scan):
            while (token := self._next_token(scan)) is not None:
                yield token

    @translate_errors("ensure_indexes")
    def ensure_indexes(self) -> Changes:
        """Make the collection have the store's indexes, and the TTL index as configured.

        Idempotent, for a deploy step; returns the names of the indexes created, changed, dropped
        and unchanged. An index that is in the way gives an error that names it.
        """
        return self._tokens.ensure_indexes()

    @translate_errors("close")
    def close(self) -> None:
        """Write what is still pending, and close the client if the store made it.

        Does not raise for a MongoDB that is away: what is lost is logged at ERROR by id and user.
        """
        self._tokens.close()

    def refresh_stats(self) -> RefreshStats:
        """Counts of the refreshes in this process since the store was made."""
        return RefreshStats() if self._coordinator is None else self._coordinator.stats()

    @property
    @translate_errors("collection")
    def collection(self) -> Collection[Document]:
        """The pymongo collection that the tokens are in."""
        return self._connection.collection

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
        # A debugger may ask for it when the constructor has failed.
        return f"MongoTokenStore({getattr(self, '_connection', 'not made')})"

    @translate_errors("iter_tokens")
    def _begin_scan(self, batch_size: int) -> Scan:
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
            raise InvalidInputError("batch_size has to be a positive int")
        return self._tokens.scan(batch_size)

    @translate_errors("iter_tokens")
    def _next_token(self, scan: Scan) -> OAuthToken | None:
        stored = scan.next()
        return None if stored is None else from_document(stored)

    def _secrets(self) -> list[str]:
        connection = getattr(self, "_connection", None)
        return [] if connection is None else connection.secrets


def _seconds(timeout: object) -> float:
    if (
        isinstance(timeout, bool)
        or not isinstance(timeout, int | float)
        or not 0 < timeout < math.inf
    ):
        raise InvalidInputError("timeout has to be a positive number of seconds")
    return float(timeout)
