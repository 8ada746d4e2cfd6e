"""Each command makes one client, whatever it does with it, and closes it."""

import json
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from tests.commands.conftest import CommandLine
from tests.engines import SERVERS
from tests.refresh.callers import CLIENT
from tests.tokens import full
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.testing import LoopbackZoho

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)

COMMANDS = {
    "init": ["init"],
    "list": ["list"],
    "list of a user": ["list", "--user", "ada@example.com:1"],
    "show": ["show", "{id}"],
    "watch": ["watch", "--count", "2", "--json"],
    "doctor": ["doctor", "--json"],
    "delete": ["delete", "{id}", "--yes"],
    "purge": ["purge", "--idle-for", "0s", "--yes"],
    "revoke": ["revoke", "{id}", "--accounts-url", "{zoho}", "--yes"],
    "refresh": ["refresh", "{id}", "--accounts-url", "{zoho}"],
    "expire": ["expire", "{id}"],
    "import": ["import", "jsonl", "{file}"],
    "a dry import": ["import", "jsonl", "{file}", "--dry-run"],
    "export": ["export"],
    "encrypt": ["encrypt", "--yes"],
    "decrypt": ["decrypt", "--yes"],
    "rotate-keys": ["rotate-keys"],
}


class CountedClient(MongoClient[Any]):
    """A client that notes that it was made, and closed."""

    made = 0
    closed = 0

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        CountedClient.made += 1

    def close(self) -> None:
        super().close()
        CountedClient.closed += 1


@pytest.mark.parametrize("command", COMMANDS)
def test_one_client(
    cli: CommandLine,
    own_store: MongoTokenStore,
    zoho: LoopbackZoho,
    kms_providers: Path,
    tmp_path: Path,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
) -> None:
    token = full(refresh_token=zoho.refresh_token(), **CLIENT)
    own_store.save_token(token)
    own_store.ensure_indexes()
    file = tmp_path / "tokens.jsonl"
    file.write_text(json.dumps({"id": "7", "user_name": "grace", "refresh_token": "1000.grace"}))
    values = {"id": token.get_id(), "file": file, "zoho": zoho.url}
    if command in ("encrypt", "decrypt", "rotate-keys"):
        cli.variables["ZOHO_MONGO_KMS_PROVIDERS"] = str(kms_providers)
        cli.variables["ZOHO_MONGO_KEY_VAULT"] = f"{database}.__keyVault"
    if command == "rotate-keys":
        assert cli("encrypt", "--yes").status == 0
    monkeypatch.setattr("zoho_mongo_store.driver.connection.MongoClient", CountedClient)
    monkeypatch.setattr(CountedClient, "made", 0)
    monkeypatch.setattr(CountedClient, "closed", 0)

    result = cli(*(argument.format(**values) for argument in COMMANDS[command]))

    assert result.status == 0, result.errors
    assert (CountedClient.made, CountedClient.closed) == (1, 1)
