"""MongoDB away, or there and silent: an error in time, and all goes on when it is back."""

import contextlib
import logging
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pymongo.errors import ConnectionFailure

from tests.failures import fails
from tests.faults.documents import documents, login
from tests.faults.proxy import Proxy
from tests.sent_commands import listening
from tests.tokens import contents, make_token
from tests.waiting import eventually, once_it_works
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.model.token import to_document
from zoho_mongo_store.sdk import SDKException
from zoho_mongo_store.testing import LocalMongo

# Short, for what has to fail, and long enough for what has to work on a busy machine.
TIMEOUT = 2.0
# The promise is a second; a machine with other work to do is not always there to keep it.
GRACE = 2.5

Operation = Callable[[MongoTokenStore], object]

OPERATIONS: dict[str, Operation] = {
    "find_token": lambda store: store.find_token(make_token(user_name="ada")),
    "find_token_by_id": lambda store: store.find_token_by_id("7"),
    "save_token": lambda store: store.save_token(make_token(**login("ada", 1))),
    "delete_token": lambda store: store.delete_token("7"),
    "delete_tokens": lambda store: store.delete_tokens(),
    "get_tokens": lambda store: store.get_tokens(),
    "iter_tokens": lambda store: list(store.iter_tokens()),
    "ensure_indexes": lambda store: store.ensure_indexes(),
}
AWAY = "failed: MongoDB cannot be reached, or did not answer in time"

operations = pytest.mark.parametrize("operation", OPERATIONS)


@contextlib.contextmanager
def taking(at_most: float) -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < at_most


@contextlib.contextmanager
def stopped(server: LocalMongo) -> Iterator[None]:
    """The server hangs in the block."""
    server.stop()
    try:
        yield
    finally:
        server.cont()


@pytest.fixture
def silent_uri() -> Iterator[str]:
    """A port that takes connections and says nothing, ever."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        yield f"mongodb://127.0.0.1:{listener.getsockname()[1]}"


@operations
def test_a_port_that_never_answers(silent_uri: str, operation: str) -> None:
    with (
        MongoTokenStore(silent_uri, timeout=TIMEOUT) as store,
        taking(TIMEOUT + GRACE),
        fails(f"{operation} {AWAY}"),
    ):
        OPERATIONS[operation](store)


@operations
def test_a_server_that_falls_silent(server: LocalMongo, operation: str) -> None:
    with MongoTokenStore(server.uri, timeout=TIMEOUT) as store:
        OPERATIONS[operation](store)
        with stopped(server), taking(TIMEOUT + GRACE), fails(f"{operation} {AWAY}"):
            OPERATIONS[operation](store)

        once_it_works(lambda: OPERATIONS[operation](store))


def test_a_first_operation_that_meets_a_silent_server(server: LocalMongo) -> None:
    with MongoTokenStore(server.uri, timeout=TIMEOUT) as store:
        with stopped(server), taking(TIMEOUT + GRACE), fails(AWAY):
            store.find_token_by_id("7")

        assert once_it_works(lambda: store.find_token_by_id("7")) is None


@pytest.mark.parametrize("kind", ["new", "used", "with a kept save"])
def test_threads_do_not_wait_one_after_the_other(server: LocalMongo, kind: str) -> None:
    def save(number: int) -> float:
        started = time.monotonic()
        with fails(AWAY):
            store.save_token(make_token(**login(f"user-{number}", 1)))
        return time.monotonic() - started

    with MongoTokenStore(server.uri, timeout=TIMEOUT) as store:
        if kind != "new":
            store.get_tokens()
        with stopped(server), ThreadPoolExecutor(8) as pool:
            if kind == "with a kept save":
                save(0)
            assert max(pool.map(save, range(1, 9))) < TIMEOUT + GRACE

        wanted = {f"user-{number}" for number in range(1, 9)}
        assert eventually(lambda: wanted <= {one["user_name"] for one in documents(server.uri)})
        once_it_works(store.delete_tokens)


@pytest.mark.parametrize("pending", [False, True])
def test_close_does_not_wait_for_a_silent_server(server: LocalMongo, pending: bool) -> None:
    store = MongoTokenStore(server.uri, timeout=TIMEOUT)
    store.get_tokens()
    with stopped(server):
        if pending:
            with fails(AWAY):
                store.save_token(make_token(**login("lost", 1)))
        with taking(TIMEOUT + GRACE):
            store.close()


def test_an_iteration_given_up_does_not_wait_for_a_silent_server(server: LocalMongo) -> None:
    with MongoTokenStore(server.uri, timeout=TIMEOUT) as store:
        for number in range(3):
            store.save_token(make_token(**login(f"user-{number}", 1)))
        tokens = store.iter_tokens(batch_size=1)
        next(tokens)
        with stopped(server), taking(TIMEOUT + GRACE), contextlib.suppress(SDKException):
            tokens.close()  # type: ignore[attr-defined]
        once_it_works(store.delete_tokens)


@operations
def test_a_server_that_is_killed_and_back(server: LocalMongo, operation: str) -> None:
    with MongoTokenStore(server.uri, timeout=TIMEOUT) as store:
        OPERATIONS[operation](store)
        server.kill()
        for _ in range(2):
            with taking(TIMEOUT + GRACE), fails(f"{operation} {AWAY}"):
                OPERATIONS[operation](store)
        server.start()

        once_it_works(lambda: OPERATIONS[operation](store))


def test_an_outage_is_noticed_once(server: LocalMongo) -> None:
    """Once one operation has waited in vain, none waits, in whichever thread."""
    with MongoTokenStore(server.uri, timeout=TIMEOUT) as store:
        store.get_tokens()
        with stopped(server):
            with fails(AWAY):
                store.save_token(make_token(**login("ada", 1)))
            with taking(TIMEOUT), ThreadPoolExecutor(8) as pool:
                for operation in [*OPERATIONS][:6] * 5:
                    if operation != "find_token":
                        with fails(AWAY):
                            pool.submit(OPERATIONS[operation], store).result()
        assert once_it_works(lambda: store.find_token_by_id("7")) is None


def test_the_time_out_is_five_seconds_unless_told_otherwise(silent_uri: str) -> None:
    started = time.monotonic()
    with MongoTokenStore(silent_uri) as store, fails(AWAY):
        store.find_token_by_id("7")
    assert 4.9 < time.monotonic() - started < 5 + GRACE


# What is kept of an outage.


def test_saves_of_one_token_under_several_keys_end_with_the_newest(server: LocalMongo) -> None:
    with MongoTokenStore(server.uri, timeout=TIMEOUT) as store:
        token = make_token(**login("ada", 1))
        store.save_token(token)
        server.kill()
        by_id = make_token(**login("ada", 2), id=token.get_id())
        for missed in (by_id, make_token(**login("ada", 3))):
            with fails(AWAY):
                store.save_token(missed)
        expected = {**login("ada", 3), "id": token.get_id()}
        assert contents(store.find_token_by_id(str(token.get_id()))) == expected
        server.start()

        assert eventually(
            lambda: [one["access_token"] for one in documents(server.uri)] == ["access-ada-3"]
        )
        assert contents(store.find_token_by_id(str(token.get_id()))) == expected


def test_what_another_process_saved_while_the_save_waited_is_newer(
    server: LocalMongo, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        Proxy(server.members[0].port) as proxy,
        MongoTokenStore(proxy.uri, timeout=TIMEOUT) as store,
        MongoTokenStore(server.uri) as other,
    ):
        store.save_token(make_token(**login("ada", 1)))
        other.get_tokens()
        proxy.deaf.set()
        with ThreadPoolExecutor(1) as pool:
            missed = pool.submit(store.save_token, make_token(**login("ada", 2)))
            time.sleep(TIMEOUT / 2)
            other.save_token(make_token(**login("ada", 3)))
            with fails(AWAY):
                missed.result()
        proxy.deaf.clear()
        assert eventually(lambda: "the stored one is newer" in caplog.text)

        found = store.find_token(make_token(user_name="ada"))

    assert contents(found)["access_token"] == "access-ada-3"
    assert [message for message in caplog.messages if "the stored one is newer" in message]


def test_a_flush_that_is_cut_short_is_taken_up_where_it_was(server: LocalMongo) -> None:
    with (
        Proxy(server.members[0].port) as proxy,
        MongoTokenStore(proxy.uri, timeout=TIMEOUT) as store,
    ):
        store.get_tokens()
        proxy.deaf.set()
        missed: list[dict[str, Any]] = [login(f"user-{number}", 1) for number in range(4)]
        for fields in missed:
            with fails(AWAY):
                store.save_token(make_token(**fields))
        with ThreadPoolExecutor(1) as pool:
            proxy.deaf.clear()
            pool.submit(deafen_after, proxy, server, 2).result()
        proxy.deaf.clear()

        assert eventually(lambda: len(documents(server.uri)) == 4)

    assert [document["user_name"] for document in documents(server.uri)] == [
        fields["user_name"] for fields in missed
    ]


def deafen_after(proxy: Proxy, server: LocalMongo, count: int) -> None:
    """Cut the way once so many documents are there."""
    deadline = time.monotonic() + 10
    while len(documents(server.uri)) < count and time.monotonic() < deadline:
        time.sleep(0.001)
    proxy.deaf.set()


def test_a_save_that_timed_out_and_was_written_all_the_same(server: LocalMongo) -> None:
    token = make_token(**login("ada", 1))
    with MongoTokenStore(server.uri, timeout=TIMEOUT) as store:
        store.get_tokens()
        with stopped(server), fails(AWAY):
            store.save_token(token)
        assert token.get_id() is None

        once_it_works(lambda: store.save_token(token))

        (document,) = documents(server.uri)
        assert document["id"] == token.get_id()


def test_a_login_survives_an_outage_of_several_calls(
    server: LocalMongo, caplog: pytest.LogCaptureFixture
) -> None:
    with MongoTokenStore(server.uri, timeout=TIMEOUT) as store:
        store.get_tokens()
        server.kill()
        with fails(f"save_token {AWAY}"):
            store.save_token(make_token(**login("ada", 1)))
        for operation in OPERATIONS:
            if operation not in ("find_token", "save_token", "delete_tokens"):
                with fails(f"{operation} {AWAY}"):
                    OPERATIONS[operation](store)
        assert contents(OPERATIONS["find_token"](store)) == login("ada", 1)  # type: ignore[arg-type]
        server.start()
        assert eventually(lambda: documents(server.uri))

    (document,) = documents(server.uri)
    assert document["access_token"] == "access-ada-1"
    assert not [record for record in caplog.records if "is lost" in record.message]


def test_a_deletion_waits_for_the_kept_save_that_is_being_written(server: LocalMongo) -> None:
    with MongoTokenStore(server.uri, timeout=TIMEOUT) as store:
        token = make_token(**login("ada", 1))
        store.save_token(token)
        server.kill()
        with fails(AWAY):
            store.save_token(make_token(**login("ada", 2), id=token.get_id()))
        server.start()
        once_it_works(lambda: store.delete_token(str(token.get_id())))

    assert documents(server.uri) == []


@pytest.mark.parametrize("change", ["nothing", "a newer access token", "a deletion"])
def test_a_refresh_that_could_not_be_stored(server: LocalMongo, change: str) -> None:
    """It is written later, unless it would replace a newer one or bring back a deleted token."""
    with (
        Proxy(server.members[0].port) as proxy,
        MongoTokenStore(proxy.uri, timeout=TIMEOUT) as store,
        MongoTokenStore(server.uri) as other,
    ):
        tokens = store._tokens
        stored = tokens.save({**to_document(make_token(**login("ada", 1))), "id": "7"})
        proxy.deaf.set()
        with pytest.raises(ConnectionFailure):
            tokens.compare_and_set_access_token(stored, to_document(make_token(**login("ada", 2))))
        if change == "a newer access token":
            other.save_token(make_token(**login("ada", 3)))
        elif change == "a deletion":
            other.delete_token("7")
        proxy.deaf.clear()
        assert eventually(lambda: not tokens._pending)

    expected = {"nothing": ["2"], "a newer access token": ["3"], "a deletion": []}
    found = [one["access_token"].removeprefix("access-ada-") for one in documents(server.uri)]
    assert found == expected[change]


def test_what_is_newer_is_read_from_the_primary(server: LocalMongo) -> None:
    """A secondary may not have yet what another process saved."""
    with listening(f"{server.uri}&readPreference=secondaryPreferred") as (client, commands):
        store = MongoTokenStore(client=client, timeout=TIMEOUT)
        store.get_tokens()
        server.kill()
        with fails(AWAY):
            store.save_token(make_token(**login("ada", 1)))
        commands.clear()
        server.start()
        assert eventually(lambda: not store._tokens._pending)
        store.close()

    written = commands.names.index("findAndModify")
    reads = [sent for sent in commands.sent[:written] if "find" in sent]
    assert len(reads) >= 1
    assert [sent.get("$readPreference") for sent in reads] == [None] * len(reads)


def test_close_while_mongodb_is_away_says_what_is_lost(
    server: LocalMongo, caplog: pytest.LogCaptureFixture
) -> None:
    with MongoTokenStore(server.uri, timeout=TIMEOUT) as store:
        store.get_tokens()
        server.kill()
        with fails(AWAY):
            store.save_token(make_token(**login("ada", 1), id="seven"))
    lost = [record for record in caplog.records if "is lost" in record.message]
    assert [record.levelno for record in lost] == [logging.ERROR]
    assert "id seven, user ada" in lost[0].message
