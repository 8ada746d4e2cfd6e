"""Passwords (SCRAM), TLS with a private authority and client certificates: what works, and what is
said when it does not. What each role may is in tests/test_roles.py."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509

from tests.conftest import PATIENCE
from tests.failures import fails
from tests.sent_commands import Client
from tests.tokens import contents, full
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.testing import LocalMongo

# Percent-encoded in a URI, and told apart from all else in a text.
PASSWORD = "pass/word:5@cret"
ENCODED = "pass%2Fword%3A5%40cret"
SHOWN = (PASSWORD, ENCODED, "5@cret", "5%40cret")
DATABASE = "logins"
REFUSED = "MongoDB refused the log-in: check the user, the password and authSource"
# Of what is to fail because no connection can be made.
SHORT = 3.0


def use(uri: str, **options: Any) -> None:
    """Save a token and find it again."""
    token = full(user_name=f"{uuid.uuid4().hex}@example.com:1")
    with MongoTokenStore(uri, database=DATABASE, timeout=PATIENCE, **options) as store:
        store.save_token(token)
        assert contents(store.find_token_by_id(str(token.get_id()))) == contents(token)


def refused(uri: str, message: str, caplog: pytest.LogCaptureFixture, **options: Any) -> None:
    """A find fails with that message, and nothing shows a password."""
    with (
        MongoTokenStore(uri, **{"database": DATABASE, "timeout": PATIENCE, **options}) as store,
        fails(message) as caught,
    ):
        store.find_token_by_id("7")
    shows_no_password(caught.value, repr(caught.value.__cause__), repr(store), caplog.text)


def shows_no_password(*texts: object) -> None:
    for text in texts:
        assert not [part for part in SHOWN if part in f"{text}"]


@dataclass(frozen=True)
class Authority:
    """A private certificate authority and what it issued."""

    ca: Path
    server: Path
    client: Path
    key_only: Path
    client_subject: str

    @property
    def options(self) -> str:
        """What a client adds to a URI: whom to trust, and who it is."""
        return f"&tlsCAFile={self.ca}&tlsCertificateKeyFile={self.client}"


@pytest.fixture(scope="module")
def issue(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Authority]:
    """Makes authorities."""

    def make(name: str) -> Authority:
        folder = tmp_path_factory.mktemp(name)
        ca = trustme.CA()
        issued = ca.issue_cert("127.0.0.1", organization_name="Servers")
        client = ca.issue_cert("app@example.com", organization_name="Applications")
        certificate = x509.load_pem_x509_certificate(client.cert_chain_pems[0].bytes())
        found = Authority(
            folder / "ca.pem",
            folder / "server.pem",
            folder / "client.pem",
            folder / "key.pem",
            certificate.subject.rfc4514_string(),
        )
        ca.cert_pem.write_to_path(found.ca)
        issued.private_key_and_cert_chain_pem.write_to_path(found.server)
        issued.private_key_pem.write_to_path(found.key_only)
        client.private_key_and_cert_chain_pem.write_to_path(found.client)
        return found

    return make


@pytest.fixture(scope="module")
def authority(issue: Callable[[str], Authority]) -> Authority:
    return issue("private")


@pytest.fixture(scope="module")
def stranger(issue: Callable[[str], Authority]) -> Authority:
    return issue("stranger")


@dataclass(frozen=True)
class Server:
    """A server with TLS and users."""

    mongo: LocalMongo

    def uri(self, user: str = "app", password: str = ENCODED, options: str = "") -> str:
        """A user's, who is one of the database of the test."""
        uri = self.mongo.uri.replace("://", f"://{user}:{password}@")
        return f"{uri}&authSource={DATABASE}{options}"


@pytest.fixture(scope="module", params=[False, True], ids=["tls", "client certificate"])
def server(request: pytest.FixtureRequest, authority: Authority) -> Iterator[Server]:
    """It speaks TLS, with or without asking for the client's certificate, and asks for a log-in."""
    with LocalMongo(
        auth=True,
        tls_certificate_key_file=authority.server,
        tls_ca_file=authority.ca,
        tls_require_client_certificate=request.param,
        set_parameters={"authenticationMechanisms": "SCRAM-SHA-1,SCRAM-SHA-256,MONGODB-X509"},
    ) as mongo:
        with Client(mongo.admin_uri + authority.options) as client:
            users = {"app": ["readWrite"], "reader": ["read"], "nobody": []}
            for user, roles in users.items():
                client[DATABASE].command("createUser", user, pwd=PASSWORD, roles=roles)
            client["$external"].command(
                "createUser",
                authority.client_subject,
                roles=[{"role": "readWrite", "db": DATABASE}],
            )
        yield Server(mongo)


@pytest.mark.parametrize("mechanism", ["", "SCRAM-SHA-1", "SCRAM-SHA-256"])
def test_a_password(server: Server, authority: Authority, mechanism: str) -> None:
    option = f"&authMechanism={mechanism}" if mechanism else ""
    use(server.uri(options=authority.options + option))


def test_a_certificate_as_the_log_in(server: Server, authority: Authority) -> None:
    use(f"{server.mongo.uri}&authMechanism=MONGODB-X509{authority.options}")


def test_a_certificate_of_nobody(
    server: Server, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    ca, server_certificate = authority.ca, authority.server
    certificate = f"&tlsCAFile={ca}&tlsCertificateKeyFile={server_certificate}"
    uri = f"{server.mongo.uri}&authMechanism=MONGODB-X509{certificate}"
    refused(uri, REFUSED, caplog)


@pytest.mark.parametrize(
    ("user", "password"),
    [("app", ENCODED + "x"), ("app", "x" + ENCODED), ("stranger", ENCODED)],
    ids=["password", "other password", "user"],
)
def test_a_wrong_log_in(
    server: Server,
    authority: Authority,
    user: str,
    password: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    refused(server.uri(user, password, authority.options), REFUSED, caplog)


def test_no_log_in(server: Server, authority: Authority, caplog: pytest.LogCaptureFixture) -> None:
    refused(
        f"{server.mongo.uri}{authority.options}",
        "find_token_by_id failed: MongoDB requires authentication",
        caplog,
    )


@pytest.mark.parametrize(
    ("user", "options"),
    [("reader", {"create_indexes": False}), ("nobody", {"create_indexes": False}), ("reader", {})],
    ids=["to write", "any", "for an index"],
)
def test_a_missing_privilege(
    server: Server,
    authority: Authority,
    user: str,
    options: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    uri = server.uri(user, options=authority.options)
    with (
        MongoTokenStore(uri, database=DATABASE, **options) as store,
        fails("the MongoDB role may not do this: grant it find, insert") as caught,
    ):
        store.save_token(full())
    shows_no_password(caught.value, repr(caught.value.__cause__), caplog.text)


def test_an_untrusted_server(
    server: Server, stranger: Authority, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    for trusted in ("", f"&tlsCAFile={stranger.ca}"):
        certificate = f"{trusted}&tlsCertificateKeyFile={authority.client}"
        uri = server.uri(options=certificate)
        refused(uri, "cannot be reached.*certificate verify failed", caplog, timeout=SHORT)


@pytest.mark.parametrize("server", [True], indirect=True)
@pytest.mark.parametrize("certificate", ["none", "untrusted"])
def test_a_client_that_is_not_trusted(
    server: Server,
    authority: Authority,
    stranger: Authority,
    certificate: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    options = f"&tlsCAFile={authority.ca}"
    if certificate == "untrusted":
        options += f"&tlsCertificateKeyFile={stranger.client}"
    refused(server.uri(options=options), "MongoDB cannot be reached", caplog, timeout=SHORT)


def test_a_client_without_tls(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    uri = server.uri().replace("tls=true", "tls=false")
    refused(uri, "MongoDB cannot be reached", caplog, timeout=SHORT)


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
