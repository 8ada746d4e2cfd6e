"""Fixtures of the tests that the SDK drives."""

from collections.abc import Callable
from typing import Any

import pytest
from bson.codec_options import CodecOptions

from tests.engines import Engine
from tests.sdk.application import Application
from tests.sdk.stored import Documents, expire_all
from tests.sdk.version import SDK_LINE
from zoho_mongo_store.testing import LoopbackZoho


def pytest_report_header() -> str:
    """Say which SDK the tests run on."""
    return f"Zoho CRM SDK: {SDK_LINE}"


@pytest.fixture
def zoho(loopback_zoho: LoopbackZoho) -> LoopbackZoho:
    """One loopback Zoho for all tests here, as if it had just been started."""
    return loopback_zoho


@pytest.fixture
def application(
    engine: Engine, database: str, zoho: LoopbackZoho, resource_path: str
) -> Application:
    """An application on the test's own database and Zoho."""
    way = {"uri": engine.uri} if engine.uri else {"client": engine.client}
    return Application(zoho, {**way, "database": database}, resource_path)


@pytest.fixture
def documents(engine: Engine, database: str) -> Documents:
    """Reads the stored documents as they are, oldest first."""
    options: Any = CodecOptions(tz_aware=True)

    def read() -> list[dict[str, Any]]:
        collection = engine.client[database].get_collection("oauthtoken", codec_options=options)
        return list(collection.find().sort("created_at"))

    return read


@pytest.fixture
def expire(engine: Engine, database: str) -> Callable[[], None]:
    """Lets the access token of every stored document expire."""
    return lambda: expire_all(engine.client[database].oauthtoken)
