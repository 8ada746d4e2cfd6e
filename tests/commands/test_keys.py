"""``encrypt``, ``decrypt``, ``rotate-keys``, and the other commands on an encrypted collection."""

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest
from pymongo.collection import Collection

from tests.commands.conftest import CommandLine
from tests.engines import SERVERS
from tests.tokens import full
from tests.transfer.sources import with_filestore
from zoho_mongo_store import MongoTokenStore

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)

Tokens = Collection[dict[str, Any]]


@pytest.fixture
def keyed(cli: CommandLine, kms_providers: Path, database: str) -> CommandLine:
    """The command line with the keys."""
    keys = {
        "ZOHO_MONGO_KMS_PROVIDERS": str(kms_providers),
        "ZOHO_MONGO_KEY_VAULT": f"{database}.keys",
    }
    return CommandLine({**cli.variables, **keys}, kms_providers.parent)


def plain(tokens: Tokens) -> int:
    return tokens.count_documents({"refresh_token": {"$type": "string"}})


def test_there_and_back(
    keyed: CommandLine, tokens: Tokens, own_store: MongoTokenStore, cli: CommandLine
) -> None:
    own_store.save_token(full(id="1", refresh_token="R-secret"))

    finished = keyed.installed("encrypt")
    assert (finished.status, finished.output, finished.errors) == (0, "1 token encrypted\n", "")
    assert plain(tokens) == 0
    assert keyed("encrypt", "--json").json == {"changed": 0, "unreadable": []}
    wrapped = keyed.installed("rotate-keys")
    assert (wrapped.status, wrapped.errors) == (0, "")
    assert wrapped.output == "1 data key wrapped with the master key of local\n"
    assert keyed("rotate-keys", "--json").json == {"wrapped": 1}
    assert "R-secret" in keyed("export", "--show-secrets").output
    assert [row[1] for row in cli("list").rows] == ["1"]

    finished = keyed.installed("decrypt")
    assert (finished.status, finished.output) == (0, "1 token decrypted\n")
    assert plain(tokens) == 1


def test_an_import_is_encrypted(keyed: CommandLine, tokens: Tokens, tmp_path: Path) -> None:
    path = with_filestore(tmp_path / "tokens.csv", [full(refresh_token="R-secret")])
    assert keyed("import", "filestore", str(path)).status == 0
    assert plain(tokens) == 0
    assert keyed("import", "filestore", str(path), "--json").json["unchanged"] == 1
    assert [row[0] for row in keyed("watch", "--count", "1").rows] == ["ada@example.com:1"]


def test_what_needs_the_keys_says_so(cli: CommandLine, keyed: CommandLine, tmp_path: Path) -> None:
    path = with_filestore(tmp_path / "tokens.csv", [full(refresh_token="R-secret")])
    keyed("import", "filestore", str(path))
    assert "is encrypted: give --kms-providers" in cli("revoke", "1").errors
    exported = cli("export", "--show-secrets")
    assert (exported.status, "0 written, 1 damaged" in exported.errors) == (1, True)


def test_another_master_key_is_one_line(
    keyed: CommandLine, own_store: MongoTokenStore, kms_providers: Path
) -> None:
    own_store.save_token(full(id="1"))
    keyed("encrypt")
    key = base64.b64encode(os.urandom(96)).decode()
    kms_providers.write_text(json.dumps({"local": {"key": key}}))
    result = keyed("list")
    assert (result.status, result.errors.count("\n")) == (1, 1)
    assert "cannot be unwrapped" in result.errors
    assert key not in result.errors
    # No secret has to be read to tell what is idle.
    purged = keyed("purge", "--idle-for", "0s", "--yes", "--json")
    assert (purged.status, purged.json["deleted"]) == (0, 1)


@pytest.mark.parametrize("text", ["", "[]", '{"local": 1}', '{"local": {"key": "%%%"}}', "{"])
def test_a_file_without_keys_is_wrong_usage(
    keyed: CommandLine, kms_providers: Path, text: str
) -> None:
    kms_providers.write_text(text)
    result = keyed("list")
    assert (result.status, "Traceback" in result.errors) == (2, False)


@pytest.mark.skipif(os.name != "posix", reason="file modes are of POSIX")
def test_keys_that_others_can_read_are_warned_of(
    keyed: CommandLine, kms_providers: Path, own_store: MongoTokenStore
) -> None:
    own_store.save_token(full(id="1"))
    assert keyed("encrypt").errors == ""
    kms_providers.chmod(0o640)
    result = keyed("list")
    assert result.status == 0
    assert result.errors.startswith("zoho-mongo-store: warning: others than its owner may use")
