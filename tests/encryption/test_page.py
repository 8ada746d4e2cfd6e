"""What docs/operate/encryption.md says to do, done."""

import json
import re
from pathlib import Path

import pytest

from tests.commands.conftest import CommandLine
from tests.conftest import StoreMaker
from tests.docs.pages import DOCS, blocks, run
from tests.encryption.keys import forms
from tests.engines import Engine
from tests.failures import fails
from tests.tokens import full
from zoho_mongo_store.driver.source import URI_VARIABLE
from zoho_mongo_store.model.document import SECRET_FIELDS

PAGE = DOCS / "operate" / "encryption.md"


def block(language: str) -> str:
    """The one block of that language that this test runs."""
    (code,) = [
        block.text
        for block in blocks(PAGE.read_text())
        if block.language == language and "tests/encryption/test_page.py" in block.before
    ]
    return code


def test_the_set_up_with_a_local_key(
    engine: Engine, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(URI_VARIABLE, engine.uri)
    (command,) = re.findall(r"(?m)^zoho-mongo-store (new-key .*)$", PAGE.read_text())
    assert CommandLine({}, tmp_path)(*command.split()).status == 0
    code = block("python").replace("zohooauth.", f"{database}.")

    names = run(code, PAGE)

    with names["store"] as store:
        assert store.collection.full_name == "zohooauth.oauthtoken"
        assert repr(store._tokens._encryptor._settings) == repr(names["encryption"])


def test_the_validator_refuses_what_is_plain(make_store: StoreMaker) -> None:
    """MongoDB itself refuses a store without encryption, and takes one with it."""
    store = make_store()
    store.save_token(full())
    shell = re.sub(r"([$\w]+):", r'"\1":', block("javascript"))
    (command,) = re.findall(r"runCommand\((.*)\)", shell, flags=re.S)
    validator = json.loads(command)
    assert set(validator["validator"]["$jsonSchema"]["properties"]) == set(SECRET_FIELDS)
    store.collection.database.command(validator)

    with fails("save_token failed"):
        make_store(encryption=None).save_token(full(access_token="plain"))
    store.save_token(full(access_token="new"))

    (document,) = store.collection.find()
    assert forms(document) == {"encrypted"}
