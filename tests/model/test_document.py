"""A token as a document, and back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tokens import FIELDS, contents, full, make_token
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.errors import InvalidInputError, StoreError
from zoho_mongo_store.model.document import expires_in_of, expiry_date, now
from zoho_mongo_store.model.token import fill, from_document, to_document
from zoho_mongo_store.sdk import OAuthToken, UserSignature, secrets_of

# The milliseconds of the years 1 to 9999, which is what a datetime can hold.
FIRST, LAST = -62135596800000, 253402300799999
# MongoDB holds any text but a lone surrogate.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
CREDENTIALS = ("refresh_token", "access_token", "grant_token")
OTHERS = ("client_id", "client_secret", "redirect_url", "api_domain", "user_name")


def tokens(*required: str) -> st.SearchStrategy[dict[str, str]]:
    """The fields of any token with an id and these."""
    optional = {name: TEXTS for name in (*CREDENTIALS, *OTHERS) if name not in required}
    expiry = st.integers(FIRST, LAST).map(str)
    return st.fixed_dictionaries(
        {"id": TEXTS, **dict.fromkeys(required, TEXTS)}, optional={**optional, "expires_in": expiry}
    )


@given(tokens())
def test_round_trip(fields: dict[str, str]) -> None:
    document = to_document(make_token(**fields))

    assert set(document) == {"expiry_time" if name == "expires_in" else name for name in fields}
    assert contents(from_document(document)) == fields


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(fields=tokens("access_token"))
def test_round_trip_through_an_engine(store: MongoTokenStore, fields: dict[str, str]) -> None:
    store.delete_tokens()
    store.save_token(make_token(**fields))

    assert contents(store.find_token_by_id(fields["id"])) == fields
    document = store.collection.find_one({})
    assert document is not None
    extra = {"_id", "created_at", "updated_at", "known_credentials"}
    assert set(document) - extra == set(to_document(make_token(**fields)))


def test_the_fields_are_named_as_the_columns_of_the_sdk() -> None:
    assert to_document(full(id="7")) == {
        "id": "7",
        "user_name": "ada@example.com:1",
        "client_id": "1000.CLIENT",
        "client_secret": "client-secret",
        "refresh_token": "1000.refresh",
        "access_token": "1000.access",
        "grant_token": "1000.grant",
        "expiry_time": datetime(2026, 11, 24, 14, 9, 8, 123000, tzinfo=UTC),
        "redirect_url": "https://example.com/callback",
        "api_domain": "http://127.0.0.1:1",
    }


def test_absent_and_empty_fields_are_left_out() -> None:
    token = make_token(id="7")
    for field in FIELDS[1:]:
        getattr(token, f"set_{field}")("")
    token.set_user_signature(UserSignature(""))

    assert to_document(make_token(id="7")) == {"id": "7"}
    assert to_document(token) == {"id": "7"}


def test_stored_empty_texts_are_read_as_absent() -> None:
    """As in documents that were imported from the MySQL store."""
    assert contents(from_document({"id": "7", "user_name": "", "grant_token": ""})) == {"id": "7"}


@given(st.integers(FIRST, LAST))
def test_an_expiry_comes_back_to_the_millisecond(milliseconds: int) -> None:
    date = expiry_date(str(milliseconds))

    assert date == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    assert expires_in_of(date) == str(milliseconds)
    assert expiry_date(milliseconds) == date


@pytest.mark.parametrize("milliseconds", [FIRST, -1, 0, 1, LAST])
def test_an_expiry_at_the_edge_comes_back_from_an_engine(
    store: MongoTokenStore, milliseconds: int
) -> None:
    token = full(id="7", expires_in=str(milliseconds))
    store.save_token(token)

    found = store.find_token_by_id("7")

    assert found is not None
    assert found.get_expires_in() == str(milliseconds)


@pytest.mark.parametrize(
    "expires_in",
    [
        "soon",
        " 1",
        "1 ",
        "1.5",
        "1e3",
        "+1",
        "01",
        "-0",
        "--1",
        "0x10",
        "1_000",
        "\u0661\u0662",
        "\u00b2",
        str(FIRST - 1),
        str(LAST + 1),
        FIRST - 1,
        LAST + 1,
        "9" * 100_000,
        10**100_000,
        -(10**100_000),
        True,
        1.5,
        float("nan"),
        b"1",
        {"$gt": 0},
        datetime(2026, 1, 1, tzinfo=UTC),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_expiry_is_refused(expires_in: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"expires_in must be .*epoch milliseconds"):
        to_document(full(expires_in=expires_in))


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"id": ""},
        {"id": None},
        {"id": 7},
        {"id": "7", "access_token": b"A"},
        {"id": "7", "user_name": ["ada"]},
        {"id": "7", "expiry_time": "1795529348123"},
    ],
)
def test_a_document_that_is_no_tokens_is_named(document: dict[str, Any]) -> None:
    document["_id"] = ObjectId("6" * 24)

    for read in (from_document, lambda document: fill(make_token(id="7"), document)):
        with pytest.raises(StoreError, match=r"ObjectId\('666666666666666666666666'\)"):
            read(document)


@given(tokens(), tokens())
def test_filling_takes_only_what_is_absent_and_the_pair_whole(
    given: dict[str, str], stored: dict[str, str]
) -> None:
    token = make_token(**given)

    fill(token, to_document(make_token(**stored)))

    pair = ("access_token", "expires_in")
    expected = {name: value for name, value in (stored | given).items() if name not in pair}
    if "access_token" in stored:
        expected |= {name: stored[name] for name in pair if name in stored}
    elif "access_token" in given:
        expected |= {name: given[name] for name in pair if name in given}
    elif "expires_in" in stored | given:
        expected["expires_in"] = (stored | given)["expires_in"]
    assert contents(token) == expected


def test_the_secrets_of_a_token() -> None:
    assert secrets_of(full()) == ["client-secret", "1000.refresh", "1000.access", "1000.grant"]
    assert secrets_of(make_token(id="7")) == []
    assert secrets_of("no token") == []


def test_now_is_as_precise_as_a_bson_date() -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    moment = now()

    assert moment.microsecond % 1000 == 0
    assert before <= moment <= datetime.now(UTC)


def test_a_new_token_carries_the_users_signature() -> None:
    token = from_document({"id": "7", "user_name": "ada"})

    assert isinstance(token, OAuthToken)
    assert isinstance(token.get_user_signature(), UserSignature)
    assert from_document({"id": "7"}).get_user_signature() is None
