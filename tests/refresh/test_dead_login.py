"""A login that is over: confirmed once, told once, known to all, and ended by another login."""

from collections.abc import Callable
from datetime import timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from tests.engines import SERVERS, Engine
from tests.processes import CONTEXT, in_processes
from tests.refresh.callers import (
    CLIENT,
    Call,
    Fields,
    Fleet,
    ask,
    by_id,
    by_user_name,
    driving,
    in_threads,
)
from tests.refresh.moved_documents import let_time_pass
from tests.refresh.told import EventLog
from tests.tokens import make_token
from zoho_mongo_store.model.login_state import LOGIN_REQUIRED_FIELDS, LOGIN_REQUIRED_SINCE
from zoho_mongo_store.sdk import REFUSED

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)

PROCESSES = 16
COOL_DOWN = timedelta(seconds=61)
STEPS = [COOL_DOWN, *[timedelta(hours=2)] * 12]


@pytest.fixture
def told(tmp_path: Path) -> EventLog:
    """What all processes are told."""
    return EventLog(str(tmp_path / "events"))


@pytest.fixture
def fleet(fleet: Fleet, told: EventLog) -> Fleet:
    """A fleet that writes its events down, and a Zoho that answers at once."""
    fleet.zoho.configure(delay=0)
    return fleet.having(on_event=told)


def revoked(fleet: Fleet, **changes: Any) -> Fields:
    """The fields of a stored token whose user has revoked the login at Zoho."""
    fields = fleet.stored(**changes)
    fleet.zoho.revoke(fields["refresh_token"])
    return fields


def dead(fleet: Fleet, engine: Engine, **changes: Any) -> Fields:
    """The fields of a stored token whose login is known to be over, after two requests."""
    fields = revoked(fleet, **changes)
    fleet.call([by_id(fields)])
    let_time_pass(engine.client, fleet.database, COOL_DOWN)
    fleet.call([by_id(fields)])
    assert fleet.zoho.count("refresh", fields["refresh_token"]) == 2
    return fields


def through_the_day(
    fleet: Fleet, fields: Fields, barrier: Barrier, moves: bool
) -> list[list[Call]]:
    """What a process sees that asks at once with all others, and again after each step."""
    calls = []
    with fleet.store() as store, driving(store, fleet.zoho), MongoClient[Any](fleet.uri) as client:
        for step in [*STEPS, None]:
            calls.append(in_threads(fields, 2))
            barrier.wait(60)
            if moves and step is not None:
                let_time_pass(client, fleet.database, step)
            barrier.wait(60)
    return calls


def test_two_requests_and_one_event_in_a_day(fleet: Fleet, told: EventLog) -> None:
    fields = revoked(fleet)
    barrier = CONTEXT.Barrier(PROCESSES)

    outcomes = in_processes(
        through_the_day,
        [(fleet, by_id(fields), barrier, number == 0) for number in range(PROCESSES)],
        timeout=240,
    )

    assert fleet.zoho.count("refresh", fields["refresh_token"]) == 2
    at_step = [
        {call.error for calls in outcomes for call in calls[step]} for step in range(len(STEPS) + 1)
    ]
    assert at_step == [{"RefreshPausedError"}] + [{"LoginRequiredError"}] * len(STEPS)
    calls = [call for calls in outcomes for step in calls for call in step]
    assert {call.code for call in calls} == {REFUSED}
    assert all("invalid_code" in (call.message or "") for call in calls)
    names = told.names()
    assert names.count("login_required") == 1
    assert names.count("refresh_refused") == 2
    (event,) = [event for event in told.read() if event["name"] == "login_required"]
    assert (event["id"], event["user_name"]) == (fields["id"], fields["user_name"])
    assert event["client_id"] == fields["client_id"]
    assert "log in again" in event["reason"]


def test_a_refusal_that_was_a_glitch_is_forgotten(
    fleet: Fleet, told: EventLog, engine: Engine
) -> None:
    fleet.zoho.configure(failure="invalid_code", failures=1)
    fields = fleet.stored()
    for _ in range(2):
        (call,) = fleet.call([by_id(fields)])
        let_time_pass(engine.client, fleet.database, COOL_DOWN)
    assert fleet.zoho.is_live(call.access_token or "")

    fleet.zoho.configure(failure="invalid_code", failures=1)
    let_time_pass(engine.client, fleet.database, timedelta(hours=2))
    (call,) = fleet.call([by_id(fields)])

    assert call.error == "RefreshPausedError"
    assert "login_required" not in told.names()


def new_login_by_refresh_token(fleet: Fleet, fields: Fields) -> Fields:
    """A login that the application has got a refresh token by itself for."""
    brought = {"refresh_token": fleet.zoho.refresh_token(), **CLIENT}
    with fleet.store() as store:
        store.save_token(make_token(**brought, user_name=fields["user_name"]))
    return by_user_name(fields)


def new_login_over_the_id(fleet: Fleet, fields: Fields) -> Fields:
    """The same, saved under the stored id."""
    with fleet.store() as store:
        token = make_token(refresh_token=fleet.zoho.refresh_token(), **by_id(fields), **CLIENT)
        store.save_token(token)
    return by_id(fields)


@pytest.mark.parametrize("login", [new_login_by_refresh_token, new_login_over_the_id])
def test_a_new_login_ends_it_at_once(
    fleet: Fleet,
    engine: Engine,
    told: EventLog,
    login: Callable[[Fleet, Fields], Fields],
) -> None:
    fields = dead(fleet, engine)
    wanted = login(fleet, fields)

    calls = fleet.call([wanted] * 3, threads=2)

    (access_token,) = {call.access_token for call in calls}
    assert fleet.zoho.is_live(access_token or "")
    assert told.names().count("login_required") == 1
    assert told.names().count("login_restored") == 1
    document = engine.client[fleet.database].oauthtoken.find_one({"id": fields["id"]})
    assert document is not None
    assert not set(LOGIN_REQUIRED_FIELDS) & set(document)


def test_what_is_over_is_found_by_an_index(fleet: Fleet, engine: Engine) -> None:
    fields = dead(fleet, engine)
    for _ in range(3):
        fleet.stored()
    collection = engine.client[fleet.database].oauthtoken
    filter = {LOGIN_REQUIRED_SINCE: {"$exists": True}}

    plan = collection.find(filter).explain()

    assert [document["id"] for document in collection.find(filter)] == [fields["id"]]
    assert plan["executionStats"]["totalDocsExamined"] == 1
    assert "IXSCAN" in str(plan["queryPlanner"]["winningPlan"])


def test_it_is_known_to_the_request_that_was_refused(
    fleet: Fleet, engine: Engine, told: EventLog
) -> None:
    """With another client secret the same refresh token may be good."""
    fleet.zoho.configure(failure="invalid_code", failures=2)
    fields = fleet.stored(client_secret="wrong")
    for _ in range(2):
        fleet.call([by_id(fields)])
        let_time_pass(engine.client, fleet.database, COOL_DOWN)
    with fleet.store() as store:
        store.save_token(
            make_token(id=fields["id"], refresh_token=fields["refresh_token"], **CLIENT)
        )

    (call,) = fleet.call([by_id(fields)])

    assert fleet.zoho.is_live(call.access_token or "")
    assert told.names().count("login_restored") == 1


def test_it_costs_no_more_than_a_second_look(fleet: Fleet, engine: Engine) -> None:
    fields = dead(fleet, engine)
    before = engine.client[fleet.database]["oauthtoken.leases"].find_one()

    with fleet.store() as store, driving(store, fleet.zoho):
        calls = [ask(make_token(**by_id(fields))) for _ in range(20)]

    assert {call.error for call in calls} == {"LoginRequiredError"}
    assert store.refresh_stats().login_required == 20
    # Nobody even takes the lease.
    assert engine.client[fleet.database]["oauthtoken.leases"].find_one() == before


@pytest.mark.parametrize("found", [by_id, by_user_name])
def test_without_a_refresh_token_nothing_is_sent(
    fleet: Fleet, told: EventLog, found: Callable[[Fields], Fields]
) -> None:
    """As after a login without ``access_type=offline``."""
    token = make_token(access_token="1000.old", expires_in="1000", user_name="ada", **CLIENT)
    with fleet.store() as store:
        store.save_token(token)
    fields = {"id": token.get_id(), "user_name": "ada"}

    calls = fleet.call([found(fields)] * 3, threads=5)

    assert {(call.error, call.code) for call in calls} == {("LoginRequiredError", REFUSED)}
    assert all("access_type=offline" in (call.message or "") for call in calls)
    assert fleet.zoho.requests() == []
    assert told.names() == ["login", "login_required"]


def test_with_nothing_at_all_to_redeem_nothing_is_sent(fleet: Fleet) -> None:
    with fleet.store() as store, driving(store, fleet.zoho):
        token = make_token(user_name="nobody", grant_token="", **CLIENT)
        call = ask(token)

    assert (call.error, call.code) == ("LoginRequiredError", REFUSED)
    assert fleet.zoho.requests() == []


def test_a_spent_grant_token_is_asked_for_once(fleet: Fleet, told: EventLog) -> None:
    grant_token = fleet.zoho.grant()
    fleet.zoho.configure(failure="invalid_code", failures=1)
    fields = {"grant_token": grant_token, **CLIENT}

    first = fleet.call([fields] * 3, threads=2)
    second = fleet.call([fields] * 2)

    assert {call.error for call in [*first, *second]} == {"LoginRequiredError"}
    assert fleet.zoho.count("grant") == 1
    assert told.names().count("login_required") == 1
