"""Fixtures for pytest, available as soon as the package is installed.

A run that uses none of them imports neither pymongo nor the SDK. With pytest-xdist, each worker has
its own MongoDB and loopback Zoho. They end with the process that started them, however it ends.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from zoho_mongo_store import MongoTokenStore
    from zoho_mongo_store.sdk import OAuthToken
    from zoho_mongo_store.testing import LocalMongo, LoopbackZoho


@pytest.fixture(scope="session")
def local_mongo() -> Iterator[LocalMongo]:
    """MongoDB on this machine, a replica set of one, for the whole run.

    If no ``mongod`` can be found, the tests that use it fail with an error that says what to
    install.
    """
    from zoho_mongo_store.testing import LocalMongo

    with LocalMongo() as mongo:
        yield mongo


@pytest.fixture(scope="session")
def _running_zoho() -> Iterator[LoopbackZoho]:
    from zoho_mongo_store.testing import LoopbackZoho

    with LoopbackZoho(("us", "eu")) as zoho:
        yield zoho


@pytest.fixture
def loopback_zoho(_running_zoho: LoopbackZoho, monkeypatch: pytest.MonkeyPatch) -> LoopbackZoho:
    """A loopback Zoho with the data centres ``us`` and ``eu``.

    The handle is for ``us``. One server serves the whole run; each test gets it as if freshly
    started. Requests to it bypass any proxy that the environment names.
    """
    direct = os.environ.get("no_proxy") or os.environ.get("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", f"{direct},{urlsplit(_running_zoho.url).hostname}".lstrip(","))
    _running_zoho.reset()
    return _running_zoho


@pytest.fixture
def mongo_token_store(local_mongo: LocalMongo) -> Iterator[MongoTokenStore]:
    """A store on the test's own database in ``local_mongo``, which is dropped afterwards.

    Override it to use another store, such as ``mock_store()``: ``logged_in_token`` then uses that.
    """
    from pymongo import MongoClient

    from zoho_mongo_store import MongoTokenStore

    database = f"test_{uuid.uuid4().hex}"
    with MongoTokenStore(local_mongo.uri, database=database) as store:
        yield store
    client: MongoClient[dict[str, object]]
    with MongoClient(local_mongo.uri) as client:
        client.drop_database(database)


@pytest.fixture
def logged_in_token(
    loopback_zoho: LoopbackZoho, mongo_token_store: MongoTokenStore, tmp_path: Path
) -> Iterator[OAuthToken]:
    """The token of ``ada@example.com``, who has logged in: in the test, the SDK acts as that user.

    The SDK is initialized with it, with ``mongo_token_store`` and ``loopback_zoho``, and restored
    afterwards. The token is stored under the name ``ada@example.com:10001``. The requests of the
    login are not in ``loopback_zoho.requests()``.
    """
    from zoho_mongo_store.sdk import Initializer, OAuthToken, UserSignature
    from zoho_mongo_store.testing import fresh_sdk

    token = OAuthToken(
        loopback_zoho.client_id,
        loopback_zoho.client_secret,
        grant_token=loopback_zoho.grant(),
        user_signature=UserSignature("ada@example.com:10001"),
    )
    resource_path = tmp_path / "zoho_sdk"
    resource_path.mkdir()
    with fresh_sdk():
        Initializer.initialize(
            environment=loopback_zoho.environment(),
            token=token,
            store=mongo_token_store,
            resource_path=str(resource_path),
        )
        token.get_token()
        loopback_zoho.clear()
        yield token
