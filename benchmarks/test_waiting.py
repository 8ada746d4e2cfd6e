"""Processes that wait for one refresh: when the last of them goes on."""

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient
from pytest_benchmark.fixture import BenchmarkFixture

from tests.processes import all_together, in_processes
from tests.refresh.callers import Call, Fields, Fleet, ask, by_id, driving
from tests.tokens import make_token
from zoho_mongo_store.testing import LoopbackZoho

CALLERS = (8, 64)
TURNS = 5
ZOHO_SECONDS = 1.0


@pytest.fixture(scope="module")
def fleet(mongodb_uri: str, zoho: LoopbackZoho) -> Iterator[Fleet]:
    """Processes on a database of their own."""
    database = "bench_waiting"
    yield Fleet(mongodb_uri, database, zoho)
    with MongoClient[dict[str, Any]](mongodb_uri) as client:
        client.drop_database(database)


def call(fleet: Fleet, expired: Fields, good: Fields) -> tuple[Call, bool]:
    """Ask for an access token, as a process that has been at work; whether it asked Zoho."""
    with fleet.store() as store, driving(store, fleet.zoho):
        ask(make_token(**good))
        all_together()
        outcome = ask(make_token(**expired))
    return outcome, store.refresh_stats().refreshed == 1


@pytest.mark.parametrize("callers", CALLERS)
@pytest.mark.parametrize("turn", range(TURNS))
def test_waiting(benchmark: BenchmarkFixture, fleet: Fleet, callers: int, turn: int) -> None:
    del turn
    benchmark.group = f"{callers} callers that wait"
    expired, good = fleet.stored(), fleet.stored(expires_in=None)
    fleet.zoho.configure(delay=ZOHO_SECONDS)
    fleet.zoho.clear()

    arguments = [(fleet, by_id(expired), by_id(good))] * callers
    outcomes = benchmark.pedantic(in_processes, (call, arguments), rounds=1)

    assert fleet.zoho.count("refresh") == 1
    assert len({call.access_token for call, _ in outcomes}) == 1
    benchmark.extra_info.update(times(outcomes))


def times(outcomes: list[tuple[Call, bool]]) -> dict[str, float]:
    """In seconds, from the moment when the first caller asks."""
    began = min(call.began for call, _ in outcomes)
    (refresh,) = [call.ended - began for call, is_holder in outcomes if is_holder]
    answers = sorted(call.ended - began for call, _ in outcomes)
    return {"refresh": refresh, "median": answers[len(answers) // 2], "last": answers[-1]}
