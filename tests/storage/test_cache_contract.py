"""The contract of the SDK's six methods, with a cache: the same tests."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.conftest import StoreMaker
from tests.engines import SERVERS, Engine
from tests.test_contract import *  # noqa: F403
from zoho_mongo_store import CachePolicy, MongoTokenStore

CACHE = CachePolicy(max_age=timedelta(hours=1))


@pytest.fixture(name="engine", params=SERVERS)
def server(request: pytest.FixtureRequest, running_engines: Callable[[str], Engine]) -> Engine:
    """MongoDB alone: the cache lies above what differs. Its name is not the other suite's."""
    engine: Engine = running_engines(request.param)
    return engine


@pytest.fixture(name="store")
def caching(make_store: StoreMaker) -> MongoTokenStore:
    """A store with a cache."""
    return make_store(cache=CACHE)


@pytest.fixture(name="any_store")
def the_same(store: MongoTokenStore) -> MongoTokenStore:
    """A store with a cache, for the tests that other stores pass too."""
    return store
