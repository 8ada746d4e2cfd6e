"""Saves during an outage: they raise, are logged, and are written as soon as it is over.

The outages are real: the server's process is killed, and started again on the same documents.
"""

import gc
import logging
import threading
import weakref
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.failures import fails
from tests.faults.proxy import Proxy
from tests.sent_commands import Client
from tests.tokens import CLIENT, contents, full, make_token
from tests.waiting import eventually, once_it_works
from zoho_mongo_store import MongoTokenStore, TokenEvent
from zoho_mongo_store.model.document import now
from zoho_mongo_store.testing import LocalMongo

ADA = "ada@example.com:1"
AWAY = "save_token failed: MongoDB cannot be reached"
SECRETS = ("1000.refresh", "1000.access", "1000.grant", "client-secret")


@pytest.fixture
def store(server: LocalMongo) -> Iterator[MongoTokenStore]:
    with MongoTokenStore(server.uri, timeout=2) as made:
        made.ensure_indexes()
        yield made


def documents(server: LocalMongo) -> list[dict[str, Any]]:
    with Client(server.uri) as client:
        return list(client.zohooauth.oauthtoken.find({}, {"_id": 0}))


def recovering() -> list[threading.Thread]:
    """The threads that probe MongoDB and write what is kept."""
    return [one for one in threading.enumerate() if one.name == "zoho-mongo-store-recovery"]


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.levelno == logging.ERROR]


def test_a_login_during_an_outage_survives_it(
    server: LocalMongo, store: MongoTokenStore, caplog: pytest.LogCaptureFixture
) -> None:
    server.kill()
    token = full()
    with fails(AWAY):
        store.save_token(token)

    assert token.get_id() is None
    assert [message for message in errors(caplog) if AWAY in message]

    assert contents(store.find_token(make_token(user_name=ADA))) == contents(full())
    server.start()
    assert eventually(lambda: documents(server))
    found = once_it_works(lambda: store.find_token(make_token(user_name=ADA)))
    assert contents(found) == contents(full(id=contents(found)["id"]))
    written = "The kept save of the token with id None, user ada@example.com:1 has been written"
    assert eventually(lambda: written in caplog.messages)
    assert not [secret for secret in SECRETS if secret in caplog.text]


def test_nobody_has_to_ask_for_it(server: LocalMongo, store: MongoTokenStore) -> None:
    server.kill()
    for name in (ADA, "bob"):
        with fails(AWAY):
            store.save_token(full(user_name=name))
    server.start()

    assert eventually(lambda: {one["user_name"] for one in documents(server)} == {ADA, "bob"})


def test_close_writes_it(server: LocalMongo, store: MongoTokenStore) -> None:
    """Also where the thread that would do so has not come to it."""
    with Proxy(server.members[0].port) as proxy:
        store = MongoTokenStore(proxy.uri, timeout=2)
        store.get_tokens()
        proxy.deaf.set()
        with fails(AWAY):
            store.save_token(full())
        store._tokens._collection.recovery._task.stop()
        proxy.deaf.clear()
        store.close()

    assert len(documents(server)) == 1


def test_the_thread_ends_with_the_outage_and_with_the_store(
    server: LocalMongo, store: MongoTokenStore
) -> None:
    server.kill()
    with fails(AWAY):
        store.save_token(full())
    assert len(recovering()) == 1
    server.start()
    assert eventually(lambda: not recovering())

    server.kill()
    with fails(AWAY):
        store.save_token(full())
    store.close()
    assert eventually(lambda: not recovering())


# Nobody closed its client, and pymongo says so when that is collected.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_store_that_is_dropped_is_collected_and_writes_what_it_kept(
    server: LocalMongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A record of the error that was logged would hold the store.
    monkeypatch.setattr(logging.getLogger("zoho_mongo_store"), "disabled", True)
    store = MongoTokenStore(server.uri, timeout=2)
    store.get_tokens()
    server.kill()
    with fails(AWAY):
        store.save_token(full())
    dropped = weakref.ref(store)
    del store
    gc.collect()
    assert dropped() is None

    server.start()
    assert eventually(lambda: documents(server))
    assert eventually(lambda: not recovering())
    gc.collect()


def test_each_is_told(server: LocalMongo, caplog: pytest.LogCaptureFixture) -> None:
    told: list[TokenEvent] = []
    with MongoTokenStore(server.uri, timeout=2, on_event=told.append) as store:
        store.get_tokens()
        server.kill()
        with fails(AWAY):
            store.save_token(full())
        server.start()
        assert eventually(lambda: [event.name for event in told][-1:] == ["outage_ended"])
        server.kill()
        with fails(AWAY):
            store.save_token(full(access_token="lost"))

    assert [event.name for event in told] == [
        *("outage_began", "save_kept", "save_written", "login", "outage_ended"),
        *("outage_began", "save_kept", "save_lost"),
    ]
    assert {event.user_name for event in told} == {None, ADA}
    ended = told[4].duration
    assert ended is not None
    assert ended.total_seconds() > 0
    assert not [secret for secret in SECRETS if secret in f"{told}{caplog.text}"]


def test_a_handler_may_use_the_store(server: LocalMongo) -> None:
    found: list[str] = []

    def handler(event: TokenEvent) -> None:
        if event.name == "save_written":
            made.save_token(make_token(user_name="bob", access_token="B"))
            found.append(str(contents(made.find_token(make_token(user_name=ADA)))["id"]))

    with MongoTokenStore(server.uri, timeout=2, on_event=handler) as made:
        made.get_tokens()
        server.kill()
        with fails(AWAY):
            made.save_token(full())
        server.start()
        assert eventually(lambda: len(documents(server)) == 2)
        assert eventually(lambda: found)


def test_it_is_written_once_and_in_the_order_of_failing(
    server: LocalMongo, store: MongoTokenStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    server.kill()
    for access_token in ("first", "second", "third"):
        with fails(AWAY):
            store.save_token(full(access_token=access_token))
    server.start()

    assert eventually(lambda: documents(server))
    assert eventually(lambda: not recovering())
    (document,) = documents(server)
    assert document["access_token"] == "third"
    assert len([message for message in caplog.messages if "has been written" in message]) == 1


def test_an_operation_that_still_fails_keeps_it(server: LocalMongo, store: MongoTokenStore) -> None:
    server.kill()
    with fails(AWAY):
        store.save_token(full())
    with fails("find_token_by_id failed: MongoDB cannot be reached"):
        store.find_token_by_id("unknown")
    server.start()

    assert eventually(lambda: len(documents(server)) == 1)


def test_a_newer_save_of_another_process_stays(server: LocalMongo, store: MongoTokenStore) -> None:
    with Proxy(server.members[0].port) as proxy, MongoTokenStore(proxy.uri, timeout=2) as cut_off:
        cut_off.save_token(full())
        proxy.deaf.set()
        with fails(AWAY):
            cut_off.save_token(full(access_token="missed"))
        store.save_token(full(access_token="newer"))
        proxy.deaf.clear()

        # Until MongoDB is reached again, what it tried to save is all that it knows.
        assert eventually(
            lambda: (
                contents(cut_off.find_token(make_token(user_name=ADA)))["access_token"] == "newer"
            )
        )
        assert eventually(lambda: not cut_off._tokens._pending)
    (document,) = documents(server)
    assert document["access_token"] == "newer"


def test_an_older_save_of_another_process_is_replaced(
    server: LocalMongo, store: MongoTokenStore
) -> None:
    store.save_token(full(access_token="older"))
    server.kill()
    with fails(AWAY):
        store.save_token(full(access_token="missed"))
    server.start()

    found = once_it_works(lambda: store.find_token(make_token(user_name=ADA)))
    assert contents(found)["access_token"] == "missed"
    assert eventually(lambda: [one["access_token"] for one in documents(server)] == ["missed"])


def test_a_stored_document_without_a_time_is_replaced(
    server: LocalMongo, store: MongoTokenStore
) -> None:
    """One that was imported from the SDK's MySQL table, which has no such column."""
    with Client(server.uri) as client:
        client.zohooauth.oauthtoken.insert_one({"id": "7", "user_name": ADA, "access_token": "old"})
    server.kill()
    with fails(AWAY):
        store.save_token(full(access_token="missed"))
    server.start()

    found = once_it_works(lambda: store.find_token(make_token(user_name=ADA)))
    assert contents(found)["access_token"] == "missed"
    assert eventually(lambda: [one["access_token"] for one in documents(server)] == ["missed"])


def test_delete_token_forgets_it(server: LocalMongo, store: MongoTokenStore) -> None:
    """Even if the deletion fails too: what the user wanted gone is not written later."""
    store.save_token(full(id="ada"))
    server.kill()
    for missed in (full(id="ada", access_token="missed"), make_token(id="eve", access_token="E")):
        with fails(AWAY):
            store.save_token(missed)
    with fails("delete_token failed: MongoDB cannot be reached"):
        store.delete_token("ada")
    server.start()

    found = once_it_works(lambda: store.find_token_by_id("ada"))
    assert contents(found) == contents(full(id="ada"))
    assert eventually(lambda: {one["id"] for one in documents(server)} == {"ada", "eve"})
    store.delete_token("ada")
    assert [document["id"] for document in documents(server)] == ["eve"]


def test_delete_tokens_forgets_all(server: LocalMongo, store: MongoTokenStore) -> None:
    server.kill()
    for name in (ADA, "bob"):
        with fails(AWAY):
            store.save_token(full(user_name=name))
    with fails("delete_tokens failed: MongoDB cannot be reached"):
        store.delete_tokens()
    server.start()

    assert once_it_works(store.get_tokens) == []
    assert documents(server) == []


def test_close_while_away_logs_what_is_lost(
    server: LocalMongo, caplog: pytest.LogCaptureFixture
) -> None:
    with MongoTokenStore(server.uri, timeout=2) as store:
        store.ensure_indexes()
        server.kill()
        for token in (full(), make_token(id="seven", refresh_token="1000.refresh", **CLIENT)):
            with fails(AWAY):
                store.save_token(token)
        caplog.clear()

    assert [one for one in errors(caplog) if "is lost" in one] == [
        "The token with id None, user ada@example.com:1 is lost: MongoDB could not be reached",
        "The token with id seven, user None is lost: MongoDB could not be reached",
    ]
    assert not [secret for secret in SECRETS if secret in caplog.text]


def test_a_kept_save_that_mongodb_refuses_is_given_up_with_an_error(
    server: LocalMongo, store: MongoTokenStore, caplog: pytest.LogCaptureFixture
) -> None:
    server.kill()
    for token in (make_token(id="seven", user_name="eve"), full()):
        with fails(AWAY):
            store.save_token(token)
    server.start()

    assert eventually(lambda: [one["access_token"] for one in documents(server)] == ["1000.access"])
    lost = "The kept save of the token with id seven, user eve is lost: "
    # The two are written in no particular order.
    assert eventually(lambda: [one for one in errors(caplog) if one.startswith(lost)])
    assert not [secret for secret in SECRETS if secret in caplog.text]


def test_what_is_refused_is_not_kept(server: LocalMongo, store: MongoTokenStore) -> None:
    with fails("needs an access, refresh or grant token"):
        store.save_token(make_token(id="7"))
    with fails("expires_in must be"):
        store.save_token(full(expires_in="soon"))
    with Client(server.uri) as client:
        client.zohooauth.oauthtoken.insert_one({"id": "7", "updated_at": now() - timedelta(1)})

    assert not store._tokens._pending

    (document,) = documents(server)
    assert set(document) == {"id", "updated_at"}
