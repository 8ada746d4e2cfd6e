"""A holder of the lease that dies or stands still: one other takes over."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import pytest

from tests.engines import SERVERS
from tests.processes import CONTEXT
from tests.refresh.callers import Fields, Fleet, asked, by_id, call, total, wait_until

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)

# Long enough for an answer that takes a second, on a machine that has much to do.
LEASE = timedelta(seconds=3)


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
    assert asked(outcomes) == total(outcomes, "took_over") == 1


def test_nobody_asks_before_the_lease_has_run_out(fleet: Fleet) -> None:
    fields = fleet.stored()
    with holder(fleet, fields) as process:
        process.kill()
        fleet.call([by_id(fields)] * 4, threads=2)

    first, second = (request.time for request in fleet.zoho.requests())
    # The lease began a little before the request.
    assert second - first > LEASE.total_seconds() - 1


def test_a_holder_that_stood_still_takes_the_newer_token(fleet: Fleet) -> None:
    """Its own answer is late, or its connection gone: either way it is another's turn."""
    fields = fleet.stored()
    fleet.zoho.configure(failure="hang", failures=1)
    end, child_end = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=call_and_tell, args=(child_end, fleet, fields))
    process.start()
    child_end.close()
    try:
        wait_until(lambda: fleet.zoho.count("refresh") == 1)
        os.kill(process.pid or 0, signal.SIGSTOP)
        outcomes = fleet.call_counted([by_id(fields)] * 4, threads=2)
        (newer,) = {call.access_token for calls, _ in outcomes for call in calls}
        fleet.zoho.release()
        os.kill(process.pid or 0, signal.SIGCONT)
        assert end.poll(60)
        (late,), counts = end.recv()
    finally:
        process.kill()
        process.join()
        process.close()
        end.close()

    assert (late.access_token, late.message) == (newer, None)
    assert fleet.zoho.count("refresh") == 2
    assert total(outcomes, "took_over") == counts.late + counts.abandoned == 1
    with fleet.store() as store:
        stored = store.find_token_by_id(fields["id"])
    assert stored is not None
    assert stored.get_access_token() == newer


def call_and_tell(end: Connection, fleet: Fleet, fields: Fields) -> None:
    """Ask for an access token, and send what came of it."""
    end.send(call(fleet, by_id(fields)))


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
