"""The URI: white space, options that pymongo ignores, and passwords that are not encoded."""

import re
import socket
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, unquote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pymongo import MongoClient
from pymongo.uri_parser import parse_uri

from tests.commands.conftest import CommandLine
from tests.conftest import PATIENCE
from tests.engines import SERVERS, Engine
from tests.failures import fails
from tests.tokens import full
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.driver.source import DEFAULT_URI, URI_VARIABLE, environment_uri, given_source
from zoho_mongo_store.driver.uri import MongoUri
from zoho_mongo_store.errors import InvalidInputError, without

on_servers = pytest.mark.parametrize("engine", SERVERS, indirect=True)
AWAY = "mongodb://127.0.0.1:1"
NOT_ENCODED = "the user name and the password the characters .* must be percent-encoded"


def with_database(uri: str, database: str) -> str:
    """The URI with a database in it."""
    hosts, _, options = uri.partition("/?")
    return f"{hosts}/{database}?{options}" if options else f"{uri.rstrip('/')}/{database}"


# White space.


@on_servers
@pytest.mark.parametrize("space", ["\n", "\r\n", " \t", "\N{NO-BREAK SPACE}"])
@pytest.mark.parametrize("options", [True, False])
def test_white_space_around_it_goes(
    engine: Engine, database: str, space: str, options: bool
) -> None:
    """A file or a Kubernetes secret ends with a newline, which became a part of the database."""
    uri = with_database(engine.uri, database)
    if not options:
        uri = uri.partition("?")[0]
    with MongoTokenStore(f"{space}{uri}{space}", timeout=PATIENCE) as store:
        store.save_token(full())
        assert store.collection.full_name == f"{database}.oauthtoken"
    named = [one for one in engine.client.list_database_names() if one.startswith(database)]
    assert named == [database]


@on_servers
def test_white_space_in_the_environment_goes(
    engine: Engine, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URI_VARIABLE, f"{with_database(engine.uri, database)}\n")
    with MongoTokenStore(timeout=PATIENCE) as store:
        store.save_token(full())
    assert engine.client[database].oauthtoken.count_documents({}) == 1


@pytest.mark.parametrize("blank", ["", " ", "\n"])
def test_white_space_alone_is_no_uri(blank: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URI_VARIABLE, blank)
    assert environment_uri() is None
    assert given_source(blank, None) == MongoUri.parse(DEFAULT_URI)
    monkeypatch.setenv(URI_VARIABLE, "mongodb://other\n")
    assert given_source(blank, None) == MongoUri.parse("mongodb://other")


@on_servers
def test_white_space_on_the_command_line_goes(
    engine: Engine, database: str, tmp_path: Path
) -> None:
    uri = with_database(engine.uri, database)
    by_variable = CommandLine({URI_VARIABLE: f"{uri}\n"}, tmp_path)("init")
    by_option = CommandLine({URI_VARIABLE: ""}, tmp_path)("list", "--uri", f" {uri}\n")
    assert [(one.status, one.errors) for one in (by_variable, by_option)] == [(0, "")] * 2
    assert "id_1" in engine.client[database].oauthtoken.index_information()


@on_servers
def test_white_space_goes_when_roles_are_created(
    engine: Engine, database: str, tmp_path: Path
) -> None:
    uri = f"{with_database(engine.uri, database)}\n"
    done = CommandLine({URI_VARIABLE: uri}, tmp_path)("create-roles")
    engine.client[database].command("dropAllRolesFromDatabase")
    assert (done.status, done.errors) == (0, "")
    assert f"{database}.zohoTokenStore: created" in done.output


# Options.

IGNORED = {
    "useNewUrlParser=true": "useNewUrlParser in the MongoDB URI is ignored: pymongo does not know",
    "wtimeout=500": "wtimeout in the MongoDB URI is ignored: pymongo does not know it",
    "keepAlive=true": "keepAlive in the MongoDB URI is ignored: pymongo does not know it",
    "retryWrites=True": "retryWrites .* is ignored: pymongo does not accept its value",
    "readPreference=primarY": "readPreference .* is ignored: pymongo does not accept its value",
    "maxPoolSize=many": "maxPoolSize .* is ignored: pymongo does not accept its value",
    "w=1&w=majority": "the option w .* is given more than once: the last one counts",
    "password=geheim": "the option password .* is ignored: pymongo does not know it",
    "geh%20eim=1": "the option with an invalid name .* is ignored: pymongo does not know it",
}


@on_servers
@pytest.mark.parametrize("option", IGNORED)
def test_what_pymongo_ignores_is_ignored_with_one_warning_that_names_it(
    engine: Engine, database: str, option: str
) -> None:
    uri = f"{engine.uri}{'&' if '?' in engine.uri else '/?'}{option}"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with MongoTokenStore(uri, database=database, timeout=PATIENCE) as store:
            store.save_token(full())
            assert store.collection.write_concern.document == {"w": "majority"}
            assert store.collection.database.client.options.retry_writes
    [warned] = [one for one in caught if issubclass(one.category, UserWarning)]
    assert pytest.RaisesExc(UserWarning, match=IGNORED[option]).matches(
        UserWarning(str(warned.message))
    )
    assert "geheim" not in str(warned.message)
    assert (warned.filename, warned.category) == (__file__, UserWarning)


def test_pymongo_takes_them_too() -> None:
    """It only warns: what is shown above is no more than what a MongoClient does."""
    for option in IGNORED:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            MongoClient[dict[str, Any]](f"{AWAY}/?{option}", connect=False).close()
        assert caught, option


def test_a_warning_that_is_an_error_keeps_its_words() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with fails("MongoTokenStore failed: UserWarning: the option keepAlive in the MongoDB URI"):
            MongoTokenStore(f"{AWAY}/?keepAlive=true")


@on_servers
def test_a_command_says_it_in_one_line(engine: Engine, database: str, tmp_path: Path) -> None:
    uri = f"{engine.uri}{'&' if '?' in engine.uri else '/?'}keepAlive=true"
    result = CommandLine({URI_VARIABLE: uri, "ZOHO_MONGO_DATABASE": database}, tmp_path)("list")
    assert (result.status, result.errors) == (
        0,
        "zoho-mongo-store: warning: the option keepAlive in the MongoDB URI is ignored: pymongo "
        "does not know it\n",
    )


@pytest.mark.parametrize(
    "option", ["tls=yes", "ssl=True", "authMechanism=SCRAM", "authSource=", "tlsInsecure=1"]
)
@pytest.mark.parametrize("scheme", ["mongodb", "mongodb+srv"])
def test_an_option_of_security_is_never_ignored(scheme: str, option: str) -> None:
    name = option.partition("=")[0]
    with fails(f"MongoTokenStore failed: the option {name} in the MongoDB URI has a value that"):
        MongoTokenStore(f"{scheme}://cluster.example.invalid/?{option}")


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("", "it names no host"),
        ("user:secret-word@", "it names no host"),
        (":secret-word@127.0.0.1", "there is no user name before the @"),
        ("127.0.0.1:secret-word", "its hosts or its database are wrong"),
        ("127.0.0.1/secret-word$", "its hosts or its database are wrong"),
        ("127.0.0.1/?secret-word", "the options of the MongoDB URI must be name=value"),
        ("127.0.0.1/?appName=secret-word=", "the options of the MongoDB URI must be name=value"),
        ("127.0.0.1/?w=1&journal=true;appName=secret-word", "separated either by & or by ;"),
        ("127.0.0.1/?tls=true&ssl=false", "conflicting values for URI options ssl and tls"),
        ("127.0.0.1/?tlsInsecure=true&tlsAllowInvalidHostnames=true", "simultaneously"),
    ],
)
@pytest.mark.parametrize("scheme", ["mongodb", "mongodb+srv"])
def test_what_is_wrong_is_said(scheme: str, uri: str, reason: str) -> None:
    with pytest.raises(InvalidInputError, match=reason) as raised:
        MongoUri.parse(f"{scheme}://{uri}")
    assert "secret-word" not in str(raised.value)


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("one.example.invalid,two.example.invalid", "must name exactly one host, without a port"),
        ("one.example.invalid:27017", "must name exactly one host, without a port"),
        ("one.example.invalid/?directConnection=true", "directConnection=true exclude each other"),
    ],
)
def test_what_is_wrong_with_srv_alone(uri: str, reason: str) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        MongoUri.parse(f"mongodb+srv://{uri}")
    assert MongoUri.parse(f"mongodb://{uri}").database is None


def test_options_of_srv_are_taken_with_srv() -> None:
    uri = "mongodb+srv://cluster.example.invalid/zoho?srvMaxHosts=2&srvServiceName=mongo"
    assert MongoUri.parse(uri) == MongoUri(
        uri, "zoho", True, MongoUri.parse(AWAY).write_concern, [], []
    )
    with pytest.raises(InvalidInputError, match="it must begin with mongodb://"):
        MongoUri.parse("cluster.example.invalid")


# Passwords.


@pytest.mark.parametrize(
    "password",
    ["Sesame@tower9-k/7431", "tower9-k/7431", "tower9-k?7431", "tower9-k:7431", "tower9-k%zz7431",
     "Sesame@tower9-k", "Sesame?tower9-k=7431", "Sesame@tower9-k?w=7431"],
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["mongodb", "mongodb+srv"])
def test_a_password_that_is_not_encoded_is_refused_without_asking_a_name_server(
    scheme: str, password: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def resolve(*_: Any, **__: Any) -> None:
        raise AssertionError("a name was looked up")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr("dns.resolver.resolve", resolve)
    with fails(
        f"MongoTokenStore failed: the MongoDB URI cannot be read: in {NOT_ENCODED}"
    ) as raised:
        MongoTokenStore(f"{scheme}://app:{password}@cluster0.example.invalid/zoho")
    shown = f"{raised.value} {raised.value.cause!r} {caplog.text}"
    assert caplog.text
    assert not [part for part in ("Sesame", "tower9", "7431") if part in shown]


@pytest.mark.parametrize(
    "uri",
    [
        "mongodb://127.0.0.1:1/?appName=crm@example",
        "mongodb://app:secret@127.0.0.1:1/zoho?appName=crm@example&w=1",
        "mongodb://app:secret@127.0.0.1:1/?tls=true&tlsCertificateKeyFilePassword=p@ss",
    ],
)
def test_an_at_in_an_option_is_no_password(uri: str) -> None:
    read = MongoUri.parse(uri)
    assert read.text == uri
    assert parse_uri(read.text)["nodelist"] == [("127.0.0.1", 1)]


_PASSWORD = st.text("Qx7-@/:?#%[]&=+ ", min_size=1, max_size=12)


@given(_PASSWORD)
@example("Qx7Qx7@Qx7-k/7Qx7")
@example("Qx7?x=7QQ")
def test_whatever_the_password_it_is_read_right_or_refused_and_never_shown(password: str) -> None:
    uri = f"mongodb://app:{password}@127.0.0.1:1/zoho"
    try:
        read = MongoUri.parse(uri)
    except InvalidInputError as error:
        refused = str(error)
    else:
        parsed = parse_uri(read.text)
        assert parsed["password"] == unquote_plus(password)
        assert parsed["nodelist"] == [("127.0.0.1", 1)]
        return
    assert not re.search("[Qx7]{2}", refused)


@given(_PASSWORD)
def test_an_encoded_password_is_read_right_and_masked(password: str) -> None:
    read = MongoUri.parse(f"mongodb://app:{quote_plus(password)}@127.0.0.1:1/zoho")
    assert parse_uri(read.text)["password"] == password
    shown = without(read.secrets, f"({quote_plus(password)}) ({password})")
    assert password not in shown.replace("***", "") or len(password) < 3
    assert repr(password)[1:-1] not in repr(read) or len(password) < 3


def test_the_parts_of_a_password_are_masked_in_any_case() -> None:
    read = MongoUri.parse("mongodb://a:Sesame%40Tower9-k%2F7431@127.0.0.1:1")
    assert without(read.secrets, "_mongodb._tcp.tower9-k: a name of sesame, 7431") == (
        "_mongodb._tcp.***: a name of ***, ***"
    )


def test_short_words_are_masked_as_words_alone() -> None:
    read = MongoUri.parse("mongodb://a:b@127.0.0.1:1/?authMechanism=SCRAM-SHA-1")
    assert without(read.secrets, "a bad letter: b") == "a bad letter: ***"
    user_alone = MongoUri.parse("mongodb://a@127.0.0.1:1/?authMechanism=GSSAPI")
    assert without(user_alone.secrets, "a bad name") == "a bad name"


def test_of_the_mechanisms_properties_the_session_token_alone_is_masked() -> None:
    properties = "AWS_SESSION_TOKEN%3Atop-secret"
    uri = f"mongodb://key:word@127.0.0.1:1/?authMechanism=MONGODB-AWS&authMechanismProperties={properties}"
    read = MongoUri.parse(uri)
    assert without(read.secrets, "AWS_SESSION_TOKEN top-secret of key") == (
        "AWS_SESSION_TOKEN *** of key"
    )
    assert "secret" not in repr(read)
