"""Passwords (SCRAM), TLS with a private authority, client certificates, and the roles of the docs:
what works, and what is said when it does not."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.failures import fails
from tests.sent_commands import Client
from tests.test_roles import create_roles
from tests.tokens import contents, full
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.testing import LocalMongo

# Percent-encoded in a URI, and told apart from all else in a text.
PASSWORD = "pass/word:5@cret"
ENCODED = "pass%2Fword%3A5%40cret"
SHOWN = (PASSWORD, ENCODED, "5@cret", "5%40cret")
DATABASE = f"test_roles_{os.getpid()}"


def use(uri: str, **options: Any) -> None:
    """Save a token and find it again."""
    token = full()
    with MongoTokenStore(uri, database=DATABASE, timeout=5, **options) as store:
        store.save_token(token)
        assert contents(store.find_token_by_id(str(token.get_id()))) == contents(token)


def login_to(server: LocalMongo, user: str, password: str = ENCODED) -> str:
    """The URI of a user of the test's database."""
    return f"mongodb://{user}:{password}@127.0.0.1:{server.members[0].port}/?authSource={DATABASE}"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalMongo]:
    """A server with a user for each role, who log in by SCRAM."""
    storage = tmp_path_factory.mktemp("storage")
    with LocalMongo(storage_path=storage) as server, Client(server.uri) as client:
        create_roles(server.uri)
        database = client[DATABASE]
        users = {
            "app": ["zohoTokenStore"],
            "deploy": ["zohoTokenStoreDeploy"],
            "both": ["zohoTokenStore", "zohoTokenStoreDeploy"],
            "reader": ["read"],
            "nobody": [],
        }
        for user, roles in users.items():
            database.command("createUser", user, pwd=PASSWORD, roles=roles)
    with LocalMongo(storage_path=storage, auth=True) as server:
        yield server


@pytest.mark.parametrize("mechanism", ["", "&authMechanism=SCRAM-SHA-256"])
def test_a_password(guarded: LocalMongo, mechanism: str) -> None:
    use(login_to(guarded, "both") + mechanism)


def test_the_least_privileges(guarded: LocalMongo) -> None:
    with MongoTokenStore(login_to(guarded, "deploy"), database=DATABASE) as store:
        store.ensure_indexes()
    use(login_to(guarded, "app"), create_indexes=False)


def shows_no_password(*texts: object) -> None:
    for text in texts:
        assert not [part for part in SHOWN if part in f"{text}"]


@pytest.mark.parametrize(
    ("user", "password"),
    [("both", ENCODED + "x"), ("both", "x" + ENCODED), ("stranger", ENCODED)],
    ids=["password", "other password", "user"],
)
def test_a_wrong_log_in(
    guarded: LocalMongo, user: str, password: str, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        MongoTokenStore(login_to(guarded, user, password), database=DATABASE) as store,
        fails("MongoDB refused the log-in: check the user, the password and authSource") as caught,
    ):
        store.find_token_by_id("7")
    shows_no_password(caught.value, repr(caught.value.__cause__), repr(store), caplog.text)


def test_no_log_in(guarded: LocalMongo) -> None:
    with MongoTokenStore(guarded.uri, database=DATABASE) as store, fails("find_token_by_id failed"):
        store.find_token_by_id("7")


@pytest.mark.parametrize(
    ("user", "options"),
    [("app", {}), ("reader", {"create_indexes": False}), ("nobody", {"create_indexes": False})],
    ids=["for an index", "to write", "any"],
)
def test_a_missing_privilege(
    guarded: LocalMongo,
    user: str,
    options: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    uri = login_to(guarded, user)
    with (
        MongoTokenStore(uri, database=DATABASE, expire_idle_after=None, **options) as store,
        fails("the MongoDB role may not do this: grant it find, insert") as caught,
    ):
        store.ensure_indexes() if user == "app" else store.save_token(full())
    shows_no_password(caught.value, repr(caught.value.__cause__), caplog.text)


@dataclass(frozen=True)
class Authority:
    """A private certificate authority and what it issued."""

    ca: Path
    server: Path
    client: Path
    key_only: Path


@pytest.fixture(scope="module")
def issue(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Authority]:
    """Makes authorities."""

    def make(name: str) -> Authority:
        folder = tmp_path_factory.mktemp(name)
        ca = trustme.CA()
        found = Authority(*(folder / f"{file}.pem" for file in ("ca", "server", "client", "key")))
        ca.cert_pem.write_to_path(found.ca)
        issued = ca.issue_cert("127.0.0.1")
        issued.private_key_and_cert_chain_pem.write_to_path(found.server)
        issued.private_key_pem.write_to_path(found.key_only)
        ca.issue_cert("app@example.com").private_key_and_cert_chain_pem.write_to_path(found.client)
        return found

    return make


@pytest.fixture(scope="module")
def authority(issue: Callable[[str], Authority]) -> Authority:
    return issue("private")


@pytest.fixture(scope="module")
def stranger(issue: Callable[[str], Authority]) -> Authority:
    return issue("stranger")


@pytest.fixture(scope="module", params=[False, True], ids=["tls", "client certificate"])
def encrypted(request: pytest.FixtureRequest, authority: Authority) -> Iterator[LocalMongo]:
    """A server that speaks TLS, with or without asking for the client's certificate."""
    with LocalMongo(
        tls_cert_file=authority.server,
        tls_key_file=authority.server,
        tls_ca_file=authority.ca,
        require_client_cert=request.param,
    ) as server:
        yield server


def test_tls_with_a_private_authority(encrypted: LocalMongo, authority: Authority) -> None:
    use(f"{encrypted.uri}&tlsCAFile={authority.ca}&tlsCertificateKeyFile={authority.client}")


def test_an_untrusted_server(
    encrypted: LocalMongo, stranger: Authority, authority: Authority
) -> None:
    for trusted in ("", f"&tlsCAFile={stranger.ca}"):
        uri = f"{encrypted.uri}{trusted}&tlsCertificateKeyFile={authority.client}"
        with (
            MongoTokenStore(uri, timeout=3) as store,
            fails("cannot be reached.*certificate verify failed"),
        ):
            store.find_token_by_id("7")


@pytest.mark.parametrize("encrypted", [True], indirect=True)
@pytest.mark.parametrize("certificate", ["none", "untrusted"])
def test_a_client_that_is_not_trusted(
    encrypted: LocalMongo, authority: Authority, stranger: Authority, certificate: str
) -> None:
    uri = f"{encrypted.uri}&tlsCAFile={authority.ca}"
    if certificate == "untrusted":
        uri += f"&tlsCertificateKeyFile={stranger.client}"
    with MongoTokenStore(uri, timeout=3) as store, fails("MongoDB cannot be reached"):
        store.find_token_by_id("7")


def test_a_client_without_tls(encrypted: LocalMongo) -> None:
    uri = f"mongodb://127.0.0.1:{encrypted.port}"
    with MongoTokenStore(uri, timeout=2) as store, fails("MongoDB cannot be reached"):
        store.find_token_by_id("7")


@pytest.mark.parametrize(
    ("option", "file"),
    [("tlsCAFile", "missing.pem"), ("tlsCertificateKeyFile", "missing.pem")],
)
def test_a_missing_file_is_named(tmp_path: Path, option: str, file: str) -> None:
    path = tmp_path / file
    uri = f"mongodb://app:{ENCODED}@127.0.0.1:1/?tls=true&{option}={path}"
    with fails(f"({path}.*No such file|(?i:{option}) file is not readable)") as caught:
        MongoTokenStore(uri).get_tokens()
    shows_no_password(caught.value)


def test_a_file_that_is_no_certificate(authority: Authority, tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("no certificate")
    for option, path in (("tlsCAFile", garbage), ("tlsCertificateKeyFile", authority.key_only)):
        uri = f"mongodb://app:{ENCODED}@127.0.0.1:1/?tls=true&{option}={path}"
        with fails("failed: .*([Cc]ertificate|PEM|tlsC|SSL)") as caught:
            MongoTokenStore(uri, timeout=1).get_tokens()
        shows_no_password(caught.value)
