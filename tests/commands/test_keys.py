"""``encrypt``, ``decrypt``, ``rotate-keys``, and the other commands on an encrypted collection."""

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest
from bson.binary import Binary
from pymongo.collection import Collection

from tests.commands.conftest import CommandLine
from tests.commands.states import cool_down, end_login
from tests.engines import SERVERS, Engine
from tests.tokens import full
from tests.transfer.sources import mode_of, with_filestore
from zoho_mongo_store import FieldEncryption, MongoTokenStore

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

    finished = keyed.installed("encrypt", "--yes")
    assert (finished.status, finished.output, finished.errors) == (0, "1 token encrypted\n", "")
    assert plain(tokens) == 0
    assert keyed("encrypt", "--yes", "--json").json == {"changed": 0, "unreadable": []}
    wrapped = keyed.installed("rotate-keys")
    assert (wrapped.status, wrapped.errors) == (0, "")
    assert wrapped.output == "1 data key wrapped with the master key of local\n"
    assert keyed("rotate-keys", "--json").json == {"wrapped": 1}
    assert "R-secret" in keyed("export", "--show-secrets").output
    assert [row[1] for row in cli("list").rows] == ["1"]

    finished = keyed.installed("decrypt", "--yes")
    assert (finished.status, finished.output) == (0, "1 token decrypted\n")
    assert plain(tokens) == 1


def test_an_import_is_encrypted(keyed: CommandLine, tokens: Tokens, tmp_path: Path) -> None:
    path = with_filestore(tmp_path / "tokens.csv", [full(refresh_token="R-secret")])
    assert keyed("import", "filestore", str(path)).status == 0
    assert plain(tokens) == 0
    assert keyed("import", "filestore", str(path), "--json").json["unchanged"] == 1
    assert [row[0] for row in keyed("list").rows] == ["ada@example.com:1"]


def test_what_needs_the_keys_says_so(cli: CommandLine, keyed: CommandLine, tmp_path: Path) -> None:
    path = with_filestore(tmp_path / "tokens.csv", [full(refresh_token="R-secret")])
    keyed("import", "filestore", str(path))
    assert "is encrypted: give --kms-providers" in cli("revoke", "1").errors
    for options in ([], ["--show-secrets"]):
        exported = cli.installed("export", *options, "--output", str(tmp_path / "exported"))
        assert (exported.status, exported.output, exported.errors) == (
            1,
            "",
            "zoho-mongo-store export: tokens are encrypted: give --kms-providers\n",
        )
    assert not (tmp_path / "exported").exists()


def test_another_master_key_is_one_line(
    keyed: CommandLine, own_store: MongoTokenStore, kms_providers: Path
) -> None:
    own_store.save_token(full(id="1"))
    keyed("encrypt", "--yes")
    key = base64.b64encode(os.urandom(96)).decode()
    kms_providers.write_text(json.dumps({"local": {"key": key}}))
    result = keyed("export", "--show-secrets")
    assert (result.status, result.errors.count("\n")) == (1, 1)
    assert "cannot be unwrapped" in result.errors
    assert key not in result.errors
    # No secret has to be read to tell what is idle.
    purged = keyed("purge", "--idle-for", "0s", "--yes", "--json")
    assert (purged.status, purged.json["deleted"]) == (0, 1)


def test_encrypt_and_decrypt_ask_first(
    keyed: CommandLine, tokens: Tokens, own_store: MongoTokenStore
) -> None:
    own_store.save_token(full(id="1"))
    for command, plain_values in (("encrypt", "read"), ("decrypt", "write")):
        asked = keyed(command, input="n\n", COLUMNS="40")
        assert (asked.status, asked.output) == (1, "")
        # Whole, since it is no terminal.
        assert asked.errors.splitlines()[0].endswith(".")
        assert f'must have FieldEncryption(..., plain="{plain_values}")' in asked.errors
        assert asked.errors.endswith(
            f"{command.capitalize()} all secrets in {tokens.full_name}? [y/N] \n"
            f"zoho-mongo-store {command}: nothing was done\n"
        )
        assert plain(tokens) == (command == "encrypt")
        assert keyed(command, input="y\n").status == 0
        assert plain(tokens) == (command == "decrypt")


def test_another_key_vault_is_told(
    keyed: CommandLine, own_store: MongoTokenStore, database: str
) -> None:
    own_store.save_token(full(id="1"))
    keyed("encrypt", "--yes")
    rotated = keyed("rotate-keys", "--key-vault", f"{database}.others")
    assert (rotated.status, rotated.output) == (1, "")
    assert rotated.errors == (
        f"zoho-mongo-store rotate-keys: the key vault {database}.others has no data key "
        "'zoho-mongo-store': check --key-vault and --key-name\n"
    )
    wrong = keyed("list", "--key-vault", "others")
    assert (wrong.status, "key_vault must be" in wrong.errors) == (2, True)


def test_a_new_key_is_what_commands_and_applications_take(
    keyed: CommandLine, tokens: Tokens, tmp_path: Path, database: str, engine: Engine
) -> None:
    path = tmp_path / "master.key"
    made = keyed.installed("new-key", str(path))
    assert (made.status, made.errors) == (0, "")
    assert made.output.startswith(f"{path}: 96 random bytes. ")
    assert (len(path.read_bytes()), mode_of(path)) == (96, 0o600)

    encryption = FieldEncryption(
        {"local": {"key": path.read_bytes()}}, key_vault=f"{database}.keys"
    )
    with MongoTokenStore(engine.uri, database=database, encryption=encryption) as store:
        store.save_token(full(id="1", refresh_token="R-secret"))
    assert plain(tokens) == 0
    exported = keyed("export", "--show-secrets", "--kms-providers", str(path))
    assert (exported.status, "R-secret" in exported.output) == (0, True)


def test_a_new_key_replaces_no_file(keyed: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    path.write_text("mine")
    refused = keyed("new-key", str(path))
    assert (refused.status, refused.output) == (1, "")
    assert refused.errors == (
        f"zoho-mongo-store new-key: {path} exists: choose another file, since a key in use would "
        "be lost\n"
    )
    assert path.read_text() == "mine"
    nowhere = keyed("new-key", str(tmp_path / "missing" / "key"))
    assert (nowhere.status, nowhere.errors.count("\n")) == (1, 1)


@pytest.mark.parametrize("length", [95, 97])
def test_a_key_of_another_length_is_wrong_usage(
    keyed: CommandLine, kms_providers: Path, length: int
) -> None:
    kms_providers.write_bytes(b"\xff" * length)
    raw = keyed("list")
    assert raw.status == 2
    assert f"has {length} bytes: it is neither a key of 96 bytes nor a JSON object" in raw.errors
    key = base64.b64encode(b"\xff" * length).decode()
    kms_providers.write_text(json.dumps({"local": {"key": key}}))
    in_json = keyed("list")
    assert in_json.status == 2
    assert f"the local key has {length} bytes, not 96" in in_json.errors
    assert key not in in_json.errors


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
    assert keyed("encrypt", "--yes").errors == ""
    kms_providers.chmod(0o640)
    result = keyed("list")
    assert result.status == 0
    assert "is not only for its owner: run chmod 600" in result.errors


def test_encrypted_tokens_of_one_credential_fail_together(
    keyed: CommandLine, cli: CommandLine, tokens: Tokens, own_store: MongoTokenStore
) -> None:
    for user in ("cool", "dead"):
        token = full(user_name=user, access_token=f"A {user}", refresh_token=f"R {user}")
        own_store.save_token(token)
        twin = tokens.find_one({"user_name": user}, {"_id": False})
        assert twin is not None
        tokens.insert_one({**twin, "id": f"twin of {user}", "user_name": f"{user} twin"})
    cool_down(tokens, "cool", "too many")
    end_login(tokens, "dead")
    assert keyed("encrypt", "--yes").status == 0
    both = {"cool", "cool twin", "dead", "dead twin"}
    for line in (keyed, cli):
        assert {row[0] for row in line("list", "--failed").rows} == both


def test_a_token_that_cannot_be_decrypted_is_listed(
    keyed: CommandLine, tokens: Tokens, own_store: MongoTokenStore
) -> None:
    own_store.save_token(full(user_name="dead", refresh_token="R"))
    end_login(tokens, "dead")
    assert keyed("encrypt", "--yes").status == 0
    tokens.update_one({}, {"$set": {"refresh_token": Binary(b"\x01" + bytes(40), 6)}})
    assert "cannot be decrypted" in keyed("show", "--user", "dead").errors
    for options in ([], ["--failed"]):
        listed = keyed("list", *options)
        assert (listed.status, listed.errors) == (0, "")
        assert [(row[0], row[2]) for row in listed.rows] == [("dead", "login required")]
