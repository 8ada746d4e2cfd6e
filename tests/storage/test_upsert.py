"""The upsert: how many commands it costs, and how it gets over what comes in between."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from tests.engines import SERVERS, Engine
from tests.sent_commands import listening
from tests.tokens import CLIENT, contents, full, make_token
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.errors import StoreError
from zoho_mongo_store.model.document import now
from zoho_mongo_store.model.lookup import save_filters, shared_id
from zoho_mongo_store.model.token import to_document
from zoho_mongo_store.sdk import OAuthToken
from zoho_mongo_store.storage.upsert import upsert

Documents = Collection[dict[str, Any]]

on_servers = pytest.mark.parametrize("engine", SERVERS, indirect=True)

ADA = "ada@example.com:1"

# Each kind of key that a new token can be looked up by.
NEW_TOKENS: dict[str, dict[str, str]] = {
    "user name": {"user_name": ADA, "refresh_token": "R", "access_token": "A"},
    "refresh token": {"refresh_token": "R", **CLIENT},
    "grant token": {"grant_token": "G", **CLIENT},
    "access token": {"access_token": "A"},
    "id": {"id": "seven", "access_token": "A", **CLIENT},
    "user name and grant token": {"user_name": ADA, "grant_token": "G", **CLIENT},
}


@pytest.fixture
def collection(store: MongoTokenStore) -> Documents:
    """The store's collection with its indexes."""
    store.ensure_indexes()
    return store.collection


class Disturbed:
    """A collection in which something happens before, or in place of, the first updates."""

    def __init__(self, collection: Documents, *events: Callable[[Documents], Any]) -> None:
        self._collection = collection
        self._events = list(events)
        self.updates = 0

    def find_one_and_update(self, *args: Any, **kwargs: Any) -> Any:
        self.updates += 1
        if self._events:
            return self._events.pop(0)(self._collection)
        return self._collection.find_one_and_update(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._collection, name)


def disturbed(collection: Documents, *events: Callable[[Documents], Any]) -> Documents:
    return cast(Documents, Disturbed(collection, *events))


def lost_to(rival: Mapping[str, Any]) -> Callable[[Documents], Any]:
    """An upsert that finds nothing, and whose insert then meets the rival's: a real collision."""

    def collide(collection: Documents) -> None:
        collection.insert_one(dict(rival))
        with pytest.raises(DuplicateKeyError) as caught:
            collection.insert_one({"id": rival["id"]})
        raise caught.value

    return collide


def missed(_: Documents) -> None:
    """What an upsert says that lost a race on some servers: nothing."""


# Commands.


@on_servers
@pytest.mark.parametrize(
    ("known", "saved"),
    [
        (full(), full()),
        (full(), full(access_token="new")),
        (full(user_name=None), full(user_name=None, access_token="new")),
        (make_token(**NEW_TOKENS["grant token"]), make_token(**NEW_TOKENS["grant token"])),
        (make_token(access_token="A"), make_token(access_token="A", user_name=None)),
    ],
    ids=["same", "refreshed", "nameless", "grant token", "access token"],
)
@pytest.mark.parametrize("by_id", [True, False])
def test_saving_a_known_token_is_one_command(
    engine: Engine, database: str, known: OAuthToken, saved: OAuthToken, by_id: bool
) -> None:
    known, saved = make_token(**contents(known)), make_token(**contents(saved))
    with (
        listening(engine.uri) as (client, commands),
        MongoTokenStore(client=client, database=database) as store,
    ):
        store.save_token(known)
        if by_id:
            saved.set_id(known.get_id())
        commands.clear()
        store.save_token(saved)
        assert commands.names == ["findAndModify"]
        assert saved.get_id() == known.get_id()


@on_servers
@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({"access_token": "A"}, 1),
        ({"access_token": "A", "client_id": "1000.CLIENT"}, 1),
        ({"refresh_token": "R", **CLIENT}, 1),
        ({"grant_token": "G", "refresh_token": "R", **CLIENT}, 2),
        (contents(full()), 3),
        (contents(full(id="7")), 4),
        (contents(full(id="7", expires_in=None, access_token=None)), 4),
    ],
)
def test_a_first_save_is_four_commands_at_most(
    engine: Engine, database: str, fields: dict[str, str], count: int
) -> None:
    with (
        listening(engine.uri) as (client, commands),
        MongoTokenStore(client=client, database=database) as store,
    ):
        store.ensure_indexes()
        # The first expiry has the store ask for the server's time.
        store.save_token(make_token(access_token="other", expires_in="1000"))
        commands.clear()
        store.save_token(make_token(**fields))
        # The server's time is asked for once in the life of a store.
        sent = [name for name in commands.names if name != "hello"]
        assert sent == ["findAndModify"] * count
        assert commands.names.count("hello") <= 1


@on_servers
@pytest.mark.parametrize("key", NEW_TOKENS)
def test_finding_is_one_command(engine: Engine, database: str, key: str) -> None:
    with (
        listening(engine.uri) as (client, commands),
        MongoTokenStore(client=client, database=database) as store,
    ):
        token = make_token(**NEW_TOKENS[key])
        store.save_token(token)
        commands.clear()
        assert store.find_token(make_token(**NEW_TOKENS[key])) is not None
        assert store.find_token_by_id(str(token.get_id())) is not None
        assert commands.names == ["find", "find"]


@on_servers
def test_deleting_is_one_command_for_each_collection(engine: Engine, database: str) -> None:
    with (
        listening(engine.uri) as (client, commands),
        MongoTokenStore(client=client, database=database) as store,
    ):
        for n in range(3):
            store.save_token(make_token(access_token=f"A{n}"))
        commands.clear()
        store.delete_token("unknown")
        assert commands.names == ["delete"]
        store.delete_tokens()
        assert [sent["delete"] for sent in commands.sent] == [
            "oauthtoken",
            "oauthtoken",
            "oauthtoken.leases",
        ]


@on_servers
def test_the_first_operation_alone_looks_at_the_indexes(engine: Engine, database: str) -> None:
    with listening(engine.uri) as (client, commands):
        for _ in range(2):
            with MongoTokenStore(client=client, database=database) as store:
                commands.clear()
                for _ in range(3):
                    store.find_token_by_id("unknown")
        assert commands.names == ["listIndexes", "listIndexes", "find", "find", "find"]


# What comes in between.


@pytest.mark.parametrize("key", NEW_TOKENS)
def test_an_insert_that_a_rival_got_in_before_updates_the_rivals(
    collection: Documents, key: str
) -> None:
    fields = to_document(make_token(**NEW_TOKENS[key]))
    rival = {**fields, "id": fields.get("id", "rival"), "redirect_url": "https://example.com/"}

    stored = upsert(disturbed(collection, lost_to(rival)), fields)

    assert stored["id"] == rival["id"]
    (only,) = collection.find()
    assert only == stored
    assert rival.items() <= only.items()


@pytest.mark.parametrize("key", NEW_TOKENS)
def test_none_from_an_upsert_is_read_again(collection: Documents, key: str) -> None:
    fields = to_document(make_token(**NEW_TOKENS[key]))
    misses = [missed] * len(save_filters(fields))
    rival = upsert(collection, fields)

    stored = upsert(disturbed(collection, *misses), fields)

    assert stored["id"] == rival["id"]
    assert collection.count_documents({}) == 1


@pytest.mark.parametrize("event", [missed, lost_to({"id": "rival", "access_token": "B"})])
def test_it_gives_up_with_an_error_after_many_attempts(
    collection: Documents, event: Callable[[Documents], Any]
) -> None:
    def again(documents: Documents) -> Any:
        documents.delete_many({})
        return event(documents)

    stub = Disturbed(collection, *[again] * 1000)
    with pytest.raises(StoreError, match="kept interfering: try again"):
        upsert(cast(Documents, stub), {"access_token": "A"})

    assert 8 <= stub.updates <= 100
    assert collection.count_documents({"access_token": "A"}) == 0


def test_a_derived_id_that_another_document_has_is_passed_over(collection: Documents) -> None:
    """The refresh token of the first document is replaced; its id was derived from the old one."""
    fields = to_document(make_token(refresh_token="R", **CLIENT))
    first = upsert(collection, fields)
    upsert(collection, {"id": first["id"], "refresh_token": "S"})
    before = collection.find_one({"id": first["id"]})

    second = upsert(collection, fields)
    third = upsert(collection, fields)

    assert first["id"] == shared_id(save_filters(fields), 0)
    assert second["id"] == third["id"] == shared_id(save_filters(fields), 1)
    assert collection.find_one({"id": first["id"]}) == before
    assert collection.count_documents({}) == 2


def test_an_id_shows_nothing_of_the_token(collection: Documents) -> None:
    id = upsert(collection, to_document(full()))["id"]
    known = hashlib.sha256(b"1000.refresh").hexdigest()

    assert len(id) == 32
    assert id not in known
    assert upsert(collection, {"access_token": "A", "client_id": "B"})["id"] != id


@on_servers
@pytest.mark.parametrize(
    ("fields", "count"),
    [({"id": "bob", "user_name": ADA}, 3), ({"id": "bob", "user_name": ADA, **CLIENT}, 3)],
)
def test_taking_over_a_user_name(
    engine: Engine, database: str, fields: dict[str, str], count: int
) -> None:
    with listening(engine.uri) as (client, commands):
        with MongoTokenStore(client=client, database=database) as store:
            store.save_token(make_token(id="ada", user_name=ADA, access_token="A"))
            store.save_token(make_token(id="bob", user_name="bob", access_token="B"))
        collection = client[database].oauthtoken
        commands.clear()

        assert upsert(collection, fields)["user_name"] == ADA

        assert commands.names == ["findAndModify", "update", "findAndModify"]
        assert len(commands.names) == count
        ada = collection.find_one({"id": "ada"})
        assert ada is not None
        assert "user_name" not in ada
        assert ada["access_token"] == "A"


def test_a_user_name_that_is_taken_again_at_once_is_released_again(collection: Documents) -> None:
    for id, name in (("ada", ADA), ("bob", "bob")):
        upsert(collection, {"id": id, "user_name": name, "access_token": id})

    def rename(documents: Documents) -> None:
        documents.update_one({"id": "bob"}, {"$unset": {"user_name": ""}})
        documents.update_one({"id": "ada"}, {"$set": {"user_name": ADA}})
        with pytest.raises(DuplicateKeyError) as caught:
            documents.update_one({"id": "bob"}, {"$set": {"user_name": ADA}})
        raise caught.value

    stored = upsert(disturbed(collection, rename, rename), {"id": "bob", "user_name": ADA})

    assert stored["user_name"] == ADA
    assert collection.count_documents({"user_name": ADA}) == 1


@on_servers
@pytest.mark.parametrize("fields", [["client_id"], ["client_id", "client_secret"]])
def test_a_unique_index_of_somebody_elses_is_named_at_once(
    engine: Engine, database: str, fields: list[str]
) -> None:
    """Saving over and over would not get over it."""
    with listening(engine.uri) as (client, commands):
        collection = client[database].oauthtoken
        collection.create_index([(field, 1) for field in fields], unique=True)
        upsert(collection, {"user_name": ADA, "refresh_token": "R", **CLIENT})
        commands.clear()

        with pytest.raises(StoreError, match=f"a unique index on {', '.join(fields)}, which"):
            upsert(collection, {"user_name": "eve", "refresh_token": "S", **CLIENT})

        assert commands.names == ["findAndModify"] * 2


# The expiry.


def expiry_of(collection: Documents) -> Any:
    (only,) = collection.find()
    return only.get("expiry_time")


# What a token carries besides its access token, and whether the stored one bears a user's name.
WAYS: dict[str, tuple[dict[str, str], bool]] = {
    "id": ({"id": "7"}, True),
    "user name": ({"user_name": ADA}, True),
    "refresh token": ({"refresh_token": "R", **CLIENT}, False),
    "unknown id, user name": ({"id": "unknown", "user_name": ADA}, True),
    "unknown id, refresh token": ({"id": "unknown", "refresh_token": "R", **CLIENT}, False),
    "unknown user name, refresh token": ({"user_name": ADA, "refresh_token": "R", **CLIENT}, False),
}


@pytest.mark.parametrize("way", WAYS)
def test_an_access_token_without_expiry_does_not_inherit_anothers(
    collection: Documents, way: str
) -> None:
    by, named = WAYS[way]
    known = {"id": "7", "access_token": "old", "refresh_token": "R", "expiry_time": now()}
    upsert(collection, known | ({"user_name": ADA} if named else {}))

    stored = upsert(collection, {**by, "access_token": "new"})

    assert (stored["id"], stored["access_token"]) == ("7", "new")
    assert expiry_of(collection) is None


@pytest.mark.parametrize("way", ["id", "user name", "refresh token"])
def test_the_same_access_token_without_expiry_keeps_it(collection: Documents, way: str) -> None:
    by, named = WAYS[way]
    known = {"id": "7", "access_token": "A", "refresh_token": "R", "expiry_time": now()}
    upsert(collection, known | ({"user_name": ADA} if named else {}))

    stored = upsert(collection, {**by, "access_token": "A"})

    assert stored["id"] == "7"
    assert expiry_of(collection) == known["expiry_time"]


def test_times(collection: Documents) -> None:
    """``created_at`` stays, ``updated_at`` goes with each save, even one that changes nothing."""
    before = now()
    first = upsert(collection, {"id": "7", "access_token": "A"})
    second = upsert(collection, {"id": "7", "access_token": "A"})

    assert before <= first["created_at"] == first["updated_at"] <= second["updated_at"] <= now()
    assert second["created_at"] == first["created_at"]
    collection.update_one({"id": "7"}, {"$set": {"updated_at": first["created_at"].replace(2000)}})
    assert upsert(collection, {"id": "7", "user_name": ADA})["updated_at"] >= second["updated_at"]


def test_a_settled_save_keeps_all_that_a_newer_login_got(collection: Documents) -> None:
    first = to_document(make_token(user_name=ADA, refresh_token="R1", access_token="A1", **CLIENT))
    upsert(collection, first, keep_access_token=True)
    second = {**first, "refresh_token": "R2", "access_token": "A2", "redirect_url": "http://x"}
    upsert(collection, second)

    stored = upsert(collection, {**first, "redirect_url": "http://y"}, keep_access_token=True)

    assert {field: stored[field] for field in second} == {**second, "redirect_url": "http://y"}
    assert collection.count_documents({}) == 1
