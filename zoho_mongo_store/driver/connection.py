"""Who owns the client, and the collection that it leads to."""

import os
import threading
from typing import Any
from urllib.parse import parse_qsl, unquote, unquote_plus

from bson.codec_options import CodecOptions
from pymongo import MongoClient, WriteConcern
from pymongo.collection import Collection
from pymongo.driver_info import DriverInfo
from pymongo.errors import InvalidURI
from pymongo.uri_parser import parse_uri

from zoho_mongo_store.driver.fork import not_during_a_fork, reset_after_fork
from zoho_mongo_store.errors import InvalidInputError, StoreError
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.version import __version__

URI_VARIABLE = "ZOHO_MONGO_URI"
DEFAULT_URI = "mongodb://localhost:27017"
DEFAULT_DATABASE = "zohooauth"

_SECRET_OPTIONS = ("tlsCertificateKeyFilePassword", "authMechanismProperties")

# A forked child must neither use nor close the parent's sockets, so these are kept, not collected.
_left_to_the_parent: list[MongoClient[Document]] = []


class Connection:
    """The way to one collection, by a URI (the client is made, owned and closed here) or by a
    borrowed client (never closed).

    Nothing touches the network before ``collection`` is used; a ``mongodb+srv`` URI is resolved
    only then.
    """

    def __init__(
        self,
        uri: str | None,
        client: "MongoClient[Any] | None",
        database: str | None,
        collection: str,
    ) -> None:
        if uri is not None and client is not None:
            raise InvalidInputError("pass either a uri or a client, not both")
        self._uri = uri or os.environ.get(URI_VARIABLE) or DEFAULT_URI
        if client is None and not self._uri.startswith("mongodb+srv://"):
            _check(self._uri)
        self._borrowed = client
        self._owned: MongoClient[Document] | None = None
        self._database = database
        self._name = collection
        self._collection: Collection[Document] | None = None
        self._closed = False
        self._lock = threading.Lock()
        reset_after_fork(self)

    @property
    def collection(self) -> Collection[Document]:
        """The collection; the first use makes the client."""
        found = self._collection
        if found is not None:
            return found
        with self._lock:
            if self._closed:
                raise StoreError("the store is closed: make a new one")
            if self._collection is None:
                self._collection = self._open()
            return self._collection

    def close(self) -> None:
        """Close the client if it is owned. The collection cannot be used any more."""
        with self._lock:
            self._closed = True
            self._collection = None
            owned, self._owned = self._owned, None
        if owned is not None:
            owned.close()

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._closed

    @property
    def secrets(self) -> list[str]:
        """What no error text may show: the URI's passwords, as they are and percent-encoded."""
        userinfo = self._uri.partition("://")[2].rpartition("@")[0]
        password = userinfo.partition(":")[2]
        options = dict(parse_qsl(self._uri.partition("?")[2]))
        texts = [userinfo, password, unquote(password), unquote_plus(password)]
        texts += [options[name] for name in _SECRET_OPTIONS if name in options]
        return [text for text in texts if text]

    def __str__(self) -> str:
        return f"collection {self._name!r}, {'closed' if self._closed else 'open'}"

    def after_fork(self) -> None:
        """Begin anew in a forked child: an owned client stays the parent's."""
        self._lock = threading.Lock()
        if self._owned is not None:
            _left_to_the_parent.append(self._owned)
            self._owned = self._collection = None

    def _open(self) -> Collection[Document]:
        client: MongoClient[Any]
        if self._borrowed is not None:
            client = self._borrowed
        else:
            # A child with a client half made would fail where pymongo cleans up at its end.
            with not_during_a_fork:
                client = self._owned = MongoClient(
                    self._uri, driver=DriverInfo("zoho-mongo-store", __version__)
                )
        name = self._database or client.get_default_database(DEFAULT_DATABASE).name
        # An empty write concern is one that nobody chose. A client of mongomock's has none.
        chosen = client.write_concern
        is_chosen = isinstance(chosen, WriteConcern) and bool(chosen.document)
        return client[name].get_collection(
            self._name,
            codec_options=CodecOptions(tz_aware=True),
            write_concern=chosen if is_chosen else WriteConcern(w="majority"),
        )


def _check(uri: str) -> None:
    try:
        parse_uri(uri)
    except ValueError:
        # Of a port or an option; the text quotes what may be part of a password.
        raise InvalidURI("a port or an option has a wrong value") from None
