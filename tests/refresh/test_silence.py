"""A Zoho that hangs, or is slow: never two requests at once, and everybody is answered in time."""

import time
from datetime import timedelta
from typing import Any

import pytest

from tests.engines import SERVERS
from tests.refresh.callers import Fleet, asked, by_id, total

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)

LEASE = timedelta(seconds=1)
TIMEOUT = timedelta(seconds=3)
RESTING = timedelta(minutes=5)
# A machine with few cores needs some time for 64 threads, beyond what is promised.
SLACK = 8.0


@pytest.fixture
def fleet(fleet: Fleet) -> Fleet:
    """A fleet with a lease that is shorter than its requests."""
    return fleet.leasing(lease=LEASE, request_timeout=TIMEOUT, network_cool_down=RESTING)


@pytest.mark.parametrize(("processes", "threads"), [(24, 1), (1, 64)])
def test_a_hanging_zoho(fleet: Fleet, processes: int, threads: int) -> None:
    fleet.zoho.configure(failure="hang")
    fields = fleet.stored()

    outcomes = fleet.call_counted([by_id(fields)] * processes, threads)

    calls = [call for calls, _ in outcomes for call in calls]
    assert len(calls) == processes * threads
    assert {(call.error, call.code) for call in calls} == {
        ("RefreshPausedError", "Exception in saving tokens")
    }
    assert all("did not answer within 3 s" in (call.message or "") for call in calls)
    longest = max(call.seconds for call in calls)
    assert longest < (LEASE + TIMEOUT).total_seconds() + 1 + SLACK
    assert fleet.zoho.count("refresh") == fleet.zoho.most_at_once(fields["refresh_token"]) == 1
    assert asked(outcomes) == total(outcomes, "unreachable") == 1

    (resting,) = fleet.call([by_id(fields)])

    assert resting.error == "RefreshPausedError"
    assert 200 < (resting.retry_after or 0) <= 300
    assert fleet.zoho.count("refresh") == 1


@pytest.mark.parametrize("failure", ["hang", "hang_in_body", "drip"])
def test_whatever_it_is_that_hangs(fleet: Fleet, failure: Any) -> None:
    """Also where each byte comes in time."""
    fleet.zoho.configure(failure=failure, delay=0)
    fields = fleet.stored()

    (call,) = fleet.call([by_id(fields)])

    assert call.error == "RefreshPausedError"
    assert "did not answer within 3 s" in (call.message or "")
    assert TIMEOUT.total_seconds() - 0.1 < call.seconds < TIMEOUT.total_seconds() + SLACK


def test_the_next_request_is_sent_when_the_first_has_been_given_up(fleet: Fleet) -> None:
    fleet = fleet.leasing(
        lease=LEASE, request_timeout=TIMEOUT, network_cool_down=timedelta(seconds=0)
    )
    fleet.zoho.configure(failure="drip", failures=1, delay=0)
    fields = fleet.stored()

    first, second = fleet.call([by_id(fields)]), fleet.call([by_id(fields)] * 4)

    assert [call.access_token for call in first] == [None]
    assert len({call.access_token for call in second}) == 1
    assert fleet.zoho.is_live(second[0].access_token or "")
    assert fleet.zoho.count("refresh") == 2
    assert fleet.zoho.most_at_once(fields["refresh_token"]) == 1


def test_a_zoho_that_is_slower_than_the_lease_is_asked_once(fleet: Fleet) -> None:
    fleet = fleet.leasing(lease=LEASE, request_timeout=timedelta(seconds=20))
    fleet.zoho.configure(delay=LEASE.total_seconds() * 4)
    fields = fleet.stored()

    outcomes = fleet.call_counted([by_id(fields)] * 6, threads=2)

    calls = [call for calls, _ in outcomes for call in calls]
    assert [call.message for call in calls if call.message] == []
    assert len({call.access_token for call in calls}) == 1
    assert fleet.zoho.count("refresh") == 1
    assert asked(outcomes) == total(outcomes, "refreshed") == 1


def test_those_who_wait_have_their_answer_soon_after_it_came(fleet: Fleet) -> None:
    """Whoever looks seldom the longer it waits sees it within a fraction of the whole wait."""
    fleet = fleet.leasing(request_timeout=timedelta(seconds=20))
    fleet.zoho.configure(delay=4)
    fields = fleet.stored()

    calls = fleet.call([by_id(fields)] * 24)

    first = min(call.ended for call in calls) - min(call.began for call in calls)
    last = max(call.ended for call in calls) - min(call.began for call in calls)
    assert first >= 4
    assert last < first * 1.3 + SLACK


def test_a_name_that_nobody_resolves_is_bounded_too(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Resolving has no time-out of its own, and a request that was given up is never sent."""
    import socket

    from tests.refresh.callers import ask, driving
    from tests.tokens import make_token

    resolve = socket.getaddrinfo
    port = int(fleet.zoho.url.rpartition(":")[2])

    def slow(host: Any, asked_port: Any, *arguments: Any, **options: Any) -> Any:
        if asked_port == port and slowed:
            time.sleep(TIMEOUT.total_seconds() * 2)
        return resolve(host, asked_port, *arguments, **options)

    fields = fleet.stored()
    slowed = False
    with fleet.store() as store, driving(store, fleet.zoho):
        monkeypatch.setattr(socket, "getaddrinfo", slow)
        slowed = True
        call = ask(make_token(**by_id(fields)))
        time.sleep(TIMEOUT.total_seconds() * 1.5)
        slowed = False

    assert "did not answer within 3 s" in (call.message or "")
    assert call.seconds < TIMEOUT.total_seconds() + SLACK
    assert fleet.zoho.count("refresh") == 0
