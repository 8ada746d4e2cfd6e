"""What needs no SDK does not wait for it: it takes a second to import."""

from pathlib import Path

import pytest

from tests.commands.conftest import CommandLine
from tests.commands.running import COMMAND, run
from tests.engines import SERVERS
from tests.tokens import full
from tests.transfer.sources import with_filestore
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.commands.token_summary import data_centre_of
from zoho_mongo_store.sdk import zoho_data_centers

on_servers = pytest.mark.parametrize("engine", SERVERS, indirect=True)

# Python then tells of each import.
TELLS = {"PYTHONPROFILEIMPORTTIME": "1"}


def imports_sdk(told: str) -> bool:
    modules = {line.rpartition("|")[2].strip() for line in told.splitlines()}
    assert "zoho_mongo_store.cli" in modules
    return any(name.partition(".")[0] == "zohocrmsdk" for name in modules)


@pytest.fixture
def stored(own_store: MongoTokenStore) -> str:
    own_store.ensure_indexes()
    token = full()
    own_store.save_token(token)
    return str(token.get_id())


@on_servers
def test_commands_that_ask_zoho_nothing_do_not_load_it(
    cli: CommandLine, stored: str, tmp_path: Path
) -> None:
    commands = (
        "list",
        f"show {stored}",
        "doctor --quick",
        "doctor",
        "watch --count 1",
        "purge --idle-for 30d --dry-run",
        f"expire {stored}",
        "init",
        "export",
        "export --format filestore --show-secrets",
        f"delete {stored} --yes",
    )
    for command in commands:
        finished = cli.installed(*command.split(), **TELLS)
        assert finished.status == 0, finished.errors[-500:]
        assert not imports_sdk(finished.errors), command
    # Only so does it show what it has to.
    path = with_filestore(tmp_path / "tokens.csv", [full()])
    assert imports_sdk(cli.installed("import", "filestore", str(path), **TELLS).errors)


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_what_needs_no_mongodb_does_not_load_it(tmp_path: Path, option: str) -> None:
    finished = run(str(COMMAND), option, folder=tmp_path, **TELLS)
    assert (finished.status, imports_sdk(finished.errors)) == (0, False)


def test_a_probe_that_fails_does_not_load_it(tmp_path: Path) -> None:
    uri = "mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=50"
    for command in ("list", "doctor"):
        finished = run(str(COMMAND), command, "--uri", uri, folder=tmp_path, **TELLS)
        assert finished.status == 1
        assert "MongoDB cannot be reached" in finished.output + finished.errors
        assert not imports_sdk(finished.errors), command


@pytest.mark.parametrize("kind", ["production", "sandbox", "developer"])
def test_data_centres_have_the_names_that_the_sdk_gives_them(kind: str) -> None:
    domains = {name: one.url for name, one in zoho_data_centers(kind).items()}
    assert domains
    assert {name: data_centre_of(url) for name, url in domains.items()} == {
        name: name.upper() for name in domains
    }


def test_a_domain_that_is_not_zohos_is_its_own_name() -> None:
    assert data_centre_of("http://127.0.0.1:8080") == "127.0.0.1:8080"
    assert data_centre_of("https://www.zohoapis.example") == "www.zohoapis.example"
