"""What the demo runs on: MongoDB, a loopback Zoho and processes. Nothing is left behind."""

import contextlib
import multiprocessing
import secrets
import signal
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from multiprocessing import resource_tracker
from types import TracebackType
from typing import Any

import pymongo

from zoho_mongo_store.commands.demo.process import DemoSetup, Reply, serve
from zoho_mongo_store.driver.source import URI_VARIABLE, environment_uri
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.store import MongoTokenStore
from zoho_mongo_store.testing.local_mongo import LocalMongo
from zoho_mongo_store.testing.zoho.loopback import LoopbackZoho

ANSWER_TIMEOUT = 60.0
END_TIMEOUT = 10.0
DATABASE_TIMEOUT = 10.0

_spawn = multiprocessing.get_context("spawn")


class DemoError(Exception):
    """A step did not do what it says. The message is one line."""


class Process:
    """A separate process, with the SDK and a store."""

    def __init__(self, setup: DemoSetup) -> None:
        self._pipe, end = _spawn.Pipe()
        self._process = _spawn.Process(target=serve, args=(end, setup), daemon=True)
        # A terminal sends Ctrl-C to all processes. Only the demo reacts, and ends the others.
        with end, _held_back(signal.SIGINT):
            self._process.start()

    @property
    def pid(self) -> int | None:
        """The process id."""
        return self._process.pid

    def send(self, action: str, **arguments: Any) -> None:
        """Call a method of ``Application`` in the process."""
        self._pipe.send((action, arguments))

    def receive(self) -> Reply:
        """Wait for the result.

        Raises:
            DemoError: It failed, or took longer than a minute.
        """
        if not self._pipe.poll(ANSWER_TIMEOUT):
            raise DemoError(f"process {self.pid} did not answer within {ANSWER_TIMEOUT:.0f} s")
        try:
            answer: Reply = self._pipe.recv()
        except EOFError:
            raise DemoError(f"process {self.pid} ended before it answered") from None
        if answer.error:
            raise DemoError(f"process {self.pid} failed: {answer.error}")
        return answer

    def stop(self) -> None:
        """End the process: closing the pipe lets it close its store and return."""
        self._pipe.close()
        self._process.join(END_TIMEOUT)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()


class Stage:
    """A context manager: during the block, the servers are running and the database exists.

    If the environment variable ``ZOHO_MONGO_URI`` is set, that MongoDB is used, with a new database
    that is dropped at the end. Otherwise the demo starts one.
    """

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        self._given_uri = environment_uri()
        self._database = f"zoho_mongo_store_demo_{secrets.token_hex(4)}"
        self.zoho = LoopbackZoho()
        self.hours_passed = 0.0

    def __enter__(self) -> "Stage":
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="zoho-mongo-store-"))
            uri = self._given_uri or stack.enter_context(LocalMongo()).uri
            stack.enter_context(self.zoho)
            self._setup = DemoSetup(uri, self._database, self.zoho.url, folder)
            # Fails early if MongoDB cannot be used. The first process creates the indexes.
            store = MongoTokenStore(uri, database=self._database, create_indexes=False)
            stack.enter_context(store)
            store.get_tokens()
            self._collection = store.collection
            stack.callback(self._drop_database)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with _ignored(signal.SIGINT, signal.SIGTERM):  # The clean-up must not be interrupted.
            self._stack.close()

    @property
    def mongodb(self) -> str:
        """Which MongoDB is used. A given URI is not shown, since it may contain a password."""
        if self._given_uri:
            return f"${URI_VARIABLE}, database {self._database}"
        return f"{LocalMongo().description}\n{self._setup.uri}"

    def process(self) -> Process:
        """Start a new process, which runs until the end."""
        process = Process(self._setup)
        self._stack.callback(process.stop)
        return process

    def documents(self) -> list[Document]:
        """Return the stored documents, oldest first."""
        with pymongo.timeout(DATABASE_TIMEOUT):
            return list(self._collection.find().sort("created_at"))

    def indexes(self) -> dict[str, Any]:
        """Return the indexes of the collection by name."""
        with pymongo.timeout(DATABASE_TIMEOUT):
            return dict(self._collection.index_information())

    def pass_hours(self, hours: float) -> None:
        """Let time pass: move Zoho's clock forward, and the stored expiries back by as much."""
        self.hours_passed += hours
        self.zoho.advance(hours * 3600)
        with pymongo.timeout(DATABASE_TIMEOUT):
            for document in self._collection.find():
                expiry = document["expiry_time"] - timedelta(hours=hours)
                change = {"$set": {"expiry_time": expiry}}
                self._collection.update_one({"_id": document["_id"]}, change)

    def _drop_database(self) -> None:
        with pymongo.timeout(DATABASE_TIMEOUT):
            self._collection.database.client.drop_database(self._database)


@contextlib.contextmanager
def _ignored(*signals: signal.Signals) -> Iterator[None]:
    """Ignore signals in the block, and in every process that is started in it."""
    before = [signal.signal(number, signal.SIG_IGN) for number in signals]
    try:
        yield
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


@contextlib.contextmanager
def _held_back(number: signal.Signals) -> Iterator[None]:
    """Hold a signal back until the block ends, and for good in a process that is started in it."""
    if not hasattr(signal, "pthread_sigmask"):
        with _ignored(number):
            yield
        return
    # The first start of a process would start this one, and let the signal through afterwards.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
