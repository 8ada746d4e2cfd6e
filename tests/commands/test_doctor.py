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
from tests.commands.test_listing import failed
from tests.engines import SERVERS
from tests.processes import in_processes
from tests.refresh.wrong_clock import set_clock
from tests.tokens import full
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.cli import application
from zoho_mongo_store.commands.doctor import server
from zoho_mongo_store.refresh.lease import lease_key
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
        "version",
        "topology",
        "write concern",
        "read preference",
        "TLS",
        "authentication",
        "clock",
        "indexes",
        "indexes used",
        "duplicate id",
        "duplicate user_name",
        "encryption",
        "documents",
        "cool-down",
    ]
    assert lines["documents"][1] == "1 token, all in order"
    assert lines["topology"][1].startswith("replica set ")


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
    damaged = [row[2] for row in result.rows if row[1] == "document"]
    assert len(damaged) == 3
    assert "A-secret" not in result.output


@on_servers
@pytest.mark.usefixtures("ready")
def test_a_cool_down_is_a_warning_with_its_reason(cli: CommandLine, tokens: Tokens) -> None:
    later = datetime.now(UTC) + timedelta(minutes=5)
    tokens.database["oauthtoken.leases"].insert_one(
        {
            "_id": lease_key("refresh_token", "1000.refresh"),
            "until": later,
            "cooling_until": later,
            "purge_at": later + timedelta(hours=1),
            "failures": {"0": failed(later, "too many")},
        }
    )
    result, detail, advice = examine(cli)["cool-down"]
    assert result == "warned"
    assert detail.startswith("ada@example.com:1 is cooling down for 4 min (INVALID: too many)")
    assert "Zoho refuses" in advice


@on_servers
@pytest.mark.usefixtures("ready")
def test_encryption_has_to_be_as_the_options_say(
    cli: CommandLine, tokens: Tokens, kms_providers: Path, database: str
) -> None:
    options = ("--kms-providers", str(kms_providers), "--key-vault", f"{database}.keys")
    plain = examine(cli, *options, status=1)["encryption"]
    assert plain == ("failed", "1 token with secrets in plain", "run zoho-mongo-store encrypt")
    assert cli("encrypt", "--yes", *options).status == 0
    assert examine(cli, *options)["encryption"][0] == "passed"
    assert examine(cli, status=1)["encryption"][1:] == ("1 token encrypted", "give --kms-providers")

    tokens.insert_one({"id": "2", "refresh_token": Binary(b"\x01" + bytes(40), 6)})
    assert "cannot be decrypted" in examine(cli, *options, status=1)["document"][1]


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
    [finding] = server.version(tokens)
    assert finding.result == result


@pytest.fixture(scope="module")
def locked_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with authentication and TLS, and the URI of a user who may read and write alone."""
    folder = tmp_path_factory.mktemp("locked")
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    ca, own = folder / "ca.pem", folder / "server.pem"
    authority.cert_pem.write_to_path(str(ca))
    certificate.private_key_and_cert_chain_pem.write_to_path(str(own))
    with (
        LocalMongo(auth=True, tls_certificate_key_file=own, tls_ca_file=ca) as server,
        MongoClient[dict[str, Any]](server.admin_uri, tlsCAFile=str(ca)) as client,
    ):
        resource = {"db": "locked", "collection": ""}
        actions = ["find", "insert", "update", "remove"]
        role = {"resource": resource, "actions": actions}
        client["locked"].command("createRole", "app", privileges=[role], roles=[])
        client["locked"].command("createUser", "app", pwd="hunter2", roles=["app"])
        place = server.uri.removeprefix("mongodb://").replace("/?", "/locked?")
        yield f"mongodb://app:hunter2@{place}&tlsCAFile={ca}"


@pytest.mark.parametrize("engine", ["mongodb"], indirect=True)
def test_a_role_that_may_not_look_is_a_warning(cli: CommandLine, locked_uri: str) -> None:
    lines = {
        one["check"]: one
        for one in cli("doctor", "--json", "--uri", locked_uri, "--database", "locked").json
    }
    assert lines["TLS"]["detail"] == "on"
    assert lines["authentication"]["detail"] == "app@locked"
    assert (lines["indexes"]["result"], lines["indexes"]["detail"]) == (
        "warned",
        "the role may not look",
    )
    assert lines["documents"]["result"] == "passed"


@pytest.mark.parametrize("engine", ["mongodb"], indirect=True)
def test_what_a_role_may_not_do_is_one_line(cli: CommandLine, locked_uri: str) -> None:
    context = ("--uri", locked_uri, "--database", "locked")
    result = cli("init", *context)
    assert (result.status, result.errors.count("\n")) == (1, 1)
    assert "role may not" in result.errors
    wrong = cli("list", "--uri", locked_uri.replace("hunter2", "hunter3"), "--database", "locked")
    assert (wrong.status, wrong.errors.count("\n")) == (1, 1)
    assert "refused the log-in" in wrong.errors
    assert "hunter" not in result.errors + wrong.errors


@on_servers
def test_no_server_is_the_only_line(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "TIMEOUT", 0.5)
    lines = examine(cli, "--uri", "mongodb://ada:hunter2@127.0.0.1:1/", status=1)
    assert list(lines) == ["server"]
    assert "hunter2" not in lines["server"][1]
