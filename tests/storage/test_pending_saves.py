"""Saves during an outage: they raise, are logged, and are written as soon as it is over.

The outages are real: the server's process is killed, and started again on the same documents.
"""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.failures import fails
from tests.sent_commands import Client
from tests.tokens import CLIENT, contents, full, make_token
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.model.document import now
from zoho_mongo_store.testing import LocalMongo

ADA = "ada@example.com:1"
AWAY = "save_token failed: MongoDB cannot be reached"
SECRETS = ("1000.refresh", "1000.access", "1000.grant", "client-secret")


@pytest.fixture
def server() -> Iterator[LocalMongo]:
    """A server of the test's own that loses no acknowledged write when it is killed."""
    with LocalMongo() as running:
        yield running


@pytest.fixture
def store(server: LocalMongo) -> Iterator[MongoTokenStore]:
    with MongoTokenStore(server.uri, timeout=2) as made:
        made.ensure_indexes()
        yield made


def documents(server: LocalMongo) -> list[dict[str, Any]]:
    with Client(server.uri) as client:
        return list(client.zohooauth.oauthtoken.find({}, {"_id": 0}))


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

    server.start()
    assert documents(server) == []
    found = store.find_token(make_token(user_name=ADA))
    assert contents(found) == contents(full(id=contents(found)["id"]))
    written = "The kept save of the token with id None, user ada@example.com:1 is written"
    assert written in caplog.messages
    assert not [secret for secret in SECRETS if secret in caplog.text]


@pytest.mark.parametrize(
    "operation",
    [
        lambda store: store.find_token_by_id("unknown"),
        lambda store: store.delete_token("unknown"),
        lambda store: store.save_token(make_token(id="other", access_token="B")),
        lambda store: store.get_tokens(),
        lambda store: store.close(),
    ],
    ids=["find_token_by_id", "delete_token", "save_token", "get_tokens", "close"],
)
def test_whatever_gets_through_next_writes_it(
    server: LocalMongo, store: MongoTokenStore, operation: Any
) -> None:
    server.kill()
    for name in (ADA, "bob"):
        with fails(AWAY):
            store.save_token(full(user_name=name))
    server.start()

    operation(store)

    saved = {document.get("user_name") for document in documents(server)}
    assert {ADA, "bob"} <= saved


def test_it_is_written_once_and_in_the_order_of_failing(
    server: LocalMongo, store: MongoTokenStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    server.kill()
    for access_token in ("first", "second", "third"):
        with fails(AWAY):
            store.save_token(full(access_token=access_token))
    server.start()

    for _ in range(3):
        store.find_token_by_id("unknown")

    (document,) = documents(server)
    assert document["access_token"] == "third"
    assert len([message for message in caplog.messages if "is written" in message]) == 1


def test_an_operation_that_still_fails_keeps_it(
    server: LocalMongo, store: MongoTokenStore
) -> None:
    server.kill()
    with fails(AWAY):
        store.save_token(full())
    with fails("find_token_by_id failed: MongoDB cannot be reached"):
        store.find_token_by_id("unknown")
    server.start()

    assert len(store.get_tokens()) == 1


def test_a_newer_save_of_another_process_stays(
    server: LocalMongo, store: MongoTokenStore
) -> None:
    store.save_token(full())
    server.kill()
    with fails(AWAY):
        store.save_token(full(access_token="missed"))
    server.start()
    with MongoTokenStore(server.uri) as other:
        other.save_token(full(access_token="newer"))

    assert contents(store.find_token(make_token(user_name=ADA)))["access_token"] == "newer"
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

    assert contents(store.find_token(make_token(user_name=ADA)))["access_token"] == "missed"


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

    assert contents(store.find_token(make_token(user_name=ADA)))["access_token"] == "missed"


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

    assert contents(store.find_token_by_id("ada")) == contents(full(id="ada"))
    assert {document["id"] for document in documents(server)} == {"ada", "eve"}
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

    assert store.get_tokens() == []
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

    assert errors(caplog) == [
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

    assert [token.get_access_token() for token in store.get_tokens()] == ["1000.access"]
    lost = "The kept save of the token with id seven, user eve is lost: "
    assert [message for message in errors(caplog) if message.startswith(lost)]
    assert not [secret for secret in SECRETS if secret in caplog.text]


def test_what_is_refused_is_not_kept(server: LocalMongo, store: MongoTokenStore) -> None:
    with fails("needs an access, a refresh or a grant token"):
        store.save_token(make_token(id="7"))
    with fails("expires_in has to be"):
        store.save_token(full(expires_in="soon"))
    with Client(server.uri) as client:
        client.zohooauth.oauthtoken.insert_one({"id": "7", "updated_at": now() - timedelta(1)})

    store.find_token_by_id("unknown")

    (document,) = documents(server)
    assert set(document) == {"id", "updated_at"}
