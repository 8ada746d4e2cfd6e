"""Processes that find and save while the primary fails again and again: no find fails.

``ZOHO_MONGO_FAILOVERS`` sets how often it is killed; docs/explain/reliability.md has the figures of
twenty, and of MongoDB's own election time-out (``python -m benchmarks.failover``).
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import pytest

from tests.faults.documents import documents, login, number_of
from tests.faults.failover_load import Outcome, load, users_of
from tests.faults.three_members import (
    QUICK_ELECTIONS,
    allow_elections,
    hold_elections,
    make_whole,
    wait_for_another_primary,
)
from tests.processes import CONTEXT
from tests.refresh.callers import Call, Fleet, ask, by_id, driving
from tests.sent_commands import Client
from tests.tokens import make_token
from tests.waiting import eventually
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.sdk import OAuthToken, SDKException
from zoho_mongo_store.testing import LocalMongo, LoopbackZoho

KILLS = int(os.environ.get("ZOHO_MONGO_FAILOVERS", "2"))
PROCESSES = 3
PAUSE = 0.02
FSYNC_SECONDS = 10.0
# The promise is less than two; a busy machine gets time.
LONGEST_FIND = 5.0


@pytest.fixture(scope="module")
def running() -> Iterator[LocalMongo]:
    with LocalMongo(members=3, replica_set_settings=QUICK_ELECTIONS) as mongo:
        yield mongo


@pytest.fixture
def three(running: LocalMongo) -> Iterator[LocalMongo]:
    with MongoTokenStore(running.uri, timeout=60) as store:
        store.ensure_indexes()
        store.delete_tokens()
    yield running
    make_whole(running)


@contextmanager
def under_load(mongo: LocalMongo) -> Iterator[list[Outcome]]:
    """Processes find and save while the block runs; what they saw is in the list afterwards."""
    with MongoTokenStore(mongo.uri, timeout=60) as store:
        for worker in range(PROCESSES):
            for user in users_of(worker):
                store.save_token(make_token(**login(user, 0)))
    outcomes: list[Outcome] = []
    end = CONTEXT.Event()
    running: list[tuple[BaseProcess, Connection]] = []
    try:
        for worker in range(PROCESSES):
            pipe, child = CONTEXT.Pipe()
            process = CONTEXT.Process(target=load, args=(mongo.uri, worker, PAUSE, end, child))
            process.start()
            running.append((process, pipe))
        # All of them are at it.
        assert eventually(lambda: all(number_of(one) for one in documents(mongo.uri)), 60)
        yield outcomes
        end.set()
        for _, pipe in running:
            assert pipe.poll(60)
            outcomes.append(pipe.recv())
        check(mongo, outcomes)
    finally:
        end.set()
        for one, pipe in running:
            with suppress(OSError):
                pipe.send(None)
            pipe.close()
            one.join(30)
            if one.is_alive():
                one.kill()
                one.join()


def check(mongo: LocalMongo, outcomes: list[Outcome]) -> None:
    """No find failed, no acknowledged save is lost, and what was kept is written by itself."""
    attempted = {user: turn for one in outcomes for user, turn in one.attempted.items()}
    acknowledged = {user: turn for one in outcomes for user, turn in one.acknowledged.items()}

    def stored() -> dict[str, int]:
        return {one["user_name"]: number_of(one) for one in documents(mongo.uri)}

    assert eventually(lambda: attempted.items() <= stored().items()), (attempted, stored())
    assert all(stored()[user] >= turn for user, turn in acknowledged.items())
    print(
        f"{sum(one.finds for one in outcomes)} finds, {sum(one.failed_finds for one in outcomes)} "
        f"failed, the longest {max(one.longest_find for one in outcomes):.2f} s; "
        f"{sum(one.saves for one in outcomes)} saves, "
        f"{sum(one.failed_saves for one in outcomes)} raised, all of them written"
    )
    assert [error for one in outcomes for error in one.errors] == []
    assert max(one.longest_find for one in outcomes) < LONGEST_FIND


def test_kills_in_a_row(three: LocalMongo) -> None:
    with under_load(three):
        for _ in range(KILLS):
            old = three.wait_for_primary()
            old.kill()
            wait_for_another_primary(three, old)
            make_whole(three)
            time.sleep(1)


def test_a_primary_that_cannot_write(three: LocalMongo) -> None:
    """``fsyncLock``: reads go on, writes wait."""
    with under_load(three) as outcomes:
        primary = three.wait_for_primary()
        with Client(primary.uri) as client:
            client.admin.command("fsync", lock=True)
            time.sleep(FSYNC_SECONDS)
            client.admin.command("fsyncUnlock")
        assert outcomes == []
    assert sum(one.failed_saves for one in outcomes) > 0


@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_expired_tokens_during_an_election(three: LocalMongo, how: str) -> None:
    """Every call ends with a token, and Zoho is asked once for each."""
    tokens, threads = 4, 3
    with LoopbackZoho() as zoho:
        fleet = Fleet(three.uri, "zohooauth", zoho, {"timeout": 5})
        stored = [fleet.stored() for _ in range(tokens)]
        calls: list[Call] = []
        with fleet.store() as store, driving(store, zoho):
            for fields in stored:
                assert store.find_token_by_id(fields["id"]) is not None
            hold_elections(three)
            old = three.wait_for_primary()
            old.kill() if how == "killed" else old.stop()
            callers = [
                threading.Thread(
                    target=lambda one=fields: calls.append(ask(make_token(**by_id(one))))
                )
                for fields in stored
                for _ in range(threads)
            ]
            for caller in callers:
                caller.start()
            # Longer than the store's time-out, which a refresh outlives.
            time.sleep(7)
            assert calls == []
            allow_elections(three)
            for caller in callers:
                caller.join(60)

        assert [call.message for call in calls if call.message] == []
        assert len(calls) == tokens * threads
        assert len({call.access_token for call in calls}) == tokens
        counts = [zoho.count("refresh", fields["refresh_token"]) for fields in stored]
        assert counts == [1] * tokens


@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_a_refresh_that_loses_its_primary(three: LocalMongo, how: str) -> None:
    """Those who wait on it go on waiting, longer than the store's time-out; Zoho is asked once."""
    with LoopbackZoho() as zoho:
        fleet = Fleet(three.uri, "zohooauth", zoho, {"timeout": 2})
        fields = fleet.stored()
        zoho.configure(delay=6)
        calls: list[Call] = []
        with ExitStack() as stack:
            callers = []
            for _ in range(3):
                store = stack.enter_context(fleet.store())
                stack.enter_context(driving(store, zoho))
                token = store.find_token_by_id(fields["id"])
                assert token is not None
                callers.append(threading.Thread(target=redeem, args=(token, zoho, calls)))
            for caller in callers:
                caller.start()
            assert eventually(lambda: zoho.count("refresh") == 1)
            hold_elections(three)
            old = three.wait_for_primary()
            old.kill() if how == "killed" else old.stop()
            # Longer than the stores' time-out.
            time.sleep(4)
            allow_elections(three)
            for caller in callers:
                caller.join(90)

        assert [call.message for call in calls if call.message] == []
        assert len(calls) == 3
        assert len({call.access_token for call in calls}) == 1
        assert zoho.count("refresh") == 1


def redeem(token: OAuthToken, zoho: LoopbackZoho, calls: list[Call]) -> None:
    """Have the SDK refresh a token that was found, as it does with one that has expired."""
    began = time.monotonic()
    try:
        token.refresh_access_token(token, f"{zoho.url}/oauth/v2/token")
    except SDKException as error:
        calls.append(Call(None, error.code, str(error), began, time.monotonic()))
    else:
        calls.append(Call(token.get_access_token(), None, None, began, time.monotonic()))
