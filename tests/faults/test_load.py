"""Sustained load: many threads in several processes on one collection.

``ZOHO_MONGO_LOAD_SECONDS`` sets how long (5 by default); docs/explain/reliability.md has the
figures of a full run.
"""

import os
import random
import threading
import time
from collections import Counter
from contextlib import suppress
from typing import Any, NamedTuple

import psutil
import pytest

from tests.faults.documents import login, number_of
from tests.processes import in_processes
from tests.sent_commands import Client
from tests.tokens import make_token
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.sdk import OAuthToken
from zoho_mongo_store.testing import LocalMongo

SECONDS = float(os.environ.get("ZOHO_MONGO_LOAD_SECONDS", "5"))
TOKENS = 1000
PROCESSES = 8
THREADS = 25
TIMEOUT = 120.0
SAVES = 0.1
MEMORY_GROWTH = 24 << 20

pytestmark = [pytest.mark.load, pytest.mark.timeout(240 + 3 * SECONDS)]


class Outcome(NamedTuple):
    """What one process did."""

    operations: dict[str, int]
    newest: dict[str, int]
    """The number of the last save of each user whose token is this process's to save."""
    errors: list[str]
    connections: tuple[int, int]
    """To the server, at the end, and after the store was closed."""
    growth: int
    """Of the memory in use, over the second half, in bytes."""


class Worker:
    """The threads of one process. Each token is saved by one thread, and read by all."""

    def __init__(self, store: MongoTokenStore, process: int, seconds: float) -> None:
        self._store = store
        self._process = process
        self._deadline = time.monotonic() + seconds
        self.operations: Counter[str] = Counter()
        self.newest: dict[str, int] = {}
        self.errors: list[str] = []
        self._seen: dict[str, int] = {}

    def run(self, thread: int) -> None:
        """Mixed operations until the time is up."""
        chance = random.Random(f"{self._process} {thread}")
        number_of_thread = self._process * THREADS + thread
        own = range(number_of_thread, TOKENS, PROCESSES * THREADS)
        seen: dict[str, int] = {}
        try:
            while time.monotonic() < self._deadline:
                if chance.random() < SAVES:
                    self._save(f"user-{chance.choice(own)}")
                elif chance.random() < 0.5:
                    user = f"user-{chance.randrange(TOKENS)}"
                    found = self._store.find_token(make_token(user_name=user))
                    self._check(found, user, seen)
                    self.operations["find_token"] += 1
                else:
                    index = chance.randrange(TOKENS)
                    self._check(self._store.find_token_by_id(f"id-{index}"), f"user-{index}", seen)
                    self.operations["find_token_by_id"] += 1
        except BaseException as error:
            self.errors.append(f"{type(error).__name__}: {error}")

    def _save(self, user: str) -> None:
        number = self.newest.get(user, 0) + 1
        token = make_token(**login(user, number))
        self._store.save_token(token)
        assert token.get_id() == f"id-{user.removeprefix('user-')}"
        self.newest[user] = number
        self.operations["save_token"] += 1

    def _check(self, found: OAuthToken | None, user: str, seen: dict[str, int]) -> None:
        """What is found is a user's own, whole, and never older than what was found before."""
        assert found is not None
        signature = found.get_user_signature()
        assert signature is not None
        assert signature.get_name() == user
        number = int(str(found.get_access_token()).removeprefix(f"access-{user}-"))
        assert found.get_api_domain() == f"http://127.0.0.1:1/{number}"
        assert number >= seen.get(user, 0)
        seen[user] = number


def connections_to(port: int) -> int:
    found = psutil.Process().net_connections("tcp")
    return sum(bool(one.raddr) and one.raddr.port == port for one in found)


def wait_for_no_connection_to(port: int) -> int:
    """How many are left; pymongo's monitors close theirs a moment after the client."""
    deadline = time.monotonic() + 10
    while (left := connections_to(port)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def work(uri: str, port: int, process: int, seconds: float) -> Outcome:
    memory = psutil.Process().memory_info
    with MongoTokenStore(uri, timeout=TIMEOUT) as store:
        worker = Worker(store, process, seconds)
        threads = [threading.Thread(target=worker.run, args=(one,)) for one in range(THREADS)]
        for thread in threads:
            thread.start()
        time.sleep(seconds / 2)
        half_time = memory().rss
        for thread in threads:
            thread.join()
        growth = memory().rss - half_time
        open_at_end = connections_to(port)
    return Outcome(
        dict(worker.operations),
        worker.newest,
        worker.errors,
        (open_at_end, wait_for_no_connection_to(port)),
        growth,
    )


def test_under_load(server: LocalMongo) -> None:
    with Client(server.uri) as client:
        with MongoTokenStore(server.uri) as store:
            store.ensure_indexes()
            store.collection.insert_many(document(index) for index in range(TOKENS))
        port = server.members[0].port
        arguments = [(server.uri, port, process, SECONDS) for process in range(PROCESSES)]
        outcomes = in_processes(work, arguments, timeout=200 + 2 * SECONDS)

        stored = list(client.zohooauth.oauthtoken.find())
        left_open = server_connections(server, client)

    operations: Counter[str] = Counter()
    for outcome in outcomes:
        operations.update(outcome.operations)
    growth = max(outcome.growth for outcome in outcomes)
    print(f"{PROCESSES * THREADS} threads, {SECONDS:.0f} s: {dict(operations)}", end=", ")
    print(f"memory of a process +{growth / (1 << 20):.1f} MB")
    assert [error for outcome in outcomes for error in outcome.errors] == []
    assert set(operations) == {"find_token", "find_token_by_id", "save_token"}
    assert len(stored) == TOKENS
    newest = {user: number for outcome in outcomes for user, number in outcome.newest.items()}
    lost = [one["user_name"] for one in stored if number_of(one) != newest.get(one["user_name"], 0)]
    assert lost == []
    assert all(0 < at_end <= THREADS + 3 for at_end, _ in (one.connections for one in outcomes))
    assert [closed for _, closed in (one.connections for one in outcomes)] == [0] * PROCESSES
    assert left_open == []
    assert growth < MEMORY_GROWTH


def document(index: int) -> dict[str, Any]:
    """The document of a user's token, as the store writes it."""
    from zoho_mongo_store.model.document import now
    from zoho_mongo_store.model.token import to_document

    fields = to_document(make_token(id=f"id-{index}", **login(f"user-{index}", 0)))
    return {**fields, "created_at": now(), "updated_at": now()}


def server_connections(server: LocalMongo, client: Client) -> list[str]:
    """What the connections of the server belong to, but for its own and this process's."""
    only = server.members[0]
    client.admin.command("ping")
    deadline = time.monotonic() + 30
    while True:
        of_server = psutil.Process(only.pid).net_connections("tcp")
        # A member of a replica set connects to itself; the client's monitors make new ones.
        known = {one.laddr.port for one in [*of_server, *psutil.Process().net_connections("tcp")]}
        others = [
            one.raddr.port
            for one in of_server
            if one.status == psutil.CONN_ESTABLISHED
            and one.laddr.port == only.port
            and one.raddr.port not in known
        ]
        if not others or time.monotonic() > deadline:
            return [owner_of(port) for port in others]
        time.sleep(0.1)


def owner_of(port: int) -> str:
    """The command line of the process at that end of a connection."""
    for one in psutil.net_connections("tcp"):
        if one.laddr and one.laddr.port == port and one.pid is not None:
            with suppress(psutil.Error):
                return " ".join(psutil.Process(one.pid).cmdline())
    return f"nobody at port {port}"
