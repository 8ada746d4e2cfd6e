"""The first operation of a store, whatever the name server does: bounded, and saves are kept."""

import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pymongo
import pytest
from dns import resolver

from tests.driver.name_server import URI, NameServer
from tests.failures import fails
from tests.faults.documents import documents, login
from tests.tokens import contents, make_token
from tests.waiting import eventually, once_it_works
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.sdk import SDKException
from zoho_mongo_store.testing import LocalMongo

TIMEOUT = 1.0
AWAY = "MongoDB cannot be reached"


@pytest.fixture
def silent_name_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Name server that takes questions and never answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        asked = resolver.Resolver(configure=False)
        asked.nameservers = ["127.0.0.1"]
        asked.port = server.getsockname()[1]
        monkeypatch.setattr(resolver, "default_resolver", asked)
        yield


@pytest.mark.usefixtures("silent_name_server")
def test_every_thread_is_answered_within_the_time_out() -> None:
    def save(number: int) -> float:
        started = time.monotonic()
        with fails(f"save_token failed: {AWAY}"):
            store.save_token(make_token(**login(f"user-{number}", 1)))
        return time.monotonic() - started

    store = MongoTokenStore(URI, timeout=TIMEOUT)
    with ThreadPoolExecutor(4) as pool:
        assert max(pool.map(save, range(4))) < TIMEOUT + 2

    started = time.monotonic()
    with fails(f"find_token_by_id failed: {AWAY}"):
        store.find_token_by_id("7")
    assert time.monotonic() - started < TIMEOUT
    for number in range(4):
        found = store.find_token(make_token(user_name=f"user-{number}"))
        assert contents(found) == login(f"user-{number}", 1)
    with fails(f"ping failed: {AWAY}"):
        store.ping()
    store._tokens._pending.forget()
    store.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.skipif(
    pymongo.version_tuple < (4, 12), reason="pymongo's constructor asks the name server up to 4.11"
)
@pytest.mark.usefixtures("silent_name_server")
def test_a_fork_does_not_wait_for_it() -> None:
    with MongoTokenStore(URI, timeout=TIMEOUT) as store, ThreadPoolExecutor(1) as pool:
        looking = pool.submit(store.find_token_by_id, "7")
        time.sleep(0.2)
        started = time.monotonic()
        pid = os.fork()
        if pid == 0:
            # The child begins anew, and is answered in time as well.
            try:
                store.find_token_by_id("7")
            except SDKException:
                os._exit(0 if time.monotonic() - started < TIMEOUT + 2 else 2)
            os._exit(1)
        assert time.monotonic() - started < TIMEOUT
        assert os.waitpid(pid, 0)[1] == 0
        with fails(AWAY):
            looking.result()


def test_a_name_that_cannot_be_resolved_counts_as_unreachable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is kept meanwhile is written once the name is resolved."""
    name_server = NameServer(monkeypatch)
    name_server.failure = resolver.NXDOMAIN()  # type: ignore[no-untyped-call]
    with (
        LocalMongo() as mongo,
        MongoTokenStore(f"{URI}&directConnection=false", timeout=3) as store,
    ):
        name_server.port = mongo.members[0].port
        for _ in range(2):
            with fails(f"save_token failed: {AWAY}.*check that it is running and that the URI is"):
                store.save_token(make_token(**login("ada", 1)))
        name_server.failure = None
        assert eventually(lambda: documents(mongo.uri))
        assert contents(once_it_works(lambda: store.find_token(make_token(user_name="ada"))))["id"]


def test_an_option_that_is_wrong_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is for a person to mend, not for another try."""

    def resolve(name: str, kind: str, **_: object) -> list[Any]:
        raise AssertionError(f"{name} {kind}")

    monkeypatch.setattr(resolver, "resolve", resolve)
    with MongoTokenStore("mongodb+srv://127.0.0.1/", timeout=TIMEOUT) as store:
        with pytest.raises(SDKException) as raised:
            store.save_token(make_token(**login("ada", 1)))
        assert AWAY not in str(raised.value)
        assert not store._tokens._pending
