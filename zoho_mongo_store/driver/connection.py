"""The client, who owns it, and the collection that it leads to."""

import os
import threading
from contextlib import suppress
from typing import Any

import pymongo
from bson.codec_options import CodecOptions
from pymongo import MongoClient, ReadPreference, WriteConcern
from pymongo.collection import Collection
from pymongo.errors import ConfigurationError, ConnectionFailure, OperationFailure

from zoho_mongo_store.driver import Document
from zoho_mongo_store.driver.borrowed import DRIVER, check_acknowledged, introduce
from zoho_mongo_store.driver.fork import not_during_a_fork, reset_after_fork
from zoho_mongo_store.driver.names import check_collection_name
from zoho_mongo_store.driver.opening import Opening
from zoho_mongo_store.driver.source import checked_database, given_source
from zoho_mongo_store.driver.uri import MongoUri
from zoho_mongo_store.errors import StoreError, UnresolvedNameError

_CLOSED = "the store is closed: create a new one"

# A forked child must neither use nor close the parent's sockets. This keeps them from being
# garbage-collected.
_left_to_the_parent: list[MongoClient[Document]] = []


class Connection:
    """The connection to one collection, by a URI or a borrowed client.

    A client for a URI is created, owned and closed here; a borrowed one is never closed. Nothing is
    sent before the collection is first used.
    """

    def __init__(
        self,
        uri: str | None,
        client: "MongoClient[Any] | None",
        database: str | None,
        collection: str,
        *,
        suffix: str = "",
        timeout: float = 5.0,
        reads_primary: bool = False,
    ) -> None:
        """Check the arguments.

        Args:
            uri: Connection string. Surrounding white space is ignored. Default:
                ``ZOHO_MONGO_URI``, else ``DEFAULT_URI``.
            client: A client to borrow instead of a URI.
            database: Name of the database. Default: the URI's or the client's, else ``zohooauth``.
            collection: Name of the collection.
            suffix: The longest suffix that is appended to the name for another collection.
            timeout: Seconds that ``collection`` waits for a client. Default: 5.
            reads_primary: Whether to read from the primary, whatever the URI or the client says.
                Default: False.

        Raises:
            InvalidInputError: Both a URI and a client are given, or MongoDB does not accept one of
                the arguments.
            OSError: A file that the URI names cannot be read.
        """
        self._source = given_source(uri, client)
        self._owned: MongoClient[Document] | None = None
        self._database = checked_database(database, self._source)
        self._name = check_collection_name(
            collection, self._database, f"the collection {collection!r}", suffix
        )
        if isinstance(self._source, MongoUri):
            check_acknowledged(self._source.write_concern)
        else:
            check_acknowledged(self._source[self._database].write_concern)
            introduce(self._source)
        self._timeout = timeout
        self._read_preference = ReadPreference.PRIMARY if reads_primary else None
        self._collection: Collection[Document] | None = None
        self._opening: Opening[Collection[Document]] | None = None
        self._closed = False
        self._lock = threading.RLock()
        reset_after_fork(self)

    @property
    def collection(self) -> Collection[Document]:
        """The collection; its first use creates the client. See ``open``."""
        return self.open(self._timeout)

    def open(self, seconds: float) -> Collection[Document]:
        """Open the collection.

        Args:
            seconds: How long to wait if a ``mongodb+srv`` name must be resolved first.

        Raises:
            StoreError: The connection is closed.
            NetworkTimeout: The name was not resolved in time.
            UnresolvedNameError: The name cannot be resolved.
        """
        found = self._collection
        if found is not None:
            return found
        with self._lock:
            self.require_open()
            if self._collection is not None:
                return self._collection
            if not self._has_to_resolve():
                return self._keep(self._create())
            if self._opening is None or self._opening.has_failed:
                self._opening = Opening(self._resolve)
            opening = self._opening
        return opening.wait(seconds)

    def require_open(self) -> None:
        """Refuse an operation after ``close``.

        Raises:
            StoreError: The connection is closed.
        """
        if self._closed:
            raise StoreError(_CLOSED)

    def close(self) -> None:
        """Close the client if it is owned. The collection can no longer be used."""
        with self._lock:
            self._closed = True
            self._collection = self._opening = None
            owned, self._owned = self._owned, None
        if owned is not None:
            owned.close()

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._closed

    @property
    def warnings(self) -> list[str]:
        """One text for each option of the URI that was left out."""
        return self._source.warnings if isinstance(self._source, MongoUri) else []

    @property
    def secrets(self) -> list[str]:
        """What no error text may show: the URI's passwords and parts of them."""
        return self._source.secrets if isinstance(self._source, MongoUri) else []

    def __str__(self) -> str:
        return f"collection {self._name!r}, {'closed' if self._closed else 'open'}"

    def after_fork(self) -> None:
        """Start afresh in a forked child: an owned client remains the parent's."""
        self._lock = threading.RLock()
        self._opening = None
        if self._owned is not None:
            _left_to_the_parent.append(self._owned)
            self._owned = self._collection = None

    def _has_to_resolve(self) -> bool:
        if isinstance(self._source, MongoUri):
            return self._source.is_srv
        # A client created with connect=False is resolved on its first use.
        return getattr(self._source, "_topology", self) is None

    def _resolve(self) -> Collection[Document]:
        """Create the client and have it resolve its name; not within ``pymongo.timeout``."""
        pid = os.getpid()
        try:
            collection = self._create()
            # If MongoDB does not answer or refuses, the operations will report that.
            with suppress(ConnectionFailure, OperationFailure), pymongo.timeout(self._timeout):
                collection.database.client.admin.command("ping")
            if not isinstance(self._source, MongoUri):
                # Resolving the name has given the client new options.
                introduce(self._source)
        except ConfigurationError as error:
            self._drop_client(pid)
            if not _is_of_name_server(error):
                raise
            raise UnresolvedNameError(str(error)) from None
        with self._lock:
            if os.getpid() == pid and not self._closed:
                return self._keep(collection)
        self._drop_client(pid)
        raise StoreError(_CLOSED)

    def _drop_client(self, pid: int) -> None:
        if self._owned is not None and os.getpid() == pid:
            owned, self._owned = self._owned, None
            owned.close()

    def _keep(self, collection: Collection[Document]) -> Collection[Document]:
        self._collection = collection
        return collection

    def _create(self) -> Collection[Document]:
        database = self._client().get_database(
            self._database, read_preference=self._read_preference
        )
        chosen = database.write_concern
        # An empty write concern means that nobody chose one. A mongomock client has none.
        is_chosen = isinstance(chosen, WriteConcern) and bool(chosen.document)
        return database.get_collection(
            self._name,
            codec_options=CodecOptions(tz_aware=True),
            write_concern=chosen if is_chosen else WriteConcern(w="majority"),
        )

    def _client(self) -> "MongoClient[Any]":
        """Return the borrowed client, or create one from the URI."""
        if not isinstance(self._source, MongoUri):
            return self._source
        # A child with a half-made client would fail in pymongo's clean-up when it exits. Up to
        # pymongo 4.11 the constructor asks the name server, and a fork waits for it up to a second.
        with not_during_a_fork:
            self._owned = MongoClient(
                self._source.text, driver=DRIVER, connect=not self._source.is_srv
            )
            return self._owned


def _is_of_name_server(error: ConfigurationError) -> bool:
    """Whether a name server failed rather than an option: pymongo raises one class for both."""
    origin = error.__cause__ or error.__context__
    return origin is not None and type(origin).__module__.partition(".")[0] == "dns"
