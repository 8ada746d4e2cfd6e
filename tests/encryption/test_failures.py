"""What is wrong with keys and values is said clearly; never a wrong token, never plain text."""

import logging
import socket
from collections.abc import Callable
from typing import Any

import pytest
from bson.binary import Binary

from tests.conftest import StoreMaker
from tests.encryption.keys import ENCRYPTED, KEY_VAULT, new_key, settings
from tests.engines import Engine
from tests.failures import fails
from tests.sent_commands import Client, listening
from tests.tokens import CLIENT, contents, full, make_token
from zoho_mongo_store import FieldEncryption, MongoTokenStore
from zoho_mongo_store.encryption import encryptor
from zoho_mongo_store.encryption.cipher import Cipher
from zoho_mongo_store.testing import LocalMongo

BY_ID: dict[str, Any] = {}
BY_NAME = {"user_name": "ada@example.com:1"}
BY_CREDENTIAL = {"refresh_token": "1000.refresh", **CLIENT}
SECRETS = ("1000.refresh", "1000.access", "1000.grant", "client-secret")

Breakage = Callable[[Client, str], None]


def check_refuses(store: MongoTokenStore, id: str, message: str) -> None:
    """Every way to the token fails with that message, and nothing is written by any."""
    before = list(store.collection.find())
    new = make_token(**BY_NAME, access_token="1000.new")
    for operation in (
        lambda: store.find_token_by_id(id),
        lambda: store.find_token(make_token(**BY_NAME)),
        lambda: store.find_token(make_token(**BY_CREDENTIAL)),
        lambda: store.get_tokens(),
        lambda: store.save_token(new),
    ):
        with fails(message) as caught:
            operation()
        shown = f"{caught.value!r} {caught.value} {caught.value.cause!r}"
        assert not [secret for secret in (*SECRETS, "1000.new") if secret in shown]
    assert new.get_id() is None
    assert list(store.collection.find()) == before


def saved(make_store: StoreMaker) -> str:
    """The id of a token that is stored encrypted."""
    token = full()
    make_store().save_token(token)
    return str(token.get_id())


@pytest.mark.parametrize(
    ("providers", "message"),
    [
        (lambda: {"local": {"key": new_key()}}, "cannot be unwrapped: .* master key that wraps it"),
        (lambda: {"local:other": {"key": new_key()}}, "cannot be unwrapped: .*not configured"),
    ],
)
def test_the_wrong_master_key(
    make_store: StoreMaker, database: str, providers: Callable[[], Any], message: str
) -> None:
    id = saved(make_store)

    store = make_store(encryption=settings(database, b"", kms_providers=providers()))

    check_refuses(store, id, message)


def lose_vault(client: Client, database: str) -> None:
    client[database][KEY_VAULT].drop()


def lose_key(client: Client, database: str) -> None:
    client[database][KEY_VAULT].delete_many({})


@pytest.mark.parametrize("lose", [lose_vault, lose_key])
@pytest.mark.parametrize("started", [True, False])
def test_a_data_key_that_is_gone(
    make_store: StoreMaker,
    engine: Engine,
    database: str,
    lose: Breakage,
    started: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A new one is not made in its place: documents would seem to be unknown."""
    id = saved(make_store)
    store = make_store()
    if started:
        store.find_token_by_id(id)
        monkeypatch.setattr(encryptor, "REREAD_SECONDS", 0)
    lose(engine.client, database)

    check_refuses(store, id, "has no data key 'zoho-mongo-store', but documents are encrypted")
    assert list(engine.client[database][KEY_VAULT].find()) == []


def test_a_document_of_a_data_key_that_is_gone(
    make_store: StoreMaker, engine: Engine, database: str, master_key: bytes
) -> None:
    id = saved(make_store)
    engine.client[database][KEY_VAULT].delete_many({})
    make_store(encryption=settings(database, master_key), collection="another").ensure_indexes()
    other = make_store(collection="another")
    other.save_token(full())

    store = make_store()
    with fails("cannot be decrypted: its data key .* is not in the key vault .*backup"):
        store.find_token_by_id(id)
    store.delete_token(id)
    assert store.find_token_by_id(id) is None


def test_keys_that_are_gone_do_not_keep_a_token_from_being_deleted(
    make_store: StoreMaker, engine: Engine, database: str
) -> None:
    id = saved(make_store)
    lose_vault(engine.client, database)
    store = make_store()

    store.delete_token(id)

    assert store.collection.count_documents({}) == 0


def flipped(value: bytes) -> bytes:
    return value[:-1] + bytes([value[-1] ^ 1])


def of_another_key(value: bytes) -> bytes:
    return value[:5] + flipped(value[5:6]) + value[6:]


TAMPERINGS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "last byte": (flipped, "is damaged: it was changed after it was encrypted"),
    "middle byte": (
        lambda value: flipped(value[:40]) + value[40:],
        "is damaged: it was changed after it was encrypted",
    ),
    "data key": (of_another_key, "cannot be decrypted: its data key .* is not in the key vault"),
    "algorithm": (lambda value: b"\x09" + value[1:], "is damaged"),
    "cut": (lambda value: value[:30], "is damaged"),
    "emptied": (lambda _: b"", "is damaged: it is not an encrypted value"),
}


@pytest.mark.parametrize("field", ["access_token", "client_secret"])
@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_a_tampered_value(make_store: StoreMaker, field: str, tampering: str) -> None:
    id = saved(make_store)
    store = make_store()
    tamper, message = TAMPERINGS[tampering]
    value = store.collection.find_one({})[field]  # type: ignore[index]
    store.collection.update_one({}, {"$set": {field: Binary(tamper(value), ENCRYPTED)}})

    with fails(f"find_token_by_id failed: the {field} of the document .* {message}") as caught:
        store.find_token_by_id(id)
    assert not [secret for secret in SECRETS if secret in str(caught.value)]
    with fails(f"get_tokens failed: the {field} of the document"):
        store.get_tokens()


def test_a_plain_value_is_not_accepted(make_store: StoreMaker) -> None:
    """Somebody who can write to the collection has no key, and plants a token in plain."""
    id = saved(make_store)
    store = make_store()
    store.find_token_by_id(id)
    store.collection.update_one({}, {"$set": {"access_token": "planted"}})

    with fails("the access_token of the document .* is not encrypted: encrypt the collection"):
        store.find_token_by_id(id)


def test_a_collection_that_is_not_encrypted(make_store: StoreMaker) -> None:
    token = full()
    make_store(encryption=None).save_token(token)

    store = make_store()

    check_refuses(store, str(token.get_id()), "oauthtoken are not encrypted: .*plain='read'")


def test_a_store_without_encryption(make_store: StoreMaker) -> None:
    id = saved(make_store)
    store = make_store(encryption=None)

    for operation in (
        lambda: store.find_token_by_id(id),
        lambda: store.find_token(make_token(**BY_NAME)),
        lambda: store.get_tokens(),
    ):
        with fails(r"is encrypted: give the store the keys with encryption=FieldEncryption\("):
            operation()


def test_nothing_is_sent_that_cannot_be_encrypted(
    engine: Engine, database: str, make_store: StoreMaker
) -> None:
    saved(make_store)
    wrong = settings(database, new_key())
    with (
        listening(engine.uri) as (client, commands),
        MongoTokenStore(
            client=client, database=database, encryption=wrong, create_indexes=False
        ) as store,
    ):
        with fails("cannot be unwrapped"):
            store.save_token(full(access_token="1000.new"))
        with fails("cannot be unwrapped"):
            store.find_token(make_token(**BY_CREDENTIAL))
        # The server is asked for its time, which takes no value with it.
        assert set(commands.names) == {"find", "hello"}
        assert not [secret for secret in (*SECRETS, "1000.new") if secret in str(commands.sent)]


# What is away, and comes back.


def forget_the_data_key(store: MongoTokenStore) -> None:
    """As MongoDB's library does a minute after it read it."""
    found: Any = store._tokens._encryptor
    found._codec._cipher = Cipher(found._settings, store.collection.database.client)


@pytest.mark.parametrize("forgets", [False, True])
def test_a_save_during_an_outage_is_encrypted_later(
    server: LocalMongo, caplog: pytest.LogCaptureFixture, forgets: bool
) -> None:
    encryption = settings("zohooauth", new_key())
    with MongoTokenStore(server.uri, encryption=encryption, timeout=10) as store:
        first = full()
        store.save_token(first)
        if forgets:
            forget_the_data_key(store)
        server.kill()
        store._tokens.timeout = 0.5
        with fails("save_token failed: MongoDB cannot be reached"):
            store.save_token(full(access_token="1000.missed"))
        server.start()
        store._tokens.timeout = 10

        found = store.find_token(make_token(**BY_NAME))

        assert contents(found)["access_token"] == "1000.missed"
        (document,) = store.collection.find()
        assert document["access_token"].subtype == ENCRYPTED
    assert not [secret for secret in SECRETS if secret in caplog.text]


def service_settings(database: str, port: int) -> FieldEncryption:
    """With the master key in a service at that port."""
    aws = {"aws": {"accessKeyId": "id", "secretAccessKey": "geheimnis"}}
    master = {"region": "us-east-1", "key": "arn:aws:kms:1", "endpoint": f"127.0.0.1:{port}"}
    return settings(database, b"", kms_providers=aws, master_key=master)


def test_a_key_service_that_does_not_answer(make_store: StoreMaker, database: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        encryption = service_settings(database, silent.getsockname()[1])
        make_store(encryption=encryption).ensure_indexes()
        store = make_store(encryption=encryption, timeout=2)

        with fails("save_token failed: the key management service cannot be reached.*timed out"):
            store.save_token(full())

    assert store._tokens._pending
    store._tokens._pending.forget()


def test_a_key_service_that_cannot_be_reached(
    make_store: StoreMaker, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The save is kept, as when MongoDB is away: the service is likely to come back."""
    caplog.set_level(logging.ERROR)
    store = make_store(encryption=service_settings(database, 1))

    with fails("save_token failed: the key management service cannot be reached"):
        store.save_token(full())
    with fails("find_token_by_id failed: the key management service cannot be reached"):
        store.find_token_by_id("unknown")

    assert store._tokens._pending
    assert not [one for one in ("geheimnis", *SECRETS) if one in caplog.text]
    store._tokens._pending.forget()


def test_after_the_loss_of_all_keys_users_log_in_again(
    make_store: StoreMaker, engine: Engine, database: str
) -> None:
    saved(make_store)
    store = make_store(encryption=settings(database, new_key()))
    with fails("cannot be unwrapped"):
        store.get_tokens()

    store.delete_tokens()
    engine.client[database][KEY_VAULT].drop()
    restarted = make_store(encryption=settings(database, new_key()))
    restarted.save_token(full())

    assert contents(restarted.find_token(make_token(**BY_NAME))).items() >= contents(full()).items()
