"""A holder of the lease that dies or hangs: one other takes over."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.process import BaseProcess

import pytest
import requests

from tests.engines import SERVERS
from tests.processes import CONTEXT
from tests.refresh.callers import Call, Fields, Fleet, by_id, call, driving, in_threads, wait_until

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)

# Long enough for an answer that takes a second, on a machine that has much to do.
LEASE = timedelta(seconds=3)
HANG = 8.0


@pytest.fixture
def fleet(fleet: Fleet) -> Fleet:
    """A fleet with a lease that a test can wait for."""
    return fleet.leasing(lease=LEASE)


@contextmanager
def holder(fleet: Fleet, fields: Fields, threads: int = 1) -> Iterator[BaseProcess]:
    """A process that has the lease and waits for Zoho's answer, which takes long."""
    fleet.zoho.configure(failure="hang", failures=1)
    process = CONTEXT.Process(target=call, args=(fleet, by_id(fields), threads))
    process.start()
    try:
        wait_until(lambda: fleet.zoho.count("refresh") == 1)
        yield process
    finally:
        process.kill()
        process.join()
        process.close()


@pytest.mark.parametrize(("processes", "threads"), [(1, 16), (12, 1), (4, 4)])
def test_one_waiter_takes_over_from_a_killed_holder(
    fleet: Fleet, processes: int, threads: int
) -> None:
    fields = fleet.stored()
    with holder(fleet, fields, threads=4) as process:
        killer = threading.Timer(1, process.kill)
        killer.start()
        outcomes = fleet.call_counted([by_id(fields)] * processes, threads)
        killer.join()

    calls = [call for calls, _ in outcomes for call in calls]
    assert [call.message for call in calls if call.message] == []
    assert len({call.access_token for call in calls}) == 1
    assert fleet.zoho.count("refresh") == 2
    assert sum(counts.took_over for _, counts in outcomes) == 1
    assert sum(counts.won for _, counts in outcomes) == 1


def test_nobody_asks_before_the_lease_has_run_out(fleet: Fleet) -> None:
    fields = fleet.stored()
    with holder(fleet, fields) as process:
        process.kill()
        fleet.call([by_id(fields)] * 4, threads=2)

    first, second = (request.time for request in fleet.zoho.requests())
    # The lease began a little before the request.
    assert second - first > LEASE.total_seconds() - 1


def test_the_late_answer_of_a_hanging_holder_does_not_replace_the_newer_token(
    fleet: Fleet,
) -> None:
    fields = fleet.stored()
    late: list[str | None] = []
    with fleet.store() as store, driving(store, fleet.zoho):
        fleet.zoho.configure(failure="hang", failures=1)
        slow = threading.Thread(
            target=lambda: late.extend(
                call.access_token for call in in_threads(by_id(fields), threads=1)
            )
        )
        slow.start()
        wait_until(lambda: fleet.zoho.count("refresh") == 1)
        calls = fleet.call([by_id(fields)] * 4, threads=2)
        (newer,) = {call.access_token for call in calls}
        fleet.zoho.release()
        slow.join()
        stored = store.find_token_by_id(fields["id"])
        counts = store.refresh_stats()

    assert stored is not None
    assert stored.get_access_token() == newer
    assert late == [newer]
    assert fleet.zoho.count("refresh") == 2
    assert counts.late == 1


def test_threads_of_the_hanging_holders_own_process_take_over(fleet: Fleet) -> None:
    fields = fleet.stored()
    fleet.zoho.configure(failure="hang", failures=1, hang=HANG)

    ((calls, counts),) = fleet.call_counted([by_id(fields)], threads=12)

    assert [call.message for call in calls if call.message] == []
    assert len({call.access_token for call in calls}) == 1
    assert fleet.zoho.count("refresh") == 2
    assert (counts.took_over, counts.late) == (1, 1)
    # Only the one that hangs waits for the late answer.
    quick = [call for call in calls if call.seconds < HANG]
    assert len(quick) == 11


def test_a_second_holder_that_dies_is_followed_by_a_third(fleet: Fleet) -> None:
    fields = fleet.stored()
    with holder(fleet, fields) as first:
        first.kill()
        fleet.zoho.configure(failure="hang", failures=1)
        second = CONTEXT.Process(target=call, args=(fleet, by_id(fields)))
        second.start()
        try:
            wait_until(lambda: fleet.zoho.count("refresh") == 2)
        finally:
            second.kill()
            second.join()
            second.close()
        began = time.monotonic()
        calls = fleet.call([by_id(fields)] * 3)

    assert [call.message for call in calls if call.message] == []
    assert len({call.access_token for call in calls}) == 1
    assert fleet.zoho.count("refresh") == 3
    assert time.monotonic() - began < LEASE.total_seconds() * 6


def test_the_late_failure_of_a_hanging_holder_is_no_error_where_a_newer_token_is_stored(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = fleet.stored()
    asked, overtaken = threading.Event(), threading.Event()

    def hang_and_break(*_: object, **__: object) -> None:
        asked.set()
        assert overtaken.wait(60)
        raise requests.ConnectionError("reset by peer")

    late: list[Call] = []
    with fleet.store() as store, driving(store, fleet.zoho):
        monkeypatch.setattr(requests, "post", hang_and_break)
        slow = threading.Thread(target=lambda: late.extend(in_threads(by_id(fields), threads=1)))
        slow.start()
        assert asked.wait(60)
        (newer,) = {call.access_token for call in fleet.call([by_id(fields)] * 2)}
        overtaken.set()
        slow.join()
        counts = store.refresh_stats()

    assert [(call.access_token, call.message) for call in late] == [(newer, None)]
    assert (counts.late, counts.failed) == (1, 0)
