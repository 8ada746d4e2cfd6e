"""What is said of the answers of servers, MongoDB's own and hosted ones."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bson.int64 import Int64
from pymongo.errors import (
    AutoReconnect,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    WriteError,
)
from pymongo.server_description import ServerDescription

from tests.commands.conftest import CommandLine
from tests.conftest import PATIENCE
from tests.engines import SERVERS, Engine
from tests.failures import fails
from tests.sent_commands import Client
from tests.tokens import full
from tests.waiting import eventually
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.errors import failure, lacks_privilege, redacted
from zoho_mongo_store.testing import LocalMongo

MARK = "MARKED-access"
ATLAS = "AtlasError"

PRIVILEGES = "the MongoDB role may not do this: grant it find"
CREDENTIALS = "MongoDB refused the log-in: check the user"
QUOTA = "the Atlas cluster is over its storage quota: delete data, or move"
COLLECTIONS = "the Atlas cluster holds as many databases or collections as its tier allows"
RETRYABLE = "this server does not support retryable writes, .* add retryWrites=false to the URI"
RATE = "Azure Cosmos DB refused the command because its request rate is used up: try again later"
DISK = "the disk of the MongoDB server is full: free up space"
VALIDATOR = "the collection has a document validator that rejects the token: change it with"

# The answers' texts are those that users of these services reported; they may quote what was sent.
ANSWERS: list[tuple[int, str, str, str]] = [
    (8000, ATLAS, "bad auth : Authentication failed.", CREDENTIALS),
    (8000, ATLAS, "bad auth Authentication failed.", CREDENTIALS),
    (8000, ATLAS, "user is not allowed to do action [find] on [zohooauth.oauthtoken]", PRIVILEGES),
    (8000, ATLAS, "user is not allowed to do action [createIndex] on [zohooauth.auth]", PRIVILEGES),
    (8000, ATLAS, "not authorized on zohooauth to execute command {}", PRIVILEGES),
    (8000, ATLAS, "you are over your space quota, using 513 MB of 512 MB", QUOTA),
    (
        8000,
        ATLAS,
        "cannot create a new collection -- already using 501 collections of 500",
        COLLECTIONS,
    ),
    (8000, ATLAS, "something else", "MongoDB Atlas refused the command: check the cluster's"),
    (301, "", "Retryable writes are not supported", RETRYABLE),
    (
        2,
        "BadValue",
        'Retryable writes are not supported. Please disable retryable writes by specifying "retryw'
        'rites=false" in the connection string or an equivalent driver specific config.',
        RETRYABLE,
    ),
    (
        20,
        "IllegalOperation",
        "Transaction numbers are only allowed on a replica set member or mongos",
        RETRYABLE,
    ),
    (
        16500,
        "",
        "Error=16500, RetryAfterMs=34, Details='Response status code does not indicate success: "
        'TooManyRequests (429); Message: {"Errors":["Request rate is large."]}',
        RATE,
    ),
    (14031, "OutOfDiskSpace", "Cannot allocate", DISK),
    (8, "UnknownError", "28: No space left on device", DISK),
    (121, "DocumentValidationFailure", "Document failed validation", VALIDATOR),
    (13, "Unauthorized", "not authorized on zohooauth to execute command", PRIVILEGES),
    (13, "Unauthorized", "command find requires authentication", "MongoDB requires authentication"),
    (18, "AuthenticationFailed", "Authentication failed.", CREDENTIALS),
    (73, "InvalidNamespace", "Invalid namespace", "does not allow this name for a database"),
    (20, "IllegalOperation", "something", r"MongoDB refused the command \(IllegalOperation"),
    (67, "CannotCreateIndex", "something", r"refused the command \(CannotCreateIndex, code 67\)"),
]


@pytest.mark.parametrize("kind", [OperationFailure, WriteError])
@pytest.mark.parametrize(("code", "name", "text", "said"), ANSWERS)
def test_each_says_what_it_is_and_what_to_do(
    kind: type[OperationFailure], code: int, name: str, text: str, said: str
) -> None:
    details: dict[str, Any] = {"errmsg": f"{text} {MARK}", "code": code, "op": {"secret": MARK}}
    if name:
        details["codeName"] = name
    failed = failure("save_token", kind(f"{text} {MARK}", code, details))

    assert pytest.RaisesExc(Exception, match=f"save_token failed: .*{said}").matches(failed)
    assert f"({name}, code {code})".replace("(, ", "(") in str(failed)
    assert MARK not in f"{failed} {failed.cause!r} {failed.cause}"
    assert "full error" not in str(failed)


@pytest.mark.parametrize(
    ("code", "text", "lacks"),
    [
        (13, "not authorized on zoho to execute command", True),
        (13, "command find requires authentication", False),
        (8000, "user is not allowed to do action [listIndexes] on [zoho.tokens]", True),
        (8000, "bad auth : Authentication failed.", False),
        (18, "Authentication failed.", False),
    ],
)
def test_a_missing_privilege_is_told_from_a_log_in(code: int, text: str, lacks: bool) -> None:
    assert lacks_privilege(OperationFailure(text, code, {"code": code})) is lacks


def test_a_copy_without_the_answers_text_is_understood_as_the_original_is() -> None:
    quota = OperationFailure("you are over your space quota", 8000, {"code": 8000})
    assert pytest.RaisesExc(Exception, match=QUOTA).matches(failure("x", redacted(quota)))


@pytest.mark.parametrize(
    "error",
    [
        NotPrimaryError("not primary", {"code": 10107, "topologyVersion": {"counter": 6}}),
        OperationFailure("not primary", 13435, {"code": 13435, "topologyVersion": {"counter": 6}}),
    ],
)
def test_a_member_that_is_no_primary(error: PyMongoError) -> None:
    said = str(failure("save_token", error))
    assert "MongoDB cannot be reached at its primary: the member that was asked is a second" in said
    assert "directConnection=true" in said
    assert "topologyVersion" not in said


def test_a_handshake_that_atlas_ends() -> None:
    text = "SSL handshake failed: a:27017: [SSL: TLSV1_ALERT_INTERNAL_ERROR] tlsv1 alert internal"
    assert "this host's address is not on the project's IP access list" in str(
        failure("ping", AutoReconnect(text))
    )
    assert "IP access list" not in str(failure("ping", AutoReconnect("connection closed")))


# MongoDB's own answers.


@pytest.mark.parametrize("engine", SERVERS, indirect=True)
def test_a_document_validator(
    engine: Engine, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    """MongoDB's answer quotes the values that do not pass (``errInfo``, since 5.0)."""
    schema = {"properties": {"access_token": {"bsonType": "int"}}, "required": ["team"]}
    engine.client[database].create_collection("oauthtoken", validator={"$jsonSchema": schema})
    with (
        MongoTokenStore(client=engine.client, database=database, timeout=PATIENCE) as store,
        fails(f"save_token failed: {VALIDATOR}") as raised,
    ):
        store.save_token(full(access_token=MARK))
    assert (
        MARK
        not in f"{raised.value} {raised.value.cause!r} {vars(raised.value.cause)} {caplog.text}"
    )


@pytest.mark.parametrize("engine", SERVERS, indirect=True)
def test_a_document_validator_meets_an_import(
    engine: Engine, database: str, tmp_path: Path
) -> None:
    validator = {"$jsonSchema": {"required": ["team"]}}
    engine.client[database].create_collection("oauthtoken", validator=validator)
    tokens = tmp_path / "tokens.jsonl"
    tokens.write_text(f'{{"user_name": "ada", "refresh_token": "{MARK}", "access_token": "A"}}\n')
    cli = CommandLine({"ZOHO_MONGO_URI": engine.uri, "ZOHO_MONGO_DATABASE": database}, tmp_path)
    result = cli("import", "jsonl", str(tokens))
    assert result.status == 1
    assert f"import jsonl: {VALIDATOR}" in result.errors
    assert MARK not in result.errors


@pytest.fixture
def standalone() -> Iterator[LocalMongo]:
    with LocalMongo(standalone=True) as mongo:
        yield mongo


def test_retryable_writes_where_there_are_none(
    standalone: LocalMongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with an engine that says it is a replica set: pymongo then numbers its writes."""
    monkeypatch.setattr(ServerDescription, "retryable_writes_supported", True)
    uri = f"{standalone.uri.rstrip('/')}/?retryWrites="
    with (
        MongoTokenStore(f"{uri}true", database="zoho", timeout=PATIENCE) as store,
        fails(f"save_token failed: {RETRYABLE}"),
    ):
        store.save_token(full())
    with MongoTokenStore(f"{uri}false", database="zoho", timeout=PATIENCE) as store:
        store.save_token(full())

    with Client(standalone.uri) as client, client.start_session() as session:
        numbered = {"insert": "any", "documents": [{}], "txnNumber": Int64(1)}
        with pytest.raises(OperationFailure, match="Transaction numbers are only") as raised:
            client.zoho.command(numbered, session=session)
    assert pytest.RaisesExc(Exception, match=RETRYABLE).matches(failure("x", raised.value))


def test_a_full_disk(server: LocalMongo) -> None:
    with (
        Client(server.uri) as client,
        MongoTokenStore(server.uri, database="zoho", timeout=PATIENCE) as store,
    ):
        store.ensure_indexes()
        client.admin.command(
            "configureFailPoint",
            "failCommand",
            mode={"times": 1},
            data={"failCommands": ["findAndModify"], "errorCode": 14031},
        )
        with fails(f"save_token failed: {DISK}"):
            store.save_token(full())
        store.save_token(full())


def test_a_direct_connection_to_a_secondary(server: LocalMongo) -> None:
    [member] = server.members
    direct = f"mongodb://127.0.0.1:{member.port}/?directConnection=true"
    with Client(direct) as client:
        client.admin.command("replSetStepDown", 120, force=True)
        try:
            with (
                MongoTokenStore(direct, database="zoho", timeout=PATIENCE) as store,
                fails(
                    "MongoDB cannot be reached at its primary: .*directConnection=true"
                ) as raised,
            ):
                store.save_token(full())
            store._tokens._pending.forget()
        finally:
            client.admin.command("replSetFreeze", 0)
            assert eventually(lambda: client.admin.command("hello")["isWritablePrimary"])
    shown = f"{raised.value} {raised.value.cause}"
    assert "full error" not in shown
    assert "topologyVersion" not in shown
