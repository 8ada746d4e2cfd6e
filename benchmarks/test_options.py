"""What the store's options cost a find and a save when nothing is due."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from pymongo import MongoClient
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.conftest import PeerMaker
from benchmarks.peers import OURS
from benchmarks.rows import row, token_of
from benchmarks.test_hot_path import BY_ID, BY_REFRESH_TOKEN, SAVE, Call, calls
from benchmarks.test_hot_path import TOKENS as TOKENS
from tests.encryption.keys import new_key, settings
from zoho_mongo_store import CachePolicy, MongoTokenStore

OPTIONS = PLAIN, DEFAULT, CACHE, ENCRYPTION = (
    "refresh=None",
    "the defaults",
    "cache",
    "encryption",
)
OPERATIONS = (BY_ID, BY_REFRESH_TOKEN, SAVE)
TURNS = 7
_ROUNDS, _CALLS = 30, 5
_ROUNDS_OF_SAVES = 6


def arguments(option: str, database: str) -> dict[str, Any]:
    """The store's."""
    if option == ENCRYPTION:
        return {"encryption": settings(database, new_key())}
    if option == CACHE:
        return {"cache": CachePolicy(stale_if_error=timedelta(minutes=10))}
    return {"refresh": None} if option == PLAIN else {}


@pytest.fixture(scope="module")
def measured(mongodb_uri: str, make_peer: PeerMaker) -> Iterator[dict[str, dict[str, Call]]]:
    """The calls by option, all on one client; encrypted tokens have a database of their own."""
    with ExitStack() as stack:
        client = stack.enter_context(MongoClient[dict[str, object]](mongodb_uri))
        found: dict[str, dict[str, Call]] = {}
        for option in OPTIONS:
            kind = "encrypted" if option == ENCRYPTION else "plain"
            database = make_peer(OURS, f"options_{kind}").storage
            store = stack.enter_context(
                MongoTokenStore(client=client, database=database, **arguments(option, database))
            )
            for number in range(1, TOKENS + 1):
                store.save_token(token_of(row(number)))
            found[option] = calls(store)
        yield found


@pytest.mark.benchmark(timer=time.thread_time)
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("turn", range(TURNS))
@pytest.mark.parametrize("operation", OPERATIONS)
def test_options(
    benchmark: BenchmarkFixture,
    measured: dict[str, dict[str, Call]],
    operation: str,
    turn: int,
    option: str,
) -> None:
    del turn
    benchmark.group = f"options: {operation}, cpu"
    call = measured[option][operation]
    rounds = _ROUNDS_OF_SAVES if operation == SAVE else _ROUNDS
    benchmark.pedantic(call, rounds=rounds, iterations=_CALLS, warmup_rounds=2)
