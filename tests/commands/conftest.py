"""Fixtures of the command line's tests."""

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pymongo.collection import Collection
from typer.testing import CliRunner

from tests.commands.running import COMMAND, Finished, run
from tests.engines import Engine
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.cli import application


class Result(NamedTuple):
    """What a command said, and how it ended."""

    status: int
    output: str
    errors: str

    @property
    def rows(self) -> list[list[str]]:
        """The cells of the lines that have several."""
        return [line.split("\t") for line in self.output.splitlines() if "\t" in line]

    @property
    def json(self) -> Any:
        """Its standard output, which has to be one JSON document."""
        return json.loads(self.output)


class CommandLine:
    """Runs commands on the test's database: in this process, or as a user does."""

    def __init__(self, variables: dict[str, str], folder: Path) -> None:
        self.variables = variables
        self._folder = folder

    def __call__(self, *arguments: str, input: str | None = None, **variables: str) -> Result:
        """In this process: quick."""
        result = CliRunner().invoke(
            application(),
            arguments,
            input=input,
            env={**self.variables, "COLUMNS": "200", **variables},
        )
        unexpected = result.exception
        assert unexpected is None or isinstance(unexpected, SystemExit), repr(unexpected)
        return Result(result.exit_code, result.stdout, result.stderr)

    def installed(self, *arguments: str, **variables: str) -> Finished:
        """The installed script in a process of its own, its output piped."""
        return run(str(COMMAND), *arguments, folder=self._folder, **{**self.variables, **variables})


@pytest.fixture
def cli(engine: Engine, database: str, tmp_path: Path) -> CommandLine:
    """The command line on the test's own database, named by variables alone."""
    context = {"ZOHO_MONGO_URI": engine.uri, "ZOHO_MONGO_DATABASE": database}
    return CommandLine(context, tmp_path)


@pytest.fixture
def tokens(engine: Engine, database: str) -> "Collection[dict[str, Any]]":
    """The collection that the commands work on."""
    return engine.client[database]["oauthtoken"]


@pytest.fixture
def own_store(engine: Engine, database: str) -> Iterator[MongoTokenStore]:
    """A store on the test's database."""
    with MongoTokenStore(engine.uri, database=database, refresh=None) as store:
        yield store


@pytest.fixture
def kms_providers(tmp_path: Path) -> Path:
    """A file with a local master key, for its owner alone."""
    path = tmp_path / "kms.json"
    key = base64.b64encode(os.urandom(96)).decode()
    path.write_text(json.dumps({"local": {"key": key}}))
    path.chmod(0o600)
    return path
