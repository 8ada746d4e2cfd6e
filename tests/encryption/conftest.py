"""Every store and every process of these tests encrypts; the key vault is in the test's database.

What the fixtures of the other suites give is given here with encryption, so that their tests run
unchanged.
"""

from collections.abc import Callable
from typing import Any

import pytest
from bson.codec_options import CodecOptions

from tests.conftest import PATIENCE
from tests.encryption.keys import decrypted, forms, new_key, settings
from tests.engines import SERVERS, Engine
from tests.refresh.callers import Fleet
from tests.sdk.application import Application
from tests.sdk.stored import Documents
from zoho_mongo_store import FieldEncryption
from zoho_mongo_store.testing import LoopbackZoho


@pytest.fixture(params=SERVERS)
def engine(request: pytest.FixtureRequest, running_engines: Callable[[str], Engine]) -> Engine:
    """Each engine that has a server: mongomock cannot encrypt."""
    name: str = request.param
    return running_engines(name)


@pytest.fixture(scope="session")
def master_key() -> bytes:
    """The local one."""
    return new_key()


@pytest.fixture
def encryption(database: str, master_key: bytes) -> FieldEncryption:
    """The settings, as an application has them."""
    return settings(database, master_key)


@pytest.fixture
def store_options(store_options: dict[str, Any], encryption: FieldEncryption) -> dict[str, Any]:
    """Those of stores that encrypt, unless a test tells them otherwise."""
    return {**store_options, "encryption": encryption}


@pytest.fixture
def options(engine: Engine, database: str, encryption: FieldEncryption) -> dict[str, Any]:
    """Those of a store that encrypts, in a process of its own."""
    return {"uri": engine.uri, "database": database, "encryption": encryption, "timeout": PATIENCE}


@pytest.fixture
def application(options: dict[str, Any], zoho: LoopbackZoho, resource_path: str) -> Application:
    """An application that encrypts."""
    return Application(zoho, options, resource_path)


@pytest.fixture
def fleet(engine: Engine, database: str, encryption: FieldEncryption, zoho: LoopbackZoho) -> Fleet:
    """Processes that encrypt."""
    return Fleet(engine.uri, database, zoho, {"encryption": encryption})


@pytest.fixture
def documents(engine: Engine, database: str, encryption: FieldEncryption) -> Documents:
    """Reads the stored documents, oldest first: each secret is encrypted, and decrypted here."""
    options: Any = CodecOptions(tz_aware=True)
    collection = engine.client[database].get_collection("oauthtoken", codec_options=options)

    def read() -> list[dict[str, Any]]:
        found = list(collection.find().sort("created_at"))
        assert all(forms(document) <= {"encrypted"} for document in found)
        return [decrypted(engine.client, encryption, document) for document in found]

    return read
