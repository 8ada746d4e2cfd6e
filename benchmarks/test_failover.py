"""Finds through the loss of a primary, of three members with MongoDB's own election time-out."""

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.failover import FAILURES_AT, ROWS, SECONDS, measure

KINDS = ("SIGKILL", "SIGSTOP")
FINDERS = 2


@pytest.mark.parametrize("failures", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_failover(benchmark: BenchmarkFixture, kind: str, failures: int) -> None:
    moments = FAILURES_AT[:failures]
    # With one failure it ends where the second would be.
    seconds = SECONDS if failures > 1 else FAILURES_AT[1]
    benchmark.group = f"{kind}, {failures} times"
    result = benchmark.pedantic(
        measure,
        (kind, ROWS[kind]),
        {"seconds": seconds, "failures_at": moments, "finders": FINDERS},
        rounds=1,
    )
    benchmark.extra_info.update(result)
