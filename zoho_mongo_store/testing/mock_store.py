"""A store without a MongoDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zoho_mongo_store.testing.child import require

if TYPE_CHECKING:
    from zoho_mongo_store.store import MongoTokenStore


def mock_store(**options: Any) -> MongoTokenStore:
    """A store on a mongomock of its own, in the memory of this process: it is there at once.

    It finds, saves, refreshes and deletes as on MongoDB, in one process. Take ``LocalMongo``
    for what only MongoDB does: several processes, transactions between them, encryption, an
    election, a server that is away.

    Args:
        **options: What ``MongoTokenStore`` takes, but for ``uri`` and ``client``.

    Raises:
        ImportError: Mongomock is not installed.
    """
    require("mongomock")
    import mongomock

    from zoho_mongo_store.store import MongoTokenStore

    return MongoTokenStore(client=mongomock.MongoClient(), **options)
