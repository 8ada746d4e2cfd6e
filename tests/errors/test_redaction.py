"""What keeps its words, and what is masked in them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo.errors import DuplicateKeyError, OperationFailure

from tests.conftest import PATIENCE
from tests.driver.name_server import URI, NameServer
from tests.failures import fails
from tests.sent_commands import Client
from tests.tokens import full
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.errors import failure, keeping_words, redacted, without
from zoho_mongo_store.testing import LocalMongo

# MongoDB 6.0 has other words than 5.0 for the rest.
WORDS = "Failing command"


def test_masking() -> None:
    assert without(["p%40ss", "p@ss"], "wrong p%40ss and P@SS") == "wrong *** and ***"
    assert without(["", "a", "abcd"], "a cat abcde") == "*** cat ***e"
    assert without(["pass", "password"], "a password") == "a ***"
    assert without([], "a.b") == "a.b"


# Failures of the client: nothing was sent, and pymongo's words quote no value.


@pytest.fixture
def host(server: LocalMongo) -> str:
    return f"127.0.0.1:{server.members[0].port}"


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither AWS's nor an identity provider's, and no service that is asked for them."""
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "missing"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "OIDC_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("no_credentials")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("authMechanism=MONGODB-AWS", "temporary MONGODB-AWS credentials could not be obtained"),
        (
            "authMechanism=MONGODB-OIDC&authMechanismProperties=ENVIRONMENT:test",
            'MONGODB-OIDC with an "test" provider requires "OIDC_TOKEN_FILE" to be set',
        ),
    ],
)
def test_a_log_in_without_credentials(host: str, options: str, words: str) -> None:
    uri = f"mongodb://{host}/?{options}"
    with (
        MongoTokenStore(uri, timeout=PATIENCE) as store,
        fails(f"find_token_by_id failed: the log-in to MongoDB failed: .*{words}") as raised,
    ):
        store.find_token_by_id("7")
    assert "code None" not in f"{raised.value} {raised.value.cause}"


@pytest.mark.usefixtures("no_credentials")
def test_a_log_in_behind_a_name_that_has_to_be_resolved(
    server: LocalMongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    NameServer(monkeypatch).port = server.members[0].port
    uri = f"{URI}&authMechanism=MONGODB-OIDC&authMechanismProperties=ENVIRONMENT:test"
    with (
        MongoTokenStore(uri, timeout=PATIENCE) as store,
        fails('the log-in to MongoDB failed: .*requires "OIDC_TOKEN_FILE" to be set'),
    ):
        store.find_token_by_id("7")


def test_a_token_file_that_is_missing(
    host: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OIDC_TOKEN_FILE", str(tmp_path / "missing"))
    uri = f"mongodb://{host}/?authMechanism=MONGODB-OIDC&authMechanismProperties=ENVIRONMENT:test"
    with (
        MongoTokenStore(uri, timeout=PATIENCE) as store,
        fails("the log-in to MongoDB failed: .*missing: No such file"),
    ):
        store.find_token_by_id("7")


def test_a_mechanism_that_the_server_does_not_have(host: str) -> None:
    uri = f"mongodb://app:geheim@{host}/?authMechanism=PLAIN"
    with (
        MongoTokenStore(uri, timeout=PATIENCE) as store,
        fails(
            "the log-in to MongoDB failed: Received authentication for mechanism PLAIN"
        ) as raised,
    ):
        store.find_token_by_id("7")
    assert "geheim" not in str(raised.value)


@pytest.mark.parametrize("words", ["Kerberos context failed to initialize.", "no ticket of geheim"])
def test_a_failure_of_kerberos(words: str) -> None:
    """pymongo makes them so: without a code, without an answer."""
    said = failure("find_token", OperationFailure(words), ["geheim"])
    assert str(said).endswith(f"pymongo refused the command: {words.replace('geheim', '***')}")
    assert str(said.cause) == words.replace("geheim", "***")


# Commands that carry no value.


def fail(client: Client, command: str, code: int) -> None:
    client.admin.command(
        "configureFailPoint",
        "failCommand",
        mode={"times": 1},
        data={"failCommands": [command], "errorCode": code},
    )


CARRYING_NOTHING: dict[str, Callable[[MongoTokenStore], object]] = {
    "listIndexes": lambda store: store.ensure_indexes(),
    "createIndexes": lambda store: store.save_token(full()),
    "ping": lambda store: store.ping(),
    "hello": lambda store: store.expire_access_token("7"),
}


@pytest.mark.parametrize("command", CARRYING_NOTHING)
def test_what_carries_no_value_keeps_the_servers_words(server: LocalMongo, command: str) -> None:
    options: dict[str, Any] = {"database": "zoho", "timeout": PATIENCE}
    with Client(server.uri) as client, MongoTokenStore(server.uri, **options) as store:
        if command != "createIndexes":
            store.ensure_indexes()
        # No heartbeat may take the failure of hello: it is of its own client.
        fail(client, command, 67)
        try:
            with fails(
                rf"failed: MongoDB refused the command \({WORDS} .* \(CannotCreateIndex, code"
            ):
                CARRYING_NOTHING[command](store)
        finally:
            client.admin.command("configureFailPoint", "failCommand", mode="off")


def test_what_carries_values_does_not(server: LocalMongo) -> None:
    options: dict[str, Any] = {"database": "zoho", "timeout": PATIENCE}
    with Client(server.uri) as client, MongoTokenStore(server.uri, **options) as store:
        store.ensure_indexes()
        calls: dict[str, Callable[[], object]] = {
            "find": lambda: store.find_token_by_id("7"),
            "findAndModify": lambda: store.save_token(full()),
        }
        for command, call in calls.items():
            fail(client, command, 67)
            with fails("MongoDB refused the command") as raised:
                call()
            assert WORDS not in f"{raised.value} {raised.value.cause}"


def test_a_duplicate_key_is_quoted_nowhere(server: LocalMongo) -> None:
    with Client(server.uri) as client:
        client.zoho.any.insert_many([{"token": "geheim"} for _ in range(2)])
        with pytest.raises(DuplicateKeyError, match="geheim") as raised, keeping_words():
            client.zoho.any.create_index("token", unique=True)
    assert "geheim" not in f"{failure('init', raised.value)} {redacted(raised.value)}"
