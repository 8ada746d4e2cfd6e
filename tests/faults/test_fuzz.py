"""Whatever a caller passes, or a document holds: an answer or the documented error, no more.

``ZOHO_MONGO_FUZZ_CASES`` sets how many cases each test tries (200 by default);
docs/explain/reliability.md has the figures of a long run.
"""

import os
from collections.abc import Callable
from typing import Any

import mongomock
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tokens import TEXT_FIELDS, contents, make_token
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.errors import TOKEN_STORE, InvalidInputError, failure
from zoho_mongo_store.model.document import expires_in_of, expiry_date
from zoho_mongo_store.sdk import OAuthToken, SDKException, UserSignature

CASES = int(os.environ.get("ZOHO_MONGO_FUZZ_CASES", "200"))
MARK = "s3cr3t"

fuzz = settings(
    max_examples=CASES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

# Any text that UTF-8 can hold, the ones that MongoDB might read as something else among them.
texts = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=40),
    st.sampled_from(["$ne", "a.b", "", " ", "\0", "{'$gt': ''}", "ﬀ", "İ", "0"]),
)
junk = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.binary(max_size=10),
        st.text(max_size=20),
        st.datetimes(),
        st.builds(object),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["$ne", "$gt", "$where", "$regex", "a"]), inner, max_size=2
        ),
    ),
    max_leaves=5,
)
expiries = st.one_of(
    st.none(),
    st.integers(-(10**16), 10**16).map(str),
    st.integers(),
    st.text("0123456789-+. eExX_\u0661", max_size=18),
)


def store_with(*tokens: OAuthToken) -> MongoTokenStore:
    """A store of its own, with these tokens in it."""
    store = MongoTokenStore(client=mongomock.MongoClient(), create_indexes=False)
    for token in tokens:
        store.save_token(token)
    return store


def tried(operation: Callable[[], Any]) -> tuple[bool, Any]:
    """Whether it succeeded, and with what; any other error than the documented one fails."""
    try:
        return True, operation()
    except SDKException as error:
        failed = error
    assert failed.code == TOKEN_STORE
    assert failed.__context__ is None
    return False, failed


@st.composite
def tokens(draw: st.DrawFn, values: st.SearchStrategy[Any] = texts) -> OAuthToken:
    """A token whose fields are, or are not, what they should be."""
    token = make_token(access_token="A")
    for field in TEXT_FIELDS:
        if draw(st.booleans()):
            getattr(token, f"set_{field}")(draw(values))
    expires_in: Any = draw(expiries)
    token.set_expires_in(expires_in)
    if draw(st.booleans()):
        token.set_user_signature(UserSignature(draw(values)))
    return token


def is_right(token: OAuthToken) -> bool:
    """Whether each field is a text that UTF-8 holds."""
    signature = token.get_user_signature()
    values = [getattr(token, f"get_{field}")() for field in TEXT_FIELDS]
    values.append(signature.get_name() if signature else None)
    for value in values:
        if value is None:
            continue
        if not isinstance(value, str):
            return False
        try:
            value.encode()
        except UnicodeEncodeError:
            return False
    return True


@fuzz
@given(tokens())
def test_what_is_saved_is_found(token: OAuthToken) -> None:
    store = store_with()
    given_fields = {name: value for name, value in contents(token).items() if value != ""}
    saved, _ = tried(lambda: store.save_token(token))
    documents = list(store.collection.find())
    if not saved:
        assert documents == []
        return
    assert len(documents) == 1
    found = store.find_token_by_id(str(token.get_id()))
    given_fields["id"] = token.get_id()
    if "expires_in" in given_fields:
        given_fields["expires_in"] = str(given_fields["expires_in"])
    assert contents(found) == given_fields


@fuzz
@given(tokens(st.one_of(texts, junk)))
def test_a_value_is_data_or_refused(token: OAuthToken) -> None:
    other = make_token(user_name="somebody else", access_token="other", id="other")
    store = store_with(other)
    before = store.collection.find_one({"id": "other"})
    found, _ = tried(lambda: store.find_token(token))
    saved, _ = tried(lambda: store.save_token(token))

    if not is_right(token):
        assert not found
        assert not saved
    after = list(store.collection.find())
    assert len(after) == 1 + saved
    assert before in after


@fuzz
@given(junk)
def test_an_id_is_a_text_or_refused(id: Any) -> None:
    store = store_with(make_token(access_token="A", id="7"))
    for method in (store.find_token_by_id, store.delete_token):
        succeeded, answer = tried(lambda: method(id))  # noqa: B023 - called at once
        assert succeeded <= isinstance(id, str)
        assert not succeeded or id == "7" or answer is None
    assert id == "7" or store.collection.count_documents({}) == 1


@fuzz
@given(junk)
def test_no_token_is_refused(value: Any) -> None:
    store = store_with()
    for method in (store.find_token, store.save_token):
        assert not tried(lambda: method(value))[0]  # noqa: B023 - called at once
    assert store.collection.count_documents({}) == 0


@fuzz
@given(st.one_of(expiries, junk))
def test_an_expiry_comes_back_exactly_or_is_refused(value: Any) -> None:
    try:
        date = expiry_date(value)
    except InvalidInputError:
        return
    assert expires_in_of(date) == str(value)


def encodable(value: Any) -> bool:
    """Whether BSON has such a value."""
    from bson import encode

    try:
        encode({"value": value})
    except Exception:
        return False
    return True


@fuzz
@given(st.dictionaries(st.sampled_from([*TEXT_FIELDS, "user_name", "expiry_time"]), junk))
def test_any_document_is_a_token_or_damaged(document: dict[str, Any]) -> None:
    document = {key: value for key, value in document.items() if encodable(value)}
    store = store_with()
    store.collection.insert_one(document | {"access_token": document.get("access_token", "A")})
    found, tokens = tried(store.get_tokens)
    if found:
        (token,) = tokens
        assert is_right(token)
        expires_in = token.get_expires_in()
        assert expires_in is None or isinstance(expires_in, str)


SETTINGS = ("timeout", "expire_idle_after", "cache", "database", "collection")


@fuzz
@given(st.dictionaries(st.sampled_from(SETTINGS), junk, min_size=1))
def test_a_setting_is_taken_or_refused(options: dict[str, Any]) -> None:
    tried(lambda: MongoTokenStore("mongodb://127.0.0.1:1", **options).close())


URI_PARTS = st.one_of(
    st.sampled_from("/:@?&=,%#[]"),
    st.sampled_from(["mongodb", "+srv", "://", "%40", "::1", "host", "27017", "99999", "-1", "ü"]),
    st.sampled_from(["tls", "true", "w", "authMechanism", "GSSAPI", "authMechanismProperties"]),
    st.sampled_from(["authSource", "timeoutMS", "replicaSet", "tlsCAFile", "\0", " "]),
)


@pytest.mark.filterwarnings("ignore::UserWarning")
@fuzz
@given(st.lists(URI_PARTS, max_size=12), st.lists(URI_PARTS, max_size=6))
def test_a_uri_is_taken_or_refused_without_its_password(
    before: list[str], after: list[str]
) -> None:
    password = f"{MARK}{''.join(before)}"
    uri = f"mongodb://user:{password}@{''.join(after)}"
    succeeded, answer = tried(lambda: MongoTokenStore(uri))
    assert MARK not in (repr(answer) if succeeded else f"{answer} {answer.__cause__!r}")


@fuzz
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=30), st.integers(0, 20000))
def test_a_server_error_shows_no_value(value: str, code: int) -> None:
    from pymongo.errors import DuplicateKeyError, OperationFailure

    marked = f"{MARK}{value}"
    details: dict[str, Any] = {
        "code": code,
        "errmsg": f'dup key: {{ access_token: "{marked}" }}',
        "keyValue": {"access_token": marked},
        "writeErrors": [{"op": {"access_token": marked}}],
    }
    for kind in (OperationFailure, DuplicateKeyError):
        failed = failure("save_token", kind(details["errmsg"], code, details))
        assert MARK not in f"{failed} {failed!r} {failed.__cause__!r} {vars(failed.__cause__)}"


# Of year 1 and of year 9999, in milliseconds since 1970.
FIRST, LAST = -62_135_596_800_000, 253_402_300_799_999


@fuzz
@given(st.one_of(st.integers(-(10**20), 10**20), st.integers(FIRST - 9, FIRST + 9)))
def test_milliseconds_are_exact(milliseconds: int) -> None:
    try:
        date = expiry_date(milliseconds)
    except InvalidInputError:
        assert not FIRST <= milliseconds <= LAST
        return
    assert expires_in_of(date) == str(milliseconds)
