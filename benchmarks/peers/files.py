"""Tokens in files: the SDK's FileStore, and SQLite as in Zoho's sample."""

import csv
from collections.abc import Iterable
from pathlib import Path

from zohocrmsdk.src.com.zoho.api.authenticator.store import FileStore

from benchmarks.peers.peer import Peer
from benchmarks.peers.sqlite_store import SQLiteStore
from benchmarks.rows import Row
from zoho_mongo_store.sdk import TokenStore
from zoho_mongo_store.transfer.columns import COLUMNS


class FilePeer(Peer):
    """The SDK's FileStore."""

    @property
    def path(self) -> str:
        """The file."""
        return str(self.sites.folder / f"{self.storage}.csv")

    def load(self, rows: Iterable[Row]) -> None:
        """Write the file."""
        FileStore(self.path)
        with Path(self.path).open("a", newline="") as file:
            csv.writer(file).writerows([row[name] for name in COLUMNS] for row in rows)

    def open(self) -> TokenStore:
        """Make the store on the file."""
        return FileStore(self.path)


class SQLitePeer(Peer):
    """A store as Zoho's published sample."""

    def load(self, rows: Iterable[Row]) -> None:
        """Write the file."""
        self._store().load(rows)

    def open(self) -> TokenStore:
        """Make the store on the file."""
        return self._store()

    def _store(self) -> SQLiteStore:
        return SQLiteStore(self.sites.folder / f"{self.storage}.sqlite")
