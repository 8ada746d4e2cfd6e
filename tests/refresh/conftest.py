"""Fixtures of the tests of the refresh: one Zoho that takes a second to answer, and a fleet."""

from collections.abc import Iterator

import pytest

from tests.conftest import PATIENCE
from tests.engines import Engine
from tests.refresh.callers import Fleet, driving
from tests.refresh.moved_time import MovedTime
from tests.refresh.site import Site, stored
from tests.sdk.application import Application
from tests.sdk.stored import Documents
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.testing import LoopbackZoho


@pytest.fixture
def zoho(loopback_zoho: LoopbackZoho) -> Iterator[LoopbackZoho]:
    """The loopback Zoho, as if it had just been started; it takes a second to answer."""
    loopback_zoho.configure(delay=1)
    yield loopback_zoho
    loopback_zoho.release()


@pytest.fixture
def fleet(engine: Engine, database: str, zoho: LoopbackZoho) -> Fleet:
    """Processes on the test's own database and Zoho."""
    return Fleet(engine.uri, database, zoho)


@pytest.fixture
def application(
    engine: Engine, database: str, zoho: LoopbackZoho, resource_path: str
) -> Application:
    """What each instance runs that starts with a grant token."""
    options = {"uri": engine.uri, "database": database, "timeout": PATIENCE}
    return Application(zoho, options, resource_path)


@pytest.fixture
def documents(engine: Engine, database: str) -> Documents:
    """Reads the stored documents."""
    return lambda: list(engine.client[database].oauthtoken.find())


@pytest.fixture
def site(
    store: MongoTokenStore, zoho: LoopbackZoho, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Site]:
    """A site whose Zoho answers at once."""
    zoho.configure(delay=0)
    time = MovedTime()
    monkeypatch.setattr("zoho_mongo_store.storage.repository.server_clock", lambda *_: time)
    with driving(store, zoho):
        yield Site(store, zoho, time, stored(store, zoho))
