"""What a client has to be, and what it is told of the library."""

from typing import Any

import mongomock
import pytest
from pymongo import AsyncMongoClient, MongoClient, WriteConcern
from pymongo.database import Database

from tests.commands.conftest import CommandLine
from tests.conftest import PATIENCE
from tests.driver.name_server import URI, NameServer
from tests.engines import SERVERS, Engine
from tests.failures import fails
from tests.sent_commands import Client
from tests.tokens import full
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.driver.borrowed import DRIVER

on_servers = pytest.mark.parametrize("engine", SERVERS, indirect=True)
AWAY = "mongodb://127.0.0.1:1"
UNACKNOWLEDGED = (
    "MongoTokenStore failed: with the write concern w=0 MongoDB does not acknowledge writes"
)


@pytest.mark.parametrize(
    ("make", "what_to_do"),
    [
        (lambda _: AWAY, "not str: pass a connection string as uri="),
        (lambda client: client.zoho, "not Database: pass its client, and its name as database="),
        (lambda client: client.zoho.tokens, "not Collection: pass its database's client"),
        (
            lambda _: AsyncMongoClient(AWAY),
            "not AsyncMongoClient: the SDK and this store are synchronous",
        ),
        (lambda _: mongomock.MongoClient().zoho, "not Database: pass its client"),
        (lambda _: object(), "not object: pass one, or a connection string as uri="),
        (lambda _: 0, "not int: pass one"),
    ],
)
def test_what_is_no_client_is_refused(make: Any, what_to_do: str) -> None:
    with (
        Client(AWAY, connect=False) as client,
        fails(f"MongoTokenStore failed: client must be a pymongo MongoClient, {what_to_do}"),
    ):
        MongoTokenStore(client=make(client))


def test_a_client_in_place_of_the_uri() -> None:
    with (
        Client(AWAY, connect=False) as client,
        fails("uri must be a string, not MongoClient; pass a MongoClient as client="),
    ):
        MongoTokenStore(client)  # type: ignore[call-overload]


@pytest.mark.parametrize("uri", [f"{AWAY}/?w=0", "mongodb+srv://a.b.invalid/?journal=false&w=0"])
def test_a_uri_with_writes_that_are_not_answered(uri: str) -> None:
    with fails(UNACKNOWLEDGED):
        MongoTokenStore(uri)


class Careless(MongoClient[dict[str, Any]]):
    """A client whose databases do not wait for an answer."""

    def __getitem__(self, name: str) -> Database[dict[str, Any]]:
        return self.get_database(name, write_concern=WriteConcern(0))


def test_a_client_with_writes_that_are_not_answered() -> None:
    with Client(AWAY, w=0, connect=False) as client, fails(UNACKNOWLEDGED):
        MongoTokenStore(client=client)
    with Careless(AWAY, connect=False) as client, fails(UNACKNOWLEDGED):
        MongoTokenStore(client=client)


@on_servers
def test_commands_refuse_it_too(engine: Engine, database: str, tmp_path: Any) -> None:
    uri = f"{engine.uri}{'&' if '?' in engine.uri else '/?'}w=0"
    result = CommandLine({"ZOHO_MONGO_URI": uri, "ZOHO_MONGO_DATABASE": database}, tmp_path)("init")
    assert result.status == 2
    assert result.errors.startswith("zoho-mongo-store init: with the write concern w=0 MongoDB")


@on_servers
@pytest.mark.skipif(
    not hasattr(MongoClient, "append_metadata"), reason="pymongo can tell it since 4.14"
)
def test_servers_are_told_the_name_once_whatever_the_number_of_stores(
    engine: Engine, database: str
) -> None:
    with Client(engine.uri, appname="of the test", connect=False) as client:
        for _ in range(3):
            with MongoTokenStore(client=client, database=database) as store:
                store.save_token(full())
        asked: list[dict[str, Any]] = [
            {"$currentOp": {"allUsers": True, "idleConnections": True}},
            {"$match": {"appName": "of the test"}},
        ]
        names = [one["clientMetadata"]["driver"]["name"] for one in client.admin.aggregate(asked)]
    # Connections that only watch the server have the name of pymongo alone.
    assert {name.split("|").count(DRIVER.name) for name in names} - {0} == {1}


@on_servers
@pytest.mark.skipif(
    not hasattr(MongoClient, "append_metadata"), reason="pymongo can tell it since 4.14"
)
def test_a_client_whose_name_is_resolved_later_tells_it_too(
    engine: Engine, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Resolving gives such a client new options, without what was added to the old ones."""
    NameServer(monkeypatch).port = int(engine.uri.split("/")[2].rpartition(":")[2])
    with Client(f"{URI}&directConnection=false", connect=False) as client:
        with MongoTokenStore(client=client, database=database, timeout=PATIENCE) as store:
            store.save_token(full())
        told = client.options.pool_options.metadata["driver"]["name"]
    assert told.split("|").count(DRIVER.name) == 1


def test_a_pymongo_that_cannot_tell_it(
    engine: Engine, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(MongoClient, "append_metadata", raising=False)
    with MongoTokenStore(client=engine.client, database=database) as store:
        store.save_token(full())
