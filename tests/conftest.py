"""Fixtures that all tests share: engines, databases and stores that leave nothing behind."""

import signal
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.engines import ENGINES, Engine, describe_mongodb, running
from tests.sent_commands import Client
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.testing import LocalMongo, LoopbackZoho

StoreMaker = Callable[..., MongoTokenStore]

# Seconds for what has to work, however busy the machine is.
PATIENCE = 30


def pytest_report_header() -> str:
    """Say which engines the tests run on, and which MongoDB that is."""
    return f"engines: mongomock; {describe_mongodb()}"


def pytest_configure() -> None:
    """Let the commands that tests start be interrupted, also where a shell runs the tests in its
    background, and has them ignore it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def running_engines() -> Iterator[Callable[[str], Engine]]:
    """Each engine by name, started when a test first needs it."""
    with ExitStack() as stack:
        engines: dict[str, Engine] = {}

        def start(name: str) -> Engine:
            if name not in engines:
                engines[name] = stack.enter_context(running(name))
            return engines[name]

        yield start


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, running_engines: Callable[[str], Engine]) -> Engine:
    """Each engine in turn; those with a socket alone where parametrized with ``SERVERS``."""
    name: str = request.param
    return running_engines(name)


@pytest.fixture
def replica_set(engine: Engine) -> None:
    """For a test of what only a replica set does: skipped on a standalone server."""
    if engine.client.admin.command("hello").get("setName") is None:
        pytest.skip("a standalone server has neither read preferences nor change streams")


@pytest.fixture
def database(engine: Engine) -> Iterator[str]:
    """The name of a database of the test's own, dropped afterwards."""
    name = f"test_{uuid.uuid4().hex}"
    yield name
    engine.client.drop_database(name)


@pytest.fixture
def store_options(engine: Engine, database: str) -> dict[str, Any]:
    """What the stores of ``make_store`` are made with."""
    return {"client": engine.client, "database": database, "timeout": PATIENCE}


@pytest.fixture
def make_store(store_options: dict[str, Any]) -> Iterator[StoreMaker]:
    """Makes stores on the test's database, with other options too, and closes them afterwards."""
    stores: list[MongoTokenStore] = []

    def make(**options: Any) -> MongoTokenStore:
        stores.append(MongoTokenStore(**{**store_options, **options}))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


@pytest.fixture
def store(make_store: StoreMaker) -> MongoTokenStore:
    """A store with the default options on the test's database."""
    return make_store()


@pytest.fixture(scope="session")
def breakable() -> Iterator[LocalMongo]:
    """A MongoDB apart from the one that ``engine`` gives, with fail points."""
    with LocalMongo(test_commands=True) as mongo:
        yield mongo


@pytest.fixture
def server(breakable: LocalMongo) -> Iterator[LocalMongo]:
    """A MongoDB for the test to kill, to stop and to have fail; it runs, and is empty."""
    if not breakable.running:
        breakable.start()
    with Client(breakable.uri) as client:
        for name in set(client.list_database_names()) - {"admin", "config", "local"}:
            client.drop_database(name)
    yield breakable
    breakable.cont()


@pytest.fixture(scope="session")
def guarded() -> Iterator[LocalMongo]:
    """A MongoDB with authentication, which enforces roles."""
    with LocalMongo(auth=True) as mongo:
        yield mongo


@pytest.fixture
def zoho(loopback_zoho: LoopbackZoho) -> Iterator[LoopbackZoho]:
    """The loopback Zoho, as if it had just been started."""
    yield loopback_zoho
    loopback_zoho.release()


@pytest.fixture
def resource_path(tmp_path: Path) -> str:
    """A folder for what the SDK writes, apart from the working directory."""
    path = tmp_path / "resources"
    path.mkdir()
    return str(path)
