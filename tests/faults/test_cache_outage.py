"""``CachePolicy(stale_if_error=...)``: what was found before is found while MongoDB is away."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.failures import fails
from tests.faults.documents import documents, login
from tests.sent_commands import Client
from tests.tokens import CLIENT, contents, make_token
from tests.waiting import eventually, once_it_works
from zoho_mongo_store import CachePolicy, MongoTokenStore
from zoho_mongo_store.sdk import OAuthToken, SDKException
from zoho_mongo_store.testing import LocalMongo

AWAY = "MongoDB cannot be reached"
TIMEOUT = 2.0
# As RefreshPolicy says unless told otherwise.
AHEAD = 60.0
BY_NAME = {"user_name": "ada"}


def expires(seconds: float) -> str:
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    return str(int(moment.timestamp() * 1000))


def lasting(number: int, **changes: Any) -> OAuthToken:
    """Ada's token, good for an hour."""
    return make_token(**{**login("ada", number), "id": "7", "expires_in": expires(3600), **changes})


@pytest.fixture
def store(server: LocalMongo) -> Iterator[MongoTokenStore]:
    with MongoTokenStore(
        server.uri, timeout=TIMEOUT, cache=CachePolicy(stale_if_error=timedelta(minutes=5))
    ) as made:
        yield made


def wait_for_the_end_of_the_outage() -> None:
    """Until the thread that probes has ended."""
    assert eventually(
        lambda: all(one.name != "zoho-mongo-store-recovery" for one in threading.enumerate())
    )


def refusal(store: MongoTokenStore) -> str:
    """What a find says that fails; nothing if it succeeds."""
    try:
        store.find_token_by_id("7")
    except SDKException as error:
        return str(error)
    return ""


def access_token(found: OAuthToken | None) -> str:
    return str(contents(found)["access_token"])


LOOK_UPS: list[dict[str, Any]] = [
    {"id": "7"},
    BY_NAME,
    {"access_token": "access-ada-1"},
    {"refresh_token": "refresh-ada", **CLIENT},
]


def test_what_was_found_is_found_at_once(server: LocalMongo, store: MongoTokenStore) -> None:
    store.save_token(lasting(1))
    before = [contents(store.find_token(make_token(**look_up))) for look_up in LOOK_UPS]
    by_id = contents(store.find_token_by_id("7"))
    server.kill()
    store.find_token(make_token(**BY_NAME))

    started = time.monotonic()
    for _ in range(50):
        found = [contents(store.find_token(make_token(**look_up))) for look_up in LOOK_UPS]
        assert found == before
        assert contents(store.find_token_by_id("7")) == by_id
    # 250 look-ups, far from a time-out each.
    assert time.monotonic() - started < 25 * TIMEOUT


def test_a_thread_waits_once_at_most(server: LocalMongo, store: MongoTokenStore) -> None:
    store.save_token(lasting(1))
    store.find_token_by_id("7")
    server.kill()
    found: list[str] = []

    def find_often() -> None:
        found.extend(access_token(store.find_token_by_id("7")) for _ in range(10))

    threads = [threading.Thread(target=find_often) for _ in range(8)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == ["access-ada-1"] * 80
    assert time.monotonic() - started < 3 * TIMEOUT


@pytest.mark.parametrize("change", ["access token", "expiry"])
def test_what_the_store_saved_last_counts(
    server: LocalMongo, store: MongoTokenStore, change: str
) -> None:
    store.save_token(lasting(1))
    store.find_token_by_id("7")
    changed = lasting(2) if change == "access token" else lasting(1, expires_in=expires(7200))
    store.save_token(changed)
    server.kill()

    assert contents(store.find_token_by_id("7")) == contents(changed)


def test_a_token_about_to_expire_is_not_served(server: LocalMongo, store: MongoTokenStore) -> None:
    for id, seconds in (("7", AHEAD + 1), ("8", 3600.0)):
        token = lasting(1, id=id, user_name=f"user-{id}", expires_in=expires(seconds))
        store.save_token(token)
        store.find_token_by_id(id)
    server.kill()
    time.sleep(1)

    with fails(AWAY):
        store.find_token_by_id("7")
    assert access_token(store.find_token_by_id("8"))


def test_what_was_never_found_is_not_served(server: LocalMongo, store: MongoTokenStore) -> None:
    store.save_token(lasting(1))
    store.save_token(lasting(1, id="8", user_name="bob"))
    store.find_token_by_id("8")
    server.kill()

    for look_up in ({"id": "7"}, {"user_name": "ada"}, {"user_name": "unknown"}):
        with fails(AWAY):
            store.find_token(make_token(**look_up))


def test_a_token_without_an_access_token_is_not_served(
    server: LocalMongo, store: MongoTokenStore
) -> None:
    store.save_token(make_token(id="7", refresh_token="R", **CLIENT))
    store.find_token_by_id("7")
    server.kill()

    with fails(AWAY):
        store.find_token_by_id("7")


def test_only_for_so_long(server: LocalMongo) -> None:
    # Longer than the first find, which waits for its whole time-out.
    limit = CachePolicy(stale_if_error=timedelta(seconds=3 * TIMEOUT))
    with MongoTokenStore(server.uri, timeout=TIMEOUT, cache=limit) as store:
        store.save_token(lasting(1))
        store.find_token_by_id("7")
        server.kill()
        assert access_token(store.find_token_by_id("7")) == "access-ada-1"
        time.sleep(3 * TIMEOUT)
        for _ in range(2):
            with fails(AWAY):
                store.find_token_by_id("7")
        server.start()
        once_it_works(lambda: store.find_token_by_id("7"))
        wait_for_the_end_of_the_outage()
        server.kill()

        # Another outage has time of its own.
        assert access_token(store.find_token_by_id("7")) == "access-ada-1"


def test_nothing_is_written(server: LocalMongo, store: MongoTokenStore) -> None:
    store.save_token(lasting(1))
    store.find_token_by_id("7")
    server.kill()
    store.find_token_by_id("7")
    for _ in range(2):
        with fails(f"save_token failed: {AWAY}"):
            store.save_token(lasting(2))
    # What it has yet to write it shows itself.
    assert access_token(store.find_token_by_id("7")) == "access-ada-2"
    server.start()

    assert eventually(
        lambda: [document["access_token"] for document in documents(server.uri)] == ["access-ada-2"]
    )


@pytest.mark.parametrize("change", ["delete_token", "delete_tokens", "save_token", "by hand"])
def test_what_others_changed_is_seen_when_mongodb_is_back(
    server: LocalMongo, store: MongoTokenStore, change: str
) -> None:
    store.save_token(lasting(1))
    store.find_token_by_id("7")
    store.find_token(make_token(**BY_NAME))
    server.kill()
    assert access_token(store.find_token_by_id("7")) == "access-ada-1"
    server.start()
    with MongoTokenStore(server.uri) as other, Client(server.uri) as client:
        if change == "save_token":
            other.save_token(lasting(2))
        elif change == "delete_token":
            other.delete_token("7")
        elif change == "delete_tokens":
            other.delete_tokens()
        else:
            client.zohooauth.oauthtoken.delete_one({"id": "7"})
    wait_for_the_end_of_the_outage()

    found = [store.find_token_by_id("7"), store.find_token(make_token(**BY_NAME))]

    if change == "save_token":
        assert [access_token(one) for one in found] == ["access-ada-2"] * 2
    else:
        assert found == [None, None]
        server.kill()
        with fails(AWAY):
            store.find_token_by_id("7")


def test_its_own_deletion_counts_at_once(server: LocalMongo, store: MongoTokenStore) -> None:
    store.save_token(lasting(1))
    store.find_token_by_id("7")
    store.delete_token("7")
    server.kill()
    with fails(AWAY):
        store.find_token_by_id("7")


def test_without_it_every_operation_fails(server: LocalMongo) -> None:
    with MongoTokenStore(server.uri, timeout=TIMEOUT) as store:
        store.save_token(lasting(1))
        store.find_token_by_id("7")
        server.kill()
        with fails(AWAY):
            store.find_token_by_id("7")


def test_a_refusal_is_no_outage(server: LocalMongo) -> None:
    """MongoDB that answers, and be it with a refusal, is what the caller is to hear of."""
    with (
        Client(server.uri) as admin,
        MongoTokenStore(
            server.uri + "&appName=store",
            timeout=TIMEOUT,
            cache=CachePolicy(stale_if_error=timedelta(minutes=5)),
        ) as store,
    ):
        store.save_token(lasting(1))
        store.find_token_by_id("7")

        def fail(code: int, *commands: str) -> None:
            data = {"failCommands": [*commands], "errorCode": code, "appName": "store"}
            admin.admin.command("configureFailPoint", "failCommand", mode="alwaysOn", data=data)

        fail(13, "find")
        with fails("the MongoDB role may not do this"):
            store.find_token_by_id("7")
        # A mongos that does not reach its shard.
        fail(133, "find", "ping")
        assert access_token(store.find_token_by_id("7")) == "access-ada-1"
        fail(13, "find", "ping")
        # From the next probe on.
        assert eventually(lambda: "may not do this" in refusal(store))
        admin.admin.command("configureFailPoint", "failCommand", mode="off")
        assert access_token(store.find_token_by_id("7")) == "access-ada-1"


def test_close_ends_it(server: LocalMongo) -> None:
    limit = CachePolicy(stale_if_error=timedelta(minutes=5))
    with MongoTokenStore(server.uri, timeout=TIMEOUT, cache=limit) as store:
        store.save_token(lasting(1))
        store.find_token_by_id("7")
        server.kill()
        store.find_token_by_id("7")

    wait_for_the_end_of_the_outage()
    server.start()
    with fails("the store is closed"):
        store.save_token(lasting(1))
