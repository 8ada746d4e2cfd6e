"""The two ways in, who closes the client, and what happens on the network when."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import mongomock
import pytest
from pymongo import MongoClient, WriteConcern
from pymongo.errors import InvalidOperation

from tests.engines import SERVERS, Engine
from tests.failures import fails
from tests.sent_commands import Client, listening
from tests.tokens import contents, full, make_token
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.driver import connection
from zoho_mongo_store.driver.source import DEFAULT_URI, URI_VARIABLE

on_servers = pytest.mark.parametrize("engine", SERVERS, indirect=True)

PASSWORD = "geheimnis"


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Client]]:
    """The clients that stores make of a URI; they are checked to be closed in the end."""
    made: list[Client] = []

    def make(*args: Any, **kwargs: Any) -> Client:
        made.append(Client(*args, **kwargs))
        return made[-1]

    monkeypatch.setattr(connection, "MongoClient", make)
    yield made
    assert all(is_closed(client) for client in made)


def is_closed(client: Client) -> bool:
    try:
        client.admin.command("ping")
    except InvalidOperation:
        return True
    return False


class Listener:
    """A port that counts who connects, and answers nobody."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.connections = 0
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            connected, _ = self._socket.accept()
            with closing(connected):
                if connected.recv(3) == b"end":
                    return
                self.connections += 1

    def close(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port)) as last:
            last.sendall(b"end")
        self._thread.join()
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    with closing(Listener()) as found:
        yield found


# Two ways in.


@on_servers
def test_by_uri(engine: Engine, database: str, clients: list[Client]) -> None:
    token = full()
    with MongoTokenStore(engine.uri, database=database) as store:
        store.save_token(token)
        (client,) = clients
        assert not is_closed(client)
    assert is_closed(client)
    found = engine.client[database].oauthtoken.find_one({})
    assert found is not None
    assert found["id"] == token.get_id()


@on_servers
def test_a_borrowed_client_is_not_closed(
    engine: Engine, database: str, clients: list[Client]
) -> None:
    with Client(engine.uri) as client:
        with MongoTokenStore(client=client, database=database) as store:
            store.save_token(full())
        assert not is_closed(client)
        assert client[database].oauthtoken.count_documents({}) == 1
    assert clients == []


def test_not_both() -> None:
    with fails("MongoTokenStore failed: pass either a uri or a client, not both"):
        MongoTokenStore(DEFAULT_URI, client=mongomock.MongoClient())  # type: ignore[call-overload]


@on_servers
def test_the_environment_gives_the_uri(
    engine: Engine, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URI_VARIABLE, engine.uri)
    with MongoTokenStore(database=database) as store:
        store.save_token(full())
    assert engine.client[database].oauthtoken.count_documents({}) == 1


@on_servers
def test_a_given_uri_comes_before_the_environments(
    engine: Engine, database: str, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URI_VARIABLE, f"mongodb://127.0.0.1:{listener.port}")
    with MongoTokenStore(engine.uri, database=database) as store:
        store.save_token(full())
    with Client(engine.uri) as client, MongoTokenStore(client=client, database=database) as store:
        assert len(store.get_tokens()) == 1
    assert listener.connections == 0


def test_without_any_uri_it_is_the_local_one(monkeypatch: pytest.MonkeyPatch) -> None:
    uris = []

    def make(uri: str, **options: Any) -> Client:
        uris.append(uri)
        return Client(uri, **{**options, "connect": False})

    monkeypatch.setattr(connection, "MongoClient", make)
    monkeypatch.delenv(URI_VARIABLE, raising=False)
    with MongoTokenStore() as store:
        assert store.collection.full_name == "zohooauth.oauthtoken"
    assert uris == [DEFAULT_URI] == ["mongodb://localhost:27017"]


# Database and collection.


@pytest.mark.parametrize(
    ("path", "options", "name"),
    [
        ("", {}, "zohooauth.oauthtoken"),
        ("/", {}, "zohooauth.oauthtoken"),
        ("/crm", {}, "crm.oauthtoken"),
        ("/?appName=crm", {}, "zohooauth.oauthtoken"),
        ("/crm", {"database": "other"}, "other.oauthtoken"),
        ("/crm", {"collection": "tokens"}, "crm.tokens"),
        ("", {"database": "other", "collection": "tokens"}, "other.tokens"),
    ],
)
@pytest.mark.parametrize("borrowed", [True, False])
def test_the_database_and_the_collection(
    path: str, options: dict[str, Any], name: str, borrowed: bool
) -> None:
    uri = f"mongodb://127.0.0.1:1{path}"
    with Client(uri, connect=False) as client:
        way: dict[str, Any] = {"client": client} if borrowed else {"uri": uri}
        with MongoTokenStore(**way, **options) as store:
            assert store.collection.full_name == name


def test_the_default_database_on_mongomock() -> None:
    with MongoTokenStore(client=mongomock.MongoClient()) as store:
        store.save_token(full())
        assert store.collection.full_name == "zohooauth.oauthtoken"


# Concerns.

CONCERNS: list[tuple[str, dict[str, Any]]] = [
    ("", {"w": "majority"}),
    ("?readPreference=secondary", {"w": "majority"}),
    ("?w=1", {"w": 1}),
    ("?w=majority&wtimeoutMS=500", {"w": "majority", "wtimeout": 500}),
    ("?journal=true", {"j": True}),
    ("?w=3&journal=true", {"w": 3, "j": True}),
]


@pytest.mark.parametrize(("options", "concern"), CONCERNS)
@pytest.mark.parametrize("borrowed", [True, False])
def test_the_majority_acknowledges_unless_the_user_chose(
    options: str, concern: dict[str, Any], borrowed: bool
) -> None:
    uri = f"mongodb://127.0.0.1:1/{options}"
    with Client(uri, connect=False) as client:
        way: dict[str, Any] = {"client": client} if borrowed else {"uri": uri}
        with MongoTokenStore(**way) as store:
            assert store.collection.write_concern == WriteConcern(**concern)


@on_servers
def test_every_write_asks_for_the_majority(engine: Engine, database: str) -> None:
    with listening(engine.uri) as (client, commands):
        with MongoTokenStore(client=client, database=database) as store:
            token = full()
            store.ensure_indexes()
            commands.clear()
            store.save_token(token)
            store.delete_token(str(token.get_id()))
            store.delete_tokens()
        # The first save takes three, a deletion one, that of all one for each collection.
        written = [sent["writeConcern"] for sent in commands.sent if "hello" not in sent]
        assert written == [{"w": "majority"}] * 6


@pytest.mark.parametrize(
    ("options", "mode"), [("", "Primary"), ("?readPreference=nearest", "Nearest")]
)
def test_reads_come_from_the_primary_unless_the_user_chose(options: str, mode: str) -> None:
    with MongoTokenStore(f"mongodb://127.0.0.1:1/{options}") as store:
        assert type(store.collection.read_preference).__name__ == mode


def test_retries_stay_on() -> None:
    with MongoTokenStore("mongodb://127.0.0.1:1") as store:
        options = store.collection.database.client.options
        assert (options.retry_reads, options.retry_writes) == (True, True)


# The network.


def test_the_constructor_touches_no_network(listener: Listener) -> None:
    uri = f"mongodb://127.0.0.1:{listener.port}/?serverSelectionTimeoutMS=500"
    with MongoTokenStore(uri) as store:
        assert repr(store) == "MongoTokenStore(collection 'oauthtoken', open)"
        assert listener.connections == 0
        with fails("find_token_by_id failed: MongoDB cannot be reached"):
            store.find_token_by_id("7")
    assert listener.connections > 0


def test_the_constructor_resolves_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_: Any, **__: Any) -> None:
        raise AssertionError("a name was looked up")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr("dns.resolver.resolve", resolve)
    for uri in ("mongodb://example.com", "mongodb+srv://example.com"):
        with MongoTokenStore(uri):
            pass


@pytest.mark.parametrize("timeout", [0, -1, float("inf"), float("nan"), True, None, "5"])
def test_what_is_no_timeout_is_refused(timeout: Any) -> None:
    with fails("MongoTokenStore failed: timeout must be a positive number of seconds"):
        MongoTokenStore(timeout=timeout)


# Closing.


def test_a_closed_store_says_so(store: MongoTokenStore) -> None:
    token = full()
    store.save_token(token)
    store.close()
    store.close()

    closed = "failed: the store is closed: create a new one"
    with fails(f"find_token {closed}"):
        store.find_token(full())
    with fails(f"find_token_by_id {closed}"):
        store.find_token_by_id("7")
    with fails(f"save_token {closed}"):
        store.save_token(token)
    with fails(f"delete_token {closed}"):
        store.delete_token("7")
    with fails(f"delete_tokens {closed}"):
        store.delete_tokens()
    with fails(f"get_tokens {closed}"):
        store.get_tokens()
    with fails(f"ensure_indexes {closed}"):
        store.ensure_indexes()
    with fails(f"collection {closed}"):
        _ = store.collection


def test_an_unused_store_is_closed(clients: list[Client]) -> None:
    with MongoTokenStore("mongodb://127.0.0.1:1"):
        pass
    assert clients == []


@on_servers
def test_a_client_that_its_owner_closed_is_an_error(engine: Engine, database: str) -> None:
    client = Client(engine.uri)
    with MongoTokenStore(client=client, database=database) as store:
        client.close()
        with fails("find_token_by_id failed: the MongoClient is closed"):
            store.find_token_by_id("7")


@on_servers
def test_one_store_serves_many_threads_with_one_client(
    engine: Engine, database: str, clients: list[Client]
) -> None:
    start, found = threading.Barrier(16), []
    with MongoTokenStore(engine.uri, database=database) as store:

        def save(number: int) -> None:
            start.wait(30)
            store.save_token(full(user_name=f"user{number % 4}"))
            found.append(contents(store.find_token(full(user_name=f"user{number % 4}")))["id"])

        threads = [threading.Thread(target=save, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(clients) == 1
        assert len(found) == 16
        assert len(set(found)) == len(store.get_tokens()) == 4


# Wrong URIs.

WRONG_URIS = [
    f"http://user:{PASSWORD}@127.0.0.1",
    f"user:{PASSWORD}@127.0.0.1",
    f"mongodb://user:{PASSWORD}",
    f"mongodb://user:{PASSWORD}@",
    f"mongodb://user:{PASSWORD}@127.0.0.1:port",
    f"mongodb://user:{PASSWORD}@127.0.0.1:99999",
    f"mongodb://user:{PASSWORD}/slash@127.0.0.1",
    f"mongodb://user:{PASSWORD}@at@127.0.0.1",
    f"mongodb://user:{PASSWORD}:colon@127.0.0.1",
    f"mongodb://user:{PASSWORD}%zz@127.0.0.1",
    f"mongodb://user:{PASSWORD}?question=mark@127.0.0.1",
    f"mongodb://user:{PASSWORD}@127.0.0.1/?authMechanism={PASSWORD}",
    f"mongodb://user:{PASSWORD}@127.0.0.1/?authMechanismProperties={PASSWORD}",
    f"mongodb://user:{PASSWORD}@127.0.0.1/?tls={PASSWORD}",
    f"mongodb://user:{PASSWORD}@127.0.0.1,127.0.0.2/?directConnection=true",
]


@pytest.mark.parametrize("uri", WRONG_URIS)
def test_a_wrong_uri_is_refused_at_once_and_shows_no_password(
    uri: str, caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    with fails(r"MongoTokenStore failed: .*(URI|[Oo]ption|host)") as caught:
        MongoTokenStore(uri)

    error = caught.value
    shown = [str(error), repr(error), str(error.cause), repr(error.cause), caplog.text]
    shown += [str(warning.message) for warning in recwarn]
    assert not [text for text in shown if PASSWORD in text]
    assert caplog.text


@pytest.mark.parametrize("password", [PASSWORD, f"{PASSWORD}%2F%3A%40"])
def test_an_unreachable_mongodb_shows_the_host_and_no_password(
    password: str, caplog: pytest.LogCaptureFixture
) -> None:
    uri = f"mongodb://user:{password}@127.0.0.1:1"
    with (
        MongoTokenStore(uri, timeout=0.2) as store,
        fails(r"find_token_by_id failed: MongoDB cannot be reached, .*127\.0\.0\.1:1") as caught,
    ):
        store.find_token_by_id("7")
    assert PASSWORD not in f"{caught.value} {caught.value.cause!r} {store!r} {caplog.text}"


@pytest.mark.parametrize(
    "options", [{"expire_idle_after": timedelta(days=1)}, {"timeout": 1.5}, {"timeout": 1}]
)
def test_right_options_are_taken(options: dict[str, Any]) -> None:
    with MongoTokenStore("mongodb://127.0.0.1:1", **options):
        pass


def test_the_server_is_told_the_name_of_the_library() -> None:
    with MongoTokenStore("mongodb://127.0.0.1:1") as store:
        client: MongoClient[Any] = store.collection.database.client
        assert "zoho-mongo-store" in client.options.pool_options.metadata["driver"]["name"]


def test_a_collection_that_the_application_opened_before(engine: Engine, database: str) -> None:
    engine.client[database].oauthtoken.count_documents({})
    token = make_token(access_token="A")

    with MongoTokenStore(client=engine.client, database=database) as store:
        store.save_token(token)

        assert store.find_token_by_id(token.get_id() or "") is not None
