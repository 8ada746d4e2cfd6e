"""Many processes and threads that save the same tokens at once, and many tokens."""

from typing import Any

import pytest

from tests.conftest import PATIENCE
from tests.engines import SERVERS, Engine
from tests.processes import all_together, in_processes, in_threads
from tests.sdk.stored import Documents
from tests.tokens import CLIENT, contents, make_token
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.model.document import now
from zoho_mongo_store.model.token import to_document

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)

Fields = dict[str, Any]

# Each kind of key that a new token can be looked up by.
NEW_TOKENS: dict[str, Fields] = {
    "user name": {"user_name": "ada@example.com:1", "refresh_token": "R1", **CLIENT},
    "refresh token": {"refresh_token": "R2", **CLIENT},
    "grant token": {"grant_token": "G3", "refresh_token": "R3", **CLIENT},
    "access token": {"access_token": "A4"},
    "id": {"id": "five", "access_token": "A5"},
}
# Two new tokens of one user that share one credential.
SHARING: dict[str, tuple[Fields, Fields]] = {
    "grant token": ({"grant_token": "G"}, {"grant_token": "G", "refresh_token": "R"}),
    "refresh token": ({"refresh_token": "R"}, {"grant_token": "G", "refresh_token": "R"}),
}
PROCESSES, THREADS = 8, 4


@pytest.fixture
def options(engine: Engine, database: str) -> dict[str, Any]:
    """Those of the store that each process makes."""
    return {"uri": engine.uri, "database": database, "timeout": PATIENCE}


@pytest.fixture
def documents(engine: Engine, database: str) -> Documents:
    """Reads the stored documents."""
    return lambda: list(engine.client[database].oauthtoken.find())


@pytest.fixture
def racers() -> int:
    """How many processes save each new token."""
    return 32


@pytest.fixture
def turns() -> int:
    """How many tokens are raced for one after the other."""
    return 10


def save(store: MongoTokenStore, fields: Fields) -> str | None:
    token = make_token(**fields)
    store.save_token(token)
    return token.get_id()


def save_each(options: dict[str, Any], tokens: list[Fields]) -> list[str | None]:
    """Save tokens in turn, each when all processes are at it; the first makes the indexes too."""
    with MongoTokenStore(**options) as store:
        ids = []
        for fields in tokens:
            all_together()
            ids.append(save(store, fields))
        return ids


def save_in_threads(options: dict[str, Any], turns: list[list[Fields]]) -> list[list[str | None]]:
    """Save tokens with one store: a thread for each list, which it saves in turn."""
    with MongoTokenStore(**options) as store:

        def save_in_turn(tokens: list[Fields]) -> list[str | None]:
            return [save(store, fields) for fields in tokens]

        return in_threads(save_in_turn, [(tokens,) for tokens in turns])


def race(options: dict[str, Any], turns: list[list[Fields]]) -> list[list[str | None]]:
    """Save tokens in ``PROCESSES`` of ``THREADS``, each with a list of its own; their ids."""
    assert len(turns) == PROCESSES * THREADS
    parts = [(options, turns[n::PROCESSES]) for n in range(PROCESSES)]
    saved = in_processes(save_in_threads, parts)
    return [saved[n % PROCESSES][n // PROCESSES] for n in range(len(turns))]


def user(number: int, **fields: str) -> Fields:
    return {"user_name": f"user{number}@example.com:1", **fields}


def by_name(found: list[Fields]) -> dict[str, Fields]:
    """The stored tokens by their users' names; there is one for each."""
    result = {document["user_name"]: document for document in found}
    assert len(result) == len(found) == len({document["id"] for document in found})
    return result


def test_one_document_for_each_key_whoever_wins(
    options: dict[str, Any], documents: Documents, racers: int
) -> None:
    ids = in_processes(save_each, [(options, list(NEW_TOKENS.values()))] * racers)

    stored = {document["id"]: document for document in documents()}
    assert len(documents()) == len(stored) == len(NEW_TOKENS)
    for fields, of_one in zip(NEW_TOKENS.values(), zip(*ids, strict=True), strict=True):
        (id,) = set(of_one)
        assert fields.items() <= stored[id].items()


@pytest.mark.parametrize("shared", SHARING)
def test_one_document_where_two_tokens_share_one_credential(
    options: dict[str, Any], documents: Documents, shared: str, turns: int
) -> None:
    tokens = [
        [
            {**{field: f"{value}{turn}" for field, value in fields.items()}, **CLIENT}
            for turn in range(turns)
        ]
        for fields in SHARING[shared]
    ]

    ids = in_processes(save_each, [(options, tokens[n % 2]) for n in range(PROCESSES)])

    assert len(documents()) == turns
    assert all(of_one == ids[0] for of_one in ids)


def test_none_of_32_users_is_lost(options: dict[str, Any], documents: Documents) -> None:
    """32 threads; each saves five of the users, and each user is saved by five threads."""
    tokens = [user(n, refresh_token=f"R{n}", access_token=f"A{n}", **CLIENT) for n in range(32)]

    race(options, [(tokens[n:] + tokens[:n])[:5] for n in range(32)])

    stored = by_name(documents())
    assert len(stored) == 32
    assert all(fields.items() <= stored[fields["user_name"]].items() for fields in tokens)


def test_two_users_with_one_refresh_token_have_a_document_each(
    options: dict[str, Any], documents: Documents
) -> None:
    tokens = [user(n, refresh_token="R", access_token=f"A{n}", **CLIENT) for n in range(2)]

    ids = race(options, [tokens[:1], tokens[1:]] * 16)

    stored = by_name(documents())
    assert len(stored) == 2
    for n, fields in enumerate(tokens):
        document = stored[fields["user_name"]]
        assert {id for [id] in ids[n::2]} == {document["id"]}
        assert fields.items() <= document.items()


def test_a_user_name_that_many_take_over_ends_with_one(
    options: dict[str, Any], documents: Documents
) -> None:
    with MongoTokenStore(**options) as store:
        for n in range(8):
            save(store, {"id": str(n), "refresh_token": f"R{n}", **CLIENT})

    name = "ada@example.com:1"
    taking = [[{"id": str(n), "user_name": name}] for n in range(8)] * 4
    assert race(options, taking) == [[fields["id"]] for [fields] in taking]

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
    assert len(store.get_tokens()) == len(found) == 10_003
