"""A store without a MongoDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zoho_mongo_store.testing.child import require

if TYPE_CHECKING:
    from zoho_mongo_store.store import MongoTokenStore


def mock_store(**options: Any) -> MongoTokenStore:
    """Create a store on its own mongomock, in this process's memory, which needs no server.

    Within one process it finds, saves, refreshes and deletes as on MongoDB. Use :class:`LocalMongo`
    for what only MongoDB can do: several processes, encryption, an election, a server that is away.

    Args:
        **options: The options of ``MongoTokenStore``, except ``uri`` and ``client``.

    Raises:
        ImportError: Mongomock is not installed.
    """
    require("mongomock")
    import mongomock

    from zoho_mongo_store.store import MongoTokenStore

    return MongoTokenStore(client=mongomock.MongoClient(), **options)
