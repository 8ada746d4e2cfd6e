"""What a signal's handler raises in a call of the store comes out as it is."""

import functools
import math
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import mongomock
import pytest
from pymongo import _csot

from tests.failures import fails
from tests.faults.documents import documents
from tests.tokens import full, make_token
from tests.waiting import once_it_works
from zoho_mongo_store import MongoTokenStore, TokenEvent
from zoho_mongo_store.sdk import SDKException
from zoho_mongo_store.signals import raised_by_handler
from zoho_mongo_store.testing import LocalMongo

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "setitimer"), reason="this system has no timer signals"
)


class TimeIsUpError(Exception):
    """What a task queue's handler raises."""


class Handler:
    """A handler of the kinds that there are."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __call__(self, *_: object) -> None:
        raise self.error

    def method(self, *_: object) -> None:
        raise self.error


@contextmanager
def handling(handler: Any) -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, handler)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def wrapped(error: Exception) -> SDKException:
    """As the SDK wraps what it meets."""
    try:
        try:
            raise error
        except Exception as met:
            raise SDKException("code", cause=met)  # noqa: B904 - as the SDK does
    except SDKException as made:
        return made


@pytest.mark.parametrize("kind", ["function", "lambda", "method", "object", "partial"])
def test_it_is_found_whatever_the_handler_is(kind: str) -> None:
    error = TimeIsUpError("60 s")
    handler = Handler(error)
    kinds: dict[str, Callable[..., object]] = {
        "function": lambda *_: handler(),
        "lambda": lambda *_: handler(),
        "method": handler.method,
        "object": handler,
        "partial": functools.partial(lambda one, *_: one(), handler),
    }
    with handling(kinds[kind]):
        with pytest.raises(TimeIsUpError):
            signal.raise_signal(signal.SIGALRM)
        assert raised_by_handler(error) is error
        assert raised_by_handler(wrapped(error)) is error
        assert raised_by_handler(TimeIsUpError("another")) is None


OPERATIONS: dict[str, Callable[[MongoTokenStore], object]] = {
    "find_token": lambda store: store.find_token(make_token(user_name="ada")),
    "save_token": lambda store: store.save_token(full(access_token="new")),
    "delete_token": lambda store: store.delete_token("7"),
    "get_tokens": lambda store: store.get_tokens(),
    "iter_tokens": lambda store: list(store.iter_tokens()),
    "ping": lambda store: store.ping(),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_while_mongodb_is_waited_for(
    server: LocalMongo, operation: str, caplog: pytest.LogCaptureFixture
) -> None:
    error = TimeIsUpError("60 s")
    with MongoTokenStore(server.uri, timeout=20) as store:
        store.save_token(full())
        with handling(Handler(error)):
            server.stop()
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            try:
                with pytest.raises(TimeIsUpError) as caught:
                    OPERATIONS[operation](store)
            finally:
                server.cont()
        assert caught.value is error
        assert (error.__cause__, error.__context__) == (None, None)
        once_it_works(lambda: OPERATIONS[operation](store))
    assert [record for record in caplog.records if "failed" in record.message] == []


def test_no_deadline_is_left_behind(server: LocalMongo, monkeypatch: pytest.MonkeyPatch) -> None:
    """The signal comes just before ``pymongo.timeout`` ends: else all later calls are too late."""

    def interrupted(*_: object) -> None:
        signal.raise_signal(signal.SIGALRM)

    with MongoTokenStore(server.uri) as store:
        store.save_token(full())
        with handling(Handler(TimeIsUpError("60 s"))), monkeypatch.context() as patch:
            patch.setattr(_csot._TimeoutContext, "__exit__", interrupted)
            with pytest.raises(TimeIsUpError):
                store.get_tokens()

        assert _csot.get_deadline() == math.inf
        assert len(store.get_tokens()) == 1


def test_while_an_event_is_told() -> None:
    """It is not taken for what the application's handler raises, and the token is saved."""
    error = TimeIsUpError("60 s")

    def on_event(_: TokenEvent) -> None:
        signal.raise_signal(signal.SIGALRM)

    store = MongoTokenStore(client=mongomock.MongoClient(), on_event=on_event)
    with handling(Handler(error)), pytest.raises(TimeIsUpError) as caught:
        store.save_token(full())

    assert caught.value is error
    assert len(store.get_tokens()) == 1


def test_a_failure_after_it_is_a_failure(server: LocalMongo) -> None:
    """A task may clean up when its time is up: what fails then has its own reason."""
    store = MongoTokenStore(server.uri)
    store.close()
    with handling(Handler(TimeIsUpError("60 s"))):
        try:
            signal.raise_signal(signal.SIGALRM)
        except TimeIsUpError:
            with fails("the store is closed"):
                store.get_tokens()


def test_a_kept_save_that_is_being_written_stays_kept(
    server: LocalMongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    with MongoTokenStore(server.uri, timeout=2) as store:
        store.get_tokens()
        server.kill()
        with fails("save_token failed: MongoDB cannot be reached"):
            store.save_token(full())
        writing = store._tokens._collection.recovery._writer
        with handling(Handler(TimeIsUpError("60 s"))), monkeypatch.context() as patch:
            patch.setattr(writing, "_write", lambda *_: signal.raise_signal(signal.SIGALRM))
            with pytest.raises(TimeIsUpError):
                writing.flush(1)
        assert store._tokens._pending
        server.start()
    assert len(documents(server.uri)) == 1
