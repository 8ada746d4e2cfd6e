"""``import`` and ``export``, and the real SDK on what was moved in."""

import json
import os
import signal
import sqlite3
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pymongo.collection import Collection

from tests.commands.conftest import CommandLine
from tests.commands.running import COMMAND, run, running
from tests.engines import SERVERS, Engine
from tests.sdk.application import CLIENT, Application, call_api, name_of
from tests.tokens import full, make_token
from tests.transfer.sources import (
    as_sqlite,
    cut_to_nine,
    in_hours,
    mode_of,
    sqlite_table,
    with_filestore,
)
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.commands import context
from zoho_mongo_store.sdk import OAuthToken
from zoho_mongo_store.testing import LoopbackZoho

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)

Tokens = Collection[dict[str, Any]]


def logged_in(zoho: LoopbackZoho, user: str) -> OAuthToken:
    """A token that a user got an hour ago, from the loopback Zoho."""
    return make_token(
        user_name=name_of(user),
        refresh_token=zoho.refresh_token(user),
        access_token=f"expired of {user}",
        expires_in=in_hours(-1),
        api_domain=zoho.url,
        **CLIENT,
    )


def some_tokens(number: int) -> list[OAuthToken]:
    return [
        full(user_name=f"u{n}", refresh_token=f"R{n}", access_token=f"A{n}", grant_token=f"G{n}")
        for n in range(number)
    ]


@pytest.mark.parametrize("kind", ["filestore", "nine", "sqlite", "jsonl"])
def test_the_sdk_goes_on_with_what_was_moved_in(
    cli: CommandLine,
    tokens: Tokens,
    tmp_path: Path,
    zoho: LoopbackZoho,
    resource_path: str,
    kind: str,
) -> None:
    """By user name and by id: the moved token is refreshed, and nobody logs in again."""
    moved = [logged_in(zoho, "ada@example.com"), logged_in(zoho, "grace@example.com")]
    source = with_filestore(tmp_path / "tokens.csv", moved)
    command = {"nine": "filestore"}.get(kind, kind)
    if kind == "nine":
        cut_to_nine(source)
    elif kind == "sqlite":
        source = as_sqlite(source, tmp_path / "zohooauth.db")
    elif kind == "jsonl":
        assert cli("import", "filestore", str(source)).status == 0
        source = tmp_path / "tokens.jsonl"
        assert cli("export", "--show-secrets", "--output", str(source)).status == 0
        tokens.delete_many({})

    assert cli("import", command, str(source)).status == 0

    assert {one["id"]: one["user_name"] for one in tokens.find()} == {
        "1": name_of("ada@example.com"),
        "2": name_of("grace@example.com"),
    }
    options = {
        "uri": cli.variables["ZOHO_MONGO_URI"],
        "database": cli.variables["ZOHO_MONGO_DATABASE"],
    }
    application = Application(zoho, options, resource_path)
    by_name = application.run(call_api, {"user_name": name_of("ada@example.com"), **CLIENT})
    by_id = application.run(call_api, {"id": "2"})
    assert (by_name.users, by_id.users) == (["ada@example.com"], ["grace@example.com"])
    assert zoho.count("refresh") == 2
    assert sorted(tokens.distinct("id")) == ["1", "2"]


def test_import_as_installed(cli: CommandLine, tokens: Tokens, tmp_path: Path) -> None:
    path = with_filestore(tmp_path / "tokens.csv", some_tokens(3))
    finished = cli.installed("import", "filestore", str(path), "--json")
    assert (finished.status, finished.errors) == (0, "")
    counts = json.loads(finished.output)
    assert (counts["rows"], counts["inserted"], counts["notes"]) == (3, 3, [])
    assert tokens.count_documents({}) == 3


def test_a_damaged_file_is_imported_but_for_its_damage(
    cli: CommandLine, tokens: Tokens, tmp_path: Path
) -> None:
    path = with_filestore(tmp_path / "tokens.csv", some_tokens(3))
    lines = path.read_text().splitlines()
    lines[2] = lines[2][: len(lines[2]) // 2]
    lines.append(f"9,u0,,,,newer,,{in_hours(9)},,")
    path.write_text("\r\n".join([*lines, ""]))

    result = cli("import", "filestore", str(path))

    assert result.status == 1
    counts = {name: number for name, number, _ in result.rows}
    assert counts["damaged"] == "1"
    assert "line 3: skipped: it has" in result.errors
    assert "for the same user is used" in result.errors
    assert not any(secret in result.errors for secret in ("R0", "R1", "A1", "newer"))
    assert "u1" not in tokens.distinct("user_name")
    ada = tokens.find_one({"user_name": "u0"})
    assert ada is not None
    assert ada["access_token"] == "newer"
    again = cli("import", "filestore", str(path), "--json").json
    assert (again["inserted"], again["updated"], again["damaged"]) == (0, 0, 1)


def test_a_dry_run_writes_nothing(cli: CommandLine, tokens: Tokens, tmp_path: Path) -> None:
    path = with_filestore(tmp_path / "tokens.csv", some_tokens(3))
    result = cli("import", "filestore", str(path), "--dry-run")
    assert (result.status, result.rows[0][:2]) == (0, ["inserted", "3"])
    assert "Nothing was written" in result.errors
    assert tokens.database.list_collection_names() == []


# What SDK 2 and the SDK's tokens call things, and a column that a token has no field for.
FOREIGN = {
    "id": "7",
    "user_mail": "ada",
    "refresh_token": "R",
    "access_token": "A",
    "expires_in": "1893456000000",
    "redirect_uri": "https://x",
    "scope": "ZohoCRM.modules.ALL",
}


def foreign_source(kind: str, path: Path) -> Path:
    """One row of ``FOREIGN``."""
    if kind == "sqlite":
        return sqlite_table(path, **FOREIGN)
    lines = [",".join(FOREIGN), ",".join(FOREIGN.values())]
    if kind == "jsonl":
        lines = [json.dumps(FOREIGN)]
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


@pytest.mark.parametrize("kind", ["filestore", "jsonl", "sqlite"])
def test_no_field_is_lost_without_a_word(
    cli: CommandLine, tokens: Tokens, tmp_path: Path, kind: str
) -> None:
    path = foreign_source(kind, tmp_path / "source")
    refused = cli("import", kind, str(path))
    assert (refused.status, refused.errors.count("\n")) == (1, 1)
    assert "the column scope: nothing was imported" in refused.errors
    assert "--ignore-column" in refused.errors
    assert tokens.count_documents({}) == 0

    # As a release stored it that knew neither the names nor the columns.
    known = {name: FOREIGN[name] for name in ("id", "refresh_token", "access_token")}
    tokens.insert_one({**known, "updated_at": datetime.now(UTC)})
    counts = [
        cli("import", kind, str(path), "--ignore-column", "Scope", "--json").json for _ in range(2)
    ]

    assert [(one["rows"], one["unchanged"]) for one in counts] == [(1, 0), (1, 1)]
    (stored,) = tokens.find({}, {"_id": 0, "updated_at": 0})
    expected = {**known, "user_name": "ada", "redirect_url": "https://x"}
    assert stored.pop("expiry_time").timestamp() == 1893456000
    assert stored == expected


def test_another_file_is_one_line_and_status_1(cli: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello\n")
    for command, reason in (("filestore", "is not a file of the SDK's"), ("sqlite", "not a data")):
        result = cli("import", command, str(path))
        assert (result.status, result.errors.count("\n")) == (1, 1)
        assert reason in result.errors


def test_the_ttl_stays_when_an_import_makes_indexes(
    cli: CommandLine, tokens: Tokens, tmp_path: Path
) -> None:
    cli("init", "--expire-idle-after", "90d")
    tokens.drop_index("id_1")
    path = with_filestore(tmp_path / "tokens.csv", some_tokens(1))
    imported = cli("import", "filestore", str(path))
    assert (imported.status, imported.output.splitlines()[-1]) == (0, "1 row")
    assert {"id_1", "updated_at_1"} <= set(tokens.index_information())


def test_an_import_that_was_ended_is_finished_by_the_next(
    cli: CommandLine, tokens: Tokens, tmp_path: Path
) -> None:
    header, row = with_filestore(tmp_path / "t.csv", some_tokens(1)).read_text().split()
    path = tmp_path / "many.csv"
    cells = row.split(",")
    with path.open("w") as file:
        file.write(f"{header}\n")
        for n in range(1500):
            file.write(",".join([str(n), f"user{n}", *cells[2:4], f"R{n}", f"A{n}", *cells[6:]]))
            file.write("\n")
    command = [str(COMMAND), "import", "filestore", str(path), "--json"]
    with running(*command, folder=tmp_path, **cli.variables) as process:
        deadline = time.monotonic() + 60
        while not tokens.find_one() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send(signal.SIGINT)
        ended = process.finish()
    before = tokens.count_documents({})
    assert (ended.status, ended.errors) == (130, "zoho-mongo-store import filestore: interrupted\n")
    assert 0 < before < 1500

    counts = cli("import", "filestore", str(path), "--json").json
    # The server may have finished what it was sent last.
    assert counts["unchanged"] >= before
    assert counts["inserted"] == 1500 - counts["unchanged"] > 0
    assert tokens.count_documents({}) == 1500 == len(tokens.distinct("user_name"))


def test_export_is_an_inventory_unless_asked_for_secrets(
    cli: CommandLine, own_store: MongoTokenStore
) -> None:
    for token in some_tokens(2):
        own_store.save_token(token)
    inventory = cli("export")
    assert inventory.status == 0
    assert [json.loads(line)["user_name"] for line in inventory.output.splitlines()] == ["u0", "u1"]
    assert not any(secret in inventory.output for secret in ("R0", "A0", "G0", "client-secret"))
    assert "warning" not in inventory.errors

    full_export = cli.installed("export", "--show-secrets")
    assert json.loads(full_export.output.splitlines()[1])["refresh_token"] == "R1"
    assert "warning: the output contains tokens" in full_export.errors


def test_an_exported_file_is_for_its_owner_alone(
    cli: CommandLine, own_store: MongoTokenStore, tmp_path: Path, engine: Engine, database: str
) -> None:
    own_store.save_token(full())
    path = tmp_path / "out.csv"
    arguments = ("export", "--format", "filestore", "--show-secrets", "--output", str(path))

    result = cli(*arguments)
    assert (result.status, mode_of(path)) == (0, 0o600)
    assert "see --renumber" in result.errors
    refused = cli(*arguments)
    assert (refused.status, "exists" in refused.errors) == (1, True)
    path.chmod(0o644)
    assert cli(*arguments, "--force", "--renumber").status == 0
    assert mode_of(path) == 0o600
    assert path.read_text().splitlines()[1].startswith("1,ada@example.com:1,")
    assert cli(*arguments, "--force").errors.endswith("export: 1 token written\n")
    engine.client[database]["oauthtoken"].insert_one({"id": 5})
    damaged = cli(*arguments, "--force")
    assert (damaged.status, "1 token written, 1 damaged" in damaged.errors) == (1, True)
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_a_failed_export_leaves_no_file(
    cli: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "TIMEOUT", 0.5)
    path = tmp_path / "out.jsonl"
    result = cli("export", "--output", str(path), "--uri", "mongodb://127.0.0.1:1/")
    assert (result.status, list(tmp_path.iterdir())) == (1, [])
    missing = cli("export", "--output", str(tmp_path / "missing" / "out"))
    assert (missing.status, missing.output) == (1, "")
    assert missing.errors == f"zoho-mongo-store export: {tmp_path / 'missing'} is not a folder\n"


def test_an_export_replaces_neither_a_folder_nor_a_device(cli: CommandLine, tmp_path: Path) -> None:
    device = tmp_path / "device"
    os.mkfifo(device)
    for path in (tmp_path, device):
        refused = cli("export", "--output", str(path), "--force")
        assert (refused.status, refused.errors) == (
            1,
            f"zoho-mongo-store export: {path} is not a file\n",
        )
    assert device.is_fifo()


def test_the_way_back_is_open(cli: CommandLine, own_store: MongoTokenStore, tmp_path: Path) -> None:
    from zohocrmsdk.src.com.zoho.api.authenticator.store import FileStore

    tokens = some_tokens(3)
    for token in tokens:
        own_store.save_token(token)
    path = tmp_path / "back.csv"
    arguments = ("--format", "filestore", "--show-secrets", "--output", str(path))
    assert cli("export", *arguments).status == 0
    found = FileStore(str(path)).find_token(make_token(user_name="u1", access_token="x"))
    assert found is not None
    assert (found.get_id(), found.get_refresh_token()) == (tokens[1].get_id(), "R1")


def test_the_password_of_mysql_is_not_shown(cli: CommandLine) -> None:
    pytest.importorskip("mysql.connector", reason="the extra mysql is not installed")
    result = cli("import", "mysql", "--host", "127.0.0.1", "--port", "1", ZOHO_MYSQL_PASSWORD="hun")
    assert (result.status, result.errors.count("\n")) == (1, 1)
    assert result.errors.startswith("zoho-mongo-store import mysql: MySQL at 127.0.0.1:1: ")
    assert "hun" not in result.errors


def test_without_the_extra_no_password_is_asked_for(cli: CommandLine, tmp_path: Path) -> None:
    code = "import sys; sys.modules['mysql'] = None; from zoho_mongo_store.cli import main; main()"
    command = (sys.executable, "-c", code, "import", "mysql")
    finished = run(*command, folder=tmp_path, **cli.variables)
    assert (finished.status, finished.output) == (1, "")
    assert finished.errors == (
        "zoho-mongo-store import mysql: MySQL needs the extra mysql: "
        "pip install 'zoho-mongo-store[mysql]'\n"
    )


def test_sqlite_as_installed(cli: CommandLine, tokens: Tokens, tmp_path: Path) -> None:
    filestore = with_filestore(tmp_path / "t.csv", some_tokens(2))
    path = as_sqlite(filestore, tmp_path / "zohooauth.db")
    finished = cli.installed("import", "sqlite", str(path))
    assert (finished.status, finished.errors) == (0, "")
    assert finished.output.endswith("\n2 rows\n")
    assert tokens.count_documents({}) == 2
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT count(*) FROM oauthtoken").fetchone() == (2,)
    database.close()
