"""Forked processes while the primary is away: pre-forking servers, task queues, plain forks."""

import os
import re
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.faults.celery_worker import running_celery
from tests.faults.documents import documents, login
from tests.faults.gunicorn_server import WORKERS, ask, running_gunicorn
from tests.faults.three_members import (
    QUICK_ELECTIONS,
    allow_elections,
    hold_elections,
    make_whole,
)
from tests.processes import in_processes
from tests.tokens import contents, make_token
from tests.waiting import eventually
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.sdk import SDKException
from zoho_mongo_store.testing import LocalMongo

CHILDREN = 3
TIMEOUT = 3.0

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


@pytest.fixture(scope="module")
def running() -> Iterator[LocalMongo]:
    with LocalMongo(members=3, replica_set_settings=QUICK_ELECTIONS) as mongo:
        yield mongo


@pytest.fixture
def three(running: LocalMongo) -> Iterator[LocalMongo]:
    with MongoTokenStore(running.uri, timeout=60) as store:
        store.ensure_indexes()
        store.delete_tokens()
        store.save_token(make_token(**login("ada", 1), id="7"))
    time.sleep(0.5)
    yield running
    make_whole(running)


def failing(operation: Any) -> bool:
    try:
        operation()
    except SDKException:
        return True
    return False


def fork_in(state: str, uri: str, primary: int, members: list[int]) -> list[int]:
    """Fork with a store in this state; how the children ended."""
    store = MongoTokenStore(uri, timeout=TIMEOUT)
    assert contents(store.find_token_by_id("7"))["access_token"] == "access-ada-1"
    for pid in members if state == "all away" else [primary]:
        os.kill(pid, signal.SIGSTOP if state in ("stopped", "all away") else signal.SIGKILL)
    if state in ("kept", "kept and forked again"):
        assert failing(lambda: store.save_token(make_token(**login("bob", 1))))
    elif state == "all away":
        assert failing(lambda: store.find_token_by_id("7"))
    else:
        assert store.find_token_by_id("7") is not None

    def child(depth: int) -> None:
        if state == "all away":
            assert failing(lambda: store.find_token_by_id("7"))
        else:
            assert contents(store.find_token_by_id("7"))["access_token"] == "access-ada-1"
        # What its parent keeps is the parent's.
        assert not store._tokens._pending
        if depth:
            assert fork(depth - 1, 1) == [0]
        store.close()

    def fork(depth: int, count: int) -> list[int]:
        pids = []
        for _ in range(count):
            pid = os.fork()
            if pid == 0:
                status = 1
                try:
                    child(depth)
                    status = 0
                finally:
                    os._exit(status)
            pids.append(pid)
        return [os.waitpid(pid, 0)[1] for pid in pids]

    statuses = fork(1 if state == "kept and forked again" else 0, CHILDREN)
    if state.startswith("kept"):
        assert contents(store.find_token(make_token(user_name="bob"))) == login("bob", 1)
        # Never closed: the end of the process cannot write it either, so it waits here.
        assert eventually(lambda: not store._tokens._pending, 60)
    return statuses


@pytest.mark.parametrize(
    "state", ["killed", "stopped", "kept", "kept and forked again", "all away"]
)
def test_forking(three: LocalMongo, state: str) -> None:
    hold_elections(three)
    pids = [member.pid or 0 for member in three.members]
    arguments = (state, three.uri, three.primary.pid or 0, pids)
    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(in_processes, fork_in, [arguments], 120)
        if state.startswith("kept"):
            time.sleep(2 * TIMEOUT)
            make_whole(three)
        assert outcome.result() == [[0] * CHILDREN]
    if state.startswith("kept"):
        found = [one["access_token"] for one in documents(three.uri)]
        assert sorted(found) == ["access-ada-1", "access-bob-1"]


def test_gunicorn_with_preload_through_a_failover(three: LocalMongo, tmp_path: Path) -> None:
    log = tmp_path / "gunicorn.log"
    with running_gunicorn(three.uri, log) as port, ThreadPoolExecutor(8) as pool:
        before = list(pool.map(lambda number: ask(port, str(number)), range(40)))
        hold_elections(three)
        three.primary.kill()
        during = list(pool.map(lambda _: ask(port, "find=ada"), range(200)))
        allow_elections(three)
        # They need the primary: the time-out of 20 s is longer than the election.
        after = list(pool.map(lambda number: ask(port, str(number)), range(40)))

    assert {status for status, _ in before + during + after} == {200}
    assert len({worker for _, worker in during}) == WORKERS
    assert not re.search("(?i)traceback", log.read_text()), log.read_text()


def test_celerys_prefork_through_a_failover(three: LocalMongo, tmp_path: Path) -> None:
    def find_often() -> list[Any]:
        sent = [celery.send_task("find", ["ada"]) for _ in range(30)]
        return [one.get(timeout=60) for one in sent]

    with running_celery(three.uri, tmp_path) as celery:
        before = find_often()
        hold_elections(three)
        three.primary.kill()
        during = find_often()
        # Each process of the pool keeps what it could not write, and writes it by itself.
        saves = [celery.send_task("save", [f"user-{number}", 1]) for number in range(6)]
        assert [one.get(timeout=60) for one in saves] == [False] * 6
        allow_elections(three)
        assert eventually(lambda: len(documents(three.uri)) == 7, 60)

    assert {token for _, token in before + during} == {"access-ada-1"}
    assert len({process for process, _ in during}) > 1
