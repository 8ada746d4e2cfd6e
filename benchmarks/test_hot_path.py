"""What a find and a save cost the client when nothing is due, beside pymongo alone.

The subjects take turns, several times: what the machine does meanwhile meets them all.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial

import pymongo
import pytest
from pymongo import MongoClient
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.conftest import PeerMaker
from benchmarks.peers import OURS, RAW
from benchmarks.peers.raw_store import RawStore
from benchmarks.rows import row, token_of, wanted
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.sdk import TokenStore

BOUNDED = f"{RAW}, bounded"
SUBJECTS = (RAW, BOUNDED, OURS)
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


@pytest.fixture(scope="module")
def subjects(mongodb_uri: str, make_peer: PeerMaker) -> Iterator[dict[str, dict[str, Call]]]:
    """The calls by subject: all on one client, so on one connection."""
    database = make_peer(OURS, "hot_path", TOKENS).storage
    with MongoClient[dict[str, object]](mongodb_uri) as client:
        raw = calls(RawStore(client, database))
        yield {
            RAW: raw,
            BOUNDED: {operation: partial(bounded, call) for operation, call in raw.items()},
            OURS: calls(MongoTokenStore(client=client, database=database)),
        }


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("turn", range(TURNS))
@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_hot_path(
    benchmark: BenchmarkFixture,
    subjects: dict[str, dict[str, Call]],
    operation: str,
    clock: str,
    turn: int,
    subject: str,
) -> None:
    del turn
    benchmark.group = f"{operation}, {clock}"
    call = subjects[subject][operation]
    rounds = _ROUNDS_OF_SAVES if operation == SAVE else _ROUNDS
    benchmark.pedantic(call, rounds=rounds, iterations=_CALLS, warmup_rounds=5)
