"""The key vault: its unique index, one data key for all, and what is read out of it."""

import re
import subprocess
import sys
from typing import Any

import pytest
from bson.binary import Binary

from tests.conftest import StoreMaker
from tests.encryption.keys import KEY_VAULT, new_key, settings
from tests.engines import Engine
from tests.failures import fails
from tests.processes import in_processes
from tests.sent_commands import listening
from tests.tokens import contents, full, make_token
from zoho_mongo_store import FieldEncryption, MongoTokenStore
from zoho_mongo_store.encryption.data_keys import DataKeys, data_keys
from zoho_mongo_store.encryption.key_vault import KeyVault
from zoho_mongo_store.errors import StoreError


def save(uri: str, database: str, encryption: FieldEncryption, number: int) -> str | None:
    with MongoTokenStore(uri, database=database, encryption=encryption, timeout=30) as store:
        token = full(user_name=f"user{number}", refresh_token=f"R{number}")
        store.save_token(token)
        return token.get_id()


def test_16_processes_on_an_empty_vault_make_one_data_key(
    engine: Engine, database: str, encryption: FieldEncryption, make_store: StoreMaker
) -> None:
    ids = in_processes(save, [(engine.uri, database, encryption, n) for n in range(16)])

    (key,) = engine.client[database][KEY_VAULT].find()
    assert key["keyAltNames"] == ["zoho-mongo-store"]
    stored = list(engine.client[database].oauthtoken.find())
    assert {document["id"] for document in stored} == set(ids)
    assert {document["access_token"][1:17] for document in stored} == {bytes(key["_id"])}
    names = {contents(token)["user_name"] for token in make_store().get_tokens()}
    assert names == {f"user{n}" for n in range(16)}


def test_the_index_is_unique_and_made_first(
    engine: Engine, database: str, encryption: FieldEncryption
) -> None:
    with (
        listening(engine.uri) as (client, commands),
        MongoTokenStore(client=client, database=database, encryption=encryption) as store,
    ):
        store.find_token_by_id("unknown")

        vault = client[database][KEY_VAULT]
        (index,) = (one for one in vault.list_indexes() if one["name"] != "_id_")
        assert dict(index["key"]) == {"keyAltNames": 1}
        assert index["unique"]
        sent = [(name, command.get(name)) for name, command in zip(*written(commands), strict=True)]
        assert sent.index(("createIndexes", KEY_VAULT)) < sent.index(("insert", KEY_VAULT))
        assert store.ensure_indexes().unchanged[-1] == "keyVault.keyAltNames_1"


def written(commands: Any) -> tuple[list[str], list[dict[str, Any]]]:
    return commands.names, commands.sent


def test_who_loses_the_race_uses_the_others_key(
    make_store: StoreMaker, database: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The collision is forced: the loser saw an empty vault."""
    make_store().save_token(full())
    read, seen = KeyVault.keys, []

    def empty_at_first(vault: KeyVault, namespace: str) -> DataKeys | None:
        seen.append(namespace)
        return None if len(seen) < 5 else read(vault, namespace)

    monkeypatch.setattr(KeyVault, "keys", empty_at_first)
    engine.client[database].oauthtoken.delete_many({})
    loser = make_store()
    loser.save_token(full())

    assert len(seen) == 5
    (key,) = engine.client[database][KEY_VAULT].find()
    (document,) = loser.collection.find()
    assert document["access_token"][1:17] == bytes(key["_id"])


def test_who_comes_late_takes_the_others_document_for_no_loss(
    make_store: StoreMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vault was empty when it looked, and is not when a document is encrypted."""
    read, first = KeyVault.keys, [True]

    def before_the_other(vault: KeyVault, namespace: str) -> DataKeys | None:
        if first:
            first.clear()
            make_store().save_token(full())
            return None
        return read(vault, namespace)

    monkeypatch.setattr(KeyVault, "keys", before_the_other)

    assert make_store().find_token(make_token(user_name="ada@example.com:1")) is not None


def test_a_key_name_has_a_data_key_of_its_own(
    make_store: StoreMaker, database: str, master_key: bytes, engine: Engine
) -> None:
    for name in ("one", "two"):
        encryption = settings(database, master_key, key_name=name)
        make_store(encryption=encryption, collection=name).save_token(full())

    stored = engine.client[database][KEY_VAULT].find()
    assert sorted(key["keyAltNames"] for key in stored) == [["one"], ["two"]]


IMPORTING = """
import sys
from zoho_mongo_store import FieldEncryption, MongoTokenStore
print(*sys.modules)
"""


def test_importing_the_store_loads_no_part_that_it_does_not_use() -> None:
    shown = subprocess.run([sys.executable, "-c", IMPORTING], check=True, capture_output=True)

    loaded = shown.stdout.decode().split()
    assert "zoho_mongo_store.store" in loaded
    assert not {"pymongocrypt", "pymongo.encryption"} & set(loaded)
    optional = "zoho_mongo_store.(encryption|transfer|commands|testing|login)"
    assert {name for name in loaded if re.match(optional, name)} == {
        "zoho_mongo_store.encryption",
        "zoho_mongo_store.encryption.settings",
    }


# What the names of data keys say.

A, B, C = (Binary(name.encode() * 16, 4) for name in "abc")


def keys(**names: list[str]) -> list[dict[str, Any]]:
    ids = {"a": A, "b": B, "c": C}
    return [{"_id": ids[key], "keyAltNames": given} for key, given in names.items()]


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ([], None),
        (keys(a=["k"]), DataKeys(A, (A,), None, True)),
        (keys(a=["k"], b=["k/next"]), DataKeys(A, (A, B), B, False)),
        (keys(a=["k/retired/a"], b=["k/next"]), DataKeys(B, (B, A), B, False)),
        (keys(a=["k/retired/a"], b=["k"]), DataKeys(B, (B, A), None, False)),
        (keys(a=["k/retired/a"], b=["k", "k/all/d.c"]), DataKeys(B, (B,), None, True)),
        (keys(a=["k/retired/a"], b=["k", "k/all/d.other"]), DataKeys(B, (B, A), None, False)),
        (keys(a=["k/retired/a", "k/all/d.c"], b=["k"]), DataKeys(B, (B, A), None, False)),
        (
            keys(a=["k/retired/a"], b=["k", "k/all/d.c"], c=["k/next"]),
            DataKeys(B, (B, C), C, True),
        ),
    ],
)
def test_data_keys(stored: list[dict[str, Any]], expected: DataKeys | None) -> None:
    assert data_keys(stored, "k", "d.c") == expected


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        (keys(a=["k"], b=["k"]), "lacks its unique index"),
        (keys(a=["k/retired/a"]), "no current data key 'k', only retired ones: restore the"),
    ],
)
def test_a_vault_that_is_not_in_order(stored: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(StoreError, match=message):
        data_keys(stored, "k", "d.c")


# Settings.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kms_providers": {}}, "kms_providers must name at least one provider"),
        ({"key_vault": "vault"}, "key_vault must be '<database>.<collection>'"),
        ({"key_name": "a/b"}, "key_name must not be empty or contain '/'"),
        ({"key_name": ""}, "key_name must not be empty or contain '/'"),
        ({"plain": "maybe"}, "plain must be one of refuse, read, write"),
    ],
)
def test_settings_that_cannot_be(options: dict[str, Any], message: str) -> None:
    with pytest.raises(StoreError, match=message):
        settings("zohooauth", new_key(), **options)


def test_a_master_key_of_a_wrong_length(make_store: StoreMaker, database: str) -> None:
    store = make_store(encryption=settings(database, b"short"))

    with fails("save_token failed: the encryption cannot be set up: .*96 bytes"):
        store.save_token(make_token(access_token="A"))
    assert store.collection.count_documents({}) == 0


def test_mongomock_cannot_encrypt(encryption: FieldEncryption) -> None:
    import mongomock

    with (
        MongoTokenStore(
            client=mongomock.MongoClient(), encryption=encryption, create_indexes=False
        ) as store,
        fails("mongomock cannot encrypt"),
    ):
        store.save_token(full())
