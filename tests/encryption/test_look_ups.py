"""Every look-up by an encrypted field is one command and an index scan."""

from typing import Any

import pytest
from bson.binary import Binary

from tests.conftest import StoreMaker
from tests.driver.test_indexes import stages
from tests.encryption.keys import settings
from tests.engines import Engine
from tests.sent_commands import listening
from tests.tokens import CLIENT, full, make_token
from zoho_mongo_store import FieldEncryption, MongoTokenStore
from zoho_mongo_store.encryption.codec import Codec
from zoho_mongo_store.encryption.data_keys import DataKeys
from zoho_mongo_store.encryption.encryptor import Encryptor
from zoho_mongo_store.encryption.settings import PlainValues

LOOK_UPS: dict[str, dict[str, Any]] = {
    "access_token": {"access_token": "1000.access"},
    "grant_token": {"grant_token": "1000.grant", **CLIENT},
    "refresh_token": {"refresh_token": "1000.refresh", **CLIENT},
}


@pytest.mark.parametrize("plain", ["refuse", "read", "write"])
@pytest.mark.parametrize("field", LOOK_UPS)
def test_one_command(
    engine: Engine, database: str, master_key: bytes, field: str, plain: PlainValues
) -> None:
    encryption = settings(database, master_key, plain=plain)
    with (
        listening(engine.uri) as (client, commands),
        MongoTokenStore(client=client, database=database, encryption=encryption) as store,
    ):
        token = full()
        store.save_token(token)
        commands.clear()

        assert store.find_token(make_token(**LOOK_UPS[field])) is not None
        assert store.find_token(make_token(**{**LOOK_UPS[field], field: "unknown"})) is None
        assert set(commands.names) == {"find"}
        found = [command["filter"] for command in commands.sent]
        assert all(set(filter) <= {*LOOK_UPS, "client_id"} for filter in found)
        commands.clear()

        store.save_token(token)
        store.delete_token(str(token.get_id()))
        assert commands.names == ["findAndModify", "delete"]


@pytest.mark.parametrize("plain", ["refuse", "read"])
@pytest.mark.parametrize("field", LOOK_UPS)
def test_an_index_scan(
    make_store: StoreMaker,
    database: str,
    master_key: bytes,
    field: str,
    plain: PlainValues,
) -> None:
    store = make_store()
    store.save_token(full())
    store.collection.insert_many(
        {"id": str(n), **{name: f"{name}{n}" for name in LOOK_UPS}} for n in range(100)
    )
    filter = codec_of(store, settings(database, master_key, plain=plain)).encode_filter(
        {field: LOOK_UPS[field][field]}
    )
    assert "1000." not in str(filter) or plain == "read"

    cursor = store.collection.find(filter).limit(1)
    found = list(stages(cursor.explain()["queryPlanner"]["winningPlan"]))

    assert [document["user_name"] for document in cursor] == ["ada@example.com:1"]
    assert any(stage.endswith("IXSCAN") for stage in found)
    assert "COLLSCAN" not in found


def codec_of(store: MongoTokenStore, encryption: FieldEncryption) -> Codec:
    """What encrypts the filters of a store with these settings."""
    encryptor = Encryptor(settings_that_read(encryption), timeout=5)
    codec = encryptor.current_codec(store.collection)
    codec._plain = encryption.plain
    return codec


def settings_that_read(encryption: FieldEncryption) -> FieldEncryption:
    """The same, not minding what is plain in the collection."""
    return FieldEncryption(encryption.kms_providers, key_vault=encryption.key_vault, plain="read")


@pytest.mark.parametrize(
    ("plain", "keys", "expected"),
    [
        ("refuse", "a", b"a"),
        ("refuse", "ab", {"$in": [b"a", b"b"]}),
        ("read", "a", {"$in": [b"a", "text"]}),
        ("write", "ab", {"$in": [b"a", b"b", "text"]}),
    ],
)
def test_what_a_secret_is_looked_up_as(plain: PlainValues, keys: str, expected: Any) -> None:
    class KeyAsText:
        """Encrypts by giving the data key alone."""

        def encrypt(self, field: str, value: str, key: Binary) -> bytes:
            assert (field, value) == ("access_token", "text")
            return bytes(key)

    ids = tuple(Binary(key.encode()) for key in keys)
    codec = Codec(KeyAsText(), DataKeys(ids[0], ids, None, True), plain)  # type: ignore[arg-type]

    filter = {"access_token": "text", "user_name": {"$exists": False}}
    assert codec.encode_filter(filter) == {**filter, "access_token": expected}
    unset = {"access_token": {"$exists": False}}
    assert codec.encode_filter(unset) == unset
