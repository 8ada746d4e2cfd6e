"""The counts of one process."""

import os
import threading

import pytest

from zoho_mongo_store import RefreshStats
from zoho_mongo_store.refresh.stats import Counters


def test_nothing_happened_yet() -> None:
    assert Counters().snapshot() == RefreshStats()
    assert set(vars(RefreshStats()).values()) == {0}


@pytest.mark.parametrize("event", vars(RefreshStats()))
def test_each_event_has_its_own_count(event: str) -> None:
    counters = Counters()
    counters.add(event)
    counters.add(event)

    assert counters.snapshot() == RefreshStats(**{event: 2})


def test_an_event_that_is_none() -> None:
    with pytest.raises(KeyError):
        Counters().add("unheard of")


def test_a_snapshot_stays() -> None:
    counters = Counters()
    before = counters.snapshot()
    counters.add("refreshed")

    assert before == RefreshStats()


def test_threads_lose_no_count() -> None:
    counters = Counters()

    def count() -> None:
        for _ in range(1000):
            counters.add("waited")

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert counters.snapshot().waited == 8000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_counts_from_zero() -> None:
    counters = Counters()
    counters.add("refreshed")

    counters.after_fork()
    counters.add("late")

    assert counters.snapshot() == RefreshStats(late=1)
