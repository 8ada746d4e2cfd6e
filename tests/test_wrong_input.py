"""Wrong input: refused with a clear error before anything is sent, and never a query operator."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.conftest import PATIENCE
from tests.engines import SERVERS
from tests.failures import fails
from tests.tokens import TEXT_FIELDS, contents, full, make_token
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.sdk import OAuthToken, UserSignature

LONE_SURROGATE = "\ud800"
# No texts, the first few of which MongoDB would read as operators.
NO_TEXTS: list[Any] = [
    {"$ne": None},
    {"$gt": ""},
    {"$regex": ".*"},
    {"$exists": True},
    ["7"],
    [{"$ne": None}],
    {},
    [],
    7,
    0,
    1.5,
    True,
    False,
    b"7",
    datetime(2026, 1, 1, tzinfo=UTC),
    object(),
]
NO_TOKENS: list[Any] = [None, "7", {"id": "7"}, {"$ne": None}, OAuthToken, UserSignature("ada"), 7]
NO_EXPIRIES: list[Any] = [
    "soon",
    "1.5",
    "0x10",
    "1e12",
    "253402300800000",
    "-62135596800001",
    "9" * 10_000,
    True,
    1.5,
    {"$gt": 0},
    ["1"],
    LONE_SURROGATE,
]


def by_type(value: object) -> str:
    return type(value).__name__


Operation = Callable[[MongoTokenStore, OAuthToken], object]

OPERATIONS: dict[str, Operation] = {
    "find_token": MongoTokenStore.find_token,
    "save_token": MongoTokenStore.save_token,
}
BY_ID: dict[str, Callable[[MongoTokenStore, Any], object]] = {
    "find_token_by_id": MongoTokenStore.find_token_by_id,
    "delete_token": MongoTokenStore.delete_token,
}
operations = pytest.mark.parametrize("operation", OPERATIONS)
operations_by_id = pytest.mark.parametrize("operation", BY_ID)


@pytest.fixture
def unreachable() -> Iterator[MongoTokenStore]:
    """A store that has nothing to send to: an attempt would fail in other words."""
    with MongoTokenStore("mongodb://127.0.0.1:1", timeout=PATIENCE) as store:
        yield store


@operations
@pytest.mark.parametrize("field", TEXT_FIELDS)
def test_a_field_that_is_no_text(unreachable: MongoTokenStore, operation: str, field: str) -> None:
    for value in NO_TEXTS:
        token = make_token(access_token="A")
        getattr(token, f"set_{field}")(value)

        with fails(f"{operation} failed: {field} must be a string, not {by_type(value)}"):
            OPERATIONS[operation](unreachable, token)

        assert token.get_id() is (value if field == "id" else None)


@operations
def test_a_user_signature_with_a_name_that_is_no_text(
    unreachable: MongoTokenStore, operation: str
) -> None:
    for value in NO_TEXTS:
        token = OAuthToken(user_signature=UserSignature(value), access_token="A")

        with fails(f"{operation} failed: user_name must be a string, not {by_type(value)}"):
            OPERATIONS[operation](unreachable, token)


@operations
@pytest.mark.parametrize("value", ["ada", {"$ne": None}, 7], ids=by_type)
def test_no_user_signature(unreachable: MongoTokenStore, operation: str, value: Any) -> None:
    token = make_token(access_token="A")
    token.set_user_signature(value)

    with fails(f"{operation} failed: user_signature must be a UserSignature"):
        OPERATIONS[operation](unreachable, token)


@operations_by_id
def test_an_id_that_is_no_text(unreachable: MongoTokenStore, operation: str) -> None:
    for value in [None, *NO_TEXTS]:
        with fails(f"{operation} failed: id must be a string, not {by_type(value)}"):
            BY_ID[operation](unreachable, value)


@operations
def test_no_token(unreachable: MongoTokenStore, operation: str) -> None:
    for value in NO_TOKENS:
        with fails(f"{operation} failed: a token must be an OAuthToken, not {by_type(value)}"):
            OPERATIONS[operation](unreachable, value)


@operations
@pytest.mark.parametrize("field", [*TEXT_FIELDS, "user_name"])
def test_a_lone_surrogate_in_a_field(
    unreachable: MongoTokenStore, operation: str, field: str
) -> None:
    token = make_token(**{"access_token": "A", field: f"secret{LONE_SURROGATE}"})

    with fails(f"{operation} failed: {field} contains a lone surrogate") as caught:
        OPERATIONS[operation](unreachable, token)

    assert "secret" not in str(caught.value).replace(field, "")


@operations_by_id
def test_a_lone_surrogate_as_id(unreachable: MongoTokenStore, operation: str) -> None:
    with fails(f"{operation} failed: id contains a lone surrogate"):
        BY_ID[operation](unreachable, LONE_SURROGATE)


@operations
def test_no_expiry(unreachable: MongoTokenStore, operation: str) -> None:
    for value in NO_EXPIRIES:
        with fails(f"{operation} failed: expires_in must be "):
            OPERATIONS[operation](unreachable, full(expires_in=value))


@pytest.mark.parametrize("field", ["access_token", "user_name", "redirect_url"])
@pytest.mark.parametrize("engine", SERVERS, indirect=True)
def test_a_token_larger_than_a_document_may_be(store: MongoTokenStore, field: str) -> None:
    store.save_token(full())
    stored = list(store.collection.find())
    token = make_token(**{"access_token": "A", field: "x" * (17 << 20)})

    with fails("save_token failed: the token is larger than the maximum size") as caught:
        store.save_token(token)

    assert len(str(caught.value)) < 1000
    assert token.get_id() is None
    assert list(store.collection.find()) == stored


@pytest.mark.parametrize("engine", SERVERS, indirect=True)
def test_a_large_token_is_stored(store: MongoTokenStore) -> None:
    token = make_token(access_token="A", redirect_url="x" * (15 << 20))

    store.save_token(token)

    assert contents(store.find_token_by_id(str(token.get_id()))) == contents(token)


@pytest.mark.parametrize(
    "text", ["$ne", "$access_token", "a.b", "{'$ne': None}", "\0", "a\0b", " "]
)
def test_any_text_is_data(store: MongoTokenStore, text: str) -> None:
    store.save_token(full())
    fields = dict.fromkeys([*TEXT_FIELDS, "user_name"], text)

    assert store.find_token_by_id(text) is None
    assert store.find_token(make_token(user_name=text)) is None
    store.save_token(make_token(**fields))
    assert contents(store.find_token_by_id(text)) == fields
    store.delete_token(text)
    assert [token.get_refresh_token() for token in store.get_tokens()] == ["1000.refresh"]
