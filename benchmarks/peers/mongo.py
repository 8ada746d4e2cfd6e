"""Tokens in MongoDB: this store, and pymongo alone on a collection with the same indexes."""

from collections.abc import Iterable
from contextlib import suppress
from itertools import islice
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure

from benchmarks.peers.peer import Peer
from benchmarks.peers.raw_store import RawStore
from benchmarks.rows import Row
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.model.document import expiry_date, now
from zoho_mongo_store.model.login import KNOWN_CREDENTIALS, credential_digests
from zoho_mongo_store.sdk import TokenStore

_DOCUMENTS_AT_ONCE = 5000
# A fleet larger than the machine takes its time.
_FLEET_TIMEOUT = 60.0


class MongoPeer(Peer):
    """This store."""

    def load(self, rows: Iterable[Row]) -> None:
        """Insert documents under the store's indexes."""
        with MongoTokenStore(self.sites.mongodb, database=self.storage) as store:
            store.ensure_indexes()
            documents = map(document_of, rows)
            while batch := list(islice(documents, _DOCUMENTS_AT_ONCE)):
                store.collection.insert_many(batch, ordered=False)
            # Else the checkpoint of what was loaded falls into what is measured.
            with suppress(OperationFailure):
                store.collection.database.client.admin.command("fsync")

    def open(self) -> TokenStore:
        """Make the store with its default options, but for the time-out."""
        return MongoTokenStore(self.sites.mongodb, database=self.storage, timeout=_FLEET_TIMEOUT)

    def close(self, store: TokenStore) -> None:
        """Close the store."""
        assert isinstance(store, MongoTokenStore)
        store.close()


class RawPeer(MongoPeer):
    """pymongo alone."""

    def open(self) -> TokenStore:
        """Make the store with a client of its own."""
        return RawStore(MongoClient(self.sites.mongodb), self.storage)

    def close(self, store: TokenStore) -> None:
        """Close its client."""
        assert isinstance(store, RawStore)
        store.collection.database.client.close()


def document_of(row: Row) -> dict[str, Any]:
    """The document that this store keeps the token in ``row`` as."""
    moment = now()
    return {
        **row,
        KNOWN_CREDENTIALS: credential_digests(row),
        "expiry_time": expiry_date(row["expiry_time"]),
        "created_at": moment,
        "updated_at": moment,
    }
