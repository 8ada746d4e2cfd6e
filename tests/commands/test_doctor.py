"""``doctor``: each line for what it tells of, and the status."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from bson.binary import Binary
from pymongo import MongoClient
from pymongo.collection import Collection
from typer.testing import CliRunner

from tests.commands.conftest import CommandLine
from tests.commands.states import cool_down, end_login, reach_limit
from tests.engines import SERVERS
from tests.processes import in_processes
from tests.refresh.wrong_clock import set_clock
from tests.tokens import CLIENT, full
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.cli import application
from zoho_mongo_store.commands.doctor import server
from zoho_mongo_store.refresh.leases import Leases
from zoho_mongo_store.testing import LocalMongo

on_servers = pytest.mark.parametrize("engine", SERVERS, indirect=True)

Tokens = Collection[dict[str, Any]]
Lines = dict[str, tuple[str, str, str]]


def examine(cli: CommandLine, *options: str, status: int = 0) -> Lines:
    """Result, finding and advice by the check, told the same way twice."""
    result = cli("doctor", *options)
    told = cli("doctor", "--json", *options).json
    assert (result.status, result.errors) == (status, "")
    assert [row[:2] for row in result.rows] == [[one["result"], one["check"]] for one in told]
    for one in told:
        assert (one["result"] == "passed") == (not one["advice"]), one
    return {one["check"]: (one["result"], one["detail"], one["advice"]) for one in told}


@pytest.fixture
def ready(own_store: MongoTokenStore) -> MongoTokenStore:
    own_store.ensure_indexes()
    own_store.save_token(full(id="1"))
    return own_store


@on_servers
@pytest.mark.usefixtures("ready")
def test_all_is_well(cli: CommandLine) -> None:
    lines = examine(cli)
    assert {check for check, line in lines.items() if line[0] != "passed"} <= {"authentication"}
    assert list(lines) == [
        "server",
        "versions",
        "topology",
        "write concern",
        "read preference",
        "TLS",
        "authentication",
        "rights",
        "clock",
        "collection",
        "indexes",
        "indexes used",
        "duplicate id",
        "duplicate user_name",
        "credentials",
        "OAuth clients",
        "encryption",
        "documents",
        "logins",
        "cool-down",
        "Zoho's limit",
    ]
    assert lines["documents"][1] == "1 token, all in order"
    assert lines["topology"][1].startswith("replica set ")
    assert lines["OAuth clients"][1] == CLIENT["client_id"]
    for name in ("MongoDB ", "Python ", "zohocrmsdk", "pymongo ", "zoho-mongo-store "):
        assert name in lines["versions"][1]


@on_servers
@pytest.mark.usefixtures("ready")
def test_as_installed(cli: CommandLine) -> None:
    finished = cli.installed("doctor")
    assert (finished.status, finished.errors) == (0, "")
    assert "\x1b" not in finished.output


@on_servers
def test_missing_indexes_and_their_scans_fail(cli: CommandLine, tokens: Tokens) -> None:
    tokens.insert_one({"id": "1", "refresh_token": "R"})
    lines = examine(cli, status=1)
    assert lines["indexes"][::2] == ("failed", "run zoho-mongo-store init")
    assert "oauthtoken.id_1" in lines["indexes"][1]
    assert "oauthtoken.leases.purge_at_1" in lines["indexes"][1]
    assert lines["indexes used"][0] == "failed"
    cli("init")
    assert examine(cli)["indexes used"][0] == "passed"


@on_servers
@pytest.mark.usefixtures("ready")
def test_an_index_with_other_options_fails(cli: CommandLine, tokens: Tokens) -> None:
    tokens.drop_index("id_1")
    tokens.create_index("id")
    assert "missing or different: oauthtoken.id_1" in examine(cli, status=1)["indexes"][1]


@on_servers
def test_duplicates_and_damage_fail(cli: CommandLine, tokens: Tokens) -> None:
    tokens.insert_many(
        [
            {"id": "1", "user_name": "ada", "access_token": "A-secret"},
            {"id": "1", "user_name": "ada", "access_token": "A-secret"},
            {"id": "2", "access_token": 5},
            {"user_name": "no id", "access_token": "A"},
            {"id": "4", "user_name": "nothing to use"},
        ]
    )
    lines = examine(cli, status=1)
    assert lines["duplicate id"][:2] == ("failed", "several documents for 1")
    assert lines["duplicate user_name"][:2] == ("failed", "several documents for ada")
    result = cli("doctor")
    damaged = [row[2] for row in result.rows if row[1] == "documents"]
    assert len(damaged) == 3
    assert "A-secret" not in result.output


@on_servers
@pytest.mark.usefixtures("ready")
def test_a_cool_down_is_a_warning_with_its_reason(cli: CommandLine, tokens: Tokens) -> None:
    cool_down(tokens, "ada@example.com:1", "too many")
    result, detail, advice = examine(cli)["cool-down"]
    assert result == "warned"
    assert detail.startswith("1 token cooling down: ada@example.com:1 for 4 min (too many)")
    assert "network" in advice


@on_servers
@pytest.mark.usefixtures("ready")
def test_dead_logins_are_a_warning(
    cli: CommandLine, tokens: Tokens, own_store: MongoTokenStore
) -> None:
    for n in range(5):
        own_store.save_token(full(id=f"dead {n}", user_name=f"u{n}", refresh_token=f"R{n}"))
    end_login(tokens, "u0")
    assert examine(cli)["logins"][1] == "1 user must log in again: u0"
    for n in range(1, 5):
        end_login(tokens, f"u{n}")
    result, detail, advice = examine(cli)["logins"]
    assert (result, detail) == ("warned", "5 users must log in again: u0, u1, u2, and 2 more")
    assert "zoho-mongo-store list --login-required" in advice


@on_servers
@pytest.mark.usefixtures("ready")
def test_zohos_limit_is_a_warning_with_an_advice_of_its_own(
    cli: CommandLine, tokens: Tokens
) -> None:
    reach_limit(tokens, "ada@example.com:1")
    lines = examine(cli)
    assert lines["cool-down"][0] == "passed"
    result, detail, advice = lines["Zoho's limit"]
    assert result == "warned"
    assert detail == "1 token at Zoho's limit: ada@example.com:1 for 10 min"
    assert "10 access tokens in 10 minutes" in advice


@on_servers
@pytest.mark.usefixtures("ready")
def test_warnings_count_with_strict(cli: CommandLine, tokens: Tokens) -> None:
    end_login(tokens, "ada@example.com:1")
    assert cli("doctor").status == 0
    assert cli("doctor", "--strict").status == 1


@on_servers
def test_a_quick_look_is_at_the_server_and_the_indexes(cli: CommandLine, tokens: Tokens) -> None:
    assert list(examine(cli, "--quick", status=1)) == ["server", "collection"]
    tokens.insert_one({"id": "1", "access_token": 7})
    assert examine(cli, "--quick", status=1)["indexes"][0] == "failed"
    cli("init")
    assert list(examine(cli, "--quick", "--strict")) == ["server", "collection", "indexes"]


@on_servers
def test_what_is_not_there_is_said_once(cli: CommandLine, database: str) -> None:
    lines = examine(cli, status=1)
    assert list(lines)[-1] == "collection"
    result, detail, advice = lines["collection"]
    assert (result, detail) == ("failed", f"there is no {database}.oauthtoken")
    assert "zoho-mongo-store init" in advice


@on_servers
@pytest.mark.usefixtures("ready")
def test_one_credential_in_two_documents_is_a_warning(
    cli: CommandLine, own_store: MongoTokenStore
) -> None:
    own_store.save_token(full(id="2", user_name="grace", access_token="A2"))
    result, detail, _ = examine(cli)["credentials"]
    assert (result, detail) == ("warned", "2 documents hold one refresh token: ids 1, 2")
    assert "1000.refresh" not in cli("doctor").output


@on_servers
@pytest.mark.usefixtures("ready")
def test_a_user_with_two_clients_is_a_warning(cli: CommandLine, own_store: MongoTokenStore) -> None:
    other = {"refresh_token": "R2", "access_token": "A2", "grant_token": "G2"}
    own_store.save_token(full(id="2", client_id="1000.OTHER", **other))
    clients = [one for one in cli("doctor", "--json").json if one["check"] == "OAuth clients"]
    counted, lost = (one["detail"] for one in clients)
    assert counted == (
        "2 OAuth clients share the collection: 1000.CLIENT (1 token), 1000.OTHER (1 token)"
    )
    assert lost.startswith("1 token without a user name")
    assert lost.endswith("ids 1")


@on_servers
@pytest.mark.usefixtures("ready")
def test_encryption_has_to_be_as_the_options_say(
    cli: CommandLine, tokens: Tokens, kms_providers: Path, database: str
) -> None:
    options = ("--kms-providers", str(kms_providers), "--key-vault", f"{database}.keys")
    plain = examine(cli, *options, status=1)["encryption"]
    assert plain == ("failed", "1 token with secrets in plain text", "run zoho-mongo-store encrypt")
    assert cli("encrypt", "--yes", *options).status == 0
    assert examine(cli, *options)["encryption"][0] == "passed"
    assert examine(cli, status=1)["encryption"][1:] == ("1 token encrypted", "give --kms-providers")

    tokens.insert_one({"id": "2", "refresh_token": Binary(b"\x01" + bytes(40), 6)})
    assert "cannot be decrypted" in examine(cli, *options, status=1)["documents"][1]


@on_servers
@pytest.mark.usefixtures("ready")
def test_a_weak_write_concern_is_a_warning(cli: CommandLine) -> None:
    uri = cli.variables["ZOHO_MONGO_URI"]
    weak = uri + ("&" if "?" in uri else "?") + "w=1"
    assert examine(cli, "--uri", weak)["write concern"][:2] == ("warned", "w=1")


def clock_at(skew: float, variables: dict[str, str]) -> dict[str, str]:
    """What ``doctor`` finds of the clock on a host that is wrong by so many seconds."""
    set_clock(skew)
    result = CliRunner().invoke(application(), ["doctor", "--json"], env=variables)
    (finding,) = (one for one in json.loads(result.stdout) if one["check"] == "clock")
    return dict(finding)


@on_servers
@pytest.mark.usefixtures("ready")
def test_a_clock_that_is_off_is_a_warning(cli: CommandLine) -> None:
    skews = (90, -90, 0)
    ahead, behind, right = in_processes(clock_at, [(skew, cli.variables) for skew in skews])
    assert (ahead["result"], behind["result"], right["result"]) == ("warned", "warned", "passed")
    assert float(ahead["detail"].partition(" s")[0]) == pytest.approx(90, abs=2)
    assert float(behind["detail"].partition(" s")[0]) == pytest.approx(-90, abs=2)
    assert "NTP" in ahead["advice"]


@on_servers
def test_no_difference_has_no_sign_of_its_own(
    tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = datetime.now(UTC)
    monkeypatch.setattr(Leases, "clock", lambda _: lambda: moment)
    monkeypatch.setattr(server, "now", lambda: moment - timedelta(milliseconds=20))
    [finding] = server.clock(tokens)
    assert finding.detail == "+0.0 s from the server's"


@on_servers
@pytest.mark.parametrize(
    ("answer", "result", "detail"),
    [
        ({}, "warned", "a single server"),
        ({"msg": "isdbgrid"}, "passed", "sharded cluster, the collection unsharded"),
        ({"setName": "rs", "hosts": ["a", "b", "c"]}, "passed", "replica set rs, 3 members"),
    ],
)
def test_topologies(
    tokens: Tokens,
    answer: dict[str, Any],
    result: str,
    detail: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "_command", lambda *_: answer)
    [finding] = server.topology(tokens)
    assert (finding.result, finding.detail) == (result, detail)


@on_servers
@pytest.mark.parametrize(("text", "result"), [("4.2.25", "failed"), ("4.4.0", "passed")])
def test_versions(tokens: Tokens, text: str, result: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_command", lambda *_: {"version": text})
    [finding] = server.versions(tokens)
    assert finding.result == result


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalMongo, str]]:
    """A server with authentication and TLS that has a collection of tokens, and its authority."""
    folder = tmp_path_factory.mktemp("locked")
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    ca, own = folder / "ca.pem", folder / "server.pem"
    authority.cert_pem.write_to_path(str(ca))
    certificate.private_key_and_cert_chain_pem.write_to_path(str(own))
    with (
        LocalMongo(auth=True, tls_certificate_key_file=own, tls_ca_file=ca) as server,
        MongoTokenStore(f"{server.admin_uri}&tlsCAFile={ca}", database="locked") as store,
    ):
        store.ensure_indexes()
        yield server, str(ca)


def uri_of(locked: tuple[LocalMongo, str], user: str) -> str:
    """The URI of a user, who may do what the user's name says."""
    server, ca = locked
    name, _, rights = user.partition(":")
    if name == "nobody":
        return f"{server.uri}&tlsCAFile={ca}"
    allowed = dict(one.split("=") for one in rights.split())
    privileges = [
        {
            "resource": {"db": "locked", "collection": collection},
            "actions": actions.split(","),
        }
        for collection, actions in allowed.items()
    ]
    with MongoClient[dict[str, Any]](server.admin_uri, tlsCAFile=ca) as client:
        database = client["locked"]
        if not database.command("usersInfo", name)["users"]:
            database.command("createRole", name, privileges=privileges, roles=[])
            database.command("createUser", name, pwd="hunter2", roles=[name])
    place = server.uri.removeprefix("mongodb://").replace("/?", "/locked?")
    return f"mongodb://{name}:hunter2@{place}&tlsCAFile={ca}"


APPLICATION = "app:=find,insert,update,remove"
DATA = "find,insert,update,remove"
RIGHTS = {
    APPLICATION: (
        "passed",
        "may read and write tokens and leases, but not create indexes: use create_indexes=False",
    ),
    f"all:={DATA},listIndexes,createIndex": ("passed", "may read and write tokens and leases"),
    f"exact:oauthtoken={DATA},listIndexes,createIndex oauthtoken.leases={DATA}": (
        "passed",
        "may read and write tokens and leases",
    ),
    "deploy:oauthtoken=listIndexes,createIndex": (
        "warned",
        "may create indexes, but neither read nor write tokens: a role for deploy steps",
    ),
    "reader:oauthtoken=find oauthtoken.leases=find,insert": (
        "failed",
        "may not insert, update, remove in locked.oauthtoken; update, remove in "
        "locked.oauthtoken.leases",
    ),
    "nobody": ("failed", "none without a log-in"),
}


@pytest.mark.parametrize("engine", ["mongodb"], indirect=True)
@pytest.mark.parametrize("user", RIGHTS)
def test_what_the_role_may_do_is_told_without_doing_it(
    cli: CommandLine, locked: tuple[LocalMongo, str], user: str
) -> None:
    result = cli("doctor", "--json", "--uri", uri_of(locked, user), "--database", "locked")
    lines = {one["check"]: one for one in result.json}
    assert (lines["rights"]["result"], lines["rights"]["detail"]) == RIGHTS[user]
    told = lines["authentication"]
    if user == "nobody":
        assert (told["result"], told["detail"]) == (
            "failed",
            "the server requires authentication, and the URI has no credentials",
        )
        assert list(lines)[-3:] == ["authentication", "rights", "clock"]
    else:
        assert (told["result"], told["detail"]) == ("passed", f"{user.partition(':')[0]}@locked")


@pytest.mark.parametrize("engine", ["mongodb"], indirect=True)
def test_a_role_that_may_not_look_is_a_warning(
    cli: CommandLine, locked: tuple[LocalMongo, str]
) -> None:
    context = ("--uri", uri_of(locked, APPLICATION), "--database", "locked")
    lines = {one["check"]: one for one in cli("doctor", "--json", *context).json}
    assert lines["TLS"]["detail"] == "on"
    assert (lines["indexes"]["result"], lines["indexes"]["detail"]) == (
        "warned",
        "the role may not check this",
    )
    assert lines["documents"]["result"] == "passed"


@pytest.mark.parametrize("engine", ["mongodb"], indirect=True)
def test_what_a_role_may_not_do_is_one_line(
    cli: CommandLine, locked: tuple[LocalMongo, str]
) -> None:
    uri = uri_of(locked, APPLICATION)
    result = cli("init", "--uri", uri, "--database", "locked")
    assert (result.status, result.errors.count("\n")) == (1, 1)
    assert result.errors == (
        "zoho-mongo-store init: the role may not do this: it needs what zohoTokenStoreDeploy may, "
        "see zoho-mongo-store create-roles\n"
    )
    as_deploy = uri_of(locked, "deploy:oauthtoken=listIndexes,createIndex")
    read = cli("list", "--uri", as_deploy, "--database", "locked")
    assert read.errors == (
        "zoho-mongo-store list: the role may not do this: it needs what zohoTokenStore may, "
        "see zoho-mongo-store create-roles\n"
    )
    roles = cli("create-roles", "--uri", uri, "--database", "locked")
    assert roles.errors == (
        "zoho-mongo-store create-roles: the role may not do this: it needs userAdmin on the "
        "database of the tokens\n"
    )
    wrong = cli("list", "--uri", uri.replace("hunter2", "hunter3"), "--database", "locked")
    assert (wrong.status, wrong.errors.count("\n")) == (1, 1)
    assert "refused the log-in" in wrong.errors
    assert "hunter" not in result.errors + wrong.errors
    wrong_uri = ("--uri", uri.replace("hunter2", "hunter3"), "--database", "locked")
    (refused,) = cli("doctor", "--json", *wrong_uri).json
    assert (refused["check"], refused["advice"]) == ("server", "correct --uri")


@on_servers
def test_no_server_is_the_only_line(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "TIMEOUT", 0.5)
    lines = examine(cli, "--uri", "mongodb://ada:hunter2@127.0.0.1:1/", status=1)
    assert list(lines) == ["server"]
    assert "hunter2" not in lines["server"][1]
    assert lines["server"][2] == "start MongoDB, or correct --uri"
