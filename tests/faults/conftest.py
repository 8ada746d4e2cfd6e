"""The server to break, with the indexes in place."""

import pytest

from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.testing import LocalMongo


@pytest.fixture
def server(server: LocalMongo) -> LocalMongo:
    """The indexes stand, so that a short time-out is not spent on waiting for the disk."""
    with MongoTokenStore(server.uri, timeout=60) as store:
        store.ensure_indexes()
    return server
