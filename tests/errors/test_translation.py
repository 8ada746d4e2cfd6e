"""Errors: one SDKException with what failed, what to do and the cause, and without any secret."""

import logging
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConfigurationError,
    CursorNotFound,
    DocumentTooLarge,
    DuplicateKeyError,
    ExecutionTimeout,
    InvalidURI,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WriteError,
)

from tests import tokens
from tests.engines import SERVERS
from tests.failures import fails
from tests.tokens import make_token
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.errors import InvalidInputError, StoreError, failure, is_unreachable, redacted
from zoho_mongo_store.sdk import OAuthToken, SDKException, UserSignature

MARK = "MARKED"
SECRETS = {
    "client_secret": "MARKED-client-secret",
    "refresh_token": "MARKED-refresh",
    "access_token": "MARKED-access",
    "grant_token": "MARKED-grant",
}


def secret_token(**fields: Any) -> OAuthToken:
    return make_token(client_id="1000.CLIENT", user_name="ada", **SECRETS, **fields)


QUOTED = f'E11000 duplicate key error dup key: {{ refresh_token: "{SECRETS["refresh_token"]}" }}'
COMMAND = f"not authorized to execute command {{ findAndModify: {SECRETS!r} }}"


def server_error(kind: type[OperationFailure], code: int, name: str, text: str) -> OperationFailure:
    details = {"errmsg": text, "code": code, "codeName": name, "keyValue": SECRETS, "op": SECRETS}
    return kind(text, code, details)


def raised(error: Exception) -> Exception:
    """``error`` with a traceback whose frames hold secrets, and another error before it."""
    fields = dict(SECRETS)
    try:
        try:
            raise ValueError(f"bad {fields}")
        except ValueError:
            raise error  # noqa: B904 - the context is what matters
    except Exception as caught:
        return caught


# What MongoDB, its driver or Python may raise, quoting what was sent; and what is said of it.
ERRORS: dict[str, tuple[Exception, type[Exception], str]] = {
    "duplicate key": (
        server_error(DuplicateKeyError, 11000, "DuplicateKey", QUOTED),
        DuplicateKeyError,
        "DuplicateKey, code 11000",
    ),
    "unauthorized": (
        server_error(OperationFailure, 13, "Unauthorized", COMMAND),
        OperationFailure,
        "the MongoDB role may not do this: grant it find, insert, update and remove",
    ),
    "log-in": (
        server_error(OperationFailure, 18, "AuthenticationFailed", COMMAND),
        OperationFailure,
        "refused the log-in: check the user, the password and authSource",
    ),
    "atlas": (
        server_error(OperationFailure, 8000, "AtlasError", COMMAND),
        OperationFailure,
        "the MongoDB role may not do this",
    ),
    "validation": (
        server_error(WriteError, 121, "DocumentValidationFailure", COMMAND),
        WriteError,
        "document validator that rejects the token.*DocumentValidationFailure, code 121",
    ),
    "execution time-out": (
        server_error(ExecutionTimeout, 50, "MaxTimeMSExpired", COMMAND),
        ExecutionTimeout,
        "cannot be reached, or did not answer in time",
    ),
    "lost cursor": (
        server_error(CursorNotFound, 43, "CursorNotFound", COMMAND),
        CursorNotFound,
        "CursorNotFound, code 43",
    ),
    "bulk write": (BulkWriteError({"writeErrors": [SECRETS]}), OperationFailure, "code 65"),
    "no server": (
        ServerSelectionTimeoutError(f"no server for {SECRETS}"),
        ServerSelectionTimeoutError,
        "check that it is running and that the URI is right",
    ),
    "connection": (
        AutoReconnect(f"closed {SECRETS}"),
        AutoReconnect,
        "MongoDB cannot be reached, or did not answer in time",
    ),
    "network time-out": (
        NetworkTimeout(f"timed out {SECRETS}"),
        NetworkTimeout,
        "MongoDB cannot be reached, or did not answer in time",
    ),
    "not primary": (
        NotPrimaryError(f"not primary {SECRETS}", {"errmsg": QUOTED}),
        NotPrimaryError,
        "MongoDB cannot be reached",
    ),
    "configuration": (
        ConfigurationError(f"wrong option {SECRETS}"),
        ConfigurationError,
        "wrong option",
    ),
    "uri": (InvalidURI(f"wrong {SECRETS}"), StoreError, "the MongoDB URI cannot be read"),
    "size": (DocumentTooLarge(f"large {SECRETS}"), StoreError, "larger than the maximum size"),
    "driver": (
        PyMongoError(f"wrong {SECRETS}"),
        StoreError,
        r"PyMongoError at test_translation.py:\d",
    ),
    "program": (KeyError(f"wrong {SECRETS}"), StoreError, r"KeyError at test_translation.py:\d"),
    "input": (InvalidInputError("id is wrong"), InvalidInputError, "id is wrong"),
}


def everything_shown(error: BaseException) -> str:
    """All that may be seen of an error: its texts, its causes and what its frames hold."""
    shown = list(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    following: BaseException | None = error
    while following is not None:
        shown += [str(following), repr(following), repr(following.args), repr(vars(following))]
        shown += [repr(getattr(following, "details", None)), repr(following.__context__)]
        following = following.__cause__
    return "\n".join(shown)


@pytest.mark.parametrize("name", ERRORS)
def test_a_failure_says_what_to_do_and_shows_no_secret(name: str) -> None:
    error, cause, text = ERRORS[name]

    failed = failure("save_token", raised(error), SECRETS.values())

    assert isinstance(failed, SDKException)
    assert failed.code == "TOKEN_STORE"
    assert str(failed).startswith("Caused By: TOKEN_STORE - save_token failed: ")
    assert pytest.RaisesExc(SDKException, match=text).matches(failed)
    assert isinstance(failed.cause, cause)
    assert failed.cause is failed.__cause__
    assert failed.cause.__traceback__ is None
    assert MARK not in everything_shown(failed)


@pytest.mark.parametrize("name", ERRORS)
def test_a_failing_method_shows_no_secret(
    store: MongoTokenStore,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    name: str,
) -> None:
    """Neither in the error, nor in a frame that the error leads to, nor in a log record."""

    def fail(_: object, fields: dict[str, Any], **__: object) -> None:
        assert SECRETS.items() <= fields.items()
        raise raised(ERRORS[name][0])

    monkeypatch.setattr("zoho_mongo_store.storage.writing.upsert", fail)
    with fails(f"save_token failed: .*{ERRORS[name][2]}") as caught:
        store.save_token(secret_token())

    assert isinstance(caught.value.__cause__, ERRORS[name][1])
    assert MARK not in everything_shown(caught.value)
    (record,) = [record for record in caplog.records if "save_token failed: " in record.message]
    assert (record.name, record.levelno) == ("zoho_mongo_store", logging.ERROR)
    assert MARK not in caplog.text


CALLS: dict[str, Callable[[MongoTokenStore], object]] = {
    "find_token": lambda store: store.find_token(secret_token()),
    "find_token_by_id": lambda store: store.find_token_by_id("7"),
    "save_token": lambda store: store.save_token(secret_token()),
    "delete_token": lambda store: store.delete_token("7"),
    "delete_tokens": lambda store: store.delete_tokens(),
    "get_tokens": lambda store: store.get_tokens(),
    "iter_tokens": lambda store: list(store.iter_tokens()),
    "ensure_indexes": lambda store: store.ensure_indexes(),
}


@pytest.mark.parametrize("operation", CALLS)
def test_every_method_fails_alike(operation: str, caplog: pytest.LogCaptureFixture) -> None:
    with (
        MongoTokenStore("mongodb://127.0.0.1:1", timeout=0.2) as store,
        fails(f"{operation} failed: MongoDB cannot be reached") as caught,
    ):
        CALLS[operation](store)
    assert isinstance(caught.value.cause, ServerSelectionTimeoutError)
    assert caught.value.__context__ is None
    assert f"{operation} failed: MongoDB cannot be reached" in caplog.text
    assert MARK not in everything_shown(caught.value) + caplog.text


@pytest.mark.parametrize("engine", SERVERS, indirect=True)
def test_no_log_record_at_any_level_shows_a_secret(
    store: MongoTokenStore, caplog: pytest.LogCaptureFixture
) -> None:
    # pymongo's own logs commands whole, if it is told to; that is the user's choice.
    logging.getLogger("pymongo.command").setLevel(logging.INFO)
    with caplog.at_level(logging.DEBUG):
        token = secret_token()
        store.save_token(token)
        store.find_token(make_token(user_name="ada"))
        store.find_token(make_token(access_token=SECRETS["access_token"]))
        store.get_tokens()
        store.delete_token(str(token.get_id()))

    assert MARK not in caplog.text


DAMAGED: dict[str, dict[str, Any]] = {
    "access_token": {"access_token": {"token": SECRETS["access_token"]}},
    "expiry_time": {"expiry_time": SECRETS["access_token"]},
    "user_name": {"user_name": [SECRETS["access_token"]]},
}


@pytest.mark.parametrize("field", DAMAGED)
def test_a_damaged_document_is_named_and_not_quoted(store: MongoTokenStore, field: str) -> None:
    inserted = store.collection.insert_one({"id": "7", **DAMAGED[field]}).inserted_id
    text = f"the document .*{inserted}.* is damaged: its {field} is of type"

    for operation, call in (
        ("find_token_by_id", lambda: store.find_token_by_id("7")),
        ("find_token", lambda: store.find_token(make_token(id="7"))),
        ("get_tokens", lambda: store.get_tokens()),
        ("iter_tokens", lambda: list(store.iter_tokens())),
    ):
        with fails(f"{operation} failed: {text}") as caught:
            call()
        assert MARK not in everything_shown(caught.value)


def test_a_secret_in_the_uri_is_masked() -> None:
    error = ConfigurationError("wrong p%40ss and p@ss")

    assert str(redacted(error, ["p%40ss", "p@ss"])) == "wrong *** and ***"


def test_the_right_parts_of_a_server_error_are_kept() -> None:
    details = {"keyPattern": {"user_name": 1}, "keyValue": {"user_name": "ada"}, "code": 11000}

    cause = redacted(DuplicateKeyError(QUOTED, 11000, details))

    assert isinstance(cause, DuplicateKeyError)
    assert cause.code == 11000
    assert cause.details == {"keyPattern": {"user_name": 1}, "code": 11000}


def labelled(error: PyMongoError, label: str) -> PyMongoError:
    error._add_error_label(label)
    return error


@pytest.mark.parametrize(
    ("error", "unreachable"),
    [
        (ServerSelectionTimeoutError("away"), True),
        (AutoReconnect("closed"), True),
        (NetworkTimeout("late"), True),
        (ExecutionTimeout("late", 50), True),
        (labelled(OperationFailure("stepping down", 189), "RetryableWriteError"), True),
        (OperationFailure("no", 13), False),
        (DuplicateKeyError("no", 11000), False),
        (DocumentTooLarge("no"), False),
        (StoreError("no"), False),
        (TimeoutError("no"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_may_work_later(error: Exception, unreachable: bool) -> None:
    assert is_unreachable(error) is unreachable


def test_a_token_shows_nothing_of_itself() -> None:
    """The frames of a caller may hold tokens: their ``repr`` is the SDK's, which is none."""
    token = tokens.full(user_name="ada")

    assert "1000" not in repr(token) + repr(UserSignature("1000"))
