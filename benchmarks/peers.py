"""The table of peers: what a user would pick instead, and the limit."""

import csv
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from pymongo import MongoClient
from zohocrmsdk.src.com.zoho.api.authenticator.store import DBStore, FileStore

from benchmarks import mariadb
from benchmarks.raw_store import RawStore
from benchmarks.rows import Row
from benchmarks.sqlite_store import SQLiteStore
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.model.document import expiry_date, now
from zoho_mongo_store.sdk import TokenStore
from zoho_mongo_store.transfer.columns import COLUMNS

_DOCUMENTS_AT_ONCE = 5000
# A fleet larger than the machine takes its time.
_FLEET_TIMEOUT = 60.0


class Sites(NamedTuple):
    """Where the peers keep their tokens."""

    folder: Path
    mongodb: str
    """A URI."""
    mariadb: int | None
    """The port, if there is a server."""


@dataclass(frozen=True)
class Peer(ABC):
    """One way to keep tokens, in a storage of its own. It can be passed to another process."""

    sites: Sites
    storage: str
    """Of a database, a file or a collection."""

    @abstractmethod
    def load(self, rows: Iterable[Row]) -> None:
        """Make the storage, with these tokens; not by the store's own saves."""

    @abstractmethod
    def open(self) -> TokenStore:
        """The store, as an application makes it."""

    @contextmanager
    def opened(self) -> Iterator[TokenStore]:
        """The same, and closed afterwards if it can be."""
        store = self.open()
        try:
            yield store
        finally:
            close(store)


class FilePeer(Peer):
    """The SDK's FileStore."""

    def load(self, rows: Iterable[Row]) -> None:
        """Write the file."""
        FileStore(self.path)
        with Path(self.path).open("a", newline="") as file:
            csv.writer(file).writerows([row[name] for name in COLUMNS] for row in rows)

    def open(self) -> TokenStore:
        """On the file."""
        return FileStore(self.path)

    @property
    def path(self) -> str:
        """Of the file."""
        return str(self.sites.folder / f"{self.storage}.csv")


class SQLitePeer(Peer):
    """A store as Zoho's published sample."""

    def load(self, rows: Iterable[Row]) -> None:
        """Write the file."""
        self._store().load(rows)

    def open(self) -> TokenStore:
        """On the file."""
        return self._store()

    def _store(self) -> SQLiteStore:
        return SQLiteStore(self.sites.folder / f"{self.storage}.sqlite")


class MariaDBPeer(Peer):
    """The SDK's DBStore."""

    def load(self, rows: Iterable[Row]) -> None:
        """Make the database."""
        assert self.sites.mariadb is not None
        mariadb.load(self.sites.mariadb, self.storage, rows)

    def open(self) -> TokenStore:
        """On the database."""
        return DBStore(
            host=mariadb.HOST,
            database_name=self.storage,
            user_name="root",
            password="",
            port_number=str(self.sites.mariadb),
        )


class MongoPeer(Peer):
    """This store."""

    def load(self, rows: Iterable[Row]) -> None:
        """Insert documents under the store's indexes."""
        with MongoTokenStore(self.sites.mongodb, database=self.storage) as store:
            store.ensure_indexes()
            documents = map(document_of, rows)
            while batch := list(islice(documents, _DOCUMENTS_AT_ONCE)):
                store.collection.insert_many(batch)

    def open(self) -> TokenStore:
        """With its default options, but for the time-out."""
        return MongoTokenStore(self.sites.mongodb, database=self.storage, timeout=_FLEET_TIMEOUT)


class RawPeer(MongoPeer):
    """pymongo alone, on a collection with the same indexes."""

    def open(self) -> TokenStore:
        """With a client of its own."""
        return RawStore(MongoClient(self.sites.mongodb), self.storage)


OURS, RAW, FILE, SQLITE, MARIADB = (
    "MongoTokenStore",
    "raw pymongo",
    "FileStore",
    "SQLite sample",
    "DBStore on MariaDB",
)
PEERS: dict[str, type[Peer]] = {
    OURS: MongoPeer,
    RAW: RawPeer,
    FILE: FilePeer,
    SQLITE: SQLitePeer,
    MARIADB: MariaDBPeer,
}


def close(store: TokenStore) -> None:
    """Close a store, or the client of the raw one; the others keep nothing open."""
    if isinstance(store, MongoTokenStore):
        store.close()
    elif isinstance(store, RawStore):
        store.collection.database.client.close()


def document_of(row: Row) -> dict[str, Any]:
    """The document that this store keeps the token in ``row`` as."""
    moment = now()
    return {
        **row,
        "expiry_time": expiry_date(row["expiry_time"]),
        "created_at": moment,
        "updated_at": moment,
    }
