"""The contract of the SDK's six methods, on every engine and on the SDK's own file store."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from zohocrmsdk.src.com.zoho.api.authenticator.store import FileStore

from tests.conftest import PATIENCE
from tests.engines import ENGINES, Engine, strict
from tests.failures import fails
from tests.tokens import CLIENT, contents, full, make_token
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.sdk import OAuthToken, TokenStore, UserSignature

ADA = "ada@example.com:1"
BOB = "bob@example.com:1"

# How a token of which the id is not known comes to the one that is stored.
ADOPTIONS: dict[str, dict[str, Any]] = {
    "user name": {"user_name": ADA},
    "access token": {"access_token": "A"},
    "grant token": {"grant_token": "G", **CLIENT},
    "refresh token": {"refresh_token": "R", **CLIENT},
}
STORED = {"grant_token": "G", "refresh_token": "R", "access_token": "A", **CLIENT}


# "strict" is MongoDB by a client that keeps to the Stable API.
@pytest.fixture(params=[*ENGINES, "strict"])
def engine(
    request: pytest.FixtureRequest, running_engines: Callable[[str], Engine]
) -> Iterator[Engine]:
    if request.param == "strict":
        with strict(running_engines("mongodb")) as engine:
            yield engine
    else:
        yield running_engines(request.param)


@pytest.fixture(params=[*ENGINES, "strict", "FileStore"])
def any_store(
    request: pytest.FixtureRequest, running_engines: Callable[[str], Engine], tmp_path: Path
) -> Iterator[TokenStore]:
    """A store on each engine, and the SDK's own."""
    if request.param == "FileStore":
        yield FileStore(str(tmp_path / "tokens.csv"))
        return
    name = f"test_{uuid.uuid4().hex}"
    with ExitStack() as stack:
        if request.param == "strict":
            client = stack.enter_context(strict(running_engines("mongodb"))).client
        else:
            client = running_engines(request.param).client
        with MongoTokenStore(client=client, database=name, timeout=PATIENCE) as store:
            yield store
        client.drop_database(name)


def saved(store: TokenStore, token: OAuthToken) -> str:
    """The id under which ``token`` is stored once it is saved."""
    store.save_token(token)
    id = token.get_id()
    assert isinstance(id, str)
    assert id
    return id


def test_what_is_saved_is_found_by_id(any_store: TokenStore) -> None:
    token = full()
    id = saved(any_store, token)
    other = saved(any_store, make_token(user_name=BOB, access_token="B"))

    found = any_store.find_token_by_id(id)

    assert other != id
    assert contents(found) == contents(full()) | {"id": id}


@pytest.mark.parametrize("key", ADOPTIONS)
def test_the_given_token_is_filled(any_store: TokenStore, key: str) -> None:
    stored = full(access_token="A", grant_token="G", refresh_token="R", user_name=ADA)
    id = saved(any_store, stored)
    saved(any_store, make_token(user_name=BOB, access_token="B"))
    token = make_token(**ADOPTIONS[key])

    assert any_store.find_token(token) is token
    assert contents(token) == contents(stored) | {"id": id}


@pytest.mark.parametrize("key", ADOPTIONS)
def test_an_unknown_token_is_not_found(any_store: TokenStore, key: str) -> None:
    saved(any_store, make_token(user_name=BOB, access_token="B"))
    token = make_token(**ADOPTIONS[key])

    assert any_store.find_token(token) is None
    assert contents(token) == contents(make_token(**ADOPTIONS[key]))


@pytest.mark.parametrize("key", ADOPTIONS)
def test_a_save_updates_the_stored_token(any_store: TokenStore, key: str) -> None:
    name = {"user_name": ADA} if key == "user name" else {}
    id = saved(any_store, make_token(**STORED, **name))
    later = make_token(**ADOPTIONS[key], redirect_url="https://example.com/new")

    assert saved(any_store, later) == id
    (only,) = any_store.get_tokens()
    assert contents(only) == STORED | name | {
        "id": id,
        "redirect_url": "https://example.com/new",
    }


def test_a_save_by_id_replaces_what_it_carries_and_keeps_the_rest(any_store: TokenStore) -> None:
    id = saved(any_store, full())
    changes = {"access_token": "1000.new", "expires_in": "1795532948123"}

    saved(any_store, make_token(id=id, **changes))

    (only,) = any_store.get_tokens()
    assert contents(only) == contents(full(**changes)) | {"id": id}


def test_one_of_several_is_deleted(any_store: TokenStore) -> None:
    ids = [saved(any_store, make_token(user_name=name, access_token=name)) for name in (ADA, BOB)]

    any_store.delete_token(ids[0])

    assert [token.get_id() for token in any_store.get_tokens()] == ids[1:]
    assert any_store.find_token(make_token(user_name=ADA)) is None


def test_all_are_deleted(any_store: TokenStore) -> None:
    for name in (ADA, BOB):
        saved(any_store, make_token(user_name=name, access_token=name))

    any_store.delete_tokens()

    assert any_store.get_tokens() == []


def test_get_tokens_gives_every_token_with_all_its_fields(any_store: TokenStore) -> None:
    tokens = [full(user_name=f"user{n}", access_token=f"A{n}") for n in range(12)]
    ids = [saved(any_store, token) for token in tokens]

    assert len(set(ids)) == 12
    found = {token.get_id(): contents(token) for token in any_store.get_tokens()}
    assert found == {id: contents(token) for id, token in zip(ids, tokens, strict=True)}


# From here on the store does what the ones that the SDK ships do not.


def test_unknown_ids(store: MongoTokenStore) -> None:
    saved(store, full())

    assert store.find_token_by_id("unknown") is None
    assert store.find_token(make_token(id="unknown", user_name=ADA)) is None
    store.delete_token("unknown")
    assert len(store.get_tokens()) == 1


def test_empty_store(store: MongoTokenStore) -> None:
    assert store.find_token_by_id("unknown") is None
    assert store.find_token(full()) is None
    assert store.get_tokens() == []
    store.delete_token("unknown")
    store.delete_tokens()


def test_find_token_looks_an_id_up_by_id(store: MongoTokenStore) -> None:
    """``OAuthToken.revoke(id)`` passes a token with an id alone, and revokes what it then holds."""
    saved(store, full())
    id = saved(store, make_token(user_name=BOB, access_token="B", refresh_token="RB"))
    token = make_token(id=id)

    assert store.find_token(token) is token
    assert token.get_refresh_token() == "RB"


@pytest.mark.parametrize(
    "fields",
    [
        {"refresh_token": "1000.refresh", "client_id": "1000.CLIENT", "id": ""},
        {"user_name": ""},
        {"user_name": "", "refresh_token": "1000.refresh"},
        {"access_token": "1000.access", "client_id": "1000.CLIENT"},
        {"access_token": "1000.access", **CLIENT},
        {"grant_token": "1000.grant", "client_secret": "client-secret", "id": ""},
    ],
)
def test_nothing_to_look_up_by_finds_nothing(
    store: MongoTokenStore, fields: dict[str, Any]
) -> None:
    saved(store, full())

    assert store.find_token(make_token(**fields)) is None


def test_nothing_to_look_up_by_is_inserted(store: MongoTokenStore) -> None:
    id = saved(store, full())

    another = saved(store, make_token(access_token="1000.access", client_id="1000.CLIENT"))

    assert another != id
    assert len(store.get_tokens()) == 2


def test_a_found_token_is_one_that_the_constructor_made(store: MongoTokenStore) -> None:
    """The SDK reads private attributes that only the constructor sets."""
    id = saved(store, full())
    made = set(vars(full()))

    assert made <= set(vars(store.find_token_by_id(id)))
    assert all(made <= set(vars(token)) for token in store.get_tokens())


def test_the_stored_pair_wins(store: MongoTokenStore) -> None:
    saved(store, full(access_token="new", expires_in="1795532948123"))
    stale = make_token(user_name=ADA, access_token="old", expires_in="1795529348123")

    store.find_token(stale)

    assert (stale.get_access_token(), stale.get_expires_in()) == ("new", "1795532948123")


def test_an_access_token_without_expiry_is_not_given_the_callers(store: MongoTokenStore) -> None:
    saved(store, make_token(user_name=ADA, access_token="new"))
    stale = make_token(user_name=ADA, access_token="old", expires_in="1795529348123")

    store.find_token(stale)

    assert (stale.get_access_token(), stale.get_expires_in()) == ("new", None)


def test_given_fields_other_than_the_pair_stay(store: MongoTokenStore) -> None:
    saved(store, full())
    token = make_token(
        user_name=ADA, redirect_url="https://example.com/mine", client_secret="corrected"
    )

    store.find_token(token)

    assert token.get_redirect_url() == "https://example.com/mine"
    assert token.get_client_secret() == "corrected"
    assert token.get_api_domain() == "http://127.0.0.1:1"


def test_an_unknown_id_is_kept_on_an_insert(store: MongoTokenStore) -> None:
    assert saved(store, full(id="mine")) == "mine"
    assert contents(store.find_token_by_id("mine")) == contents(full(id="mine"))


def test_an_unknown_id_goes_on_down_the_list(store: MongoTokenStore) -> None:
    id = saved(store, full())

    assert saved(store, full(id="unknown")) == id
    assert len(store.get_tokens()) == 1


def test_a_user_adopts_a_document_without_a_name(store: MongoTokenStore) -> None:
    id = saved(store, full(user_name=None))

    assert saved(store, full(access_token="new")) == id
    assert contents(store.find_token(make_token(user_name=ADA)))["access_token"] == "new"


@pytest.mark.parametrize("key", ["access token", "grant token", "refresh token"])
def test_two_users_are_never_mixed(store: MongoTokenStore, key: str) -> None:
    ada = saved(store, make_token(user_name=ADA, **STORED))
    fields = ADOPTIONS[key]

    assert store.find_token(make_token(user_name=BOB, **fields)) is None
    bob = saved(store, make_token(user_name=BOB, **fields))

    assert bob != ada
    assert contents(store.find_token_by_id(ada)) == STORED | {"id": ada, "user_name": ADA}
    assert contents(store.find_token_by_id(bob)) == fields | {"id": bob, "user_name": BOB}


# Two applications of one user. The SDK's name of a user does not say by which one.
FIRST = {"client_id": "1000.FIRST", "client_secret": "S1", "user_name": ADA}
SECOND = {"client_id": "1000.SECOND", "client_secret": "S2", "user_name": ADA}


@pytest.mark.parametrize("id", [None, "own"])
def test_two_clients_are_never_mixed(store: MongoTokenStore, id: str | None) -> None:
    first = saved(store, make_token(id=id, access_token="A1", refresh_token="R1", **FIRST))

    for brought in ({}, {"refresh_token": "R1"}, {"grant_token": "G"}, {"id": first}):
        assert store.find_token(make_token(**SECOND, **brought)) is None
    second = saved(
        store, make_token(id=id, access_token="A2", refresh_token="R2", grant_token="G2", **SECOND)
    )

    assert second != first
    assert len(store.get_tokens()) == 2
    # The newest save has the name; each is found by its id and its credentials.
    found = store.find_token(make_token(**SECOND))
    assert contents(found)["access_token"] == "A2"
    assert store.find_token(make_token(**FIRST)) is None
    assert contents(store.find_token(make_token(**FIRST, refresh_token="R1")))["id"] == first
    for owner, id, access_token in ((FIRST, first, "A1"), (SECOND, second, "A2")):
        assert (
            contents(store.find_token(make_token(id=id, **owner)))["access_token"] == access_token
        )
        stored = contents(store.find_token_by_id(id))
        assert (stored["client_id"], stored["access_token"]) == (owner["client_id"], access_token)
    # A save by the first takes the name back, and nothing else.
    saved(store, make_token(id=first, access_token="A3", **FIRST))
    assert contents(store.find_token(make_token(**FIRST)))["access_token"] == "A3"
    assert contents(store.find_token_by_id(second))["access_token"] == "A2"


def test_an_unknown_client_is_no_other_client(store: MongoTokenStore) -> None:
    id = saved(store, make_token(user_name=ADA, access_token="A1"))

    assert saved(store, make_token(access_token="A2", **FIRST)) == id
    assert contents(store.find_token(make_token(user_name=ADA)))["access_token"] == "A2"


@pytest.mark.parametrize("brought", [{"grant_token": "G2"}, {"refresh_token": "R2"}])
def test_a_login_is_not_answered_by_what_it_replaces(
    store: MongoTokenStore, brought: dict[str, str]
) -> None:
    named = {"user_name": ADA, **CLIENT}
    old = {"grant_token": "G1", "refresh_token": "R1"}
    id = saved(store, make_token(access_token="A1", expires_in="1795529348123", **old, **named))

    assert store.find_token(make_token(**named, **brought)) is None
    new = {"access_token": "A2", "refresh_token": "R2", "expires_in": "1795532948123"}
    assert saved(store, make_token(**{**named, **new, **brought})) == id

    for known in ({}, brought, *({field: old[field]} for field in old)):
        found = contents(store.find_token(make_token(**named, **known)))
        assert {field: found[field] for field in new} == new


def test_the_newest_save_owns_the_user_name(store: MongoTokenStore) -> None:
    first = saved(store, make_token(user_name=ADA, refresh_token="R1", **CLIENT))
    second = saved(store, make_token(user_name=BOB, refresh_token="R2", **CLIENT))

    saved(store, make_token(id=second, user_name=ADA))

    assert contents(store.find_token(make_token(user_name=ADA)))["id"] == second
    assert contents(store.find_token_by_id(first)) == {"id": first, "refresh_token": "R1", **CLIENT}
    assert contents(store.find_token(make_token(refresh_token="R1", **CLIENT)))["id"] == first


@pytest.mark.parametrize("fields", [{"user_name": ADA}, {"id": "7"}])
def test_an_insert_needs_a_credential(store: MongoTokenStore, fields: dict[str, str]) -> None:
    token = make_token(**fields)

    with fails("save_token failed: .* needs an access, refresh or grant token"):
        store.save_token(token)

    assert store.get_tokens() == []
    assert contents(token) == fields


def test_empty_texts_are_absent(store: MongoTokenStore) -> None:
    id = saved(store, full())
    blank = make_token(id=id, access_token="", refresh_token="", client_id="", redirect_url="")
    blank.set_user_signature(UserSignature(""))
    blank.set_expires_in("")

    saved(store, blank)
    token = make_token(user_name=ADA, refresh_token="", api_domain="")
    store.find_token(token)

    assert contents(store.find_token_by_id(id)) == contents(full(id=id))
    assert contents(token) == contents(full(id=id))


def test_iter_tokens_in_batches(store: MongoTokenStore) -> None:
    ids = {saved(store, make_token(access_token=f"A{n}")) for n in range(5)}

    for batch_size in (1, 2, 5, 1000):
        tokens = store.iter_tokens(batch_size=batch_size)
        assert isinstance(next(tokens), OAuthToken)
        assert 1 + len(list(tokens)) == 5
    assert {token.get_id() for token in store.iter_tokens()} == ids


@pytest.mark.parametrize("batch_size", [0, -1, True, 1.5, "7", None])
def test_iter_tokens_refuses_what_is_no_batch_size(store: MongoTokenStore, batch_size: Any) -> None:
    with fails("iter_tokens failed: batch_size must be a positive int"):
        next(store.iter_tokens(batch_size=batch_size))


def test_repr_shows_the_collection_and_no_secret(store: MongoTokenStore) -> None:
    assert repr(store) == "MongoTokenStore(collection 'oauthtoken', open)"
    store.close()
    assert repr(store) == "MongoTokenStore(collection 'oauthtoken', closed)"
