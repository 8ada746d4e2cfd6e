"""One fault, as in a failover, in the midst of each command that the store sends.

No call fails for it, and each has exactly one effect.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from tests.faults.documents import login
from tests.processes import in_processes
from tests.sdk.application import CLIENT, Application
from tests.sent_commands import Client, Commands, listening
from tests.tokens import contents, make_token
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.testing import LocalMongo, LoopbackZoho

NOT_PRIMARY = 10107
DATABASE = "zoho_mongo_store_failover"
APP = "store"
# The monitor that streams learns of a failover late; pymongo waits for it before it retries.
OPTIONS: dict[str, Any] = {
    "appName": APP,
    "serverMonitoringMode": "poll",
    "heartbeatFrequencyMS": 500,
}

FAULTS: dict[str, dict[str, Any]] = {
    "not the primary": {"errorCode": NOT_PRIMARY, "errorLabels": ["RetryableWriteError"]},
    "shutting down": {"errorCode": 91, "errorLabels": ["RetryableWriteError"]},
    "closed": {"closeConnection": True},
    "blocked": {"blockConnection": True, "blockTimeMS": 300},
}


@pytest.fixture
def admin(server: LocalMongo) -> Iterator[Client]:
    """A client that no fail point is for."""
    with Client(server.uri) as client:
        yield client
        client.admin.command("configureFailPoint", "failCommand", mode="off")


@pytest.fixture
def commands() -> Commands:
    return Commands()


@pytest.fixture
def store(server: LocalMongo, commands: Commands) -> Iterator[MongoTokenStore]:
    with (
        Client(server.uri, event_listeners=[commands], **OPTIONS) as client,
        MongoTokenStore(client=client, database=DATABASE, timeout=30) as made,
    ):
        yield made


@contextmanager
def one_fault(admin: Client, command: str, fault: dict[str, Any]) -> Iterator[None]:
    """The next such command of the store's meets the fault."""
    data = {"failCommands": [command], "appName": APP, **fault}
    admin.admin.command("configureFailPoint", "failCommand", mode={"times": 1}, data=data)
    yield


Setup = Callable[[MongoTokenStore], object]
Check = Callable[[MongoTokenStore, object], object]


def nothing(store: MongoTokenStore) -> None:
    store.ensure_indexes()


def one(store: MongoTokenStore) -> None:
    store.save_token(make_token(**login("ada", 1), id="7"))


def two(store: MongoTokenStore) -> None:
    one(store)
    store.save_token(make_token(**login("bob", 1), id="8"))


def names(store: MongoTokenStore) -> list[str]:
    return sorted(str(found.get("user_name")) for found in store.collection.find())


# The command that fails, what is there before, what is called, what it gives, and whose tokens
# are there afterwards.
CALLS: dict[str, tuple[str, Setup, Callable[[MongoTokenStore], object], object, list[str]]] = {
    "find_token": (
        "find",
        one,
        lambda store: store.find_token(make_token(user_name="ada")) is not None,
        True,
        ["ada"],
    ),
    "find_token_by_id": (
        "find",
        one,
        lambda store: store.find_token_by_id("7") is not None,
        True,
        ["ada"],
    ),
    "first save": (
        "findAndModify",
        nothing,
        lambda store: store.save_token(make_token(**login("ada", 1))),
        None,
        ["ada"],
    ),
    "later save": (
        "findAndModify",
        one,
        lambda store: store.save_token(make_token(**login("ada", 2))),
        None,
        ["ada"],
    ),
    "save of a nameless token": (
        "findAndModify",
        nothing,
        lambda store: store.save_token(make_token(access_token="A")),
        None,
        ["None"],
    ),
    "save that takes a name": (
        "update",
        two,
        lambda store: store.save_token(make_token(id="8", user_name="ada")),
        None,
        ["None", "ada"],
    ),
    "delete_token": ("delete", two, lambda store: store.delete_token("7"), None, ["bob"]),
    "delete_tokens": ("delete", two, lambda store: store.delete_tokens(), None, []),
    "get_tokens": ("find", two, lambda store: len(store.get_tokens()), 2, ["ada", "bob"]),
    "iter_tokens": (
        "getMore",
        two,
        lambda store: [token.get_id() for token in store.iter_tokens(batch_size=1)],
        ["7", "8"],
        ["ada", "bob"],
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("call", CALLS)
def test_no_call_fails_and_each_has_one_effect(
    store: MongoTokenStore, admin: Client, commands: Commands, call: str, fault: str
) -> None:
    command, setup, operation, expected, whose = CALLS[call]
    setup(store)
    commands.clear()
    with one_fault(admin, command, FAULTS[fault]):
        assert operation(store) == expected

    assert commands.names.count(command) >= (1 if fault == "blocked" else 2)
    assert names(store) == whose


@pytest.mark.parametrize("fault", ["not the primary", "closed"])
@pytest.mark.parametrize("command", ["listIndexes", "createIndexes"])
def test_the_first_operation_makes_the_indexes(
    store: MongoTokenStore, admin: Client, command: str, fault: str
) -> None:
    with one_fault(admin, command, FAULTS[fault]):
        store.save_token(make_token(access_token="A"))

    assert len(store.collection.index_information()) > 5
    assert store.collection.count_documents({}) == 1


@pytest.mark.parametrize("fault", ["not the primary", "closed"])
@pytest.mark.parametrize(("command", "idle"), [("collMod", 2), ("dropIndexes", None)])
def test_ensure_indexes(
    store: MongoTokenStore, admin: Client, command: str, idle: int | None, fault: str
) -> None:
    client = store.collection.database.client
    MongoTokenStore(
        client=client, database=DATABASE, expire_idle_after=timedelta(days=1)
    ).ensure_indexes()
    changed = MongoTokenStore(
        client=client,
        database=DATABASE,
        expire_idle_after=None if idle is None else timedelta(days=idle),
    )
    with one_fault(admin, command, FAULTS[fault]):
        changed.ensure_indexes()

    found = store.collection.index_information().get("updated_at_1")
    assert (found and found["expireAfterSeconds"]) == (idle and idle * 86400)


def test_a_lost_cursor_is_opened_where_it_was(store: MongoTokenStore, admin: Client) -> None:
    """With ``_id`` of several types, as after an import."""
    store.ensure_indexes()
    wanted = [f"{number}" for number in range(9)]
    keys: list[Any] = [1, 2.5, "a", "b", {"a": 1}, *(None for _ in range(4))]
    for id, key in zip(wanted, keys, strict=True):
        document = {"id": id, "access_token": f"A{id}", **({} if key is None else {"_id": key})}
        admin[DATABASE].oauthtoken.insert_one(document)

    for fault in (FAULTS["not the primary"], FAULTS["closed"], {"errorCode": 43}):
        tokens = store.iter_tokens(batch_size=2)
        found = []
        for turn, token in enumerate(tokens, start=1):
            found.append(token.get_id())
            if turn % 4 == 1:
                data = {"failCommands": ["getMore"], "appName": APP, **fault}
                admin.admin.command(
                    "configureFailPoint", "failCommand", mode={"times": 1}, data=data
                )
        assert sorted(map(str, found)) == wanted


def refresh(uri: str, zoho: LoopbackZoho, resource_path: str) -> tuple[str, list[str]]:
    """What the SDK's ``get_token`` gives, and the names of the commands that were sent for it."""
    with listening(uri, **OPTIONS) as (client, commands):
        store = MongoTokenStore(client=client, database=DATABASE, create_indexes=False)
        token = make_token(id="7")
        Application(zoho, {}, resource_path).initialize(token, store)
        return token.get_token(), commands.names


@pytest.mark.parametrize("fault", ["not the primary", "closed"])
@pytest.mark.parametrize("command", ["find", "findAndModify", "update"])
def test_a_refresh(
    server: LocalMongo,
    store: MongoTokenStore,
    admin: Client,
    zoho: LoopbackZoho,
    resource_path: str,
    command: str,
    fault: str,
) -> None:
    fields = {**login("ada", 1), **CLIENT, "api_domain": zoho.url, "expires_in": "1", "id": "7"}
    store.save_token(make_token(**{**fields, "refresh_token": zoho.refresh_token()}))
    with one_fault(admin, command, FAULTS[fault]):
        (outcome,) = in_processes(refresh, [(server.uri, zoho, resource_path)])

    access_token, sent = outcome
    assert sent.count(command) >= 2
    assert zoho.count("refresh") == 1
    assert zoho.is_live(access_token)
    assert contents(store.find_token_by_id("7"))["access_token"] == access_token
