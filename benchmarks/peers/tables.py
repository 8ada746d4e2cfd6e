"""Tokens in a table: the SDK's DBStore on MariaDB."""

from collections.abc import Iterable

from zohocrmsdk.src.com.zoho.api.authenticator.store import DBStore

from benchmarks.peers.peer import Peer
from benchmarks.rows import Row
from benchmarks.servers import mariadb
from zoho_mongo_store.sdk import TokenStore


class MariaDBPeer(Peer):
    """The SDK's DBStore."""

    def load(self, rows: Iterable[Row]) -> None:
        """Make the database."""
        assert self.sites.mariadb is not None
        mariadb.load(self.sites.mariadb, self.storage, rows)

    def open(self) -> TokenStore:
        """Make the store on the database."""
        return DBStore(
            host=mariadb.HOST,
            database_name=self.storage,
            user_name="root",
            password="",
            port_number=str(self.sites.mariadb),
        )
