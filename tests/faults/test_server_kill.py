"""The server is killed (SIGKILL) again and again while processes save.

``ZOHO_MONGO_KILLS`` sets how often; docs/explain/reliability.md has the figures of a run.
"""

import itertools
import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from pymongo.read_concern import ReadConcern

from tests.faults.documents import COLLECTION, documents, login, number_of
from tests.processes import in_processes
from tests.sent_commands import Client
from tests.tokens import make_token
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.model.document import now
from zoho_mongo_store.model.token import to_document
from zoho_mongo_store.sdk import SDKException
from zoho_mongo_store.testing import LocalMongo

KILLS = int(os.environ.get("ZOHO_MONGO_KILLS", "6"))
# Each of them loses some of what no journal was waited for.
KILLS_OF_THE_CONTROL = 3
PROCESSES = 4
# Stored from the beginning, so that saves of them are updates.
KNOWN_EACH = 2000
_SECONDS_PER_KILL = 40


class Saved(NamedTuple):
    """What became of the saves of one process."""

    acknowledged: dict[str, int]
    """The number of the save, by the user's name."""
    failures: int


def user_of(worker: int, number: int) -> str:
    """The user of a process's save with this number: by turns one who is known and a new one. None
    is saved twice, so that no later save can hide that one is lost."""
    is_known = number % 2 == 0 and number // 2 < KNOWN_EACH
    return f"{'known' if is_known else 'new'} {worker} {number}"


def save_until(uri: str, worker: int, end: str) -> Saved:
    """Save over and over with one store until the file ``end`` is there, and once after that."""
    acknowledged: dict[str, int] = {}
    failures = 0
    with MongoTokenStore(uri, timeout=2) as store:
        for number in itertools.count(1):
            is_last_round, user = Path(end).exists(), user_of(worker, number)
            try:
                store.save_token(make_token(**login(user, number)))
            except SDKException:
                failures += 1
                # Each is kept and has to be written later: as many as an application would have.
                time.sleep(0.05)
                continue
            acknowledged[user] = number
            if is_last_round:
                return Saved(acknowledged, failures)
    raise AssertionError("numbers do not end")


@pytest.fixture
def end(tmp_path: Path) -> Iterator[Path]:
    """The file that ends the savers, whatever becomes of the test."""
    path = tmp_path / "end"
    yield path
    path.touch()


@pytest.fixture
def known(server: LocalMongo) -> None:
    """The known users, as they are before their save."""
    moment = {"created_at": now(), "updated_at": now()}
    users = [user_of(n, 2 * k) for n in range(PROCESSES) for k in range(KNOWN_EACH)]
    with Client(server.uri) as client:
        client.zohooauth[COLLECTION].insert_many(
            to_document(make_token(**login(user, 0))) | {"id": user} | moment for user in users
        )


def kill_often(server: LocalMongo, kills: int, end: Path, killed_at: list[int]) -> None:
    """Kill the server in the midst of the saves and start it again."""
    moments = random.Random(8)
    with Client(server.uri) as client:
        # What the journal does not have yet may be gone after the kill: that is no progress.
        collection = client.zohooauth.get_collection(
            COLLECTION, read_concern=ReadConcern("majority")
        )

        def progress() -> int:
            return collection.count_documents({"updated_at": {"$gt": began}})

        began = now()
        try:
            while len(killed_at) < kills and not end.exists():
                before = progress()
                while progress() == before and not end.exists():
                    time.sleep(0.01)
                time.sleep(moments.uniform(0, 0.5))
                server.kill()
                killed_at.append(before)
                # Now and then longer than the stores' time-out.
                time.sleep(0.1 if len(killed_at) % 3 else 2.5)
                server.start()
        finally:
            end.touch()


def save_and_kill(server: LocalMongo, uri: str, kills: int, end: Path) -> list[Saved]:
    """Save in all processes while the server is killed so often."""
    killed_at: list[int] = []
    killer = threading.Thread(target=kill_often, args=(server, kills, end, killed_at))
    killer.start()
    try:
        arguments = [(uri, worker, str(end)) for worker in range(PROCESSES)]
        outcomes: list[Saved] = in_processes(
            save_until, arguments, timeout=50 + _SECONDS_PER_KILL * kills
        )
    finally:
        end.touch()
        killer.join()
    assert len(set(killed_at)) == kills
    return outcomes


def lost(server: LocalMongo, outcomes: list[Saved]) -> list[str]:
    """The users whose acknowledged save is not stored; no document is of two saves."""
    stored = documents(server.uri)
    numbers = {document["user_name"]: number_of(document) for document in stored}
    assert len(numbers) == len(stored) == len({document["id"] for document in stored})
    return [
        user
        for saved in outcomes
        for user, number in saved.acknowledged.items()
        if numbers.get(user) != number
    ]


@pytest.mark.timeout(100 + _SECONDS_PER_KILL * KILLS)
@pytest.mark.usefixtures("known")
def test_no_acknowledged_save_is_lost(server: LocalMongo, end: Path) -> None:
    outcomes = save_and_kill(server, server.uri, KILLS, end)

    acknowledged = [saved.acknowledged for saved in outcomes]
    failures = sum(saved.failures for saved in outcomes)
    print(f"{KILLS} kills, {sum(map(len, acknowledged))} saves acknowledged, {failures} failed")
    assert failures > 0
    # Updates and inserts.
    assert {user.split()[0] for users in acknowledged for user in users} == {"known", "new"}
    assert lost(server, outcomes) == []


@pytest.mark.usefixtures("known")
def test_a_lost_save_is_noticed(server: LocalMongo, end: Path) -> None:
    """The control: what is acknowledged before it is in the journal is lost, and found to be."""
    uri = f"{server.uri}&w=1&journal=false"

    assert lost(server, save_and_kill(server, uri, KILLS_OF_THE_CONTROL, end)) != []
