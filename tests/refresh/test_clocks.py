"""Hosts whose clocks are ten seconds apart, either way."""

import threading
from datetime import timedelta

import pytest

from tests.engines import SERVERS
from tests.processes import CONTEXT, in_processes
from tests.refresh.callers import Call, Fields, Fleet, wait_until
from tests.refresh.wrong_clock import call_at

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)

SKEWS = (-10.0, 0.0, 10.0)
LEASE = timedelta(seconds=5)


@pytest.fixture
def fleet(fleet: Fleet) -> Fleet:
    """A fleet with a lease that is shorter than its clocks are apart."""
    return fleet.leasing(lease=LEASE)


def test_one_request_for_all(fleet: Fleet) -> None:
    fleet.zoho.configure(delay=2)
    fields = fleet.stored()

    outcomes = in_processes(call_at, [(skew, fleet, fields, 2) for skew in SKEWS * 4])

    calls = [call for calls, _ in outcomes for call in calls]
    assert [call.message for call in calls if call.message] == []
    assert len({call.access_token for call in calls}) == 1
    assert fleet.zoho.count("refresh") == 1


@pytest.mark.parametrize("skew", [-10.0, 10.0])
def test_one_takes_over_and_not_before_its_time(fleet: Fleet, skew: float) -> None:
    fields = fleet.stored()
    fleet.zoho.configure(failure="hang", failures=1)
    holder = CONTEXT.Process(target=call_at, args=(skew, fleet, fields))
    holder.start()
    killer = threading.Timer(1, holder.kill)
    try:
        wait_until(lambda: fleet.zoho.count("refresh") == 1)
        killer.start()
        outcomes = in_processes(call_at, [(other, fleet, fields) for other in SKEWS * 2])
    finally:
        killer.cancel()
        holder.kill()
        holder.join()
        holder.close()

    calls = [call for calls, _ in outcomes for call in calls]
    assert [call.message for call in calls if call.message] == []
    assert len({call.access_token for call in calls}) == 1
    first, second = (request.time for request in fleet.zoho.requests())
    assert second - first > LEASE.total_seconds() - 1
    assert sum(counts.took_over for _, counts in outcomes) == 1


def call_on_two_hosts(fleet: Fleet, fields: Fields) -> list[Call]:
    """What a host sees that is ten seconds behind, and then one that is ten ahead."""
    (behind,), _ = call_at(-10.0, fleet, fields)
    (ahead,), _ = call_at(20.0, fleet, fields)
    return [behind, ahead]


def test_a_cool_down_is_one_for_all(fleet: Fleet) -> None:
    fleet = fleet.leasing(refusal_cool_down=timedelta(seconds=15))
    fields = fleet.stored()
    fleet.zoho.configure(failure="invalid_code", failures=1, delay=0)

    (calls,) = in_processes(call_on_two_hosts, [(fleet, fields)])

    assert [call.access_token for call in calls] == [None, None]
    assert fleet.zoho.count("refresh") == 1
