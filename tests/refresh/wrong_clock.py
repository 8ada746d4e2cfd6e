"""A host whose clock is wrong: a process that ends with the test, its clock put on or back."""

import time
from datetime import timedelta

from tests.refresh.callers import Call, Fields, Fleet, by_id, call
from zoho_mongo_store import RefreshStats
from zoho_mongo_store.model import document


def set_clock(skew: float) -> None:
    """Put the clock of this process on by so many seconds, or back; ``monotonic`` goes on."""
    right_time, right_time_ns, right_now = time.time, time.time_ns, document.now()
    time.time = lambda: right_time() + skew
    time.time_ns = lambda: right_time_ns() + int(skew * 1_000_000_000)
    moved = document.now() - right_now
    assert abs(moved - timedelta(seconds=skew)) < timedelta(seconds=1)


def call_at(
    skew: float, fleet: Fleet, fields: Fields, threads: int = 1
) -> tuple[list[Call], RefreshStats]:
    """Ask for an access token on a host whose clock is wrong by so many seconds."""
    set_clock(skew)
    return call(fleet, by_id(fields), threads)
