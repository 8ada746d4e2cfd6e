"""Consoles that are not UTF-8 (Windows, cron, slim containers), and a name in another script."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.commands.conftest import CommandLine
from tests.commands.console_program import SEPARATOR
from tests.commands.running import COMMAND, TIMEOUT, run_on_terminal
from tests.commands.states import cool_down
from tests.engines import SERVERS
from tests.tokens import full
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.commands.output import printable

pytestmark = [
    pytest.mark.parametrize("engine", SERVERS, indirect=True),
    pytest.mark.usefixtures("ada"),
]

# Every console has some of these letters, none has all.
NAME = "Zo\u00eb \u0410\u0434\u0430 \u674e\U0001f600"
PROGRAM = "tests.commands.console_program"
ROOT = Path(__file__).parents[2]
C_LOCALE = {"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}


class Console(NamedTuple):
    """What a console is like."""

    encoding: str
    variables: dict[str, str]


CONSOLES = {
    "cp1252": Console("cp1252", {"PYTHONIOENCODING": "cp1252"}),
    "latin-1": Console("latin-1", {"PYTHONIOENCODING": "latin-1"}),
    "ascii": Console("ascii", {"PYTHONIOENCODING": "ascii"}),
    "C locale": Console("ascii", C_LOCALE),
    "cp1252 in the C locale": Console("cp1252", {**C_LOCALE, "PYTHONIOENCODING": "cp1252"}),
    "utf-8": Console("utf-8", {"PYTHONIOENCODING": "utf-8"}),
}


@pytest.fixture
def ada(own_store: MongoTokenStore) -> None:
    """One token, of a user with such a name, which is cooling down, so that doctor names her."""
    own_store.ensure_indexes()
    own_store.save_token(full(id="1", user_name=NAME))
    cool_down(own_store.collection, NAME, "too many")


def environment(cli: CommandLine, console: Console) -> dict[str, str]:
    """The variables of a process on that console."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LC_")}
    return {**inherited, **cli.variables, "COLUMNS": "200", **console.variables}


def outputs_of(written: bytes, number: int) -> list[bytes]:
    """What each of so many commands wrote; all succeeded."""
    parts = written.split(SEPARATOR)
    assert parts[1::2] == [b"0"] * number
    return parts[:-1:2]


def run(
    cli: CommandLine, console: Console, commands: Sequence[Sequence[str]]
) -> tuple[list[bytes], str]:
    """What each command writes to a pipe, and all to standard error."""
    finished = subprocess.run(
        [sys.executable, "-m", PROGRAM, json.dumps(commands)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=TIMEOUT,
        env=environment(cli, console),
        cwd=ROOT,
    )
    errors = finished.stderr.decode(console.encoding)
    assert finished.returncode == 0, errors
    return outputs_of(finished.stdout, len(commands)), errors


@pytest.mark.parametrize("name", CONSOLES)
def test_no_command_ends_in_the_middle(cli: CommandLine, tmp_path: Path, name: str) -> None:
    console = CONSOLES[name]
    shown = NAME.encode(console.encoding, "backslashreplace").decode(console.encoding)
    exported, imported = tmp_path / "export.jsonl", tmp_path / "import.jsonl"
    imported.write_text(
        json.dumps({"id": "2", "user_name": NAME, "access_token": "A", "client_id": "other"})
    )
    tables = [["list"], ["show", "1"], ["watch", "--count", "1"], ["doctor"]]
    in_json = [
        ["list", "--json"],
        ["list", "--user", NAME, "--json"],
        ["doctor", "--json"],
        ["show", "1", "--json"],
        ["watch", "--json", "--count", "1"],
    ]
    exports = [
        ["export"],
        ["export", "--format", "filestore", "--show-secrets"],
        ["export", "--output", str(exported)],
    ]
    changes = [
        ["import", "--help"],
        ["import", "jsonl", str(imported)],
        ["delete", "--user", NAME, "--yes"],
    ]

    outputs, errors = run(cli, console, [*tables, *in_json, *exports, *changes])

    assert "Traceback" not in errors
    assert "line 1: stored without the user name" in errors
    for output in outputs[:4]:
        assert shown in output.decode(console.encoding)
    listed, found, checked, fields, change = (json.loads(output) for output in outputs[4:9])
    assert console.encoding == "utf-8" or b"".join(outputs[4:9]).isascii()
    assert listed == found
    assert listed[0]["user"] == fields["user_name"] == change["user"] == NAME
    assert NAME in next(one["detail"] for one in checked if one["check"] == "cool-down")
    for written in (outputs[9], exported.read_bytes()):
        assert json.loads(written)["user_name"] == NAME
        assert NAME.encode() in written
    _, row = csv.reader(outputs[10].decode().splitlines())
    assert row[1] == NAME
    assert outputs[10].count(b"\r\n") == 2
    assert outputs[-1].decode(console.encoding).rstrip() == f"deleted user {shown}"


@pytest.mark.parametrize("name", ["cp1252", "C locale"])
def test_as_installed(cli: CommandLine, name: str) -> None:
    console = CONSOLES[name]
    finished = subprocess.run(
        [str(COMMAND), "show", NAME],
        capture_output=True,
        timeout=TIMEOUT,
        env=environment(cli, console),
    )
    shown = NAME.encode(console.encoding, "backslashreplace").decode(console.encoding)
    assert (finished.returncode, finished.stdout) == (1, b"")
    assert finished.stderr.decode(console.encoding) == (
        f"zoho-mongo-store show: no token has the id {shown}\n"
    )


def test_on_a_terminal(cli: CommandLine) -> None:
    """Its encoding counts, also for what a pipe gets in UTF-8."""
    console = CONSOLES["cp1252"]
    commands = [["watch", "--count", "2"], ["list"], ["export"]]
    command = (sys.executable, "-m", PROGRAM, json.dumps(commands))
    written = run_on_terminal(*command, folder=ROOT, environment=environment(cli, console))
    watched, listed, exported = outputs_of(written, len(commands))
    for shown in (watched, listed):
        assert NAME.encode("cp1252", "backslashreplace") in shown
    assert json.loads(exported)["user_name"] == NAME
    assert exported.isascii()


def test_what_a_console_lacks_is_escaped() -> None:
    class Stream:
        encoding = "cp1252"

    stream: Any = Stream()
    assert printable("\u00eb\u0410\x1b", stream) == "\u00eb\\u0410\\x1b"
