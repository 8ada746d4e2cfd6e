"""The contract of the SDK's six methods, with encryption: the same tests."""

from collections.abc import Callable, Iterator

import pytest

from tests.conftest import StoreMaker
from tests.encryption.keys import forms
from tests.engines import SERVERS, Engine
from tests.test_contract import *  # noqa: F403
from zoho_mongo_store import MongoTokenStore


@pytest.fixture(name="engine", params=SERVERS)
def server(request: pytest.FixtureRequest, running_engines: Callable[[str], Engine]) -> Engine:
    """A MongoDB: mongomock cannot encrypt. Its name has pytest take it for the other suite's."""
    engine: Engine = running_engines(request.param)
    return engine


@pytest.fixture(name="any_store")
def encrypting(make_store: StoreMaker) -> Iterator[MongoTokenStore]:
    """A store that encrypts; every secret that a test leaves behind is encrypted."""
    store = make_store()
    yield store
    assert all(forms(document) <= {"encrypted"} for document in store.collection.find())
