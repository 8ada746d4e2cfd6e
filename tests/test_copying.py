"""Copies of a store: with the same options, in this process and in others."""

import copy
import inspect
import multiprocessing
import os
import pickle
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from tests.conftest import PATIENCE
from tests.encryption.keys import settings
from tests.engines import SERVERS, Engine
from tests.failures import fails
from tests.tokens import contents, full
from zoho_mongo_store import (
    CachePolicy,
    FieldEncryption,
    MongoTokenStore,
    RefreshPolicy,
    TokenEvent,
)
from zoho_mongo_store.driver.source import URI_VARIABLE

on_servers = pytest.mark.parametrize("engine", SERVERS, indirect=True)
AWAY = "mongodb://app:geheim@127.0.0.1:1/zoho"

told: list[TokenEvent] = []


def note(event: TokenEvent) -> None:
    """A handler that every process finds by its name."""
    told.append(event)


OPTIONS: dict[str, Any] = {
    "database": "other",
    "collection": "tokens",
    "timeout": 1.5,
    "expire_idle_after": timedelta(days=90),
    "create_indexes": False,
    "refresh": RefreshPolicy(ahead=timedelta(seconds=5)),
    "cache": CachePolicy(max_age=timedelta(seconds=2)),
    "encryption": FieldEncryption({"local": {"key": bytes(96)}}),
    "on_event": note,
}
WAYS: dict[str, Callable[[MongoTokenStore], MongoTokenStore]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda store: pickle.loads(pickle.dumps(store)),  # noqa: S301 - its own
}
ways = pytest.mark.parametrize("way", WAYS)


@dataclass(frozen=True)
class Configuration:
    """An application's, which holds the store."""

    name: str
    store: MongoTokenStore


@ways
def test_every_option_is_the_same(way: str) -> None:
    """All that the constructor takes but a client, which no copy has."""
    assert {*OPTIONS, "uri", "client"} == {
        *inspect.signature(MongoTokenStore.__init__).parameters
    } - {"self"}
    with MongoTokenStore(AWAY, **OPTIONS) as store, WAYS[way](store) as copied:
        assert type(copied) is MongoTokenStore
        assert copied is not store
        options, of_copy = {"uri": AWAY, **OPTIONS}, {**copied._options.to_copy()}
        # Two settings of encryption with keys in them are never equal.
        assert vars(of_copy.pop("encryption")) == vars(options.pop("encryption"))
        assert of_copy == options
        assert copied.collection.full_name == "other.tokens"
        assert copied.collection.database.client is not store.collection.database.client


@ways
def test_options_that_are_not_given_are_the_same_too(way: str) -> None:
    with MongoTokenStore(AWAY) as store, WAYS[way](store) as copied:
        assert copied._options.to_copy() == store._options.to_copy()
        assert copied.collection.full_name == "zoho.oauthtoken"


@on_servers
@ways
def test_a_copy_works_after_the_original_is_closed(engine: Engine, database: str, way: str) -> None:
    token = full()
    with MongoTokenStore(engine.uri, database=database, timeout=PATIENCE) as store:
        store.save_token(token)
        copied = WAYS[way](store)
    with copied:
        assert contents(copied.find_token_by_id(str(token.get_id()))) == contents(token)
    with WAYS[way](store) as again:
        assert len(again.get_tokens()) == 1


@on_servers
def test_a_configuration_object_holds_it(engine: Engine, database: str) -> None:
    configuration = Configuration("crm", MongoTokenStore(engine.uri, database=database))
    for changed in (
        replace(configuration, name="other").store,
        asdict(configuration)["store"],
        copy.deepcopy({"crm": configuration})["crm"].store,
    ):
        with changed:
            assert changed.get_tokens() == []


def save_in_child(store: MongoTokenStore, name: str, results: Any) -> None:
    """Save with the store that came with the arguments, and tell what happened."""
    with store:
        token = full(user_name=name)
        store.save_token(token)
        results.put((os.getpid(), token.get_id(), [event.name for event in told]))


@on_servers
def test_processes_that_are_spawned_get_a_store_with_the_arguments(
    engine: Engine, database: str
) -> None:
    spawn = multiprocessing.get_context("spawn")
    results = spawn.Queue()
    encryption = settings(database, bytes(96))
    with MongoTokenStore(
        engine.uri, database=database, timeout=PATIENCE, on_event=note, encryption=encryption
    ) as store:
        children = [
            spawn.Process(target=save_in_child, args=(store, f"user{number}", results))
            for number in range(2)
        ]
        for child in children:
            child.start()
        answers = [results.get(timeout=2 * PATIENCE) for _ in children]
        for child in children:
            child.join(PATIENCE)
            assert child.exitcode == 0
        results.close()
        results.join_thread()
        assert len({pid for pid, _, _ in answers} | {os.getpid()}) == 3
        assert {id for _, id, _ in answers} == {token.get_id() for token in store.get_tokens()}
        assert [events for _, _, events in answers] == [["login"]] * 2
    stored = engine.client[database].oauthtoken.find_one()
    assert stored is not None
    assert isinstance(stored["refresh_token"], bytes)


def test_the_environments_uri_is_read_again_and_not_in_what_is_pickled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(URI_VARIABLE, AWAY)
    pickled = pickle.dumps(MongoTokenStore())
    assert b"geheim" not in pickled
    monkeypatch.setenv(URI_VARIABLE, "mongodb://127.0.0.1:1/elsewhere")
    with pickle.loads(pickled) as store:  # noqa: S301 - its own
        assert store.collection.full_name == "elsewhere.oauthtoken"


def test_a_subclass_stays_one() -> None:
    with Named(AWAY) as store:
        for way in WAYS.values():
            with way(store) as copied:
                assert type(copied) is Named


class Named(MongoTokenStore):
    """An application's own."""


# What cannot be copied.


@ways
def test_a_store_with_a_borrowed_client(engine: Engine, way: str) -> None:
    with (
        MongoTokenStore(client=engine.client) as store,
        fails("copying the store failed: it uses the application's MongoClient, which cannot"),
    ):
        WAYS[way](store)


class Unpicklable:
    """Takes events, and holds what no other process can have."""

    def __init__(self) -> None:
        self.opened = iter(())

    def __call__(self, event: TokenEvent) -> None: ...

    def __reduce__(self) -> str:
        raise TypeError("geheim")


@pytest.mark.parametrize("handler", [lambda _: None, Unpicklable()])
def test_a_handler_that_cannot_be_pickled_is_named(handler: Any) -> None:
    with MongoTokenStore(AWAY, on_event=handler) as store:
        with fails(
            r"copying the store failed: on_event cannot be pickled \(\w+\): use a function at the "
            "top level of a module, or create the store in the process that uses it"
        ) as raised:
            pickle.dumps(store)
        assert "geheim" not in f"{raised.value} {raised.value.cause!r}"
        for way in (copy.copy, copy.deepcopy):
            with way(store) as copied:
                assert copied._options.to_copy()["on_event"] is handler


def test_an_encryption_that_cannot_be_pickled_is_named() -> None:
    encryption = FieldEncryption({"local": {"key": memoryview(bytes(96))}})
    with (
        MongoTokenStore(AWAY, encryption=encryption) as store,
        fails(r"copying the store failed: encryption cannot be pickled \(TypeError\): use plain"),
    ):
        pickle.dumps(store)


class Application:
    """Its method is the handler of the store that it holds."""

    def __init__(self) -> None:
        self.name = uuid.uuid4().hex
        self.store = MongoTokenStore(AWAY, on_event=self.note)

    def note(self, event: TokenEvent) -> None: ...


@pytest.fixture
def application() -> Iterator[Application]:
    made = Application()
    yield made
    made.store.close()


def test_a_handler_whose_object_holds_the_store(application: Application) -> None:
    pickled = pickle.loads(pickle.dumps(application))  # noqa: S301 - its own
    assert pickled.name == application.name
    assert pickled.store._options.to_copy()["on_event"].__self__ is pickled
    pickled.store.close()
