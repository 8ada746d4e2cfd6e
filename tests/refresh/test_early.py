"""Before a token expires one caller refreshes it, and nobody waits for that."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.engines import SERVERS
from tests.processes import in_processes
from tests.refresh.callers import Call, Fields, Fleet, by_id, by_user_name, call, driving
from tests.tokens import contents
from zoho_mongo_store.sdk import Initializer

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)

FAILURES = ["invalid_code", "close"]
# By then all who wait for nothing have their token, on whatever machine.
DELAY = 10.0


def in_seconds(seconds: float) -> str:
    """The SDK's way to say when a token expires."""
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    return str(int(moment.timestamp() * 1000))


def soon_expired(fleet: Fleet, seconds: float = 40) -> Fields:
    """The fields of a stored token that is still good, but not for long."""
    refresh_token = fleet.zoho.refresh_token()
    access_token = fleet.zoho.access_token(refresh_token)
    return fleet.stored(
        refresh_token=refresh_token, access_token=access_token, expires_in=in_seconds(seconds)
    )


def stored(fleet: Fleet, fields: Fields) -> Fields:
    """What is stored of the token, read without any refresh."""
    with fleet.having(refresh=None).store() as store:
        return contents(store.find_token_by_id(fields["id"]))


@pytest.mark.parametrize(("processes", "threads"), [(1, 24), (8, 3)])
def test_one_refreshes_and_the_others_go_on(fleet: Fleet, processes: int, threads: int) -> None:
    fleet.zoho.configure(delay=DELAY)
    fields = soon_expired(fleet)

    outcomes = fleet.call_counted([by_id(fields)] * processes, threads)

    calls = [call for calls, _ in outcomes for call in calls]
    assert [call.message for call in calls if call.message] == []
    assert fleet.zoho.count("refresh") == 1
    (one,) = [call for call in calls if call.access_token != fields["access_token"]]
    assert fleet.zoho.is_live(one.access_token or "")
    assert stored(fleet, fields)["access_token"] == one.access_token
    assert [call for call in calls if call is not one and call.ended >= one.ended] == []
    assert sum(counts.early for _, counts in outcomes) == 1
    assert {counts.waited + counts.failed for _, counts in outcomes} == {0}


def test_after_an_early_refresh_all_have_the_new_token(fleet: Fleet) -> None:
    fields = soon_expired(fleet)
    (first,) = fleet.call([by_id(fields)])

    calls = fleet.call([by_id(fields), by_user_name(fields)], threads=2)

    assert {call.access_token for call in calls} == {first.access_token}
    assert fleet.zoho.count("refresh") == 1


@pytest.mark.parametrize("failure", FAILURES)
def test_an_early_refresh_that_fails_costs_nobody_an_error(fleet: Fleet, failure: Any) -> None:
    fleet.zoho.configure(failure=failure)
    fleet = fleet.leasing(network_cool_down=timedelta(minutes=5))
    fields = soon_expired(fleet)

    outcomes = fleet.call_counted([by_id(fields)] * 4, threads=3)
    again = fleet.call([by_user_name(fields)] * 2)

    calls: list[Call] = [*(call for calls, _ in outcomes for call in calls), *again]
    assert [call.message for call in calls if call.message] == []
    assert {call.access_token for call in calls} == {fields["access_token"]}
    assert fleet.zoho.count("refresh") == 1
    assert sum(counts.failed for _, counts in outcomes) == 1
    assert stored(fleet, fields).items() >= fields.items()


def test_a_token_whose_early_refresh_failed_is_handed_out_as_it_is(fleet: Fleet) -> None:
    fleet.zoho.configure(failure="invalid_code")
    fields = soon_expired(fleet)

    with fleet.store() as store, driving(store, fleet.zoho):
        found = store.find_token_by_id(fields["id"])

    assert contents(found).items() >= fields.items()


@pytest.mark.parametrize("seconds", [75, 3600])
def test_no_lease_is_taken_outside_the_window(fleet: Fleet, seconds: float) -> None:
    fields = soon_expired(fleet, seconds)

    calls = fleet.call([by_id(fields), by_user_name(fields)], threads=2)

    assert {call.access_token for call in calls} == {fields["access_token"]}
    assert fleet.zoho.count("refresh") == 0
    with fleet.store() as store:
        assert store.collection.database["oauthtoken.leases"].find_one() is None


def test_the_window_can_be_turned_off(fleet: Fleet) -> None:
    fleet = fleet.leasing(ahead=timedelta(0))
    fields = soon_expired(fleet, 20)

    (call,) = fleet.call([by_id(fields)])

    assert call.access_token == fields["access_token"]
    assert fleet.zoho.count("refresh") == 0


def call_after(fleet: Fleet, fields: Fields, seconds: float) -> Call:
    """What a caller sees who comes a little later."""
    time.sleep(seconds)
    ((one,), _) = call(fleet, by_id(fields))
    return one


def test_an_expired_token_is_waited_for_also_while_it_is_refreshed_early(fleet: Fleet) -> None:
    """One process began early; the others meet the token when it is too late to go on with it."""
    fleet.zoho.configure(delay=3)
    fields = soon_expired(fleet, 7)

    early, *late = in_processes(call_after, [(fleet, fields, wait) for wait in (0, 2.5, 2.5)])

    assert {call.access_token for call in late} == {early.access_token}
    assert fleet.zoho.count("refresh") == 1


def test_a_find_before_the_sdk_is_initialized_refreshes_nothing(fleet: Fleet) -> None:
    """For inspection only: there is no Zoho to go to."""
    fields = soon_expired(fleet)

    with fleet.store() as store:
        found = store.find_token_by_id(fields["id"])

    assert contents(found).items() >= fields.items()
    assert fleet.zoho.count("refresh") == 0


def test_a_script_without_the_sdk_refreshes_nothing(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Initializer, "initializer", None)
    fields = soon_expired(fleet)
    with fleet.store() as store:
        # Of a real data centre, whose address is known without the SDK's environment.
        store.collection.update_one(
            {"id": fields["id"]}, {"$set": {"api_domain": "https://www.zohoapis.com"}}
        )
        found = store.find_token_by_id(fields["id"])
        counts = store.refresh_stats()

    assert contents(found)["access_token"] == fields["access_token"]
    assert (counts.early, counts.won) == (0, 0)
