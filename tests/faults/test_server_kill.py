"""The server is killed (SIGKILL) again and again while many processes save.

``ZOHO_MONGO_KILLS`` sets how often; docs/reliability.md has the figures of a long run.
"""

import itertools
import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.documents import documents, login, number_of
from tests.processes import in_processes
from tests.tokens import make_token
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.sdk import SDKException
from zoho_mongo_store.testing import LocalMongo

KILLS = int(os.environ.get("ZOHO_MONGO_KILLS", "3"))
PROCESSES = 8
USERS_EACH = 3


def save_until(uri: str, worker: int, end: str) -> tuple[dict[str, int], int, int]:
    """Save over and over with one store until the file ``end`` is there, and once after that.

    The number of the last acknowledged save of each user, how many saves were acknowledged, and
    how many failed.
    """
    users = [f"user-{worker}-{index}" for index in range(USERS_EACH)]
    acknowledged: dict[str, int] = {}
    saves = failures = 0
    with MongoTokenStore(uri, timeout=0.7) as store:
        for number in itertools.count(1):
            user, is_last_round = users[number % USERS_EACH], Path(end).exists()
            try:
                store.save_token(make_token(**login(user, number)))
            except SDKException:
                failures += 1
                continue
            acknowledged[user] = number
            saves += 1
            if is_last_round and saves > USERS_EACH:
                break
    return acknowledged, saves, failures


@pytest.fixture
def end(tmp_path: Path) -> Iterator[Path]:
    """The file that ends the savers, whatever becomes of the test."""
    path = tmp_path / "end"
    yield path
    path.touch()


def progress(server: LocalMongo) -> int:
    """The sum of the numbers of all saves that are stored."""
    return sum(number_of(document) for document in documents(server.uri))


def kill_often(server: LocalMongo, end: Path, killed_at: list[int]) -> None:
    """Kill the server in the midst of the saves and start it again."""
    moments = random.Random(8)
    try:
        while len(documents(server.uri)) < PROCESSES * USERS_EACH and not end.exists():
            time.sleep(0.1)
        while len(killed_at) < KILLS and not end.exists():
            before = progress(server)
            while progress(server) == before and not end.exists():
                time.sleep(0.01)
            time.sleep(moments.uniform(0, 0.5))
            server.kill()
            killed_at.append(before)
            # Now and then longer than the stores' time-out.
            time.sleep(0.1 if len(killed_at) % 3 else 1.5)
            server.start()
    finally:
        end.touch()


@pytest.mark.timeout(60 + 20 * KILLS)
def test_no_acknowledged_save_is_lost(server: LocalMongo, end: Path) -> None:
    with MongoTokenStore(server.uri) as store:
        store.ensure_indexes()
    killed_at: list[int] = []
    killer = threading.Thread(target=kill_often, args=(server, end, killed_at))
    killer.start()
    try:
        arguments = [(server.uri, worker, str(end)) for worker in range(PROCESSES)]
        outcomes = in_processes(save_until, arguments, timeout=50 + 15 * KILLS)
    finally:
        end.touch()
        killer.join()

    assert len(set(killed_at)) == KILLS
    stored = documents(server.uri)
    acknowledged = {user: number for users, _, _ in outcomes for user, number in users.items()}
    saves = sum(saves for _, saves, _ in outcomes)
    failures = sum(failures for _, _, failures in outcomes)
    print(f"{KILLS} kills, {saves} saves acknowledged, {failures} failed")
    assert len(acknowledged) == len(stored) == PROCESSES * USERS_EACH
    assert failures > 0
    # One that was not acknowledged may have been written all the same, or be written later.
    lost = [
        document["user_name"]
        for document in stored
        if number_of(document) < acknowledged[document["user_name"]]
    ]
    assert lost == []
    assert all(document.get("id") for document in stored)
