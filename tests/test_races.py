"""Many processes that save the same tokens at once, and many tokens."""

from typing import Any

import pytest

from tests.engines import SERVERS, Engine
from tests.processes import in_processes
from tests.sdk.stored import Documents
from tests.tokens import CLIENT, contents, make_token
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.model.document import now, to_document

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)

# Each kind of key that a new token can be looked up by.
NEW_TOKENS = {
    "user name": {"user_name": "ada@example.com:1", "refresh_token": "R", **CLIENT},
    "refresh token": {"refresh_token": "R", **CLIENT},
    "grant token": {"grant_token": "G", "refresh_token": "R", **CLIENT},
    "access token": {"access_token": "A"},
    "id": {"id": "seven", "access_token": "A"},
}


@pytest.fixture
def options(engine: Engine, database: str) -> dict[str, Any]:
    """Those of the store that each process makes. A machine with few cores takes its time."""
    return {"uri": engine.uri, "database": database, "timeout": 30}


@pytest.fixture
def documents(engine: Engine, database: str) -> Documents:
    """Reads the stored documents."""
    return lambda: list(engine.client[database].oauthtoken.find())


def save(options: dict[str, Any], fields: dict[str, Any]) -> str | None:
    with MongoTokenStore(**options) as store:
        token = make_token(**fields)
        store.save_token(token)
        return token.get_id()


def save_in_turn(options: dict[str, Any], tokens: list[dict[str, Any]]) -> list[str | None]:
    return [save(options, fields) for fields in tokens]


def user(number: int, **fields: str) -> dict[str, Any]:
    return {"user_name": f"user{number}@example.com:1", **fields}


def by_name(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The stored tokens by their users' names; there is one for each."""
    result = {document["user_name"]: document for document in found}
    assert len(result) == len(found) == len({document["id"] for document in found})
    return result


@pytest.mark.parametrize("key", NEW_TOKENS)
def test_one_document_whoever_wins(options: dict[str, Any], documents: Documents, key: str) -> None:
    ids = in_processes(save, [(options, NEW_TOKENS[key])] * 32)

    assert len(set(ids)) == 1
    (only,) = documents()
    assert only["id"] == ids[0]
    assert NEW_TOKENS[key].items() <= only.items()


def test_none_of_40_users_is_lost(options: dict[str, Any], documents: Documents) -> None:
    """40 writers; each saves five of the users, and each user is saved by five writers."""
    tokens = [user(n, refresh_token=f"R{n}", access_token=f"A{n}", **CLIENT) for n in range(40)]
    turns = [tokens[n:] + tokens[:n] for n in range(40)]

    in_processes(save_in_turn, [(options, turn[:5]) for turn in turns])

    stored = by_name(documents())
    assert len(stored) == 40
    assert all(fields.items() <= stored[fields["user_name"]].items() for fields in tokens)


def test_two_users_with_one_refresh_token_have_a_document_each(
    options: dict[str, Any], documents: Documents
) -> None:
    tokens = [user(n % 2, refresh_token="R", access_token=f"A{n % 2}", **CLIENT) for n in range(32)]

    ids = in_processes(save, [(options, fields) for fields in tokens])

    stored = by_name(documents())
    assert len(stored) == 2
    assert len(set(ids[::2])) == len(set(ids[1::2])) == 1
    for fields, id in zip(tokens, ids, strict=True):
        assert stored[fields["user_name"]]["id"] == id
        assert fields.items() <= stored[fields["user_name"]].items()


def test_a_user_name_that_many_take_over_ends_with_one(
    options: dict[str, Any], documents: Documents
) -> None:
    with MongoTokenStore(**options) as store:
        for n in range(8):
            store.save_token(make_token(id=str(n), refresh_token=f"R{n}", **CLIENT))

    name = "ada@example.com:1"
    taking = [(options, {"id": str(n), "user_name": name}) for n in range(8)]
    assert in_processes(save, taking * 2) == [str(n) for n in range(8)] * 2

    stored = documents()
    assert {document["id"]: document["refresh_token"] for document in stored} == {
        str(n): f"R{n}" for n in range(8)
    }
    assert sum(document.get("user_name") == name for document in stored) == 1


def test_many_users_one_after_the_other(store: MongoTokenStore) -> None:
    tokens = [make_token(**user(n, access_token=f"A{n}")) for n in range(30)]

    for token in tokens:
        store.save_token(token)

    assert len({token.get_id() for token in tokens}) == 30
    for token in tokens:
        assert contents(store.find_token_by_id(str(token.get_id()))) == contents(token)


def test_ten_thousand_users(store: MongoTokenStore) -> None:
    store.ensure_indexes()
    moment = {"created_at": now(), "updated_at": now()}
    store.collection.insert_many(
        to_document(make_token(id=f"id{n}", **user(n, refresh_token=f"R{n}", **CLIENT))) | moment
        for n in range(10_000)
    )

    new = [make_token(**user(10_000 + n, refresh_token=f"new{n}", **CLIENT)) for n in range(3)]
    for token in new:
        store.save_token(token)
    renewed = make_token(**user(7777, access_token="A"))
    store.save_token(renewed)

    assert renewed.get_id() == "id7777"
    assert contents(store.find_token(make_token(refresh_token="R9999", **CLIENT)))["id"] == "id9999"
    found = {token.get_id() for token in store.iter_tokens()}
    assert found == {f"id{n}" for n in range(10_000)} | {token.get_id() for token in new}
    assert len(found) == 10_003
    assert len(store.get_tokens()) == 10_003
