"""What a find takes as the number of stored tokens grows, with each peer."""

from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.conftest import PeerMaker
from benchmarks.peers import PEERS
from benchmarks.rows import row, wanted

OPERATIONS = ("by id", "by user name", "by refresh token")
COUNTS = (10, 1000, "most")


@pytest.mark.benchmark(min_rounds=5, max_time=0.3, warmup=False)
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("count", COUNTS)
def test_find(
    benchmark: BenchmarkFixture,
    make_peer: PeerMaker,
    most: int,
    count: int | str,
    peer: str,
    operation: str,
) -> None:
    tokens = most if isinstance(count, str) else count
    benchmark.extra_info["tokens"] = tokens
    benchmark.group = f"{operation}, {tokens} tokens"
    # Those who search from the first row on meet it halfway.
    known = row(tokens // 2)
    with make_peer(peer, f"growth_{tokens}", tokens).opened() as store:
        find: Callable[[], object] = {
            "by id": lambda: store.find_token_by_id(known["id"]),
        }.get(operation, lambda: store.find_token(wanted(operation, known)))
        assert find() is not None
        benchmark(find)
