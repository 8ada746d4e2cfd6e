"""Which leases are held, cooling down or at Zoho's limit: known by an index, for which token."""

from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Any

import pytest

from tests.engines import SERVERS, Engine
from tests.refresh.callers import CLIENT, driving
from tests.refresh.test_leases import AWAY, KEY, LEASE, NAME, NOW, REQUEST, acquired, leases_in
from tests.tokens import make_token
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.refresh import lease_document
from zoho_mongo_store.refresh.lease import BusyLease
from zoho_mongo_store.refresh.leases import Leases
from zoho_mongo_store.testing import LoopbackZoho

SECOND = timedelta(seconds=1)


@pytest.fixture
def leases(engine: Engine, database: str) -> Leases:
    return leases_in(engine.client, database)


def busy(leases: Leases, seconds: float = 0) -> list[BusyLease]:
    return list(leases.busy(NOW + seconds * SECOND))


def test_a_lease_that_is_held_names_its_token(leases: Leases) -> None:
    lease = leases.acquire(KEY, REQUEST, NOW, token_id="7")
    assert lease is not None

    [found] = busy(leases)
    assert (found.key, found.token_id, found.state.owner) == (KEY, "7", lease.owner)
    assert leases.extend(lease, NOW + LEASE)
    assert busy(leases, 30)
    assert not busy(leases, 40)


@pytest.mark.parametrize(
    "end",
    [
        Leases.succeed,
        lambda leases, lease: leases.release(lease, counted=False),
        lambda leases, lease: leases.release(lease, counted=True),
    ],
)
def test_one_that_has_ended_is_not_busy(
    leases: Leases, end: Callable[[Leases, Any], object], engine: Engine, database: str
) -> None:
    end(leases, acquired(leases, NOW))

    assert busy(leases) == []
    # So that the index holds those alone that are.
    assert "busy_until" not in (engine.client[database][NAME].find_one() or {})


def test_one_that_failed_is_busy_while_it_cools_down(leases: Leases) -> None:
    lease = leases.acquire(KEY, REQUEST, NOW, token_id="7")
    assert lease is not None
    leases.fail(lease, AWAY, NOW)

    [found] = busy(leases, 0.5)
    assert (found.token_id, found.state.failure, found.state.failed_at) == ("7", AWAY, NOW)
    assert found.state.limited_until < NOW
    assert not busy(leases, 1)


def ask_ten_times(leases: Leases, end: Callable[[Leases, Any], object]) -> None:
    for second in range(10):
        lease = leases.acquire(KEY, f"request {second}", NOW + second * SECOND, token_id="7")
        assert lease is not None
        end(leases, lease)


@pytest.mark.parametrize(
    "end",
    [
        Leases.succeed,
        lambda leases, lease: leases.release(lease, counted=True),
        lambda leases, lease: leases.fail(lease, AWAY, NOW),
    ],
    ids=["succeed", "release", "fail"],
)
def test_zohos_limit_is_known_from_the_tenth_request_on(
    leases: Leases, end: Callable[[Leases, Any], object]
) -> None:
    ask_ten_times(leases, end)

    [found] = busy(leases, 600)
    assert (found.token_id, found.state.owner) == ("7", None)
    assert found.state.limited_since == NOW + 9 * SECOND
    assert found.state.retry_after == found.state.limited_until > NOW + timedelta(minutes=10)
    assert not list(leases.busy(found.state.limited_until))


def test_ten_requests_in_ten_hours_are_no_limit(leases: Leases) -> None:
    for hour in range(12):
        leases.succeed(acquired(leases, NOW + timedelta(hours=hour)))

    assert not busy(leases, 11 * 3600 + 1)


@pytest.mark.parametrize("engine", SERVERS, indirect=True)
def test_they_are_found_by_their_index(engine: Engine, store: MongoTokenStore) -> None:
    store.ensure_indexes()
    collection = engine.client[store.collection.database.name][NAME]
    collection.insert_many({"_id": str(n), "until": NOW} for n in range(50))
    collection.insert_one({"_id": "busy", "until": NOW, "busy_until": NOW + LEASE})

    plan = collection.find(lease_document.busy(NOW)).explain()["executionStats"]

    assert (plan["nReturned"], plan["totalDocsExamined"], plan["totalKeysExamined"]) == (1, 1, 1)


@pytest.mark.parametrize("engine", SERVERS, indirect=True)
def test_a_refresh_names_the_stored_token(
    engine: Engine, store: MongoTokenStore, zoho: LoopbackZoho
) -> None:
    token = make_token(
        refresh_token=zoho.refresh_token(), access_token="old", expires_in="1000", **CLIENT
    )
    with driving(store, zoho):
        store.save_token(token)
        assert make_token(id=token.get_id()).get_token() != "old"

    [lease] = engine.client[store.collection.database.name][NAME].find()
    assert lease["token_id"] == token.get_id()
    assert lease["until"].replace(tzinfo=UTC) > NOW
