"""Names of databases and collections: what the constructor refuses, and what MongoDB takes."""

from typing import Any

import pytest
from pymongo.database import Database
from pymongo.errors import InvalidName, OperationFailure

from tests.conftest import PATIENCE
from tests.engines import SERVERS, Engine
from tests.failures import fails
from tests.tokens import full
from zoho_mongo_store import FieldEncryption, MongoTokenStore
from zoho_mongo_store.errors import InvalidInputError

on_servers = pytest.mark.parametrize("engine", SERVERS, indirect=True)

REFUSED_DATABASES = ["a b", "a.b", "a$b", "a/b", "a\\b", 'a"b', "a\0b", "$external", "x" * 64]
REFUSED_COLLECTIONS = [
    "",
    "a$b",
    "a..b",
    ".a",
    "a.",
    "a\0b",
    "system.tokens",
    "system",
    "crm.system.tokens",
    "x" * 245,
]


@on_servers
def test_mongodb_refuses_them(engine: Engine, database: str) -> None:
    """The leases are beside the tokens, so their name counts as well."""
    for name in REFUSED_DATABASES:
        with pytest.raises((InvalidName, OperationFailure)):
            engine.client[name]["oauthtoken"].insert_one({})
    for name in REFUSED_COLLECTIONS:
        with pytest.raises((InvalidName, OperationFailure)):
            _use_with_leases(engine.client[database], name)


def _use_with_leases(database: "Database[dict[str, Any]]", name: str) -> None:
    database[name].insert_one({})
    database[f"{name}.leases"].create_index("purge_at")


@pytest.mark.parametrize("name", [*REFUSED_DATABASES, "b05\n", "a\tb", "local", 5])
@pytest.mark.parametrize("way", ["uri", "client"])
def test_the_constructor_refuses_a_database(engine: Engine, name: Any, way: str) -> None:
    source: Any = {"client": engine.client} if way == "client" else {"uri": "mongodb://h"}
    with fails("MongoTokenStore failed: the database .* (character|bytes|local|a string)"):
        MongoTokenStore(**source, database=name)


@pytest.mark.parametrize("name", [*REFUSED_COLLECTIONS, "b05\n", 5, None])
def test_the_constructor_refuses_a_collection(engine: Engine, name: Any) -> None:
    reason = "(empty|dot|character|reserved|long|string)"
    with fails(f"MongoTokenStore failed: the collection .* {reason}"):
        MongoTokenStore(client=engine.client, database="zoho", collection=name)


@pytest.mark.parametrize("path", ["a%0Ab", "local", "x" * 64])
def test_the_constructor_refuses_a_database_of_the_uri_without_quoting_it(path: str) -> None:
    with fails("MongoTokenStore failed: the database in the URI (contains|is)") as raised:
        MongoTokenStore(f"mongodb://127.0.0.1:1/{path}")
    assert "xxx" not in str(raised.value)


def test_the_key_vault_is_checked_alike() -> None:
    keys = {"local": {"key": bytes(96)}}
    for namespace in ("a b.keys", "zoho.system.keys", "zoho.a$b"):
        with pytest.raises(InvalidInputError, match=r"the (database|collection) of key_vault"):
            FieldEncryption(keys, key_vault=namespace)


@on_servers
@pytest.mark.parametrize(
    ("suffix", "collection"),
    [("", "x"), ("é@-_~", "tokens of the café.v2"), ("", "longest")],
)
def test_every_operation_works_with_what_it_takes(
    engine: Engine, database: str, suffix: str, collection: str
) -> None:
    name = database + suffix
    if collection == "longest":
        # The most that both may have: the leases then have 255 bytes.
        name = f"{database}{'d' * (63 - len(database))}"
        collection = "c" * (255 - len(f"{name}..leases"))
    try:
        with MongoTokenStore(
            client=engine.client, database=name, collection=collection, timeout=PATIENCE
        ) as store:
            token = full()
            store.save_token(token)
            assert store.find_token_by_id(str(token.get_id())) is not None
            assert "leases.purge_at_1" in store.ensure_indexes().unchanged
            store.delete_tokens()
            assert store.get_tokens() == []
    finally:
        engine.client.drop_database(name)
    if len(collection) > 99:
        with fails("MongoTokenStore failed: the collection '.* is too long"):
            MongoTokenStore(client=engine.client, database=name, collection=collection + "c")
