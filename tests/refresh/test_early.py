"""Before a token expires it is refreshed in the background, once, and nobody waits for that."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.engines import SERVERS, Engine
from tests.processes import in_processes
from tests.refresh.callers import (
    Call,
    Fields,
    Fleet,
    asked,
    by_id,
    by_user_name,
    call,
    driving,
    total,
    wait_until,
)
from tests.tokens import contents
from zoho_mongo_store.sdk import Initializer

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)

FAILURES = ["invalid_code", "close"]
# By then all who wait for nothing have their token, on whatever machine.
DELAY = 6.0


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
def test_one_is_asked_for_and_nobody_waits(fleet: Fleet, processes: int, threads: int) -> None:
    """Not even the one who began it."""
    fleet.zoho.configure(delay=DELAY)
    fields = soon_expired(fleet)

    outcomes = fleet.call_counted([by_id(fields)] * processes, threads)

    calls = [call for calls, _ in outcomes for call in calls]
    assert {call.access_token for call in calls} == {fields["access_token"]}
    assert [call.seconds for call in calls if call.seconds >= DELAY] == []
    assert fleet.zoho.count("refresh") == 1
    newer = stored(fleet, fields)["access_token"]
    assert newer != fields["access_token"]
    assert fleet.zoho.is_live(newer)
    assert asked(outcomes) == total(outcomes, "early") == 1


def test_after_an_early_refresh_all_have_the_new_token(fleet: Fleet) -> None:
    fields = soon_expired(fleet)
    fleet.call([by_id(fields)])
    newer = stored(fleet, fields)["access_token"]

    calls = fleet.call([by_id(fields), by_user_name(fields)], threads=2)

    assert {call.access_token for call in calls} == {newer}
    assert newer != fields["access_token"]
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
    assert asked(outcomes) == total(outcomes, "refused", "unreachable") == 1
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
    # The SDK goes on with a token until five seconds before its expiry.
    fleet.zoho.configure(delay=12)
    fields = soon_expired(fleet, 15)

    early, *late = in_processes(call_after, [(fleet, fields, wait) for wait in (0, 10.5, 10.5)])

    assert early.access_token == fields["access_token"]
    assert {call.access_token for call in late} == {stored(fleet, fields)["access_token"]}
    assert fields["access_token"] not in {call.access_token for call in late}
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
    assert set(vars(counts).values()) == {0}


def test_a_job_that_goes_through_all_users_starts_a_few_at_a_time(fleet: Fleet) -> None:
    fleet.zoho.configure(failure="hang")
    tokens = [soon_expired(fleet) for _ in range(12)]

    with fleet.having(timeout=1).store() as store, driving(store, fleet.zoho):
        for fields in tokens:
            assert store.find_token_by_id(fields["id"]) is not None
        wait_until(lambda: fleet.zoho.count("refresh") == 8)

    assert fleet.zoho.count("refresh") == 8


def find_and_fork(fleet: Fleet, fields: Fields) -> tuple[str | None, int]:
    """What a forked child finds during an early refresh of its parent's, and how it ended."""
    store = fleet.having(timeout=2).store()
    with driving(store, fleet.zoho):
        store.find_token_by_id(fields["id"])
        wait_until(lambda: fleet.zoho.count("refresh") == 1)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            found = store.find_token_by_id(fields["id"])
            os.write(writing, ((found and found.get_access_token()) or "").encode())
            store.close()
            os._exit(0)
        os.close(writing)
        _, status = os.waitpid(child, 0)
        with os.fdopen(reading) as told:
            access_token = told.read()
    store.close()
    return access_token, status


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_fork_during_an_early_refresh_is_clean(fleet: Fleet) -> None:
    fleet.zoho.configure(failure="hang")
    fields = soon_expired(fleet)

    (outcome,) = in_processes(find_and_fork, [(fleet, fields)])

    assert outcome == (fields["access_token"], 0)
    # The parent gave its request up when it closed the store: nobody has to wait for its lease.
    assert fleet.zoho.most_at_once(fields["refresh_token"]) == 1
    fleet.zoho.configure(failure=None, delay=0)
    (call_after_it,) = fleet.call([{"id": fields["id"]}])
    assert call_after_it.access_token == fields["access_token"]
    assert stored(fleet, fields)["access_token"] != fields["access_token"]


SCRIPT = """
import sys, time
from tests.refresh.callers import driving
from tests.refresh.test_early import Fleet
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.testing import LoopbackZoho

uri, database, url, id = sys.argv[1:]
zoho = LoopbackZoho.at(url)
store = MongoTokenStore(uri, database=database, timeout=2)
with driving(store, zoho):
    print(store.find_token_by_id(id).get_access_token())
    while not zoho.count("refresh"):
        time.sleep(0.02)
"""


@pytest.mark.parametrize("failure", [None, "hang"])
def test_a_process_that_ends_during_an_early_refresh_ends_it(
    fleet: Fleet, engine: Engine, database: str, failure: Any
) -> None:
    """It stores what Zoho answers in time, and leaves no lease that others would wait for."""
    fleet.zoho.configure(failure=failure, delay=0.5)
    fields = soon_expired(fleet)

    arguments = [fleet.uri, fleet.database, fleet.zoho.url, fields["id"]]
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.strip() == fields["access_token"]
    lease = engine.client[database]["oauthtoken.leases"].find_one()
    assert lease is not None
    assert "owner" not in lease
    is_new = stored(fleet, fields)["access_token"] != fields["access_token"]
    assert is_new is (failure is None)
