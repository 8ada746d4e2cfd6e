"""Programs that fork with a store in use; run as ``python -W error -m tests.faults.fork_programs``.

Each prints one line, ``ok``, when all went well.
"""

import contextlib
import multiprocessing
import os
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from unittest import mock

from pymongo import MongoClient

from tests.tokens import contents, make_token
from zoho_mongo_store import CachePolicy, MongoTokenStore
from zoho_mongo_store.driver import connection
from zoho_mongo_store.sdk import SDKException

CHILDREN = 4
ROUNDS = 5


def work(store: MongoTokenStore, mark: str) -> None:
    """Save, find and delete, and check every answer; whatever is sent bears the mark."""
    for number in range(ROUNDS):
        name = f"{mark}-{number}"
        token = make_token(user_name=name, access_token=f"access-{name}")
        store.save_token(token)
        found = contents(store.find_token(make_token(user_name=name)))
        assert found == contents(token), found
        assert store.find_token_by_id(f"unknown-{name}") is None
        store.delete_token(str(token.get_id()))
        assert store.find_token(make_token(user_name=name)) is None


def fork(child: Callable[[str], object], count: int = CHILDREN) -> None:
    """Run ``child`` in forked processes that end as any Python program does."""
    pids = []
    for _ in range(count):
        pid = os.fork()
        if pid == 0:
            try:
                child(f"mark-{os.getpid()}")
            except SystemExit:
                raise
            except BaseException:
                traceback.print_exc()
                sys.stderr.flush()
                os._exit(1)
            sys.exit(0)
        pids.append(pid)
    statuses = [os.waitpid(pid, 0)[1] for pid in pids]
    assert statuses == [0] * count, statuses


@contextlib.contextmanager
def busy(store: MongoTokenStore, threads: int = 4) -> Iterator[None]:
    """Threads use the store in the block, so that some hold each lock at any time."""
    end = threading.Event()
    mark = f"mark-{os.getpid()}"

    def use(number: int) -> None:
        while not end.is_set():
            work(store, f"{mark}-thread-{number}")

    running = [threading.Thread(target=use, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    try:
        yield
    finally:
        end.set()
        for thread in running:
            thread.join()


def used_before(uri: str) -> None:
    """A store that was used before the fork, and is used again by both after it."""
    with MongoTokenStore(uri) as store:
        work(store, f"mark-{os.getpid()}")
        fork(lambda mark: work(store, mark))
        work(store, f"mark-{os.getpid()}")


def closed_by_the_children(uri: str) -> None:
    """Children that close the store; the parent goes on with it."""

    def child(mark: str) -> None:
        with store:
            work(store, mark)

    with MongoTokenStore(uri) as store:
        work(store, f"mark-{os.getpid()}")
        fork(child)
        work(store, f"mark-{os.getpid()}")


def unused_by_the_children(uri: str) -> None:
    """Children that never touch the store, and end."""
    with MongoTokenStore(uri) as store:
        work(store, f"mark-{os.getpid()}")
        fork(lambda _: None)
        work(store, f"mark-{os.getpid()}")


def grandchildren(uri: str) -> None:
    """Children that fork in their turn."""

    def child(mark: str) -> None:
        work(store, mark)
        fork(lambda mark: work(store, mark), 2)
        work(store, mark)

    with MongoTokenStore(uri) as store:
        work(store, f"mark-{os.getpid()}")
        fork(child, 2)


def while_threads_work(uri: str) -> None:
    """Forks in the midst of operations of other threads, some of which fail."""
    with MongoTokenStore(uri, timeout=20) as store, busy(store):
        for _ in range(2):
            fork(lambda mark: work(store, mark), 2)


def while_locks_are_held(uri: str) -> None:
    """Forks while threads are making the client and the indexes."""
    for _ in range(2):
        with MongoTokenStore(uri, timeout=20) as store, busy(store):
            fork(lambda mark: work(store, mark), 2)


def while_the_client_is_made(uri: str) -> None:
    """Forks while a thread makes the client, which no child may find half made."""
    begun, made = threading.Event(), threading.Event()

    def make_slowly(*args: Any, **kwargs: Any) -> Any:
        begun.set()
        time.sleep(0.5)
        client = MongoClient[dict[str, Any]](*args, **kwargs)
        made.set()
        return client

    def child(mark: str) -> None:
        assert made.is_set()
        work(store, mark)

    with mock.patch.object(connection, "MongoClient", make_slowly), MongoTokenStore(uri) as store:
        thread = threading.Thread(target=store.get_tokens)
        thread.start()
        begun.wait()
        fork(child, 2)
        thread.join()


def with_a_cache(uri: str) -> None:
    """Children begin with an empty cache."""

    def find(store: MongoTokenStore) -> Any:
        return contents(store.find_token_by_id("cached"))["access_token"]

    def child(mark: str) -> None:
        assert find(store) == "new"
        work(store, mark)

    hour = CachePolicy(max_age=timedelta(hours=1))
    with MongoTokenStore(uri, cache=hour) as store, MongoTokenStore(uri) as other:
        store.save_token(make_token(id="cached", access_token="old"))
        assert find(store) == "old"
        other.save_token(make_token(id="cached", access_token="new"))
        assert find(store) == "old"
        fork(child)
        assert find(store) == "old"


def during_an_outage(uri: str) -> None:
    """Forks with saves kept, the cache in use, and a thread that probes."""

    def child(mark: str) -> None:
        # A child neither writes what the parent keeps nor believes in its outage.
        with contextlib.suppress(SDKException):
            store.find_token_by_id(mark)
        store.close()

    away = "mongodb://127.0.0.1:1/"
    outage = timedelta(minutes=1)
    with MongoTokenStore(away, timeout=0.2, cache=CachePolicy(stale_if_error=outage)) as store:
        with contextlib.suppress(SDKException):
            store.save_token(make_token(user_name="kept", access_token="A"))
        with contextlib.suppress(SDKException):
            store.find_token_by_id("7")
        for _ in range(3):
            fork(child, 2)
    with MongoTokenStore(uri) as store:
        work(store, f"mark-{os.getpid()}")


def a_borrowed_client(uri: str) -> None:
    """pymongo itself gives a client that crossed a fork new connections."""
    with MongoClient[dict[str, Any]](uri) as client:
        store = MongoTokenStore(client=client)
        # It says so, and means the application, whose client it is.
        warnings.filterwarnings("ignore", "MongoClient opened before fork")
        work(store, f"mark-{os.getpid()}")
        fork(lambda mark: work(store, mark))
        work(store, f"mark-{os.getpid()}")


def with_multiprocessing(uri: str) -> None:
    """A pool of forked processes."""
    context = multiprocessing.get_context("fork")
    with MongoTokenStore(uri) as store:
        work(store, f"mark-{os.getpid()}")
        processes = [
            context.Process(target=lambda: work(store, f"mark-{os.getpid()}"))
            for _ in range(CHILDREN)
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        assert [process.exitcode for process in processes] == [0] * CHILDREN
        work(store, f"mark-{os.getpid()}")


PROGRAMS = {
    program.__name__: program
    for program in (
        used_before,
        closed_by_the_children,
        unused_by_the_children,
        grandchildren,
        while_threads_work,
        while_locks_are_held,
        while_the_client_is_made,
        with_a_cache,
        during_an_outage,
        a_borrowed_client,
        with_multiprocessing,
    )
}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]](sys.argv[2])
    print("ok")
