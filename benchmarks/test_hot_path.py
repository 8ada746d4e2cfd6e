"""What a find and a save cost the client when nothing is due, beside pymongo alone.

The subjects take turns, several times: what the machine does meanwhile meets them all.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

import pymongo
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.conftest import PeerMaker
from benchmarks.peers import OURS, RAW
from benchmarks.peers.raw_store import RawStore
from benchmarks.rows import row, token_of, wanted
from tests.encryption.keys import new_key, settings
from tests.sent_commands import Client, listening
from zoho_mongo_store import CachePolicy, MongoTokenStore
from zoho_mongo_store.sdk import TokenStore

BOUNDED = f"{RAW}, bounded"
CACHED = f"{OURS}, cache"
CACHED_ENCRYPTED = f"{OURS}, cache and encryption"
SUBJECTS = (RAW, BOUNDED, OURS, CACHED, CACHED_ENCRYPTED)
BY_ID, BY_USER, BY_REFRESH_TOKEN, SAVE = OPERATIONS = (
    "find_token_by_id",
    "find_token by user name",
    "find_token by refresh token",
    "save_token of a known token",
)
CLOCKS = [
    pytest.param("cpu", marks=pytest.mark.benchmark(timer=time.thread_time)),
    pytest.param("wall", marks=pytest.mark.benchmark(timer=time.perf_counter)),
]
TURNS = 15
TOKENS = 1000
CACHE = CachePolicy(max_age=timedelta(hours=1))
_COUNTED_CALLS = 10
_TIMEOUT = 5.0
_ROUNDS, _CALLS = 40, 5
_ROUNDS_OF_SAVES = 20

Call = Callable[[], object]


def calls(store: TokenStore) -> dict[str, Call]:
    """What is measured on a store, by operation."""
    known = row(TOKENS // 2)
    token = token_of(known)
    return {
        BY_ID: lambda: store.find_token_by_id(known["id"]),
        BY_USER: lambda: store.find_token(wanted("by user name", known)),
        BY_REFRESH_TOKEN: lambda: store.find_token(wanted("by refresh token", known)),
        SAVE: lambda: store.save_token(token),
    }


def bounded(call: Call) -> object:
    """The call with the time-out that this store gives each operation."""
    with pymongo.timeout(_TIMEOUT):
        return call()


@contextmanager
def all_calls(client: Client, database: str) -> Iterator[dict[str, dict[str, Call]]]:
    """The calls by subject, all on one client, so on one connection.

    Encrypted tokens have a database of their own, with the one token that is asked for.
    """
    raw = calls(RawStore(client, database))
    place = f"{database}_encrypted"
    encrypted = MongoTokenStore(
        client=client, database=place, cache=CACHE, encryption=settings(place, new_key())
    )
    encrypted.delete_tokens()
    encrypted.save_token(token_of(row(TOKENS // 2)))
    try:
        yield {
            RAW: raw,
            BOUNDED: {operation: partial(bounded, call) for operation, call in raw.items()},
            OURS: calls(MongoTokenStore(client=client, database=database)),
            CACHED: calls(MongoTokenStore(client=client, database=database, cache=CACHE)),
            CACHED_ENCRYPTED: calls(encrypted),
        }
    finally:
        encrypted.close()
        client.drop_database(place)


@pytest.fixture(scope="module")
def database(make_peer: PeerMaker) -> str:
    """Where the tokens are."""
    return make_peer(OURS, "hot_path", TOKENS).storage


@pytest.fixture(scope="module")
def sent(mongodb_uri: str, database: str) -> dict[tuple[str, str], float]:
    """How many commands a call sends, by subject and operation."""
    with (
        listening(mongodb_uri) as (client, commands),
        all_calls(client, database) as subjects,
    ):
        counts = {}
        for subject, operations in subjects.items():
            for operation, call in operations.items():
                # The first one may make the indexes, and fill the cache.
                call()
                commands.clear()
                for _ in range(_COUNTED_CALLS):
                    call()
                counts[subject, operation] = len(commands.names) / _COUNTED_CALLS
        return counts


@pytest.fixture(scope="module")
def subjects(
    mongodb_uri: str, database: str, sent: dict[tuple[str, str], float]
) -> Iterator[dict[str, dict[str, Call]]]:
    """The calls that are timed, once those that are counted are over."""
    del sent
    with Client(mongodb_uri) as client, all_calls(client, database) as found:
        yield found


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("turn", range(TURNS))
@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_hot_path(
    benchmark: BenchmarkFixture,
    subjects: dict[str, dict[str, Call]],
    sent: dict[tuple[str, str], float],
    operation: str,
    clock: str,
    turn: int,
    subject: str,
) -> None:
    del turn
    benchmark.group = f"{operation}, {clock}"
    benchmark.extra_info["commands"] = sent[subject, operation]
    call = subjects[subject][operation]
    rounds = _ROUNDS_OF_SAVES if operation == SAVE else _ROUNDS
    benchmark.pedantic(call, rounds=rounds, iterations=_CALLS, warmup_rounds=5)
