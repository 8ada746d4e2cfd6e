"""How long a find and a save take as the number of stored tokens grows, with each peer."""

import itertools
import random

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.conftest import PeerMaker
from benchmarks.peers import ON_MONGODB, PEERS
from benchmarks.rows import Row, row, token_of, wanted
from zoho_mongo_store.sdk import TokenStore

FINDS = ("by id", "by user name", "by refresh token")
SAVE = "save of a known token"
COUNTS = (10, 1000, 100_000, 1_000_000)
# Those that search every row would take the whole time of the run.
MOST_FOR_ALL = 100_000
CELLS = [
    (count, peer)
    for count in COUNTS
    for peer in PEERS
    if count <= MOST_FOR_ALL or peer in ON_MONGODB
]
_LOOKED_FOR = 200


def looked_for(tokens: int, peer: str) -> list[Row]:
    """The rows that are looked for, in turn, all over the collection.

    With a peer that searches from the first row on, it is the middle one alone.
    """
    if peer not in ON_MONGODB:
        return [row(tokens // 2)]
    return [row(number) for number in random.Random(7).choices(range(1, tokens + 1), k=_LOOKED_FOR)]


def find(store: TokenStore, operation: str, known: Row) -> object:
    """Look the token in ``known`` up."""
    if operation == "by id":
        return store.find_token_by_id(known["id"])
    return store.find_token(wanted(operation, known))


@pytest.mark.benchmark(min_rounds=5, max_time=0.3, warmup=False)
@pytest.mark.parametrize("operation", FINDS)
@pytest.mark.parametrize(("tokens", "peer"), CELLS)
def test_find(
    benchmark: BenchmarkFixture, make_peer: PeerMaker, tokens: int, peer: str, operation: str
) -> None:
    benchmark.group = f"{operation}, {tokens} tokens"
    rows = looked_for(tokens, peer)
    known = itertools.cycle(rows)
    with make_peer(peer, f"growth_{tokens}", tokens).opened() as store:
        # So that the first peer does not fill the server's cache for the second.
        assert all(find(store, operation, one) is not None for one in rows)
        benchmark(lambda: find(store, operation, next(known)))


@pytest.mark.benchmark(min_rounds=20, max_time=2, warmup=False)
@pytest.mark.parametrize(("tokens", "peer"), [cell for cell in CELLS if cell[1] in ON_MONGODB])
def test_save(benchmark: BenchmarkFixture, make_peer: PeerMaker, tokens: int, peer: str) -> None:
    benchmark.group = f"{SAVE}, {tokens} tokens"
    known = itertools.cycle([token_of(one) for one in looked_for(tokens, peer)])
    with make_peer(peer, f"growth_{tokens}", tokens).opened() as store:
        store.save_token(next(known))
        benchmark(lambda: store.save_token(next(known)))
