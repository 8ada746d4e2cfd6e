"""What MongoDB deletes by itself: idle tokens, where that is asked for, and old leases."""

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.conftest import PATIENCE
from tests.sent_commands import Client
from tests.tokens import full
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.model.document import now
from zoho_mongo_store.testing import LocalMongo

IDLE = timedelta(seconds=6)


@pytest.fixture(scope="module")
def mongo() -> Iterator[LocalMongo]:
    """It looks every second for what has to go; MongoDB's default is a minute."""
    with LocalMongo(set_parameters={"ttlMonitorSleepSecs": 1}) as running:
        yield running


def test_an_idle_token_goes_and_one_in_use_stays(mongo: LocalMongo) -> None:
    with MongoTokenStore(mongo.uri, database="idle", expire_idle_after=IDLE, timeout=30) as store:
        idle, used = full(user_name="idle", id="1"), full(user_name="used", id="2")
        began = time.monotonic()
        store.save_token(idle)
        while True:
            store.save_token(used)
            assert store.find_token_by_id("2") is not None
            if store.find_token_by_id("1") is None:
                break
            assert time.monotonic() - began < IDLE.total_seconds() + PATIENCE
            time.sleep(0.1)
        assert time.monotonic() - began >= IDLE.total_seconds()
        assert [token.get_id() for token in store.get_tokens()] == ["2"]


def test_without_an_idle_time_a_token_stays(mongo: LocalMongo) -> None:
    with (
        MongoTokenStore(mongo.uri, database="kept") as store,
        MongoTokenStore(mongo.uri, database="gone", expire_idle_after=IDLE) as other,
    ):
        for one in (store, other):
            one.save_token(full(id="1"))
            one.collection.update_one({}, {"$set": {"updated_at": now() - timedelta(days=999)}})
        wait_until_gone(other, "1")
        assert store.find_token_by_id("1") is not None


def test_a_lease_goes_when_it_is_of_no_use(mongo: LocalMongo) -> None:
    with MongoTokenStore(mongo.uri, database="leases") as store, Client(mongo.uri) as client:
        store.ensure_indexes()
        leases = client["leases"]["oauthtoken.leases"]
        hour = timedelta(hours=1)
        leases.insert_many(
            [{"_id": "over", "purge_at": now() - hour}, {"_id": "held", "purge_at": now() + hour}]
        )
        deadline = time.monotonic() + PATIENCE
        while leases.find_one({"_id": "over"}) is not None:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert leases.distinct("_id") == ["held"]


def wait_until_gone(store: MongoTokenStore, id: str) -> None:
    """Wait until MongoDB has deleted the token."""
    deadline = time.monotonic() + PATIENCE
    while store.find_token_by_id(id) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
